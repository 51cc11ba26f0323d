package bank

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/clearing/bank/internal/db"
	"fundledger/ledger"
)

// view is a bank account up to a day: the lines of the books that its money stands
// behind, and those of its statements.
type view struct {
	account    *Account
	day        civil.Date
	position   ledger.Position // of the journal, as seen
	books      []BookLine
	lines      []Line
	statements []Statement
	undone     map[string]bool // names of what a person has taken apart
}

// look reads the lines of the books at one position, at least the given one.
func (d *Desk) look(ctx context.Context, number string, day civil.Date, atLeast ledger.Position) (*view, error) {
	account, err := d.Account(ctx, number, day)
	if err != nil {
		return nil, err
	}
	v := &view{account: account, day: day}
	if v.position, err = d.journal.CatchUp(ctx); err != nil {
		return nil, err
	}
	if v.position < atLeast {
		return nil, d.journal.View(ctx, atLeast, func(pgx.Tx, ledger.Position) error { return nil })
	}
	v.books, err = d.bookLines(ctx, account, day, v.position)
	return v, err
}

// open reads what of both sides is matched, and the lines of the statements.
func (v *view) open(ctx context.Context, q *db.Queries) error {
	if err := markMatched(ctx, q, v.account.Number, v.books); err != nil {
		return err
	}
	rows, err := q.ListBankLines(ctx, db.ListBankLinesParams{Account: v.account.Number, FromDay: dateParam(firstDay), ToDay: dateParam(v.day)})
	if err != nil {
		return err
	}
	v.lines = make([]Line, len(rows))
	for i, r := range rows {
		v.lines[i] = lineOf(r)
	}
	if v.statements, err = readStatements(ctx, q, v.account.Number); err != nil {
		return err
	}
	events, err := q.MatchEventsOf(ctx, v.account.Number)
	v.undone = map[string]bool{}
	for _, m := range matchesOf(events) {
		if m.Undone != nil {
			v.undone[m.name()] = true
		}
	}
	return err
}

// firstDay lies before every statement.
var firstDay = civil.Date{Year: 1900, Month: 1, Day: 1}

// name is that of the proposal that the match was made of.
func (m *Match) name() string {
	books, lines := make([]BookLine, len(m.Postings)), make([]Line, len(m.Serials))
	for i, p := range m.Postings {
		books[i].PostingID = p
	}
	for i, s := range m.Serials {
		lines[i].Account, lines[i].Serial = m.Account, s
	}
	return nameOf(books, lines)
}

// Suggestions are matches that the rules suggest up to the day, for a person to
// confirm; several may name the same line. It tells the position of the journal
// that it has seen, at least the given one. Errors: NotFound (the bank account, or
// the journal is shorter), Invalid (a rule that cannot be read).
func (d *Desk) Suggestions(ctx context.Context, number string, day civil.Date, atLeast ledger.Position) ([]Proposal, ledger.Position, error) {
	v, err := d.look(ctx, number, day, atLeast)
	if err != nil {
		return nil, 0, err
	}
	rules, err := matchingOn(d.book.Policy, day)
	if err != nil {
		return nil, 0, err
	}
	err = d.store.Snapshot(ctx, func(tx pgx.Tx) error { return v.open(ctx, db.New(tx)) })
	if err != nil {
		return nil, 0, err
	}
	return newPool(rules, v.books, v.lines, v.undone).suggestions(), v.position, nil
}
