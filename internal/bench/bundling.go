package bench

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// verifyTarget is how many entries a second the verification of a bundle must reach.
const verifyTarget = 150_000

// bundling are the export of a bundle and its verification, which uses all
// processors and no database.
func (b *journalBench) bundling() []subject {
	name := filepath.Join(b.Folder, "bench.bundle")
	rested := func(context.Context) error {
		debug.FreeOSMemory()
		resetPeakRSS()
		return nil
	}
	tell := func(_ context.Context, w *Workload) error {
		w.PeakRSS = peakRSS()
		return nil
	}
	export := func(ctx context.Context) (int64, error) { return b.export(ctx, name) }
	return []subject{
		{name: "export of a bundle", unit: "entries", whole: true, prepare: rested, work: whole(export), finish: tell},
		{
			name: "verify of a bundle", unit: "entries", whole: true, targetOf: OfRate, target: verifyTarget, finish: tell,
			prepare: func(ctx context.Context) error {
				if _, err := export(ctx); err != nil {
					return err
				}
				return rested(ctx)
			},
			work: whole(func(ctx context.Context) (int64, error) { return verify(ctx, name) }),
		},
	}
}

// whole is a round that takes as long as it takes.
func whole(fn func(context.Context) (int64, error)) func(context.Context, time.Duration) (run, error) {
	return func(ctx context.Context, _ time.Duration) (run, error) {
		start := time.Now()
		n, err := fn(ctx)
		return run{count: n, elapsed: time.Since(start)}, err
	}
}

func (b *journalBench) export(ctx context.Context, name string) (int64, error) {
	file, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	exported, err := b.journal.ExportBundle(ctx, w, nil)
	if err == nil {
		err = w.Flush()
	}
	return exported.Entries, err
}

func verify(ctx context.Context, name string) (int64, error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	report, err := ledger.VerifyBundle(ctx, bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return 0, err
	}
	if !report.OK() {
		return 0, fault.New(fault.Internal, "the bundle does not verify: %s: %s", report.Findings[0].Check, report.Findings[0].Message)
	}
	return report.Entries, nil
}
