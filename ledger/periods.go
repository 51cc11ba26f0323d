package ledger

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// periods says which months of which books take postings. A book's first row
// is its opening; a later month without a row is open.
type periods struct {
	opened map[accounts.Book]accounts.Month
	state  map[accounts.Book]map[accounts.Month]PeriodState
}

func readPeriods(ctx context.Context, q *db.Queries, books []accounts.Book) (*periods, error) {
	names := make([]string, len(books))
	for i, b := range books {
		names[i] = string(b)
	}
	rows, err := q.ReadPeriods(ctx, names)
	if err != nil {
		return nil, err
	}
	p := &periods{map[accounts.Book]accounts.Month{}, map[accounts.Book]map[accounts.Month]PeriodState{}}
	for _, r := range rows { // ordered by book and month
		book, month := accounts.Book(r.Book), accounts.Month(r.Month)
		if p.state[book] == nil {
			p.opened[book], p.state[book] = month, map[accounts.Month]PeriodState{}
		}
		p.state[book][month] = PeriodState(r.State)
	}
	return p, nil
}

// refuse says why the month of the book takes no postings, or returns nil.
func (p *periods) refuse(book accounts.Book, month accounts.Month) *fault.Error {
	opened, ok := p.opened[book]
	switch {
	case !ok:
		return fault.New(fault.Precondition, "book %s has not been opened: run fundledger setup", book).With("book", string(book))
	case month < opened:
		return fault.New(fault.PeriodClosed, "book %s opens in %s, so %s takes no postings", book, opened, month).
			With("book", string(book)).With("period", string(month))
	}
	if state := p.stateOf(book, month); state != PeriodOpen && state != PeriodReopened {
		return fault.New(fault.PeriodClosed, "period %s of book %s is %s: post in an open period and name what is corrected", month, book, state).
			With("book", string(book)).With("period", string(month))
	}
	return nil
}

// stateOf is the state of a month that is not before the book's opening.
func (p *periods) stateOf(book accounts.Book, month accounts.Month) PeriodState {
	if state, ok := p.state[book][month]; ok {
		return state
	}
	return PeriodOpen
}

// refuseEntry says why one of the entry's books does not take it, or returns nil.
func (p *periods) refuseEntry(e *Entry) *fault.Error {
	var last accounts.Book
	for i := range e.Postings {
		book := e.Postings[i].Account.Book
		if book == last {
			continue
		}
		last = book
		if err := p.refuse(book, e.Period); err != nil && (p.state[book][e.Period] != PeriodClosing || !takesInClosing(e.Kind)) {
			return err.With("key", e.Key)
		}
	}
	return nil
}

// OpenBooks sets the first month that takes postings, for books that have none
// yet, in the name of a person. Books already opened stay as they are. It
// returns those that it has opened: none where all of them were open. Errors:
// Invalid (no month, nobody), NotFound (no such book).
func (j *Journal) OpenBooks(ctx context.Context, from accounts.Month, by string, books ...accounts.Book) (opened []accounts.Book, err error) {
	return j.Under("").OpenBooks(ctx, from, by, books...)
}

func (j *Journal) openBooks(ctx context.Context, k Keyed, from accounts.Month, by string, books []accounts.Book) (opened []accounts.Book, err error) {
	if _, err := accounts.ParseMonth(string(from)); err != nil {
		return nil, err
	}
	if strings.TrimSpace(by) == "" {
		return nil, fault.New(fault.Invalid, "say who opens the books").With("field", "by")
	}
	for _, b := range books {
		if !j.rules().books[b] {
			return nil, fault.New(fault.NotFound, "there is no book %s", b).With("book", string(b))
		}
	}
	replayed, err := j.replayed(ctx, func(tx pgx.Tx) (replayed bool, err error) {
		before, err := k.claim(ctx, tx, "open books", []any{from, by, books})
		if before || err != nil {
			return before, err
		}
		found, err := openBooks(ctx, db.New(tx), from, by, books)
		if len(found) > 0 { // else an attempt of unknown outcome may have opened them
			opened = found
		}
		return len(found) == 0, err
	})
	if err != nil || replayed {
		return nil, err
	}
	return opened, nil
}

func openBooks(ctx context.Context, q *db.Queries, from accounts.Month, by string, books []accounts.Book) (opened []accounts.Book, err error) {
	known, err := readPeriods(ctx, q, books)
	if err != nil {
		return nil, err
	}
	var closed []string
	for _, b := range books {
		if _, ok := known.opened[b]; !ok {
			closed, opened = append(closed, string(b)), append(opened, b)
		}
	}
	if len(closed) == 0 {
		return nil, nil
	}
	if err := q.SetPeriods(ctx, db.SetPeriodsParams{Books: closed, Month: string(from), State: string(PeriodOpen)}); err != nil {
		return nil, err
	}
	head, err := q.ReadHead(ctx, headSealed)
	if err != nil {
		return nil, err
	}
	_, err = q.InsertPeriodEvents(ctx, db.InsertPeriodEventsParams{
		Books: closed, Month: string(from), Number: 1, State: string(PeriodOpen), Person: by, Position: head,
	})
	return opened, err
}

// OpenPeriod returns the earliest month not before wanted that is open in all
// the books. Errors: Precondition when a book was never opened.
func (j *Journal) OpenPeriod(ctx context.Context, tx pgx.Tx, wanted accounts.Month, books ...accounts.Book) (accounts.Month, error) {
	p, err := readPeriods(ctx, db.New(tx), books)
	if err != nil {
		return "", err
	}
	for _, b := range books {
		opened, ok := p.opened[b]
		if !ok {
			return "", p.refuse(b, wanted)
		}
		wanted = max(wanted, opened)
	}
	for slices.ContainsFunc(books, func(b accounts.Book) bool { return p.refuse(b, wanted) != nil }) {
		wanted = wanted.Add(1)
	}
	return wanted, nil
}
