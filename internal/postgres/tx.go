package postgres

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	crdbpgx "github.com/cockroachdb/cockroach-go/v2/crdb/crdbpgxv5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// How often a transaction is tried again, by what befell it. With backoff,
// maxAttempts is some ten seconds under heavy contention.
const (
	maxAttempts   = 40
	maxCollisions = 4
	maxReconnects = 4
)

// InTx implements accounts.Store. Errors of the database are Unavailable
// (contention, connection lost, outcome of the commit unknown), Precondition
// (schema not migrated), Permission (not allowed to AppRole), Invalid (a text that
// cannot be kept) or Internal.
func (db *DB) InTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return tryAgain(ctx, func() error { return db.attempt(ctx, fn) })
}

// tryAgain repeats a transaction that the database has undone.
func tryAgain(ctx context.Context, transaction func() error) error {
	var collisions, reconnects int
	for attempt := 1; ; attempt++ {
		err := transaction()
		if err == nil {
			return nil
		}
		again := false
		switch {
		case ctx.Err() != nil || errors.As(err, new(*commitError)):
		case contended(err):
			again = attempt < maxAttempts
		case collided(err):
			collisions++
			again = collisions <= maxCollisions
		case broken(err): // before the commit was sent, so nothing has happened
			reconnects++
			again = reconnects <= maxReconnects
		}
		if !again {
			return asFault(err)
		}
		if err := wait(ctx, attempt); err != nil {
			return err
		}
	}
}

// commitError is a commit whose outcome is unknown.
type commitError struct{ cause error }

func (e *commitError) Error() string { return e.cause.Error() }
func (e *commitError) Unwrap() error { return e.cause }

// attempt runs fn once on PostgreSQL. On CockroachDB cockroach-go also retries
// inside the transaction, which keeps its place in the queue.
func (db *DB) attempt(ctx context.Context, fn func(tx pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.Serializable}
	if db.Dialect == CockroachDB {
		err := crdbpgx.ExecuteTx(crdb.WithMaxRetries(ctx, maxAttempts), db.Pool, options, fn)
		if ambiguous, ok := errors.AsType[*crdb.AmbiguousCommitError](err); ok && unknownOutcome(ambiguous.Cause()) {
			return &commitError{err}
		}
		return err
	}
	tx, err := db.Pool.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // no effect after Commit
	if err := fn(tx); err != nil {
		return err
	}
	if tx.Conn().IsClosed() {
		return io.ErrUnexpectedEOF // the commit is not even sent
	}
	err = tx.Commit(ctx)
	if err != nil && unknownOutcome(err) {
		return &commitError{err}
	}
	return err
}

// Snapshot implements accounts.Store. Errors as for InTx. A lost connection is
// not tried again, because fn may have told the world what it has read.
func (db *DB) Snapshot(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return read(ctx, func() error {
		return pgx.BeginTxFunc(ctx, db.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn)
	})
}

// reader is accounts.Reader.
type reader = interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row
}

// Read implements accounts.Store. Errors as for Snapshot.
func (db *DB) Read(ctx context.Context, fn func(r reader) error) error {
	return read(ctx, func() error { return fn(db.Pool) })
}

func read(ctx context.Context, fn func() error) error {
	for attempt := 1; ; attempt++ {
		err := fn()
		if err == nil || ctx.Err() != nil || !contended(err) || attempt == maxAttempts {
			return asFault(err)
		}
		if err := wait(ctx, attempt); err != nil {
			return err
		}
	}
}

// wait is a random time that grows with the attempts.
func wait(ctx context.Context, attempt int) error {
	longest := min(time.Millisecond<<min(attempt, 9), 300*time.Millisecond)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(longest) + 1):
		return nil
	}
}
