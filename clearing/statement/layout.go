package statement

import (
	"context"
	"fmt"
	"slices"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Figure is a line of a statement with its amounts.
type Figure struct {
	Line    string           `json:"line"` // 行次
	Title   string           `json:"title"`
	Section accounts.Section `json:"section"`
	Amount  accounts.Fen     `json:"amount"` // at the end of the periods, or within them
	// Other is, in a balance sheet, what stood at the beginning of the year
	// (年初数), and in an income statement the amount of the year up to the last
	// period (本年累计数).
	Other accounts.Fen `json:"other"`
}

// TieResult is a tie (勾稽关系) that was checked.
type TieResult struct {
	Title   string `json:"title"`
	Formula string `json:"formula"`
	// Difference is what the formula comes to; 0.00 is as it must be.
	Difference accounts.Fen `json:"difference"`
	Other      accounts.Fen `json:"other"` // of the second column
}

// Statement is a balance sheet or an income statement.
type Statement struct {
	Kind     accounts.StatementKind `json:"statement"`
	Book     accounts.Book          `json:"book"`
	Fund     string                 `json:"fund"`
	From     accounts.Month         `json:"from"`
	To       accounts.Month         `json:"to"`
	Position ledger.Position        `json:"position"` // of the journal, as seen
	Figures  []Figure               `json:"figures"`
	Ties     []TieResult            `json:"ties"`
}

// Err is a Precondition error that names the first tie that does not hold, with
// its difference, or nil.
func (s *Statement) Err() error {
	for _, t := range s.Ties {
		for _, difference := range []accounts.Fen{t.Difference, t.Other} {
			if difference != 0 {
				return fault.New(fault.Precondition, "the %s of %s, fund %s, %s to %s does not tie: %s (%s) leaves a difference of %s",
					s.Kind, s.Book, s.Fund, s.From, s.To, t.Title, t.Formula, difference).With("difference", difference.String())
			}
		}
	}
	return nil
}

// BalanceSheet (资产负债表) shows what stands at the end of the query's last
// period and at the beginning of its year. Income and expense that are not
// closed yet count in net assets. Errors: Invalid (periods, or a state that
// makes no sense), NotFound (book, fund, layout, or a journal that is shorter
// than a position that is asked).
func (s *Statements) BalanceSheet(ctx context.Context, q Query) (*Statement, error) {
	if q.From = q.To; s.check(q) == nil { // else the reading says what is wrong
		q.From = january(q.To)
	}
	m, err := s.movement(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.statement(accounts.BalanceSheet, q, m.position, m.moves, m.moves)
}

// IncomeStatement (收支表) shows income and expense of the query's periods and
// of the year up to their end, without what closed the year, and the surplus
// before and after. It ties when 基金结余 has changed by income less expense and
// nothing else. Errors as of BalanceSheet.
func (s *Statements) IncomeStatement(ctx context.Context, q Query) (*Statement, error) {
	m, err := s.movement(ctx, q)
	if err != nil {
		return nil, err
	}
	year := q
	year.From = january(q.To)
	if m.position != 0 {
		year.AsOf = ledger.AsOf{Position: m.position}
	}
	cumulative := m
	if year.From != q.From {
		if cumulative, err = s.movement(ctx, year); err != nil {
			return nil, err
		}
	}
	return s.statement(accounts.IncomeStatement, q, m.position, m.before(), cumulative.before())
}

func (s *Statements) statement(kind accounts.StatementKind, q Query, position ledger.Position, moves, others []ledger.Turnover) (*Statement, error) {
	layout, err := s.layout(kind, q)
	if err != nil {
		return nil, err
	}
	made := &Statement{Kind: kind, Book: q.Book, Fund: q.Fund, From: q.From, To: q.To, Position: position, Figures: []Figure{}, Ties: []TieResult{}}
	cash := func(t ledger.Turnover) bool { return s.layer(t.Account, q.To) == accounts.Cash }
	amounts, err := figures(layout, filtered(moves, cash), false)
	if err != nil {
		return nil, err
	}
	second, err := figures(layout, filtered(others, cash), kind == accounts.BalanceSheet)
	if err != nil {
		return nil, err
	}
	for _, row := range layout {
		if row.Section == accounts.Tie {
			made.Ties = append(made.Ties, TieResult{row.Title, row.Formula, amounts[row.Line], second[row.Line]})
			continue
		}
		made.Figures = append(made.Figures, Figure{row.Line, row.Title, row.Section, amounts[row.Line], second[row.Line]})
	}
	return made, nil
}

func filtered(moves []ledger.Turnover, keep func(ledger.Turnover) bool) []ledger.Turnover {
	return slices.DeleteFunc(slices.Clone(moves), func(t ledger.Turnover) bool { return !keep(t) })
}

// layer is that of the account's subject; a subject that has ended keeps it.
func (s *Statements) layer(a accounts.Account, month accounts.Month) accounts.Layer {
	if subject, ok := s.book.Chart.Find(a.Book.Role(), a.Subject, month.Last()); ok {
		return subject.Layer
	}
	for _, subject := range s.book.Chart.Subjects() {
		if subject.Role == a.Book.Role() && subject.Code == a.Subject {
			return subject.Layer
		}
	}
	return ""
}

// figures computes every line of the layout; with opening, balances are those
// before the periods.
func figures(layout accounts.Layout, moves []ledger.Turnover, opening bool) (map[string]accounts.Fen, error) {
	amounts := map[string]accounts.Fen{}
	for _, t := range moves {
		placed := false
		for _, sections := range [][]accounts.Section{{accounts.Asset, accounts.Liability, accounts.NetAssets}, {accounts.Income, accounts.Expense}, {accounts.Opening}, {accounts.Ending}} {
			if row, ok := layout.Of(t.Account.Subject, sections...); ok {
				amounts[row.Line] += measure(row.Section, t, opening)
				placed = true
			}
		}
		if sheet := hasSection(layout, accounts.Asset); sheet && !placed {
			return nil, fault.New(fault.Internal, "the account %s is in no line of the layout", t.Account)
		}
	}
	done := map[string]bool{}
	var sum func(line string) accounts.Fen
	sum = func(line string) accounts.Fen {
		row, ok := layout.Find(line)
		if terms := row.Terms(); ok && len(terms) > 0 && !done[line] {
			done[line] = true
			for _, term := range terms {
				amounts[line] += term.Sign * sum(term.Line)
			}
		}
		return amounts[line]
	}
	for _, row := range layout {
		sum(row.Line)
	}
	return amounts, nil
}

func hasSection(layout accounts.Layout, section accounts.Section) bool {
	return slices.ContainsFunc(layout, func(row accounts.StatementLine) bool { return row.Section == section })
}

// measure is what an account adds to a line of the section.
func measure(section accounts.Section, t ledger.Turnover, opening bool) accounts.Fen {
	end := t.Closing()
	if opening {
		end = t.Opening()
	}
	switch section {
	case accounts.Asset:
		return end
	case accounts.Liability, accounts.NetAssets, accounts.Ending:
		return -end
	case accounts.Opening:
		return -t.Opening()
	case accounts.Income:
		return t.Credit - t.Debit
	case accounts.Expense:
		return t.Debit - t.Credit
	}
	panic(fmt.Sprintf("statement: a figure of section %q", section))
}
