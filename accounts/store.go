package accounts

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Store is the database as the domain packages see it.
type Store interface {
	// InTx runs fn in one SERIALIZABLE transaction and commits it. When the
	// database asks for a retry (40001) fn runs again from its start, so it
	// must not keep state of an earlier attempt. A commit whose outcome is
	// unknown returns an Unavailable error: look before you try again.
	InTx(ctx context.Context, fn func(tx pgx.Tx) error) error
	// Single runs fn, which executes one statement that writes, in a SERIALIZABLE
	// transaction around this statement: one round trip, where InTx takes three.
	// fn runs again as in InTx, and errors are the same.
	Single(ctx context.Context, fn func(w Reader) error) error
	// Snapshot runs fn in a read-only transaction that sees one state.
	Snapshot(ctx context.Context, fn func(tx pgx.Tx) error) error
	// Read runs fn, which asks a single SELECT. One statement sees one state by
	// itself, and without a transaction around it it is one round trip, not three.
	Read(ctx context.Context, fn func(r Reader) error) error
}

// Reader takes a statement. It is an alias, so that a store need not import
// this package.
type Reader = interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row
}
