package postgres

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Single implements accounts.Store. Errors as for InTx.
func (db *DB) Single(ctx context.Context, fn func(w reader) error) error {
	return tryAgain(ctx, func() error {
		return db.Pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return fn(single{conn.Conn()}) })
	})
}

// single sends a transaction of one statement down its connection at once:
// BEGIN, the statement and COMMIT, in one pipeline. After an error the server
// leaves out what follows in the pipeline, so the commit too.
type single struct{ conn *pgx.Conn }

func (s single) Exec(ctx context.Context, sql string, arguments ...any) (tag pgconn.CommandTag, err error) {
	batch := &pgx.Batch{}
	batch.Queue("BEGIN ISOLATION LEVEL SERIALIZABLE")
	batch.Queue(sql, arguments...)
	batch.Queue("COMMIT")
	results := s.conn.SendBatch(ctx, batch)
	for i := range batch.Len() {
		of, failed := results.Exec()
		if i == 1 {
			tag = of
		}
		if err = failed; err != nil {
			break
		}
	}
	err = cmp.Or(err, results.Close())
	if err == nil {
		return tag, nil
	}
	if unknownOutcome(err) {
		return tag, &commitError{err}
	}
	_, rollback := s.conn.Exec(context.WithoutCancel(ctx), "ROLLBACK")
	return tag, errors.Join(err, rollback)
}

var errSingle = errors.New("a single statement is executed, not queried")

func (single) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errSingle }
func (single) QueryRow(context.Context, string, ...any) pgx.Row        { return noRow{} }

type noRow struct{}

func (noRow) Scan(...any) error { return errSingle }
