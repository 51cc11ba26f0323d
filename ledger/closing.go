package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// PeriodState is the state of a month in a book.
type PeriodState string

const (
	PeriodOpen     PeriodState = "open"     // takes postings; so does a month without a state, once its book is opened
	PeriodClosing  PeriodState = "closing"  // 结账中: takes entries of closing only
	PeriodShut     PeriodState = "closed"   // 已结账: takes none
	PeriodReopened PeriodState = "reopened" // 反结账: takes postings again
)

// PeriodEvent is one change of a period's state. Events are never changed.
type PeriodEvent struct {
	Book   accounts.Book  `json:"book"`
	Month  accounts.Month `json:"month"`
	Number int64          `json:"number"` // 1, 2, … within the book and month
	State  PeriodState    `json:"state"`
	By     string         `json:"by"`
	// Reason is why a month was reopened, or closed by an Override.
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	// Position is how long the sealed journal was. When a month is closed its
	// ordinary entries are sealed, so those behind the position belong to a
	// time after it was reopened.
	Position Position `json:"position"`
}

// takesInClosing: the kinds of entries that a closing month takes, year-end
// transfers and what the closing itself makes necessary.
func takesInClosing(kind string) bool {
	return kind == "adjustment" || kind == "closing" || strings.HasPrefix(kind, "closing.") || yearEnd(kind)
}

// BeginClose stops ordinary postings into a month of a book: from now on it
// takes only entries of the kinds "adjustment", "closing", "closing.…" and
// "year_end.…". All earlier months of the book must be closed. Asked again by
// the same person it does nothing. Errors: Invalid, NotFound (no such book),
// Precondition (not opened, an earlier month not closed, not open).
func (j *Journal) BeginClose(ctx context.Context, book accounts.Book, month accounts.Month, by string) (PeriodResult, error) {
	return j.Under("").BeginClose(ctx, book, month, by)
}

// Close closes a month for which BeginClose was called. All that waits is sealed
// first, so that the event's position parts the month's ordinary entries from
// any later ones. Errors: as BeginClose, Precondition when closing has not begun.
func (j *Journal) Close(ctx context.Context, book accounts.Book, month accounts.Month, by string) (PeriodResult, error) {
	return j.Under("").Close(ctx, book, month, by)
}

// Reopen lets a closed month, or one that is being closed, take postings
// again, for a reason that is recorded. It needs another person than the one
// who closed it: Permission otherwise. Later months are reopened first. Errors:
// as BeginClose.
func (j *Journal) Reopen(ctx context.Context, book accounts.Book, month accounts.Month, by, reason string) (PeriodResult, error) {
	return j.Under("").Reopen(ctx, book, month, by, reason)
}

func (j *Journal) reopen(ctx context.Context, c periodChange) (PeriodResult, error) {
	if strings.TrimSpace(c.reason) == "" {
		return PeriodResult{}, fault.New(fault.Invalid, "say why period %s of book %s is reopened", c.month, c.book).With("field", "reason")
	}
	return j.changePeriod(ctx, c)
}

// PeriodHistory returns every change of the periods of a book, by month and
// number. A month without any is open.
func (j *Journal) PeriodHistory(ctx context.Context, book accounts.Book) ([]PeriodEvent, error) {
	var events []PeriodEvent
	err := j.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		events, err = readPeriodEvents(ctx, db.New(tx), string(book), "")
		return err
	})
	return events, err
}

func readPeriodEvents(ctx context.Context, q *db.Queries, book, month string) ([]PeriodEvent, error) {
	rows, err := q.PeriodEvents(ctx, db.PeriodEventsParams{Book: book, Month: month})
	if err != nil {
		return nil, err
	}
	events := make([]PeriodEvent, len(rows))
	for i, r := range rows {
		events[i] = periodEventOf(r)
	}
	return events, nil
}

func periodEventOf(r db.PeriodEvent) PeriodEvent {
	return PeriodEvent{accounts.Book(r.Book), accounts.Month(r.Month), r.Number, PeriodState(r.State), r.Person, r.Reason, r.ChangedAt, Position(r.Position)}
}

// PeriodResult is a month after its change. Replayed: it stood so already, by
// the same person for the same reason, or the change was made before under its
// key; the month may have another state since.
type PeriodResult struct {
	Period
	Replayed bool `json:"replayed,omitempty"`
}

// periodChange asks for a new state of a month.
type periodChange struct {
	keyed  Keyed
	book   accounts.Book
	month  accounts.Month
	state  PeriodState
	by     string
	reason string
}

func (j *Journal) changePeriod(ctx context.Context, c periodChange) (PeriodResult, error) {
	if _, err := accounts.ParseMonth(string(c.month)); err != nil {
		return PeriodResult{}, err
	}
	if !j.rules().books[c.book] {
		return PeriodResult{}, fault.New(fault.NotFound, "there is no book %s", c.book).With("book", string(c.book))
	}
	if strings.TrimSpace(c.by) == "" {
		return PeriodResult{}, fault.New(fault.Invalid, "say who changes period %s of book %s", c.month, c.book).With("field", "by")
	}
	for {
		seen, err := j.sealBefore(ctx, c)
		if err != nil {
			return PeriodResult{}, err
		}
		var result PeriodResult
		other := false
		result.Replayed, err = j.replayed(ctx, func(tx pgx.Tx) (replayed bool, err error) {
			result.Period, replayed, other, err = c.apply(ctx, tx, seen)
			return replayed, err
		})
		if err != nil {
			return PeriodResult{}, err
		}
		if !other {
			return result, nil
		}
	}
}

// sealBefore seals all that waits before a month is closed, and returns the
// number of the event that it has seen. A posting that has read the month as
// open and is not committed yet conflicts with the event and with this look at
// the inbox, so it is sealed here or runs again. The change itself may not
// look at the inbox: it would conflict with every posting there is.
func (j *Journal) sealBefore(ctx context.Context, c periodChange) (seen int64, err error) {
	for more := c.state == PeriodShut; more; {
		err := j.store.InTx(ctx, func(tx pgx.Tx) error {
			q := db.New(tx)
			events, err := readPeriodEvents(ctx, q, string(c.book), string(c.month))
			if err != nil {
				return err
			}
			seen = int64(len(events))
			_, more, err = seal(ctx, q)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return seen, nil
}

func (c periodChange) fail(kind fault.Kind, format string, args ...any) *fault.Error {
	return fault.New(kind, format, args...).With("book", string(c.book)).With("period", string(c.month))
}

// apply makes the change, unless a month is to be closed that other events have
// happened to since everything was sealed. It tells whether the change was made
// before.
func (c periodChange) apply(ctx context.Context, tx pgx.Tx, seen int64) (period Period, replayed, other bool, err error) {
	q := db.New(tx)
	rows, err := q.LockPeriods(ctx, []string{string(c.book)})
	if err != nil {
		return period, false, false, err
	}
	p := &periods{map[accounts.Book]accounts.Month{}, map[accounts.Book]map[accounts.Month]PeriodState{c.book: {}}}
	for _, r := range rows {
		if p.opened[c.book] == "" {
			p.opened[c.book] = accounts.Month(r.Month)
		}
		p.state[c.book][accounts.Month(r.Month)] = PeriodState(r.State)
	}
	events, err := readPeriodEvents(ctx, q, string(c.book), string(c.month))
	if err != nil {
		return period, false, false, err
	}
	var last PeriodEvent
	if len(events) > 0 {
		last = events[len(events)-1]
	}
	period = Period{Book: c.book, Month: c.month, State: c.state, Last: &last}
	if c.state == PeriodShut && last.Number != seen {
		return period, false, true, nil
	}
	before, err := c.claim(ctx, tx)
	if err != nil {
		return period, false, false, err
	}
	if before {
		period.State = p.stateOf(c.book, c.month)
		return period, true, false, nil
	}
	if last.State == c.state && last.By == c.by && last.Reason == c.reason {
		return period, true, false, nil
	}
	if err := c.refuse(p, last); err != nil {
		return period, false, false, err
	}
	head, err := q.ReadHead(ctx, headSealed)
	if err != nil {
		return period, false, false, err
	}
	if err := q.SetPeriods(ctx, db.SetPeriodsParams{Books: []string{string(c.book)}, Month: string(c.month), State: string(c.state)}); err != nil {
		return period, false, false, err
	}
	written, err := q.InsertPeriodEvents(ctx, db.InsertPeriodEventsParams{
		Books: []string{string(c.book)}, Month: string(c.month), Number: last.Number + 1,
		State: string(c.state), Person: c.by, Reason: c.reason, Position: head,
	})
	for _, at := range written {
		period.Last = &PeriodEvent{c.book, c.month, last.Number + 1, c.state, c.by, c.reason, at, Position(head)}
	}
	return period, false, false, err
}

// follows says which states a state may follow.
var follows = map[PeriodState][]PeriodState{
	PeriodClosing:  {PeriodOpen, PeriodReopened},
	PeriodShut:     {PeriodClosing},
	PeriodReopened: {PeriodClosing, PeriodShut},
}

// refuse says why the change is not allowed, or returns nil.
func (c periodChange) refuse(p *periods, last PeriodEvent) error {
	opened, ok := p.opened[c.book]
	if !ok {
		return c.fail(fault.Precondition, "book %s has not been opened: run fundledger setup", c.book)
	}
	if c.month < opened {
		return c.fail(fault.Precondition, "book %s opens in %s, so %s cannot be closed", c.book, opened, c.month)
	}
	state := p.stateOf(c.book, c.month)
	if !slices.Contains(follows[c.state], state) {
		by := ""
		if last.By != "" {
			by = ", set by " + last.By
		}
		return c.fail(fault.Precondition, "period %s of book %s is %s%s, so it cannot become %s", c.month, c.book, state, by, c.state)
	}
	switch c.state {
	case PeriodClosing:
		for m := opened; m < c.month; m = m.Add(1) {
			if before := p.stateOf(c.book, m); before != PeriodShut {
				return c.fail(fault.Precondition, "close period %s of book %s first: it is %s", m, c.book, before).With("first", string(m))
			}
		}
	case PeriodShut:
		if c.reason == "" {
			break
		}
		if err := accounts.SecondPerson(last.By, c.by, fmt.Sprintf("the closing of period %s of book %s was begun", c.month, c.book), "override its checklist"); err != nil {
			return err.With("book", string(c.book)).With("period", string(c.month))
		}
	case PeriodReopened:
		if m := lastShut(p, c.book); m > c.month {
			return c.fail(fault.Precondition, "reopen period %s of book %s first: it is %s", m, c.book, p.stateOf(c.book, m)).With("first", string(m))
		}
		if err := accounts.SecondPerson(last.By, c.by, fmt.Sprintf("period %s of book %s was set to %s", c.month, c.book, state), "reopen"); err != nil {
			return err.With("book", string(c.book)).With("period", string(c.month))
		}
	}
	return nil
}

// lastShut is the last month of the book that is closed or being closed.
func lastShut(p *periods, book accounts.Book) (last accounts.Month) {
	for m, state := range p.state[book] {
		if state == PeriodShut || state == PeriodClosing {
			last = max(last, m)
		}
	}
	return last
}
