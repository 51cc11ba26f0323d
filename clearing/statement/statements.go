package statement

import (
	"slices"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Statements makes statements from a journal under the rules of the book. It is
// safe for concurrent use.
type Statements struct {
	journal *ledger.Journal
	book    *accounts.Rulebook
}

// New returns the statements of the journal.
func New(journal *ledger.Journal, book *accounts.Rulebook) *Statements {
	return &Statements{journal, book}
}

// Query says of what a statement is wanted.
type Query struct {
	Book accounts.Book
	Fund string
	// From and To are the accounting periods, both inclusive: the same for a
	// month, January and December for a year.
	From, To accounts.Month
	// AsOf is the state of the journal, without a date: now, a position, or a
	// time of posting.
	AsOf ledger.AsOf
}

// MonthOf makes the query one of a month.
func (q Query) MonthOf(month accounts.Month) Query {
	q.From, q.To = month, month
	return q
}

// YearOf makes the query one of a year.
func (q Query) YearOf(year accounts.Month) Query {
	q.From, q.To = january(year), january(year).Add(11)
	return q
}

// january is the first month of the year in which the month lies.
func january(m accounts.Month) accounts.Month { return m[:5] + "01" }

func (s *Statements) check(q Query) error {
	for _, m := range []accounts.Month{q.From, q.To} {
		if _, err := accounts.ParseMonth(string(m)); err != nil {
			return err
		}
	}
	if !slices.Contains(s.book.Regions.Books(), q.Book) {
		return fault.New(fault.NotFound, "there is no book %s", q.Book).With("book", string(q.Book))
	}
	if !slices.ContainsFunc(s.book.Funds, func(f accounts.Fund) bool { return f.Code == q.Fund }) {
		return fault.New(fault.NotFound, "there is no fund %q", q.Fund).With("fund", q.Fund)
	}
	return nil
}

// layout is that of the statement on the last day of the query.
func (s *Statements) layout(kind accounts.StatementKind, q Query) (accounts.Layout, error) {
	layout := s.book.Statements.Layout(kind, q.Book.Role(), q.Fund, q.To.Last())
	if layout == nil {
		return nil, fault.New(fault.NotFound, "there is no layout of the statement %s for %s books, fund %s on %s: run fundledger setup again, or see fundledger rules statements",
			kind, q.Book.Role(), q.Fund, q.To.Last())
	}
	return layout, nil
}
