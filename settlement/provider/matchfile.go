package provider

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement"
)

// Columns of a provider's statement file: the settlement, its service month,
// and either what funds pay in total or the fields of the settlement file.
const (
	colSetlID = "setl_id"
	colMonth  = "month"
	colTotal  = "total"
)

const (
	maxFile       = 256 << 20 // bytes
	maxFileErrors = 20        // named in one message
)

// claimed is what the provider says of one settlement.
type claimed struct {
	line  int
	total accounts.Fen
	parts map[string]accounts.Fen // by field; nil where the file has totals only
}

// statementFile is a provider's file.
type statementFile struct {
	name, sha256 string
	rows         map[string]claimed
}

// readStatementFile reads a file of the month: TSV in UTF-8 (a BOM is
// accepted) with the columns setl_id, month and either total or the part
// fields, all that are there; nothing or null is 0.00. With both, the total
// must be the sum of the parts. The same row twice counts once. Every bad row is named as
// file:line:field in one Invalid error: a provider mends its file as a whole.
func readStatementFile(name string, month accounts.Month, in io.Reader) (*statementFile, error) {
	content, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: %w", name, err)
	}
	if len(content) > maxFile {
		return nil, fault.New(fault.Invalid, "%s has more than %d MiB", name, maxFile>>20)
	}
	sum := sha256.Sum256(content)
	f := &statementFile{name: name, sha256: hex.EncodeToString(sum[:]), rows: map[string]claimed{}}
	var faults []string
	var header []string
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff"))))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSuffix(lines.Text(), "\r")
		if header == nil {
			header = strings.Split(text, "\t")
			if err := checkHeader(name, header); err != nil {
				return nil, err
			}
			continue
		}
		if text == "" {
			continue
		}
		if field, reason := f.add(n, month, header, strings.Split(text, "\t")); reason != "" {
			faults = append(faults, fmt.Sprintf("%s:%d:%s: %s", name, n, field, reason))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: %w", name, err)
	}
	if header == nil {
		return nil, fault.New(fault.Invalid, "%s is empty: its first line names the columns %s, %s and %s", name, colSetlID, colMonth, colTotal)
	}
	if len(faults) > 0 {
		shown := faults[:min(len(faults), maxFileErrors)]
		return nil, fault.New(fault.Invalid, "%d bad rows:\n%s", len(faults), strings.Join(shown, "\n")).With("file", name)
	}
	return f, nil
}

func checkHeader(name string, header []string) error {
	lacks := func(column string) bool { return !slices.Contains(header, column) }
	for _, column := range []string{colSetlID, colMonth} {
		if lacks(column) {
			return fault.New(fault.Invalid, "%s:1:%s: the header lacks this column", name, column)
		}
	}
	if lacks(colTotal) && !slices.ContainsFunc(settlement.PartFields(), func(part string) bool { return !lacks(part) }) {
		return fault.New(fault.Invalid, "%s:1:%s: the header has neither this column nor one of %s", name, colTotal, strings.Join(settlement.PartFields(), ", "))
	}
	return nil
}

// add reads a row, or says which field is wrong and why.
func (f *statementFile) add(line int, month accounts.Month, header, cells []string) (field, reason string) {
	if len(cells) != len(header) {
		return colSetlID, fmt.Sprintf("the row has %d fields, the header %d", len(cells), len(header))
	}
	row := claimed{line: line}
	id, total, hasTotal := "", accounts.Fen(0), false
	for i, column := range header {
		value := cells[i]
		if value == "null" {
			value = ""
		}
		switch {
		case column == colSetlID:
			if id = value; id == "" || len(id) > maxSetlID || !isCode(id) {
				return column, fmt.Sprintf("a settlement serial of 1 to %d letters and digits is needed", maxSetlID)
			}
		case column == colMonth:
			if value != string(month) {
				return column, fmt.Sprintf("the row is of %q, the file of %s", value, month)
			}
		case column == colTotal || slices.Contains(settlement.PartFields(), column):
			amount := accounts.Fen(0)
			if value != "" {
				var err error
				if amount, err = accounts.ParseYuan(value); err != nil {
					return column, err.Error()
				}
			}
			if column == colTotal {
				total, hasTotal = amount, true
				continue
			}
			if row.parts == nil {
				row.parts = map[string]accounts.Fen{}
			}
			row.parts[column] = amount
			row.total += amount
		}
	}
	switch before, twice := f.rows[id]; {
	case hasTotal && row.parts != nil && row.total != total:
		return colTotal, fmt.Sprintf("%s is not the sum of the parts, %s", total, row.total)
	case hasTotal:
		row.total = total
		fallthrough
	default:
		if twice && !before.same(row) {
			return colSetlID, fmt.Sprintf("line %d says otherwise of the same settlement", before.line)
		}
		if !twice {
			f.rows[id] = row
		}
	}
	return "", ""
}

func (c claimed) same(d claimed) bool {
	for field, amount := range c.parts {
		if d.parts[field] != amount {
			return false
		}
	}
	return c.total == d.total
}

const maxSetlID = 30

func isCode(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_' || r == '.')
	})
}
