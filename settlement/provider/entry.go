package provider

import (
	"context"
	"maps"
	"slices"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/provider/internal/db"
)

// Line is an amount of one fund.
type Line struct {
	Fund   string       `json:"fund"`
	Amount accounts.Fen `json:"amount"`
}

// checkLines refuses a fund that is given twice or unknown, and amounts that
// are not positive.
func (d *Desk) checkLines(lines []Line) error {
	for i, line := range lines {
		switch {
		case !slices.ContainsFunc(d.book.Funds, func(f accounts.Fund) bool { return f.Code == line.Fund }):
			return fault.New(fault.NotFound, "there is no fund %q: see fundledger rules", line.Fund).With("field", "fund")
		case slices.ContainsFunc(lines[:i], func(l Line) bool { return l.Fund == line.Fund }):
			return fault.New(fault.Invalid, "fund %s is given twice", line.Fund).With("field", "fund")
		case line.Amount <= 0:
			return fault.New(fault.Invalid, "the amount of fund %s is %s: give a positive one", line.Fund, line.Amount).With("field", "amount")
		}
	}
	return nil
}

// add drafts an event in one fund into the entry; lines on the same account
// and with the same dimensions become one.
func (d *Desk) add(e *ledger.Entry, event, fund string, regions map[string]string, parts []ledger.Part) error {
	lines, err := ledger.Draft(d.book, ledger.Facts{Event: event, Date: e.Date, Fund: fund, Regions: regions,
		Amounts: map[string][]ledger.Part{"amount": parts}})
	if err != nil {
		return err
	}
	for _, line := range lines {
		at := slices.IndexFunc(e.Postings, func(p ledger.Posting) bool {
			return p.Account == line.Account && p.Side == line.Side && p.Dimensions == line.Dimensions
		})
		if at < 0 {
			e.Postings = append(e.Postings, line)
		} else {
			e.Postings[at].Amount += line.Amount
		}
	}
	return nil
}

// post posts the entry in the earliest month from that of its date on that is
// open in its books; one that stands keeps its month, so that it is a replay.
// An entry whose lines have cancelled out is left out: its id is not valid.
func (d *Desk) post(ctx context.Context, tx pgx.Tx, e ledger.Entry) (id uuid.NullUUID, replayed bool, err error) {
	e.Postings = slices.DeleteFunc(e.Postings, func(p ledger.Posting) bool { return p.Amount == 0 })
	if len(e.Postings) == 0 {
		return uuid.NullUUID{}, false, nil
	}
	stands, err := d.journal.EntriesTx(ctx, tx, []uuid.UUID{e.ID()})
	if err != nil {
		return id, false, err
	}
	if r := stands[e.ID()]; r != nil {
		e.Period = r.Period
	} else {
		books := map[accounts.Book]bool{}
		for _, p := range e.Postings {
			books[p.Account.Book] = true
		}
		if e.Period, err = d.journal.OpenPeriod(ctx, tx, accounts.MonthOf(e.Date), slices.Sorted(maps.Keys(books))...); err != nil {
			return id, false, err
		}
	}
	results, err := d.journal.PostTx(ctx, tx, []ledger.Entry{e})
	if err != nil {
		return id, false, err
	}
	if results[0].Err != nil {
		return id, false, results[0].Err
	}
	return uuid.NullUUID{UUID: results[0].ID, Valid: true}, results[0].Replayed, nil
}

// Event is a step of a payment list, a reimbursement or a fee check.
type Event struct {
	Step     string     `json:"step"`
	On       civil.Date `json:"on"`
	By       string     `json:"by"`
	Document string     `json:"document,omitempty"`
	Reason   string     `json:"reason,omitempty"`
}

// note adds a step to the history of a subject, whose row the caller holds.
func note(ctx context.Context, q *db.Queries, subject string, e Event) error {
	last, err := q.LastEvent(ctx, subject)
	if err != nil {
		return err
	}
	return q.InsertEvent(ctx, db.InsertEventParams{Subject: subject, Number: last + 1, Step: e.Step, HappenedOn: dateParam(e.On),
		Person: e.By, Document: e.Document, Reason: e.Reason})
}

func history(ctx context.Context, q *db.Queries, subject string) ([]Event, error) {
	rows, err := q.EventsOf(ctx, subject)
	events := make([]Event, len(rows))
	for i, r := range rows {
		events[i] = Event{r.Step, civil.DateOf(r.HappenedOn), r.Person, r.Document, r.Reason}
	}
	return events, err
}

// repeated refuses a step that stands with other content; whoever takes it.
func repeated(ctx context.Context, q *db.Queries, subject string, e Event) error {
	events, err := history(ctx, q, subject)
	if err != nil {
		return err
	}
	for _, stands := range slices.Backward(events) {
		if stands.Step != e.Step {
			continue
		}
		for _, f := range []struct{ name, before, now string }{
			{"date", stands.On.String(), e.On.String()}, {"document", stands.Document, e.Document}, {"reason", stands.Reason, e.Reason},
		} {
			if f.before != f.now {
				return fault.New(fault.AlreadyExists, "%s is %s already with other content: %s is %q there, %q here", subject, e.Step, f.name, f.before, f.now).
					With("field", f.name)
			}
		}
		return nil
	}
	return nil
}

func dateParam(d civil.Date) time.Time { return d.In(time.UTC) }

const (
	maxID   = 120 // bytes of an id, a reference or a person
	maxText = 500 // of a document or a reason
)

// required checks texts that a step cannot do without, by field name.
func required(fields ...string) error {
	for i := 0; i < len(fields); i += 2 {
		if name, value := fields[i], fields[i+1]; value == "" || len(value) > maxID {
			return fault.New(fault.Invalid, "%s is needed, with at most %d bytes", name, maxID).With("field", name)
		}
	}
	return nil
}

// bounded checks texts that may be empty.
func bounded(fields ...string) error {
	for i := 0; i < len(fields); i += 2 {
		if name, value := fields[i], fields[i+1]; len(value) > maxText {
			return fault.New(fault.Invalid, "%s has more than %d bytes", name, maxText).With("field", name)
		}
	}
	return nil
}

func needDate(d civil.Date, field string) error {
	if !d.IsValid() {
		return fault.New(fault.Invalid, "%s is needed: no date comes from the clock", field).With("field", field)
	}
	return nil
}
