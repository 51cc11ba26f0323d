package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// maxBehind bounds how often a read that wants all of a growing journal catches
// up. A sealer rests between its rounds, so more than a few tries are rare.
const maxBehind = 100

// behindError says that the projection has not come as far as a read wants.
type behindError struct{ at, wanted Position }

func (e *behindError) Error() string {
	return fmt.Sprintf("the projection is at position %d, %d is wanted", e.at, e.wanted)
}

// read is snapshot for what only queries.
func (j *Journal) read(ctx context.Context, fn func(q *db.Queries) error) error {
	return j.snapshot(ctx, func(tx pgx.Tx) error { return fn(db.New(tx)) })
}

// snapshot runs fn in a snapshot that has come as far as fn wants.
func (j *Journal) snapshot(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return j.caughtUp(ctx, func() error { return j.store.Snapshot(ctx, fn) })
}

// View runs fn in a snapshot of the database that has seen at least the
// position of the journal, and tells the position that it has seen: what fn
// reads of tables that change with the journal is of that state. NotFound when the journal
// is shorter.
func (j *Journal) View(ctx context.Context, atLeast Position, fn func(tx pgx.Tx, at Position) error) error {
	return j.snapshot(ctx, func(tx pgx.Tx) error {
		at, err := projected(ctx, db.New(tx), atLeast)
		if err != nil {
			return err
		}
		return fn(tx, at)
	})
}

// caughtUp runs a read, and again after catching up when it finds itself
// behind. So a read that needs a position gets it whether a sealer runs, is
// late, or there is none. NotFound when the whole journal is shorter.
func (j *Journal) caughtUp(ctx context.Context, read func() error) error {
	for range maxBehind {
		err := read()
		behind, ok := errors.AsType[*behindError](err)
		if !ok {
			return err
		}
		reached, err := j.CatchUp(ctx)
		if err != nil {
			return err
		}
		if reached < behind.wanted {
			return fault.New(fault.NotFound, "the journal is at position %d, %d was asked", reached, behind.wanted)
		}
	}
	return fault.New(fault.Unavailable, "the journal grows faster than it can be read whole: try again")
}

// projected returns the position of the projection, which must have reached wanted.
func projected(ctx context.Context, q *db.Queries, wanted Position) (Position, error) {
	head, err := q.ReadHead(ctx, headProjected)
	if err == nil && Position(head) < wanted {
		err = &behindError{Position(head), wanted}
	}
	return Position(head), err
}

// projectedAll asks that all that is sealed is projected.
func projectedAll(ctx context.Context, q *db.Queries) error {
	sealed, err := q.ReadHead(ctx, headSealed)
	if err != nil {
		return err
	}
	if _, err = projected(ctx, q, Position(sealed)); err != nil {
		return err
	}
	return shiftedToo(ctx, q, Position(sealed))
}
