package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	crdbpgx "github.com/cockroachdb/cockroach-go/v2/crdb/crdbpgxv5"
	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
)

// maxAttempts bounds how often a transaction is tried. With backoff it is
// some ten seconds under heavy contention.
const maxAttempts = 40

// InTx implements accounts.Store.
func (db *DB) InTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	var err error
	for attempt := range maxAttempts {
		if err = db.attempt(ctx, fn); err == nil {
			return nil
		}
		if ambiguous := (*crdb.AmbiguousCommitError)(nil); errors.As(err, &ambiguous) || hasCode(err, codeUnknownOutcome) {
			return fault.New(fault.Unavailable, "the connection was lost while committing, so the outcome is unknown: ask for the state, or send the same keys again: %w", err)
		}
		if !retryable(err) {
			break
		}
		if waitErr := wait(ctx, attempt); waitErr != nil {
			return waitErr
		}
	}
	return asFault(err)
}

// attempt runs fn once on PostgreSQL. On CockroachDB cockroach-go also retries
// inside the transaction, which keeps its place in the queue.
func (db *DB) attempt(ctx context.Context, fn func(tx pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.Serializable}
	if db.Dialect == CockroachDB {
		return crdbpgx.ExecuteTx(crdb.WithMaxRetries(ctx, maxAttempts), db.Pool, options, fn)
	}
	tx, err := db.Pool.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // no effect after Commit
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		if retryable(err) {
			return err
		}
		return fault.New(fault.Unavailable, "the commit was not confirmed, so the outcome is unknown: ask for the state, or send the same keys again: %w", err)
	}
	return nil
}

// Snapshot implements accounts.Store. A read-only SERIALIZABLE transaction
// may be asked to retry like any other.
func (db *DB) Snapshot(ctx context.Context, fn func(tx pgx.Tx) error) error {
	var err error
	for attempt := range maxAttempts {
		err = pgx.BeginTxFunc(ctx, db.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn)
		if err == nil || !retryable(err) {
			break
		}
		if waitErr := wait(ctx, attempt); waitErr != nil {
			return waitErr
		}
	}
	return asFault(err)
}

func wait(ctx context.Context, attempt int) error {
	longest := min(time.Millisecond<<min(attempt, 9), 300*time.Millisecond)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(rand.Int64N(int64(longest)) + 1)):
		return nil
	}
}

// asFault names what the database's own errors mean to a caller.
func asFault(err error) error {
	switch {
	case err == nil:
		return nil
	case retryable(err):
		return fault.New(fault.Unavailable, "too much contention on the database, try again: %w", err)
	case broken(err):
		return fault.New(fault.Unavailable, "the database connection was lost: %w", err)
	}
	return err
}
