package provider

import (
	"context"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/provider/internal/db"
)

// ListState is how far a payment list has come.
type ListState string

const (
	ListMade      ListState = "made"      // its items are taken out of what is open
	ListPaid      ListState = "paid"      // the money has left the spending account
	ListCancelled ListState = "cancelled" // given up before payment: its items are open again
	ListReturned  ListState = "returned"  // the bank sent the money back: its items are open again
)

// ListRequest asks for a payment list.
type ListRequest struct {
	ID                 string // chosen by the caller: the same request is a replay
	Treating, Provider string
	Through            civil.Date // settlements up to this day
	Lines              []Line     // amounts per fund; none means all funds in full
	Date               civil.Date // on which the list is made
	By                 string
}

// List (拨付清单) is what a provider is to be paid, settlement by settlement.
type List struct {
	ID          string        `json:"id"`
	Treating    string        `json:"treating"`
	Provider    string        `json:"provider"`
	Through     civil.Date    `json:"through"`
	State       ListState     `json:"state"`
	Lines       []Line        `json:"lines"`
	Settlements int64         `json:"settlements"`
	Made        civil.Date    `json:"made"`
	Paid        civil.Date    `json:"paid,omitzero"`
	Reference   string        `json:"reference,omitempty"` // of the bank's voucher
	Entry       uuid.NullUUID `json:"entry,omitzero"`      // not valid while unpaid, and where all is set off within one region
	Events      []Event       `json:"events,omitempty"`    // by List only
	Replayed    bool          `json:"replayed,omitempty"`
}

func listOf(r db.ProviderList) *List {
	l := &List{ID: r.ID, Treating: r.Treating, Provider: r.Provider, Through: civil.DateOf(r.Through), State: ListState(r.State),
		Settlements: r.Settlements, Made: civil.DateOf(r.MadeOn), Reference: r.Reference, Entry: r.EntryID}
	for i, fund := range r.Funds {
		l.Lines = append(l.Lines, Line{fund, accounts.Fen(r.AmountsFen[i])})
	}
	if r.PaidOn.Valid {
		l.Paid = civil.DateOf(r.PaidOn.Time)
	}
	return l
}

func (r *ListRequest) check(d *Desk) error {
	if err := required("id", r.ID, "provider", r.Provider, "by", r.By); err != nil {
		return err
	}
	if err := d.city(r.Treating, "treating"); err != nil {
		return err
	}
	if err := needDate(r.Through, "through"); err != nil {
		return err
	}
	if err := needDate(r.Date, "date"); err != nil {
		return err
	}
	return d.checkLines(r.Lines)
}

// requested is the request in a canonical form, to tell a replay from an id
// that is used for something else.
func (r *ListRequest) requested() string {
	lines := []string{r.Treating, r.Provider, r.Through.String(), r.Date.String()}
	for _, l := range r.Lines {
		lines = append(lines, l.Fund+"="+l.Amount.String())
	}
	slices.Sort(lines[4:])
	return strings.Join(lines, " ")
}

// maxTries bounds how often a list is made anew because another one was faster.
const maxTries = 10

// MakeList makes the payment list of a provider out of what is payable by the
// journal: what is negative first, then the oldest settlements. It posts
// nothing and takes its items out of what the next list can have. The same id
// with the same request gives the first result again.
//
// Errors: Invalid (form), NotFound (fund), AlreadyExists (the id stands with
// another request), Insufficient (more than is payable, with the shortfall),
// Precondition (nothing is payable).
func (d *Desk) MakeList(ctx context.Context, r ListRequest) (*List, error) {
	if err := r.check(d); err != nil {
		return nil, err
	}
	for range maxTries {
		if stands, err := d.listBefore(ctx, r); stands != nil || err != nil {
			return stands, err
		}
		p, err := d.read(ctx, r.Treating, r.Provider)
		if err != nil {
			return nil, err
		}
		chosen, err := p.choose(r.Through, r.Lines)
		if err != nil {
			if stands, lookErr := d.listBefore(ctx, r); stands != nil || lookErr != nil { // by another call, meanwhile
				return stands, lookErr
			}
			return nil, err
		}
		made, err := d.writeList(ctx, r, p, chosen)
		if made != nil || err != nil && fault.KindOf(err) != fault.Unavailable {
			return made, err
		}
		if err != nil { // whether a commit of unknown outcome has happened, the next look tells
			if stands, lookErr := d.listBefore(ctx, r); stands != nil || lookErr != nil {
				return stands, lookErr
			}
			return nil, err
		}
	}
	return nil, fault.New(fault.Unavailable, "lists of provider %s are made faster than this one: try again", r.Provider)
}

// listBefore returns the list that stands with the id, nil where none does.
func (d *Desk) listBefore(ctx context.Context, r ListRequest) (stands *List, err error) {
	err = d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		stands = nil
		rows, err := db.New(tx).GetList(ctx, r.ID)
		for _, row := range rows {
			if row.Requested != r.requested() {
				return fault.New(fault.AlreadyExists, "payment list %s stands with another request: %s there, %s here", r.ID, row.Requested, r.requested()).With("id", r.ID)
			}
			stands = listOf(row)
			stands.Replayed = true
		}
		return err
	})
	return stands, err
}

// writeList writes what was chosen, or nothing when the account is no longer
// as it was read.
func (d *Desk) writeList(ctx context.Context, r ListRequest, p *payables, c *choice) (made *List, err error) {
	row := db.InsertListParams{ID: r.ID, Treating: r.Treating, Provider: r.Provider, Requested: r.requested(), Through: dateParam(r.Through),
		State: string(ListMade), Funds: []string{}, AmountsFen: []int64{}, Settlements: c.settlements(), MadeOn: dateParam(r.Date)}
	for _, l := range c.lines {
		row.Funds, row.AmountsFen = append(row.Funds, l.Fund), append(row.AmountsFen, int64(l.Amount))
	}
	err = d.store.InTx(ctx, func(tx pgx.Tx) error {
		made = nil
		q := db.New(tx)
		current, err := lockAccount(ctx, q, r.Treating, r.Provider)
		if err != nil || current.Version != p.version {
			return err
		}
		if again, err := q.GetList(ctx, r.ID); err != nil || len(again) > 0 {
			return err
		}
		if err := q.InsertList(ctx, row); err != nil {
			return err
		}
		if err := writeCoverage(ctx, q, r.ID, r.Provider, c.taken); err != nil {
			return err
		}
		if err := writeOpen(ctx, q, r.Treating, r.Provider, p.taken, c.left); err != nil {
			return err
		}
		if err := note(ctx, q, listSubject(r.ID), Event{Step: string(ListMade), On: r.Date, By: r.By}); err != nil {
			return err
		}
		made = &List{ID: r.ID, Treating: r.Treating, Provider: r.Provider, Through: r.Through, State: ListMade, Lines: c.lines,
			Settlements: row.Settlements, Made: r.Date}
		return nil
	})
	return made, err
}

// lockAccount holds the row by which the lists of a provider follow each other.
func lockAccount(ctx context.Context, q *db.Queries, treating, provider string) (db.LockAccountRow, error) {
	if err := q.OpenAccount(ctx, db.OpenAccountParams{Treating: treating, Provider: provider}); err != nil {
		return db.LockAccountRow{}, err
	}
	return q.LockAccount(ctx, db.LockAccountParams{Treating: treating, Provider: provider})
}

func writeCoverage(ctx context.Context, q *db.Queries, list, provider string, items []Item) error {
	slices.SortFunc(items, bySettlement)
	texts, parts, err := blocks(items)
	if err != nil {
		return err
	}
	p := db.WriteCoverageParams{ListID: list, Provider: provider, Items: texts}
	for n, part := range parts {
		p.Numbers = append(p.Numbers, int64(n+1))
		p.Firsts, p.Lasts = append(p.Firsts, part[0].SetlID), append(p.Lasts, part[len(part)-1].SetlID)
	}
	return q.WriteCoverage(ctx, p)
}

// writeOpen replaces what is open; the caller holds the account.
func writeOpen(ctx context.Context, q *db.Queries, treating, provider string, taken ledger.Position, items []Item) error {
	if err := q.ClearOpen(ctx, db.ClearOpenParams{Treating: treating, Provider: provider}); err != nil {
		return err
	}
	slices.SortFunc(items, bySettlement)
	texts, _, err := blocks(items)
	if err != nil {
		return err
	}
	p := db.WriteOpenParams{Treating: treating, Provider: provider, Items: texts}
	for n := range texts {
		p.Numbers = append(p.Numbers, int64(n+1))
	}
	if err := q.WriteOpen(ctx, p); err != nil {
		return err
	}
	return q.MoveAccount(ctx, db.MoveAccountParams{Treating: treating, Provider: provider, Taken: int64(taken)})
}

// eachCovered goes through the items of a list in order of settlement.
func eachCovered(ctx context.Context, q *db.Queries, list string, fn func(Item)) error {
	for after := int64(0); ; {
		rows, err := q.ReadCoverage(ctx, db.ReadCoverageParams{ListID: list, After: after, Blocks: blocksAtOnce})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			items, err := decodeItems(r.Block)
			if err != nil {
				return err
			}
			for _, i := range items {
				fn(i)
			}
			after = r.Number
		}
	}
}

// blocksAtOnce are read by one statement.
const blocksAtOnce = 20

func listSubject(id string) string { return "list/" + id }

func nullDate(d civil.Date) pgtype.Date {
	return pgtype.Date{Time: d.In(time.UTC), Valid: d.IsValid()}
}
