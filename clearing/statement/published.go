package statement

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Published is a table that somebody has published, in the lines of one of our
// layouts. Amounts are in its unit, with two decimals.
type Published struct {
	Name      string                  `json:"name"` // of the file
	Statement accounts.StatementKind  `json:"statement"`
	Role      accounts.Role           `json:"role"`
	Fund      string                  `json:"fund"`
	Date      civil.Date              `json:"date"` // whose layout it has
	Unit      string                  `json:"unit"` // 元 or 万元
	Lines     map[string]accounts.Fen `json:"lines"`
	Rows      map[string]int          `json:"-"` // of the file, by line
}

// PublishedTie is a sum of the table: what its lines come to, what is printed,
// and the difference, printed less computed.
type PublishedTie struct {
	Line       string       `json:"line"` // that is printed
	Title      string       `json:"title"`
	Formula    string       `json:"formula"`
	Computed   accounts.Fen `json:"computed"`
	Printed    accounts.Fen `json:"printed"`
	Difference accounts.Fen `json:"difference"`
}

// ReadPublished reads a table: lines "#statement income", "#role agency", "#fund
// 310", "#date 2024-12-31" and "#unit 万元" (元 where it is absent), then a header
// with the columns line and amount, divided by TABs, and a line of each figure.
// Other lines that begin with # are comments. Errors: Invalid, with
// file:line:field.
func ReadPublished(in io.Reader, name string) (*Published, error) {
	p := &Published{Name: name, Role: accounts.Agency, Unit: "元", Lines: map[string]accounts.Fen{}, Rows: map[string]int{}}
	var faults, header []string
	fail := func(n int, field, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s:%d:%s: ", name, n, field)+fmt.Sprintf(format, args...))
	}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimPrefix(strings.TrimRight(lines.Text(), "\r"), "\ufeff")
		if strings.HasPrefix(text, "#") {
			p.head(n, strings.TrimPrefix(text, "#"), fail)
			continue
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		cells := strings.Split(text, "\t")
		if header == nil {
			if header = cells; !slices.Contains(header, "line") || !slices.Contains(header, "amount") {
				fail(n, "header", "the columns line and amount are wanted")
				break
			}
			continue
		}
		p.figure(n, header, cells, fail)
	}
	if err := lines.Err(); err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: %w", name, err)
	}
	if p.Statement == "" || p.Fund == "" || p.Date.IsZero() {
		fail(1, "header", "write #statement, #fund and #date above the table")
	}
	if len(faults) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(faults, "\n"))
	}
	return p, nil
}

// head reads a line about the whole table.
func (p *Published) head(n int, text string, fail func(int, string, string, ...any)) {
	name, value, _ := strings.Cut(text, " ")
	value = strings.TrimSpace(value)
	switch name {
	case "statement":
		if p.Statement = accounts.StatementKind(value); p.Statement != accounts.BalanceSheet && p.Statement != accounts.IncomeStatement {
			fail(n, name, "%q is neither %s nor %s", value, accounts.BalanceSheet, accounts.IncomeStatement)
		}
	case "role":
		if p.Role = accounts.Role(value); p.Role != accounts.Agency && p.Role != accounts.Finance {
			fail(n, name, "%q is neither agency nor finance", value)
		}
	case "fund":
		p.Fund = value
	case "unit":
		if p.Unit = value; value != "元" && value != "万元" {
			fail(n, name, "%q is neither 元 nor 万元", value)
		}
	case "date":
		var err error
		if p.Date, err = accounts.ParseDate(value); err != nil {
			fail(n, name, "%s", err)
		}
	}
}

func (p *Published) figure(n int, header, cells []string, fail func(int, string, string, ...any)) {
	if len(cells) != len(header) {
		fail(n, "line", "%d fields, the header has %d", len(cells), len(header))
		return
	}
	line := strings.TrimSpace(cells[slices.Index(header, "line")])
	amount, err := accounts.ParseYuan(strings.TrimSpace(cells[slices.Index(header, "amount")]))
	if err != nil {
		fail(n, "amount", "%s", err)
		return
	}
	if before, ok := p.Rows[line]; ok {
		fail(n, "line", "line %s stands in row %d already", line, before)
		return
	}
	p.Lines[line], p.Rows[line] = amount, n
}

// Fen is the amount of a line in fen, whatever the table's unit.
func (p *Published) Fen(line string) accounts.Fen {
	if p.Unit == "万元" {
		return 10_000 * p.Lines[line]
	}
	return p.Lines[line]
}

// CheckPublished checks the sums and ties of the table as far as it prints
// their lines, and returns them all. Errors: Precondition for the first that
// does not tie, with the difference in the table's unit; Invalid for a line that
// the layout does not have, and where nothing can be checked; NotFound for a
// layout that does not exist.
func (s *Statements) CheckPublished(p *Published) ([]PublishedTie, error) {
	layout := s.book.Statements.Layout(p.Statement, p.Role, p.Fund, p.Date)
	if layout == nil {
		return nil, fault.New(fault.NotFound, "%s: there is no layout of the statement %s for %s books, fund %s on %s", p.Name, p.Statement, p.Role, p.Fund, p.Date)
	}
	var faults []string
	for line, n := range p.Rows {
		if row, ok := layout.Find(line); !ok || row.Section == accounts.Tie {
			faults = append(faults, fmt.Sprintf("%s:%d:line: the layout has no line %s", p.Name, n, line))
		}
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		return nil, fault.New(fault.Invalid, "%s", strings.Join(faults, "\n"))
	}
	ties := []PublishedTie{}
	for _, row := range layout {
		if tie, ok := p.tie(layout, row); ok {
			ties = append(ties, tie)
		}
	}
	if len(ties) == 0 {
		return ties, fault.New(fault.Invalid, "%s: the table prints no sum together with its lines, so nothing can be checked", p.Name)
	}
	for _, t := range ties {
		if t.Difference != 0 {
			return ties, fault.New(fault.Precondition, "%s does not tie: line %s (%s) is printed as %s, %s comes to %s: the difference is %s %s",
				p.Name, t.Line, t.Title, t.Printed, t.Formula, t.Computed, t.Difference, p.Unit).
				With("line", t.Line).With("difference", t.Difference.String())
		}
	}
	return ties, nil
}

// tie compares a sum with its lines, where all of them are printed. A tie is
// told as the sum of all its lines but the last, which stands against it. Of a
// sum of which a line is absent nothing is known: write 0.00 for an empty one.
func (p *Published) tie(layout accounts.Layout, row accounts.StatementLine) (PublishedTie, bool) {
	terms := row.Terms()
	if len(terms) == 0 {
		return PublishedTie{}, false
	}
	t := PublishedTie{Line: row.Line, Title: row.Title, Formula: row.Formula}
	scale := accounts.Fen(1)
	if row.Section == accounts.Tie {
		last := terms[len(terms)-1]
		terms = terms[:len(terms)-1]
		t.Line, scale = last.Line, -last.Sign
		t.Formula = row.Formula[:strings.LastIndexAny(row.Formula, "+-")]
		if of, ok := layout.Find(last.Line); ok {
			t.Title = of.Title
		}
	}
	for _, term := range terms {
		amount, ok := p.Lines[term.Line]
		if !ok {
			return PublishedTie{}, false
		}
		t.Computed += scale * term.Sign * amount
	}
	printed, ok := p.Lines[t.Line]
	t.Printed, t.Difference = printed, printed-t.Computed
	return t, ok
}
