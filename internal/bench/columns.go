package bench

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"fundledger/internal/fault"
)

// columnShape is a column of a table.
type columnShape struct {
	name string
	kind string // of the database
	make func() column
}

// column holds the values of one column of a batch.
type column interface {
	target() any // where the next value is scanned to
	keep()
	values() any
}

type columnOf[T any] struct {
	value T
	list  []T
}

func (c *columnOf[T]) target() any { return &c.value }

func (c *columnOf[T]) keep() {
	c.list = append(c.list, c.value)
	var zero T
	c.value = zero
}

func (c *columnOf[T]) values() any { return c.list }

func of[T any]() func() column { return func() column { return &columnOf[T]{} } }

// kinds are the types that the schema uses; the second holds NULL too.
var kinds = map[string]struct{ plain, nullable func() column }{
	"text":        {of[string](), of[pgtype.Text]()},
	"jsonb":       {of[string](), of[pgtype.Text]()},
	"int8":        {of[int64](), of[pgtype.Int8]()},
	"bool":        {of[bool](), of[pgtype.Bool]()},
	"uuid":        {of[pgtype.UUID](), of[pgtype.UUID]()},
	"bytea":       {of[[]byte](), of[[]byte]()},
	"date":        {of[pgtype.Date](), of[pgtype.Date]()},
	"timestamptz": {of[pgtype.Timestamptz](), of[pgtype.Timestamptz]()},
}

// readShape reads the columns of a table in the current schema.
func readShape(ctx context.Context, pool *pgxpool.Pool, table string) ([]columnShape, error) {
	rows, err := pool.Query(ctx, `SELECT column_name::text, udt_name::text, (is_nullable = 'YES')::bool
		FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1::text ORDER BY ordinal_position`, table)
	if err != nil {
		return nil, err
	}
	var shape []columnShape
	var name, kind string
	var nullable bool
	_, err = pgx.ForEachRow(rows, []any{&name, &kind, &nullable}, func() error {
		known, ok := kinds[kind]
		if !ok {
			return fault.New(fault.Internal, "the benchmark does not know the type %s of %s.%s", kind, table, name)
		}
		c := columnShape{name: pgx.Identifier{name}.Sanitize(), kind: kind, make: known.plain}
		if nullable {
			c.make = known.nullable
		}
		shape = append(shape, c)
		return nil
	})
	if err == nil && len(shape) == 0 {
		err = fault.New(fault.Precondition, "the database has no table %s: run fundledger migrate first", table)
	}
	return shape, err
}

// batch is the rows of one insert, by columns.
type batch struct {
	rows    int
	columns []column
	targets []any
	more    []any // arguments after those of the columns
}

func newBatch(shape []columnShape) *batch {
	b := &batch{}
	for _, c := range shape {
		one := c.make()
		b.columns = append(b.columns, one)
		b.targets = append(b.targets, one.target())
	}
	return b
}

func (b *batch) scan(rows pgx.Rows) error {
	if err := rows.Scan(b.targets...); err != nil {
		return err
	}
	for _, c := range b.columns {
		c.keep()
	}
	b.rows++
	return nil
}

func (b *batch) arguments() []any {
	list := make([]any, len(b.columns))
	for i, c := range b.columns {
		list[i] = c.values()
	}
	return append(list, b.more...)
}
