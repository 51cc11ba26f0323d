package main

import (
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/ledger"
)

// entryCmd shows an entry.
type entryCmd struct {
	Entry string `arg:"" help:"The entry's id or its key."`
}

func (c *entryCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.journal.CatchUp(app.ctx); err != nil {
		return err
	}
	r, err := s.journal.Entry(app.ctx, entryNamed(c.Entry))
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(r)
	}
	app.printf("entry %s at position %d, posted %s\nkey %s\n", r.ID, r.Position, clock(r.PostedAt), r.Key)
	printEntry(app, s.book, &r.Entry)
	for _, v := range r.Vouchers {
		app.printf("voucher 记账凭证 %s %s no. %d\n", v.Book, v.Period, v.Number)
	}
	if r.Corrects.Valid {
		app.printf("corrects %s\n", r.Corrects.UUID)
	}
	for _, id := range r.CorrectedBy {
		app.printf("corrected by %s\n", id)
	}
	return nil
}

// printEntry prints what an entry says and its postings.
func printEntry(app *app, book *accounts.Rulebook, e *ledger.Entry) {
	app.printf("%s in %s, %s: %s\n", e.Date, e.Period, e.Kind, e.Summary)
	app.printf("prepared by %s%s%s\n", e.Preparer, labelled(", reviewed by ", e.Reviewer), labelled(", source ", e.Source))
	t := newTable("", "Account", "Subject", "Side", "Amount", "Run", "Category")
	t.alignRight(1, 5)
	for i, p := range e.Postings {
		t.row(i+1, p.Account, subjectName(book, p.Account), sideName(p.Side), p.Amount, p.Run, p.Category)
	}
	t.print(app.out)
}

// entryNamed is the entry of this id, or of this key. Keys may be UUIDs too, but
// none of version 8, which ids have.
func entryNamed(name string) uuid.UUID {
	if id, err := uuid.Parse(name); err == nil && id.Version() == 8 {
		return id
	}
	return ledger.EntryID(name)
}
