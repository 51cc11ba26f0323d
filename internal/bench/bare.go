package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// bare inserts the rows of a table again, into a table of the same shape and
// with the same indexes, by batched unnest statements that commit by
// themselves: what the database can do at most.
type bare struct {
	pool    *pgxpool.Pool
	insert  string
	columns []columnShape
	workers int

	rows    int64
	elapsed time.Duration
	times   latencies
}

// benchPrefix begins the names of the limits' tables.
const benchPrefix = "bench_"

// newBare creates the table "bench_<source>".
func newBare(ctx context.Context, pool *pgxpool.Pool, source string, workers int) (*bare, error) {
	b := &bare{pool: pool, workers: workers}
	var err error
	if b.columns, err = readShape(ctx, pool, source); err != nil {
		return nil, err
	}
	name := pgx.Identifier{benchPrefix + source}.Sanitize()
	if err := execute(ctx, pool,
		"DROP TABLE IF EXISTS "+name,
		"CREATE TABLE "+name+" (LIKE "+pgx.Identifier{source}.Sanitize()+" INCLUDING ALL)",
	); err != nil {
		return nil, err
	}
	var names, inner, outer []string
	for i, c := range b.columns {
		names = append(names, c.name)
		array, cast := c.kind, ""
		if c.kind == "jsonb" {
			array, cast = "text", "::jsonb"
		}
		inner = append(inner, fmt.Sprintf("unnest($%d::%s[]) AS %s", i+1, array, c.name))
		outer = append(outer, "t."+c.name+cast)
	}
	b.insert = fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM (SELECT %s) AS t",
		name, strings.Join(names, ", "), strings.Join(outer, ", "), strings.Join(inner, ", "))
	return b, nil
}

// again is the same insert, with nothing counted yet.
func (b *bare) again(workers int) *bare {
	return &bare{pool: b.pool, insert: b.insert, columns: b.columns, workers: workers}
}

// selection is the list of columns to read the source with.
func (b *bare) selection() string {
	var names []string
	for _, c := range b.columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// copy inserts what next reads, batch by batch, until it returns an empty
// batch. Reading is not timed: some batches are read, then they are inserted
// over all connections at once, and so on.
func (b *bare) copy(ctx context.Context, next func() (*batch, error)) error {
	const perWorker = 8
	for {
		var group []*batch
		for len(group) < b.workers*perWorker {
			one, err := next()
			if err != nil {
				return err
			}
			if one.rows == 0 {
				break
			}
			group = append(group, one)
		}
		if len(group) == 0 {
			return nil
		}
		if err := b.write(ctx, group); err != nil {
			return err
		}
	}
}

func (b *bare) write(ctx context.Context, group []*batch) error {
	work := make(chan *batch, len(group))
	for _, one := range group {
		work <- one
	}
	close(work)
	start := time.Now()
	run, ctx := errgroup.WithContext(ctx)
	for range b.workers {
		run.Go(func() error {
			for one := range work {
				begun := b.times.begin()
				if _, err := b.pool.Exec(ctx, b.insert, one.arguments()...); err != nil {
					return err
				}
				b.times.end(begun)
			}
			return nil
		})
	}
	if err := run.Wait(); err != nil {
		return err
	}
	b.elapsed += time.Since(start)
	for _, one := range group {
		b.rows += int64(one.rows)
	}
	return nil
}

func (b *bare) workload(name, unit string) Workload {
	return newWorkload(name, unit, b.rows, b.elapsed, &b.times)
}

// stream returns batches of at most size rows of a query that stays open.
func (b *bare) stream(rows pgx.Rows, size int) func() (*batch, error) {
	return func() (*batch, error) {
		one := newBatch(b.columns)
		for one.rows < size && rows.Next() {
			if err := one.scan(rows); err != nil {
				return nil, err
			}
		}
		return one, rows.Err()
	}
}

// execute runs statements one after the other.
func execute(ctx context.Context, pool *pgxpool.Pool, statements ...string) error {
	for _, statement := range statements {
		if _, err := pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
