package recovery

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement"
)

// Line asks for an amount of one part of a settlement.
type Line struct {
	SetlID   string       `json:"setl_id"`
	Part     string       `json:"part"`   // field of the settlement file, such as "hifp_pay" or "acct_pay"
	Amount   accounts.Fen `json:"amount"` // more than 0.00
	Reason   string       `json:"reason"`
	Document string       `json:"document"` // number of the decision; with the settlement it is the id
	// Where the line stands, as file:line; empty for one that was given alone.
	Where string `json:"where,omitempty"`
}

// maxLines bounds a list, since it is one transaction.
const maxLines = 2000

// columns of a list.
var columns = []string{"setl_id", "part", "amount", "reason", "document"}

// Columns are the columns of a list file.
func Columns() []string { return slices.Clone(columns) }

// ReadList reads a list: TSV with the columns named in the first line. Errors:
// Invalid, with every bad line as file:line:field:reason.
func ReadList(name string, content io.Reader) ([]Line, error) {
	data, err := io.ReadAll(io.LimitReader(content, 8<<20))
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: %w", name, err)
	}
	var lines []Line
	var bad problems
	var at map[string]int
	in := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF"))))
	in.Buffer(nil, 1<<20)
	for number := 1; in.Scan(); number++ {
		text := strings.TrimSuffix(in.Text(), "\r")
		cells := strings.Split(text, "\t")
		if at == nil {
			if at, err = header(name, cells); err != nil {
				return nil, err
			}
			continue
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		where := fmt.Sprintf("%s:%d", name, number)
		if len(cells) < len(at) {
			bad.add(where, "setl_id", fault.New(fault.Invalid, "the line has %d columns, the header %d", len(cells), len(at)))
			continue
		}
		cell := func(column string) string {
			if text := strings.TrimSpace(cells[at[column]]); text != "null" {
				return text
			}
			return ""
		}
		line := Line{SetlID: cell("setl_id"), Part: cell("part"), Reason: cell("reason"), Document: cell("document"), Where: where}
		if line.Amount, err = accounts.ParseYuan(cell("amount")); err != nil {
			bad.add(where, "amount", err)
			continue
		}
		lines = append(lines, line)
	}
	if err := in.Err(); err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: %w", name, err)
	}
	if at == nil {
		return nil, fault.New(fault.Invalid, "%s is empty: its first line must name the columns %s", name, strings.Join(columns, ", "))
	}
	return lines, bad.err()
}

func header(name string, cells []string) (map[string]int, error) {
	at := map[string]int{}
	for i, cell := range cells {
		at[strings.TrimSpace(cell)] = i
	}
	for _, column := range columns {
		if _, ok := at[column]; !ok {
			return nil, fault.New(fault.Invalid, "%s:1:%s: the column is missing; the first line must name %s, divided by TAB", name, column, strings.Join(columns, ", "))
		}
	}
	return at, nil
}

// problems are what is wrong with the lines of a list.
type problems struct {
	found []string
	first *fault.Error
}

// add notes what is wrong; where is empty for a line that was given alone.
func (p *problems) add(where, field string, err error) {
	known, ok := err.(*fault.Error)
	if !ok {
		known = fault.New(fault.KindOf(err), "%w", err)
	}
	if p.first == nil {
		p.first = known
	}
	if where == "" {
		p.found = append(p.found, known.Message)
		return
	}
	p.found = append(p.found, where+":"+field+":"+known.Message)
}

const shownProblems = 20

// err is nil, or one error that lists all: of the kind of the first one, with its
// details.
func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	shown := p.found[:min(len(p.found), shownProblems)]
	text := strings.Join(shown, "; ")
	if more := len(p.found) - len(shown); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	err := fault.New(p.first.Kind, "%s", text)
	err.Details = p.first.Details
	return err
}

// demand is what one document asks of one settlement.
type demand struct {
	id, setlID, document, reason string
	where                        string
	amounts                      settlement.Parts
	places                       [8]string // where each part is asked for
}

// idOf is the id of what a document decides on a settlement.
func idOf(document, setlID string) string { return document + "/" + setlID }

// demands groups the lines, in the order in which each begins.
func demands(lines []Line) ([]*demand, error) {
	if len(lines) == 0 || len(lines) > maxLines {
		return nil, fault.New(fault.Invalid, "a list has 1 to %d lines, this one has %d", maxLines, len(lines))
	}
	var list []*demand
	byID := map[string]*demand{}
	var bad problems
	for _, l := range lines {
		part, field, err := l.check()
		if err != nil {
			bad.add(l.Where, field, err)
			continue
		}
		id := idOf(l.Document, l.SetlID)
		d := byID[id]
		if d == nil {
			d = &demand{id: id, setlID: l.SetlID, document: l.Document, reason: l.Reason, where: l.Where}
			byID[id], list = d, append(list, d)
		}
		switch {
		case d.reason != l.Reason:
			bad.add(l.Where, "reason", fault.New(fault.Invalid, "document %s gives settlement %s another reason before: %q", l.Document, l.SetlID, d.reason))
		case d.amounts[part] != 0:
			bad.add(l.Where, "part", fault.New(fault.Invalid, "document %s asks for %s of settlement %s twice", l.Document, l.Part, l.SetlID))
		default:
			d.amounts[part], d.places[part] = l.Amount, l.Where
		}
	}
	return list, bad.err()
}

// check returns the place of the part, or the field that is wrong.
func (l *Line) check() (part int, field string, err error) {
	if err := checkText("setl_id", l.SetlID, 30); err != nil {
		return 0, "setl_id", err
	}
	if err := checkText("document", l.Document, maxDocument); err != nil {
		return 0, "document", err
	}
	if err := checkText("reason", l.Reason, maxReason); err != nil {
		return 0, "reason", err
	}
	if part, err = partOf(l.Part); err != nil {
		return 0, "part", err
	}
	if l.Amount <= 0 {
		return 0, "amount", fault.New(fault.Invalid, "%s is no amount to take back: more than 0.00 is needed", l.Amount).With("field", "amount")
	}
	return part, "", nil
}

// partOf is the place of a part by its name.
func partOf(name string) (int, error) {
	if part := slices.Index(settlement.PartFields(), name); part >= 0 {
		return part, nil
	}
	return 0, fault.New(fault.Invalid, "%q is no part of a settlement: name one of %s", name, strings.Join(settlement.PartFields(), ", ")).With("field", "part")
}
