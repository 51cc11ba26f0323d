package bench

import (
	"context"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
	"fundledger/internal/sample"
	"fundledger/settlement"
)

const (
	// reconcileTarget is the ratio to the limit that reconciliation must reach.
	reconcileTarget = 0.4

	// MaxPeakRSS is how much memory in bytes an import may take, however
	// large the file.
	MaxPeakRSS = 300_000_000
)

// MonthOptions say what to measure, and where.
type MonthOptions struct {
	URL         string // of a database whose journal is empty, as its owner
	Folder      string // for the generated files
	Settlements int
	Workers     int // connections of the bare inserts; 0 is as many as import and reconcile use
	Seed        uint64
	Profiles    string       // folder for a CPU profile of each step; empty for none
	Log         func(string) // told what comes next
}

// Month generates a month and measures its import and reconciliation, each
// beside the bare insert of the very rows that it has written, and the
// projection of the journal. It returns Precondition when the database has a
// journal already.
func Month(ctx context.Context, options MonthOptions) (*Report, error) {
	open, err := openBooks(ctx, options.URL)
	if err != nil {
		return nil, err
	}
	defer open.close()
	m := &monthBench{options, open, settlement.New(open.store, open.journal, open.rules)}
	m.Log("generating the month")
	generated := sample.Options{Month: month, Settlements: m.Settlements, Seed: m.Seed}
	expected, err := sample.GenerateFiles(generated, m.Folder)
	if err != nil {
		return nil, err
	}
	report := &Report{Database: m.owner.Version, Processors: runtime.NumCPU()}
	for _, step := range []func(context.Context, *sample.Expected, *Report) error{m.load, m.reconcile, m.project} {
		if err := step(ctx, expected, report); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// monthBench is one run of Month.
type monthBench struct {
	MonthOptions
	*books
	settlements *settlement.Settlements
}

// timed runs one path of the program.
func (m *monthBench) timed(name, unit string, run func() (count int64, err error)) (Workload, error) {
	m.Log("measuring: " + name)
	*m.times = latencies{}
	var count int64
	start := time.Now()
	err := profiled(m.Profiles, name, func() (err error) {
		count, err = run()
		return err
	})
	return newWorkload(name, unit, count, time.Since(start), m.times), err
}

// load imports the three files, then inserts the rows that stand in
// side_records by bare statements, side by side and in the order of the files,
// in batches as large as the import's were on average.
func (m *monthBench) load(ctx context.Context, _ *sample.Expected, report *Report) error {
	debug.FreeOSMemory()
	resetPeakRSS()
	loaded, err := m.timed("import", "rows", func() (count int64, err error) {
		for _, side := range sample.Sides {
			file := settlement.PathFile(filepath.Join(m.Folder, side+".tsv"))
			done, err := m.settlements.Import(ctx, settlement.Side(side), file, settlement.ImportOptions{})
			if err != nil {
				return 0, err
			}
			count += done.Rows
		}
		return count, nil
	})
	if err != nil {
		return err
	}
	report.PeakRSS = peakRSS()
	m.Log("measuring its limit")
	limit, err := newBare(ctx, m.owner.Pool, "side_records", m.workers())
	if err != nil {
		return err
	}
	size := int(loaded.Count) / max(1, len(m.times.times))
	for _, side := range sample.Sides {
		rows, err := m.owner.Pool.Query(ctx, "SELECT "+limit.selection()+" FROM side_records WHERE side = $1 ORDER BY line", side)
		if err != nil {
			return err
		}
		err = limit.copy(ctx, limit.stream(rows, max(1, size)))
		rows.Close()
		if err != nil {
			return err
		}
	}
	loaded.against(limit.workload("bare insert of side_records", "rows"))
	report.Workloads = append(report.Workloads, loaded)
	return nil
}

// reconcile posts the month, then inserts the journal's rows again, in the
// batches that it was posted in.
func (m *monthBench) reconcile(ctx context.Context, expected *sample.Expected, report *Report) error {
	posted, err := m.timed("reconcile", "entries", func() (int64, error) {
		done, err := m.settlements.Reconcile(ctx, month, settlement.ReconcileOptions{})
		if err != nil {
			return 0, err
		}
		if done.Posted != int64(expected.MatchedRecords) {
			return 0, fault.New(fault.Internal, "%d records were posted, %d were generated to match", done.Posted, expected.MatchedRecords)
		}
		return done.Posted, nil
	})
	if err != nil {
		return err
	}
	m.Log("measuring its limit")
	limit, err := newBare(ctx, m.owner.Pool, "entries", m.workers())
	if err != nil {
		return err
	}
	rows, err := m.owner.Pool.Query(ctx, "SELECT id FROM batches ORDER BY posted_at, id")
	if err != nil {
		return err
	}
	batches, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return err
	}
	err = limit.copy(ctx, func() (*batch, error) {
		one := newBatch(limit.columns)
		if len(batches) == 0 {
			return one, nil
		}
		// The array is given by itself, so that the lookup is by primary key.
		var ids []uuid.UUID
		if err := m.owner.Pool.QueryRow(ctx, "SELECT entries FROM batches WHERE id = $1", batches[0]).Scan(&ids); err != nil {
			return nil, err
		}
		batches = batches[1:]
		rows, err := m.owner.Pool.Query(ctx, "SELECT "+limit.selection()+" FROM entries WHERE id = ANY($1::uuid[])", ids)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := one.scan(rows); err != nil {
				return nil, err
			}
		}
		return one, rows.Err()
	})
	if err != nil {
		return err
	}
	posted.recount(limit.rows) // what no fund pays for has no entry
	posted.against(limit.workload("bare insert of entries", "entries"))
	posted.judge(OfRatio, reconcileTarget)
	report.Workloads = append(report.Workloads, posted)
	return nil
}

// project brings account lines and balances up to the end of the journal.
func (m *monthBench) project(ctx context.Context, _ *sample.Expected, report *Report) error {
	projected, err := m.timed("projection", "entries", func() (int64, error) {
		position, err := m.journal.CatchUp(ctx)
		return int64(position), err
	})
	if err != nil {
		return err
	}
	report.Workloads = append(report.Workloads, projected)
	return nil
}

// workers is how many connections the bare inserts get: as many as the step
// that was timed last has used at once.
func (m *monthBench) workers() int {
	if m.Workers > 0 {
		return m.Workers
	}
	return max(1, m.times.most)
}
