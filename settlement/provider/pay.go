package provider

import (
	"cmp"
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/provider/internal/db"
)

// Payment says that the money of a list has left the spending account.
type Payment struct {
	List      string
	Date      civil.Date
	Reference string // of the bank's voucher; the same reference is recorded once
	By        string
}

// Pay posts the payment of a list, whatever its size as one entry, by insured
// region (J33 J40). The same payment again gives the first result.
//
// Errors: Invalid (form, a date before that of the list), NotFound (list),
// AlreadyExists (the list was paid by another reference or on another date, or
// the reference belongs to another list), Precondition (the list was cancelled or returned),
// Insufficient (the spending account lacks the money, with account and
// shortfall), PeriodClosed.
func (d *Desk) Pay(ctx context.Context, p Payment) (*List, error) {
	if err := required("list", p.List, "reference", p.Reference, "by", p.By); err != nil {
		return nil, err
	}
	if err := needDate(p.Date, "date"); err != nil {
		return nil, err
	}
	return d.onList(ctx, p.List, func(tx pgx.Tx, q *db.Queries, l *List) error {
		switch l.State {
		case ListPaid:
			return l.replayPayment(p)
		case ListCancelled, ListReturned:
			return fault.New(fault.Precondition, "payment list %s is %s: make another one", l.ID, l.State).With("id", l.ID)
		}
		if p.Date.Before(l.Made) {
			return fault.New(fault.Invalid, "a payment of %s lies before list %s of %s", p.Date, l.ID, l.Made).With("field", "date")
		}
		others, err := q.ListByReference(ctx, p.Reference)
		if err != nil {
			return err
		}
		if len(others) > 0 {
			return fault.New(fault.AlreadyExists, "reference %q paid list %s", p.Reference, others[0]).With("reference", p.Reference).With("id", others[0])
		}
		e := ledger.Entry{Key: ownKey + "paid/" + l.ID, Date: p.Date, Kind: eventPaid, Source: l.ID + " " + p.Reference,
			Summary: "异地就医拨付定点机构 " + l.Provider + " 清单 " + l.ID, Preparer: p.By}
		if l.Entry, err = d.postCoverage(ctx, tx, q, l, e, 1); err != nil {
			return err
		}
		l.State, l.Paid, l.Reference = ListPaid, p.Date, p.Reference
		return endList(ctx, q, l, Event{Step: string(ListPaid), On: p.Date, By: p.By, Document: p.Reference})
	})
}

// replayPayment tells the same payment from another one.
func (l *List) replayPayment(p Payment) error {
	for _, s := range []struct{ field, before, now string }{
		{"reference", l.Reference, p.Reference}, {"date", l.Paid.String(), p.Date.String()},
	} {
		if s.before != s.now {
			return fault.New(fault.AlreadyExists, "payment list %s is paid already: %s is %q there, %q here", l.ID, s.field, s.before, s.now).
				With("id", l.ID).With("field", s.field)
		}
	}
	l.Replayed = true
	return nil
}

// Undoing gives a list up.
type Undoing struct {
	List     string
	Date     civil.Date
	Reason   string
	Document string // such as the bank's note
	By       string
}

// CancelList gives up a list that is not paid: its items are payable again.
// Errors: Invalid, NotFound, AlreadyExists (cancelled with other content),
// Precondition (it is paid, or was returned).
func (d *Desk) CancelList(ctx context.Context, u Undoing) (*List, error) {
	return d.undo(ctx, u, ListMade, ListCancelled)
}

// ReturnPayment takes back a payment that the bank has sent back (退票): the
// same lines negative, and its items are payable again. Errors: Invalid (form, a date
// before the payment), NotFound, AlreadyExists (returned with other content), Precondition (it is not paid), PeriodClosed.
func (d *Desk) ReturnPayment(ctx context.Context, u Undoing) (*List, error) {
	return d.undo(ctx, u, ListPaid, ListReturned)
}

func (d *Desk) undo(ctx context.Context, u Undoing, from, to ListState) (*List, error) {
	if err := required("list", u.List, "by", u.By, "reason", u.Reason); err != nil {
		return nil, err
	}
	if err := bounded("document", u.Document); err != nil {
		return nil, err
	}
	if err := needDate(u.Date, "date"); err != nil {
		return nil, err
	}
	return d.onList(ctx, u.List, func(tx pgx.Tx, q *db.Queries, l *List) error {
		taken := Event{Step: string(to), On: u.Date, By: u.By, Document: u.Document, Reason: u.Reason}
		if l.State == to {
			l.Replayed = true
			return repeated(ctx, q, listSubject(l.ID), taken)
		}
		if l.State != from {
			return fault.New(fault.Precondition, "payment list %s is %s: only one that is %s can be %s", l.ID, l.State, from, to).With("id", l.ID)
		}
		if u.Date.Before(l.Made) || u.Date.Before(l.Paid) {
			return fault.New(fault.Invalid, "%s lies before what is taken back", u.Date).With("field", "date")
		}
		if l.Entry.Valid {
			e := ledger.Entry{Key: ownKey + "returned/" + l.ID, Date: u.Date, Kind: eventPaid, Source: l.ID + " " + l.Reference,
				Summary: "退票：异地就医拨付定点机构 " + l.Provider + " 清单 " + l.ID, Preparer: u.By, Corrects: l.Entry}
			if _, err := d.postCoverage(ctx, tx, q, l, e, -1); err != nil {
				return err
			}
		}
		if err := reopen(ctx, q, l); err != nil {
			return err
		}
		l.State = to
		return endList(ctx, q, l, taken)
	})
}

// onList holds the provider's account and the list while fn changes it.
func (d *Desk) onList(ctx context.Context, id string, fn func(pgx.Tx, *db.Queries, *List) error) (*List, error) {
	var l *List
	err := d.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		rows, err := q.GetList(ctx, id)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return noList(id)
		}
		if _, err := lockAccount(ctx, q, rows[0].Treating, rows[0].Provider); err != nil {
			return err
		}
		if rows, err = q.LockList(ctx, id); err != nil {
			return err
		}
		l = listOf(rows[0])
		return fn(tx, q, l)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func noList(id string) error {
	return fault.New(fault.NotFound, "there is no payment list %s", id).With("id", id)
}

// postCoverage posts what the list covers, by fund and insured region.
func (d *Desk) postCoverage(ctx context.Context, tx pgx.Tx, q *db.Queries, l *List, e ledger.Entry, sign accounts.Fen) (uuid.NullUUID, error) {
	type share struct{ fund, insured string }
	sums := map[share]accounts.Fen{}
	if err := eachCovered(ctx, q, l.ID, func(i Item) { sums[share{i.Fund, i.Insured}] += i.Amount }); err != nil {
		return uuid.NullUUID{}, err
	}
	shares := make([]share, 0, len(sums))
	for s := range sums {
		shares = append(shares, s)
	}
	slices.SortFunc(shares, func(a, b share) int { return cmp.Or(cmp.Compare(a.fund, b.fund), cmp.Compare(a.insured, b.insured)) })
	for _, s := range shares {
		regions := map[string]string{"T": l.Treating, "I": s.insured, byProvider: l.Provider}
		if err := d.add(&e, eventPaid, s.fund, regions, ledger.Total(sign*sums[s])); err != nil {
			return uuid.NullUUID{}, err
		}
	}
	id, _, err := d.post(ctx, tx, e)
	return id, err
}

// reopen puts the items of a list back among what is open.
func reopen(ctx context.Context, q *db.Queries, l *List) error {
	account, err := q.GetAccount(ctx, db.GetAccountParams{Treating: l.Treating, Provider: l.Provider})
	if err != nil {
		return err
	}
	p := &payables{items: map[itemKey]Item{}, taken: ledger.Position(account[0].Taken)}
	open, err := q.ReadOpen(ctx, db.ReadOpenParams{Treating: l.Treating, Provider: l.Provider})
	if err != nil {
		return err
	}
	for _, data := range open {
		items, err := decodeItems(data)
		if err != nil {
			return err
		}
		p.add(items...)
	}
	if err := eachCovered(ctx, q, l.ID, func(i Item) { p.add(i) }); err != nil {
		return err
	}
	return writeOpen(ctx, q, l.Treating, l.Provider, p.taken, p.sorted(bySettlement))
}

// endList writes the list's state and the step that led to it.
func endList(ctx context.Context, q *db.Queries, l *List, e Event) error {
	err := q.EndList(ctx, db.EndListParams{ID: l.ID, State: string(l.State), PaidOn: nullDate(l.Paid), Reference: l.Reference, EntryID: l.Entry})
	if err != nil {
		return err
	}
	return note(ctx, q, listSubject(l.ID), e)
}
