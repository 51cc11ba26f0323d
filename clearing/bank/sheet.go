package bank

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// maxFile bounds a file that is read, in bytes: a bank account has some thousand
// lines a month, of some 200 bytes.
const maxFile = 16 << 20

// faults collects what is wrong with a file, so that one reading names all of it.
type faults struct {
	file string
	list []string
}

func (f *faults) fail(line int, field, format string, args ...any) {
	f.list = append(f.list, fmt.Sprintf("%s:%d:%s: ", f.file, line, field)+fmt.Sprintf(format, args...))
}

// shownFaults is how many faults one error lists.
const shownFaults = 50

// err is an Invalid error of all faults, nil for none.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	shown := f.list
	if len(shown) > shownFaults {
		shown = append(slices.Clone(shown[:shownFaults]), fmt.Sprintf("… and %d more", len(f.list)-shownFaults))
	}
	e := fault.New(fault.Invalid, "%s", strings.Join(shown, "\n")).With("file", f.file)
	for _, row := range f.list[:min(len(f.list), shownFaults)] {
		e.With("row", row)
	}
	return e
}

// sheet is a file of rows under a header line, divided by TAB or by comma, with
// lines "#name value" before it.
type sheet struct {
	*faults
	heads   []sheetHead
	rows    []sheetRow
	ignored []string // columns that nobody knows
}

type sheetHead struct {
	line        int
	name, value string
}

type sheetRow struct {
	*faults
	line   int
	fields map[string]string
}

// unpacked is the text of the file, out of a zip archive if it is one.
func unpacked(file string, content []byte) ([]byte, error) {
	if len(content) > maxFile {
		return nil, fault.New(fault.Invalid, "%s has %d bytes, at most %d are read: cut it into shorter stretches of days", file, len(content), maxFile)
	}
	if !bytes.HasPrefix(content, []byte("PK\x03\x04")) {
		return content, nil
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(archive.File) != 1 {
		return nil, fault.New(fault.Invalid, "%s is no zip archive of exactly one file", file)
	}
	inner, err := archive.File[0].Open()
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: the file in the archive cannot be read: %w", file, err)
	}
	defer inner.Close()
	text, err := io.ReadAll(io.LimitReader(inner, maxFile+1))
	if err != nil || len(text) > maxFile {
		return nil, fault.New(fault.Invalid, "%s: the file in the archive cannot be read, or has more than %d bytes", file, maxFile)
	}
	return text, nil
}

// readSheet reads the rows. A file without the required columns is an Invalid
// error; what is wrong with a row is collected.
func readSheet(file string, content []byte, required, optional []string) (*sheet, error) {
	s := &sheet{faults: &faults{file: file}}
	var header []string
	comma := false
	number := 0
	for raw := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		number++
		raw = strings.TrimRight(raw, "\r\n")
		switch {
		case strings.TrimSpace(raw) == "":
			continue
		case strings.HasPrefix(raw, "#"):
			name, value, _ := strings.Cut(strings.NewReplacer("\t", " ", ",", " ").Replace(raw[1:]), " ")
			s.heads = append(s.heads, sheetHead{number, strings.TrimSpace(name), strings.TrimSpace(value)})
			continue
		case header == nil:
			comma = !strings.Contains(raw, "\t")
		}
		cells, err := cut(raw, comma)
		if err != nil {
			s.fail(number, "", "is no line of CSV: %s", err)
			continue
		}
		if header == nil {
			if err := s.header(cells, required, optional); err != nil {
				return nil, err
			}
			header = cells
			continue
		}
		if len(cells) != len(header) {
			s.fail(number, "", "%d fields, the header has %d", len(cells), len(header))
			continue
		}
		row := sheetRow{faults: s.faults, line: number, fields: make(map[string]string, len(cells))}
		for i, name := range header {
			if cells[i] != "null" {
				row.fields[name] = cells[i]
			}
		}
		s.rows = append(s.rows, row)
	}
	if header == nil {
		return nil, fault.New(fault.Invalid, "%s has no header line: it must name the columns %s", file, strings.Join(required, ", "))
	}
	return s, nil
}

func cut(line string, comma bool) (cells []string, err error) {
	if !comma {
		cells = strings.Split(line, "\t")
	} else {
		r := csv.NewReader(strings.NewReader(line))
		if cells, err = r.Read(); err != nil {
			return nil, err
		}
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, nil
}

func (s *sheet) header(names, required, optional []string) error {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return fault.New(fault.Invalid, "%s names the column %q twice", s.file, name)
		}
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			s.ignored = append(s.ignored, name)
		}
	}
	missing := slices.DeleteFunc(slices.Clone(required), func(name string) bool { return slices.Contains(names, name) })
	if len(missing) > 0 {
		return fault.New(fault.Invalid, "%s lacks the columns %s: the first line without # must name all columns, divided by TAB or comma", s.file, strings.Join(missing, ", "))
	}
	return nil
}

// head is the value of the line "#name value"; a fault when there are two, or
// none and it is required.
func (s *sheet) head(name string, required bool) (value string, line int) {
	for _, h := range s.heads {
		if h.name != name {
			continue
		}
		if line != 0 {
			s.fail(h.line, "#"+name, "stands twice, first in line %d", line)
		}
		value, line = h.value, h.line
	}
	if value == "" && required {
		s.fail(max(line, 1), "#"+name, "is missing: write #%s and its value on a line above the columns", name)
	}
	return value, line
}

func (r *sheetRow) text(field string) string {
	s := r.fields[field]
	if s == "" {
		r.fail(r.line, field, "is missing")
	}
	return s
}

func (f *faults) amount(line int, field, text string) accounts.Fen {
	amount, err := accounts.ParseYuan(text)
	if err != nil {
		f.fail(line, field, "%s", err)
	}
	return amount
}

func (f *faults) date(line int, field, text string) civil.Date {
	d, err := accounts.ParseDate(text)
	if err != nil {
		f.fail(line, field, "%s", err)
	}
	return d
}
