package main

import (
	"fmt"
	"os"

	"fundledger/internal/bench"
	"fundledger/internal/devdb"
)

// benchCmd measures the program beside its limits.
type benchCmd struct {
	Main benchMainCmd `cmd:"" help:"Import and reconcile a generated month."`
}

// benchMainCmd measures import, reconciliation and projection of a month.
type benchMainCmd struct {
	Settlements int    `default:"1000000" help:"Settlements of the month, each on three sides."`
	Workers     int    `help:"Connections of the bare inserts. Default: as many as import and reconcile use."`
	Seed        uint64 `default:"1" help:"Seed of the generated month."`
	Profiles    string `type:"existingdir" placeholder:"DIR" help:"Write a CPU profile of each step there, for go tool pprof."`
}

func (c *benchMainCmd) Run(app *app) error {
	log := func(line string) { fmt.Fprintln(app.errOut, line) }
	server, err := devdb.Start(app.ctx, devdb.Options{URL: app.databaseURL, Durable: true, Log: log})
	if err != nil {
		return err
	}
	defer server.Stop() //nolint:errcheck // a temporary server; the report is what counts
	folder, err := os.MkdirTemp("", "fundledger-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	report, err := bench.Month(app.ctx, bench.MonthOptions{
		URL: server.URL, Folder: folder, Settlements: c.Settlements, Workers: c.Workers, Seed: c.Seed, Profiles: c.Profiles, Log: log,
	})
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(report)
	}
	app.printBench(report)
	return nil
}

// printBench prints the workloads beside their limits.
func (a *app) printBench(report *bench.Report) {
	t := newTable("Workload", "Count", "Unit", "Rate /s", "Limit /s", "Ratio", "Target", "p50 ms", "p99 ms")
	t.alignRight(2, 4, 5, 6, 7, 8, 9)
	figure := func(format string, value *float64) string {
		if value == nil {
			return ""
		}
		return fmt.Sprintf(format, *value)
	}
	for _, w := range report.Workloads {
		target := ""
		if w.Target > 0 {
			target = fmt.Sprintf("≥ %.2f", w.Target)
		}
		t.row(w.Name, w.Count, w.Unit, fmt.Sprintf("%.0f", w.Rate), figure("%.0f", w.Limit), figure("%.2f", w.Ratio),
			target, figure("%.1f", w.P50), figure("%.1f", w.P99))
	}
	t.print(a.out)
	a.printf("%s, %d processors\n", report.Database, report.Processors)
	if report.PeakRSS > 0 {
		a.printf("peak memory of this process during import: %.0f MB (limit %d MB)\n", float64(report.PeakRSS)/1e6, bench.MaxPeakRSS/1_000_000)
	}
}
