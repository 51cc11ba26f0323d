package ledger

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// checkHistory: the states of periods are what their events say, each event
// may follow the one before it, no month is closed over one that is open, and
// no ordinary entry was posted while its month was closed.
const checkHistory = "period history"

type bookMonth struct {
	book  accounts.Book
	month accounts.Month
}

// monthHistory is the state that is stored for a month of a book, empty where
// none is, and what has happened to it.
type monthHistory struct {
	bookMonth
	state  PeriodState
	events []PeriodEvent // by number; book and month are those of the history
}

// readHistories reads the periods with their events, by book and month.
func readHistories(ctx context.Context, q *db.Queries) ([]monthHistory, error) {
	states, err := q.AllPeriodStates(ctx)
	if err != nil {
		return nil, err
	}
	events, err := readPeriodEvents(ctx, q, "", "")
	if err != nil {
		return nil, err
	}
	known := map[bookMonth]*monthHistory{}
	of := func(key bookMonth) *monthHistory {
		if known[key] == nil {
			known[key] = &monthHistory{bookMonth: key}
		}
		return known[key]
	}
	for _, s := range states {
		of(bookMonth{accounts.Book(s.Book), accounts.Month(s.Month)}).state = PeriodState(s.State)
	}
	for _, e := range events {
		h := of(bookMonth{e.Book, e.Month})
		h.events = append(h.events, e)
	}
	histories := make([]monthHistory, 0, len(known))
	for _, h := range known {
		histories = append(histories, *h)
	}
	slices.SortFunc(histories, func(a, b monthHistory) int {
		return cmp.Or(strings.Compare(string(a.book), string(b.book)), strings.Compare(string(a.month), string(b.month)))
	})
	return histories, nil
}

// shutAt tells whether a month was closed when the entry at the position was
// sealed: closing seals what came before, so what stands behind the position
// of a closing and not behind that of a reopening came in between.
func shutAt(events []PeriodEvent, position Position) bool {
	shut := false
	for i := range events {
		if position > events[i].Position {
			shut = events[i].State == PeriodShut
		}
	}
	return shut
}

// postedWhileClosed finds the entry's months that were closed when it was
// sealed. Entries of closing itself are posted until the very end and may be
// sealed after it.
func (c *checker) postedWhileClosed(r *Record) {
	if takesInClosing(r.Kind) {
		return
	}
	for i := range r.Postings {
		book := r.Postings[i].Account.Book
		if i > 0 && book == r.Postings[i-1].Account.Book {
			continue
		}
		if shutAt(c.history[bookMonth{book, r.Period}], r.Position) {
			c.report.postedWhileClosed(r.Postings[i].Account.String(), r.ID.String(), r.Position, string(r.Period))
		}
	}
}

func (r *CheckReport) postedWhileClosed(account, entry string, position Position, month string) {
	r.find(checkHistory, account, entry, "the entry at position %d was posted while %s was closed", position, month)
}

// historyCheck follows months in order of book and month.
type historyCheck struct {
	report *CheckReport
	sealed Position // how long the journal was
	items  int64    // events

	book accounts.Book
	next accounts.Month // the first month of the book that is not closed
}

func (c *historyCheck) follow(h *monthHistory) {
	find := func(format string, args ...any) { c.report.find(checkHistory, string(h.book), "", format, args...) }
	state, by, position := PeriodOpen, "", Position(0)
	for i, e := range h.events {
		c.items++
		opening := i == 0 && e.State == PeriodOpen
		switch {
		case e.Number != int64(i)+1:
			find("event %d of %s is number %d", i+1, h.month, e.Number)
		case !opening && !slices.Contains(follows[e.State], state):
			find("%s became %s after %s", h.month, e.State, state)
		case e.By == "" || e.State == PeriodReopened && e.Reason == "":
			find("event %d of %s does not say by whom or why", i+1, h.month)
		case e.State == PeriodReopened && e.By == by:
			find("%s was reopened by %s, who had closed it", h.month, by)
		case e.State == PeriodShut && e.Reason != "" && e.By == by:
			find("%s was closed over what was open by %s, who had begun to close it", h.month, by)
		case e.Position < position || e.Position > c.sealed:
			find("event %d of %s has position %d, which does not fit the journal", i+1, h.month, e.Position)
		}
		state, by, position = e.State, e.By, e.Position
	}
	switch {
	case len(h.events) == 0:
		find("%s is %s, and no event says so", h.month, h.state)
	case h.state != state:
		find("%s is %q, its last event says %s", h.month, h.state, state)
	}
	if _, err := accounts.ParseMonth(string(h.month)); err != nil {
		find("%q is not a month", h.month)
		return
	}
	c.inOrder(h)
}

// inOrder: months are closed in their order, so that all before one that is
// closed or being closed are closed.
func (c *historyCheck) inOrder(h *monthHistory) {
	if h.state == "" {
		return
	}
	if h.book != c.book {
		c.book, c.next = h.book, h.month
	}
	if (h.state == PeriodShut || h.state == PeriodClosing) && h.month != c.next {
		c.report.find(checkHistory, string(h.book), "", "%s is %s, and %s before it is not closed", h.month, h.state, c.next)
	}
	if h.state == PeriodShut && h.month == c.next {
		c.next = h.month.Add(1)
	}
}
