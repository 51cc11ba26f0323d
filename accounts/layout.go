package accounts

import (
	"slices"
	"strings"

	"cloud.google.com/go/civil"
)

// StatementKind names a statement that has a layout.
type StatementKind string

const (
	BalanceSheet    StatementKind = "balance_sheet" // 资产负债表
	IncomeStatement StatementKind = "income"        // 收支表
)

// Section says what the figure of a line is.
type Section string

const (
	Asset     Section = "asset"     // 资产: what stands on its subjects at the end, debits less credits
	Liability Section = "liability" // 负债: the same, credits less debits
	NetAssets Section = "net"       // 净资产: as a liability; income and expense that are not closed yet count in it
	Income    Section = "income"    // 收入: what moved on its subjects, credits less debits
	Expense   Section = "expense"   // 支出: the same, debits less credits
	Opening   Section = "opening"   // 期初结余: what stood on its subjects before, credits less debits
	Ending    Section = "ending"    // 期末结余: what stands on them at the end
	Sum       Section = "sum"       // 合计: the formula over other lines
	Tie       Section = "tie"       // 勾稽: a formula that must come to 0.00; it is checked, not printed
)

// Sections lists all of them.
func Sections() []Section {
	return []Section{Asset, Liability, NetAssets, Income, Expense, Opening, Ending, Sum, Tie}
}

// StatementLine is a line of the layout of a statement for the books of a role.
// Fund is empty for the funds that have no layout of their own.
type StatementLine struct {
	Statement StatementKind `json:"statement"`
	Role      Role          `json:"role"`
	Fund      string        `json:"fund,omitempty"`
	Line      string        `json:"line"` // its number in the table, such as "1.2"
	Title     string        `json:"title"`
	Section   Section       `json:"section"`
	// Subjects are codes divided by commas, each standing for its sub-accounts
	// too; a subject that several lines cover belongs to the one with the longest code.
	Subjects string `json:"subjects,omitempty"`
	// Formula is a sum of lines, such as "1+1.2-2".
	Formula string `json:"formula,omitempty"`
	Effective
}

// Codes are the subjects of the line.
func (l StatementLine) Codes() []string {
	if l.Subjects == "" {
		return nil
	}
	return strings.Split(l.Subjects, ",")
}

// Term is a line that a formula adds or subtracts.
type Term struct {
	Line string
	Sign Fen // 1 or -1
}

// Terms are those of the line's formula, in their order.
func (l StatementLine) Terms() []Term {
	var terms []Term
	sign, rest := Fen(1), l.Formula
	for rest != "" {
		i := strings.IndexAny(rest, "+-")
		if i < 0 {
			return append(terms, Term{rest, sign})
		}
		if i > 0 {
			terms = append(terms, Term{rest[:i], sign})
		}
		if sign = 1; rest[i] == '-' {
			sign = -1
		}
		rest = rest[i+1:]
	}
	return terms
}

// Statements are the lines of all layouts, every version of every row.
type Statements []StatementLine

// Layout (表样) is what a statement of one fund in books of one role looks like
// on a date: its lines in order.
type Layout []StatementLine

// Layout returns the layout of the fund, or the one for funds that have none of
// their own; nil where there is none.
func (s Statements) Layout(statement StatementKind, role Role, fund string, on civil.Date) Layout {
	for _, of := range []string{fund, ""} {
		var layout Layout
		for _, l := range s {
			if l.Statement == statement && l.Role == role && l.Fund == of && l.On(on) {
				layout = append(layout, l)
			}
		}
		if layout != nil {
			return layout
		}
	}
	return nil
}

// Find returns the line of the number.
func (l Layout) Find(line string) (StatementLine, bool) {
	i := slices.IndexFunc(l, func(row StatementLine) bool { return row.Line == line })
	if i < 0 {
		return StatementLine{}, false
	}
	return l[i], true
}

// Of returns the line of one of the sections to which the subject belongs.
func (l Layout) Of(subject string, sections ...Section) (found StatementLine, ok bool) {
	longest := ""
	for _, row := range l {
		if !slices.Contains(sections, row.Section) {
			continue
		}
		for _, code := range row.Codes() {
			if (subject == code || strings.HasPrefix(subject, code+".")) && len(code) > len(longest) {
				found, longest, ok = row, code, true
			}
		}
	}
	return found, ok
}

// Surplus tells whether the subject is one of 基金结余: it stands in the opening
// and ending lines of the income statement, and is neither income nor expense.
func (l Layout) Surplus(subject string) bool {
	_, stands := l.Of(subject, Ending)
	_, moves := l.Of(subject, Income, Expense)
	return stands && !moves
}
