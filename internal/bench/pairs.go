package bench

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tally is what a database holds, as key-value pairs: a row is one, and each
// of its entries in secondary indexes another.
type tally struct {
	entries int64
	pairs   int64
}

func (t tally) since(before tally) tally {
	return tally{t.entries - before.entries, t.pairs - before.pairs}
}

// perEntry is nil where there was no entry.
func (t tally) perEntry() *float64 {
	if t.entries == 0 {
		return nil
	}
	each := float64(t.pairs) / float64(t.entries)
	return &each
}

// count counts the rows of every table but those of limits. A floor's row is
// written again and again, so its versions count, one a write.
func count(ctx context.Context, pool *pgxpool.Pool) (tally, error) {
	rows, err := pool.Query(ctx, `SELECT t.table_name::text, (SELECT count(*) FROM pg_indexes AS i
			WHERE i.schemaname = t.table_schema AND i.tablename = t.table_name)::int8
		FROM information_schema.tables AS t
		WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE'`)
	if err != nil {
		return tally{}, err
	}
	var parts []string
	var table string
	var indexes int64
	_, err = pgx.ForEachRow(rows, []any{&table, &indexes}, func() error {
		if strings.HasPrefix(table, benchPrefix) {
			return nil
		}
		of := "count(*)"
		if table == "floors" {
			of = "coalesce(sum(version), 0)"
		}
		// The primary key is an index too, but it is the row.
		parts = append(parts, fmt.Sprintf("SELECT '%s' AS name, (%s * %d)::int8 AS pairs FROM %s", table, of, max(1, indexes), pgx.Identifier{table}.Sanitize()))
		return nil
	})
	if err != nil {
		return tally{}, err
	}
	var t tally
	err = pool.QueryRow(ctx, `SELECT coalesce(sum(pairs), 0)::int8, (SELECT count(*) FROM entries)
		FROM (`+strings.Join(parts, " UNION ALL ")+`) AS t`).Scan(&t.pairs, &t.entries)
	return t, err
}
