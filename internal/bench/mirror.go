package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// mirror is the limit of posting: tables of the shapes of entries and floors,
// as large as these, into which bare statements insert what was posted.
type mirror struct {
	*books
	plain   *bare
	floored *bare // moves floors in the same statement
}

func newMirror(ctx context.Context, b *books) (*mirror, error) {
	plain, err := newBare(ctx, b.owner.Pool, "entries", 1)
	if err != nil {
		return nil, err
	}
	if _, err := newBare(ctx, b.owner.Pool, "floors", 1); err != nil {
		return nil, err
	}
	floored := plain.again(1)
	n := len(plain.columns)
	floored.insert = fmt.Sprintf(`WITH moved AS (
		INSERT INTO bench_floors (account, balance_fen, reserved_fen, version)
		SELECT unnest($%d::text[]), unnest($%d::int8[]), 0, 1
		ON CONFLICT (account) DO UPDATE SET balance_fen = bench_floors.balance_fen + excluded.balance_fen, version = bench_floors.version + 1
		RETURNING 1 -- CockroachDB asks for a column
	) `, n+1, n+2) + plain.insert
	return &mirror{b, plain, floored}, nil
}

// span is the numbers of transfers that were posted, from included, to not.
type span struct{ from, to int64 }

func (s span) count() int64 { return s.to - s.from }

// take cuts at most size numbers off the beginning.
func (s *span) take(size int) []int64 {
	var numbers []int64
	for len(numbers) < size && s.from < s.to {
		numbers = append(numbers, s.from)
		s.from++
	}
	return numbers
}

func idsOf(numbers []int64) []uuid.UUID {
	ids := make([]uuid.UUID, len(numbers))
	for i, n := range numbers {
		ids[i] = ledger.EntryID(transferKey(n))
	}
	return ids
}

// insert inserts the rows of the posted transfers again, in batches of the
// size, and moves each floor once a batch.
func (m *mirror) insert(ctx context.Context, t transfers, posted span, size, workers int) (run, error) {
	template := m.plain
	if t.floor != "" {
		template = m.floored
	}
	limit := template.again(workers)
	err := limit.copy(ctx, func() (*batch, error) {
		one, numbers := newBatch(limit.columns), posted.take(size)
		if len(numbers) == 0 {
			return one, nil
		}
		rows, err := m.owner.Pool.Query(ctx, "SELECT "+limit.selection()+" FROM entries WHERE id = ANY($1::uuid[])", idsOf(numbers))
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := one.scan(rows); err != nil {
				return nil, err
			}
		}
		if one.rows != len(numbers) && rows.Err() == nil {
			return nil, fault.New(fault.Internal, "%d of %d posted entries are in the journal", one.rows, len(numbers))
		}
		if t.floor != "" {
			changes := t.floorChanges(numbers)
			accounts := slices.Sorted(maps.Keys(changes)) // one order, so that no two inserts wait for each other
			amounts := make([]int64, len(accounts))
			for i, a := range accounts {
				amounts[i] = changes[a]
			}
			one.more = []any{accounts, amounts}
		}
		return one, rows.Err()
	})
	return run{limit.rows, limit.elapsed, &limit.times}, err
}

// follow copies within the database what was posted without a limit beside
// it, so that the tables stay of one size.
func (m *mirror) follow(ctx context.Context, ids []uuid.UUID) error {
	const most = 10_000
	for some := range slices.Chunk(ids, most) {
		_, err := m.owner.Pool.Exec(ctx, "INSERT INTO bench_entries ("+m.plain.selection()+") SELECT "+m.plain.selection()+
			" FROM entries WHERE id = ANY($1::uuid[]) ON CONFLICT (id) DO NOTHING", some)
		if err != nil {
			return err
		}
	}
	return nil
}

// followFloors gives the limit the floors that the journal has.
func (m *mirror) followFloors(ctx context.Context) error {
	return execute(ctx, m.owner.Pool, "TRUNCATE bench_floors", "INSERT INTO bench_floors SELECT * FROM floors")
}

// reset empties the journal and the limit. All that they hold was written by
// this run, since it began in an empty database.
func (m *mirror) reset(ctx context.Context) error {
	return execute(ctx, m.owner.Pool,
		`TRUNCATE entries, batches, inbox, sealed, vouchers, corrections, pendings, floors, tree_hashes, checkpoints,
			balances, account_lines, account_months, account_shifts, calls, call_ends, bench_entries, bench_floors`,
		"UPDATE heads SET position = 0",
	)
}

// analyze gathers the statistics that a table has which was not filled a minute ago.
func (m *mirror) analyze(ctx context.Context) error {
	for _, table := range []string{"entries", "batches", "sealed", "vouchers", "floors", "balances", "account_lines", "account_months", "bench_entries", "bench_floors"} {
		if err := execute(ctx, m.owner.Pool, "ANALYZE "+table); err != nil {
			return err
		}
	}
	return nil
}
