package main

import (
	"fmt"
	"os"
	"time"

	"fundledger/internal/bench"
	"fundledger/internal/devdb"
)

// benchCmd measures the program beside its limits.
type benchCmd struct {
	Journal benchJournalCmd `cmd:"" default:"withargs" help:"Post, seal, read and verify, each beside its limit (the default)."`
	Main    benchMainCmd    `cmd:"" help:"Import and reconcile a generated month."`
}

// benchJournalCmd measures the journal by itself.
type benchJournalCmd struct {
	Entries  int           `default:"2000000" help:"Entries of the large journal in which everything is measured again; 0 for none."`
	Small    int           `default:"100000" help:"Entries of the journal in which reads are measured before."`
	Accounts int           `default:"10000" help:"Accounts that random transfers choose from."`
	Rounds   int           `default:"5" help:"How often a workload and its limit run in turn; the medians count."`
	Round    time.Duration `default:"1s" help:"Length of a round of a workload."`
	Repeat   int           `default:"1" help:"How often all workloads are gone through; the medians are of the rounds of all of them."`
	Callers  int           `default:"4" help:"Callers that post batches or read at once."`
	RPC      bool          `name:"rpc" help:"Measure posting over RPC, beside the same without: a server in this process, called over TCP."`
	Only     []string      `sep:"none" placeholder:"NAME" help:"Only workloads with this in their name, such as 'batches of 1000'; may be given several times."`
	Profiles string        `type:"existingdir" placeholder:"DIR" help:"Write a CPU profile of each round there, for go tool pprof."`
}

func (c *benchJournalCmd) Run(app *app) error {
	return app.bench(func(url, folder string, log func(string)) (*bench.Report, error) {
		return bench.Journal(app.ctx, bench.JournalOptions{
			URL: url, Folder: folder, Entries: c.Entries, Small: c.Small, Accounts: c.Accounts, Rounds: bench.Rounds{Number: c.Rounds, Length: c.Round},
			Repeat: c.Repeat, Callers: c.Callers, RPC: c.RPC, Only: c.Only, Profiles: c.Profiles, Log: log,
		})
	})
}

// benchMainCmd measures import, reconciliation and projection of a month.
type benchMainCmd struct {
	Settlements int    `default:"1000000" help:"Settlements of the month, each on three sides."`
	Workers     int    `help:"Connections of the bare inserts. Default: as many as import and reconcile use."`
	Seed        uint64 `default:"1" help:"Seed of the generated month."`
	Profiles    string `type:"existingdir" placeholder:"DIR" help:"Write a CPU profile of each step there, for go tool pprof."`
}

func (c *benchMainCmd) Run(app *app) error {
	return app.bench(func(url, folder string, log func(string)) (*bench.Report, error) {
		return bench.Month(app.ctx, bench.MonthOptions{
			URL: url, Folder: folder, Settlements: c.Settlements, Workers: c.Workers, Seed: c.Seed, Profiles: c.Profiles, Log: log,
		})
	})
}

// bench runs a benchmark on a durable database, with a folder that is removed,
// and prints its report.
func (a *app) bench(measure func(url, folder string, log func(string)) (*bench.Report, error)) error {
	log := func(line string) { fmt.Fprintln(a.errOut, line) }
	server, err := devdb.Start(a.ctx, devdb.Options{URL: a.databaseURL, Durable: true, Log: log})
	if err != nil {
		return err
	}
	defer server.Stop() //nolint:errcheck // a temporary server; the report is what counts
	folder, err := os.MkdirTemp("", "fundledger-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	report, err := measure(server.URL, folder, log)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(report)
	}
	a.printBench(report)
	return nil
}

// printBench prints the workloads beside their limits.
func (a *app) printBench(report *bench.Report) {
	t := newTable("Workload", "Unit", "Rate /s", "Limit /s", "Ratio", "Rounds", "Held", "Target", "Met", "p50 ms", "p99 ms", "Pairs/entry", "Conn.", "Peak MB", "Backlog")
	t.alignRight(3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15)
	for _, w := range report.Workloads {
		t.row(w.Name, w.Unit, fmt.Sprintf("%.0f", w.Rate), figure("%.0f", w.Limit), figure("%.2f", w.Ratio), spread(w.Ratios), figure("%.2f", w.Held),
			target(w), met(w.Met), figure("%.2f", w.P50), figure("%.2f", w.P99), figure("%.3f", w.PairsPerEntry),
			unlessZero(int64(w.Connections)), unlessZero(w.PeakRSS/1_000_000), figure("%d", w.Backlog))
	}
	t.print(a.out)
	a.printf("%s, %d processors\n", report.Database, report.Processors)
	if report.PeakRSS > 0 {
		a.printf("peak memory of this process during import: %.0f MB (limit %d MB)\n", float64(report.PeakRSS)/1e6, bench.MaxPeakRSS/1_000_000)
	}
}

func figure[T any](format string, value *T) string {
	if value == nil {
		return ""
	}
	return fmt.Sprintf(format, *value)
}

func unlessZero(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// spread is the lowest and the highest ratio of the rounds.
func spread(ratios []float64) string {
	if len(ratios) < 2 {
		return ""
	}
	return fmt.Sprintf("%.2f–%.2f", ratios[0], ratios[len(ratios)-1])
}

func target(w bench.Workload) string {
	if w.Target == 0 {
		return ""
	}
	if w.TargetOf == bench.OfRate {
		return fmt.Sprintf("%s ≥ %.0f", w.TargetOf, w.Target)
	}
	return fmt.Sprintf("%s ≥ %.2f", w.TargetOf, w.Target)
}

func met(met *bool) string {
	switch {
	case met == nil:
		return ""
	case *met:
		return "yes"
	}
	return "no"
}
