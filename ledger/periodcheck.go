package ledger

import (
	"context"
	"slices"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// checkHistory: the states of periods are what their events say, each event
// may follow the one before it, and no ordinary entry was posted while its
// month was closed.
const checkHistory = "period history"

type bookMonth struct {
	book  accounts.Book
	month accounts.Month
}

// readHistory reads the events before the walk, which asks what was closed.
func (c *checker) readHistory(ctx context.Context, q *db.Queries) error {
	events, err := readPeriodEvents(ctx, q, "", "")
	if err != nil {
		return err
	}
	c.history = map[bookMonth][]PeriodEvent{}
	for _, e := range events {
		key := bookMonth{e.Book, e.Month}
		c.history[key] = append(c.history[key], e)
	}
	return nil
}

// postedWhileClosed finds the entry's months that were closed when it was
// sealed: closing seals what came before, so what stands behind the position
// of a closing and not behind that of a reopening came in between. Entries of
// closing itself are posted until the very end and may be sealed after it.
func (c *checker) postedWhileClosed(r *Record) {
	if takesInClosing(r.Kind) {
		return
	}
	for i := range r.Postings {
		book := r.Postings[i].Account.Book
		if i > 0 && book == r.Postings[i-1].Account.Book {
			continue
		}
		shut := false
		for _, e := range c.history[bookMonth{book, r.Period}] {
			if r.Position > e.Position {
				shut = e.State == PeriodShut
			}
		}
		if shut {
			c.find(checkHistory, r.Postings[i].Account.String(), r.ID.String(), "the entry at position %d was posted while %s was closed", r.Position, r.Period)
		}
	}
}

func (c *checker) comparePeriods(ctx context.Context, q *db.Queries) error {
	rows, err := q.AllPeriodStates(ctx)
	if err != nil {
		return err
	}
	states := map[bookMonth]PeriodState{}
	for _, r := range rows {
		states[bookMonth{accounts.Book(r.Book), accounts.Month(r.Month)}] = PeriodState(r.State)
	}
	for key, events := range c.history {
		state, by, position := PeriodOpen, "", Position(0)
		for i, e := range events {
			c.items[checkHistory]++
			opening := i == 0 && e.State == PeriodOpen
			switch {
			case e.Number != int64(i)+1:
				c.find(checkHistory, string(key.book), "", "event %d of %s is number %d", i+1, key.month, e.Number)
			case !opening && !slices.Contains(follows[e.State], state):
				c.find(checkHistory, string(key.book), "", "%s became %s after %s", key.month, e.State, state)
			case e.State == PeriodReopened && e.By == by:
				c.find(checkHistory, string(key.book), "", "%s was reopened by %s, who had closed it", key.month, by)
			case e.Position < position || e.Position > c.report.Position:
				c.find(checkHistory, string(key.book), "", "event %d of %s has position %d, which does not fit the journal", i+1, key.month, e.Position)
			}
			state, by, position = e.State, e.By, e.Position
		}
		if states[key] != state {
			c.find(checkHistory, string(key.book), "", "%s is %q, its last event says %s", key.month, states[key], state)
		}
		delete(states, key)
	}
	for key, state := range states {
		c.find(checkHistory, string(key.book), "", "%s is %s, and no event says so", key.month, state)
	}
	return nil
}
