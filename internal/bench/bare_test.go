package bench

import (
	"context"
	"testing"

	"fundledger/internal/devdb"
	"fundledger/internal/postgres"
)

func TestMain(m *testing.M) { devdb.Main(m) }

func TestBareInsertMakesTheSameRows(t *testing.T) {
	ctx := context.Background()
	db := devdb.Test(t)
	owner, err := postgres.OpenOwner(ctx, db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	_, err = owner.Pool.Exec(ctx, `INSERT INTO entries (id, key, batch_id, business_date, period, kind, summary, source,
			attachments, preparer, reviewer, corrects, legs, digest)
		SELECT gen_random_uuid(), 'k' || n::text, gen_random_uuid(), '2025-01-31', '2025-01', 'manual', '转账', '', n, 'a', '',
			CASE WHEN n % 2 = 0 THEN gen_random_uuid() END, '[{"a": "b", "m": 1}]', '\x0102'
		FROM generate_series(1, 1000) AS n`)
	if err != nil {
		t.Fatal(err)
	}
	limit, err := newBare(ctx, owner.Pool, "entries", 2)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := owner.Pool.Query(ctx, "SELECT "+limit.selection()+" FROM entries")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if err := limit.copy(ctx, limit.stream(rows, 30)); err != nil {
		t.Fatal(err)
	}
	var same int64
	err = owner.Pool.QueryRow(ctx, `SELECT count(*) FROM entries AS e JOIN bench_entries AS b ON b.id = e.id
		AND b.key = e.key AND b.corrects IS NOT DISTINCT FROM e.corrects AND b.legs = e.legs AND b.digest = e.digest
		AND b.posted_at = e.posted_at AND b.business_date = e.business_date AND b.summary = e.summary`).Scan(&same)
	if err != nil {
		t.Fatal(err)
	}
	if same != 1000 || limit.rows != 1000 {
		t.Errorf("%d of 1000 rows are the same, %d counted", same, limit.rows)
	}
	if w := limit.workload("entries", "entries"); w.Rate <= 0 || w.P50 == nil || *w.P99 < *w.P50 {
		t.Errorf("measured %+v", w)
	}
}
