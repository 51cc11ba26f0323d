package ledger

import (
	"context"
	"sync"
	"time"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// Stretch is what Follow has found next: the selected entries up to and with a
// position.
type Stretch struct {
	Entries  []*Record `json:"entries"`
	Position Position  `json:"position"`
}

const (
	stretchEntries = 200   // handed on at once
	stretchScan    = 5_000 // looked at for it
)

// followIdle is how long Follow says nothing at most.
const followIdle = 15 * time.Second

// Follow hands on the sealed entries behind a position that are selected, in
// journal order, none missed and none twice, then waits for those that come,
// until the context ends or send fails, and returns why. It holds no connection
// while it waits or while send does, so a slow receiver costs the database
// nothing. A stretch without entries tells how far it has come: after much that
// is not selected, and as a sign of life every 15 seconds. To go on after a
// break, begin behind the last stretch's position.
//
// It wakes at once when this process seals, else it looks four times a second;
// it does not seal itself, which is a sealer's work. Errors: Invalid, NotFound
// (the position lies beyond the journal), those of send and of the database,
// and the cause of the context's end.
func (j *Journal) Follow(ctx context.Context, after Position, selection Selection, send func(Stretch) error) error {
	if err := selection.check(); err != nil {
		return err
	}
	said := time.Now()
	for {
		grown := j.grown.next()
		at, entries, head, err := j.stretch(ctx, after, &selection)
		if err != nil {
			return endedBy(ctx, err)
		}
		// What was looked at in vain is told when there is nothing more to look at.
		if len(entries) > 0 || (at > after && at == head) || time.Since(said) >= followIdle {
			if err := send(Stretch{entries, at}); err != nil {
				return endedBy(ctx, err)
			}
			said = time.Now()
		}
		if after = at; at < head {
			continue
		}
		select {
		case <-grown:
		case <-time.After(sealPoll):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// endedBy prefers the cause of the context's end to the error that it made.
func endedBy(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// stretch reads what comes behind a position.
func (j *Journal) stretch(ctx context.Context, after Position, selection *Selection) (at Position, entries []*Record, head Position, err error) {
	// Mostly there is nothing new, which one statement tells.
	err = j.store.Read(ctx, func(r accounts.Reader) error {
		n, err := db.New(r).ReadHead(ctx, headSealed)
		head = Position(n)
		return err
	})
	if err != nil || head == after {
		return after, nil, head, err
	}
	err = j.read(ctx, func(q *db.Queries) (err error) {
		if head, err = sealed(ctx, q, after); err != nil {
			return err
		}
		entries = []*Record{}
		at, err = selection.scan(ctx, q, after, head, stretchScan, func(r *Record) bool {
			entries = append(entries, r)
			return len(entries) < stretchEntries
		})
		return err
	})
	return at, entries, head, err
}

// signal wakes all who wait for the next time that something happens.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed when the signal is given the next time.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
