package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"fundledger/accounts"
	"fundledger/settlement"
)

// reconcileCmd compares the three sides of a month or a day and posts what agrees.
type reconcileCmd struct {
	Month string `required:"" xor:"what" help:"Service month (YYYY-MM)."`
	Day   string `required:"" xor:"what" help:"Only the settlements of this day (YYYY-MM-DD); the month is reconciled all the same."`
}

func (c *reconcileCmd) Run(app *app) error {
	if c.Day != "" {
		return c.day(app)
	}
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	progress, done := app.counter("settlements")
	report, err := s.settlements().Reconcile(app.ctx, month, settlement.ReconcileOptions{Progress: progress})
	done()
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(report)
	}
	printReconciliation(app, report)
	return nil
}

// day reconciles one day.
func (c *reconcileCmd) day(app *app) error {
	day, err := accounts.ParseDate(c.Day)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	r, err := s.settlements().ReconcileDay(app.ctx, day)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(r)
	}
	printTotals(app, r.Totals)
	for _, e := range r.Differences[:min(len(r.Differences), shownExceptions)] {
		app.printf("%s %s: %s\n", e.SetlID, e.Kind, e.Detail)
	}
	printMore(app, int64(max(0, len(r.Differences)-shownExceptions))+r.MoreDifferences, "differences")
	printHalfLoaded(app, r.HalfLoadedFiles)
	app.printf("%s: %d posted now, %d of %d settlements agree on all three sides; %d of %d groups differ\n",
		r.Day, r.Posted, r.Matched, r.Settlements, r.Differ, len(r.Totals))
	return nil
}

// counter draws a count of unknown end where somebody watches.
func (a *app) counter(what string) (progress func(int64), done func()) {
	terminal, ok := a.errOut.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(terminal), progressbar.OptionShowCount(),
		progressbar.OptionSetDescription(what), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100e6))
	return func(n int64) { bar.Set64(n) }, func() { bar.Finish() } //nolint:errcheck // a bar that cannot be drawn is no reason to stop
}

// shownExceptions is how many exceptions are printed one by one.
const shownExceptions = 60

func printReconciliation(app *app, r *settlement.ReconcileReport) {
	if !r.Compared {
		app.printf("no file has come since the last reconciliation of %s: nothing to compare\n", r.Month)
	} else {
		app.printf("totals: %d groups compared (险种 × 清算类别 × pair of regions), %d differ\n", r.Groups, len(r.TotalsDiffer))
	}
	if len(r.TotalsDiffer) > 0 {
		printTotals(app, r.TotalsDiffer[:min(len(r.TotalsDiffer), shownExceptions)])
		printMore(app, int64(len(r.TotalsDiffer)-shownExceptions), "groups")
	}
	for _, e := range r.OpenExceptions[:min(len(r.OpenExceptions), shownExceptions)] {
		app.printf("%s %s: %s\n", e.SetlID, e.Kind, e.Detail)
	}
	printMore(app, int64(max(0, len(r.OpenExceptions)-shownExceptions))+r.MoreExceptions, "exceptions")
	for _, w := range r.WaitingRefunds[:min(len(r.WaitingRefunds), shownExceptions)] {
		app.printf("%s refund of %s waits: %s\n", w.SetlID, w.Month, w.Reason)
	}
	printMore(app, int64(len(r.WaitingRefunds)-shownExceptions), "waiting refunds")
	printHalfLoaded(app, r.HalfLoadedFiles)
	app.printf("%s: %d posted now, %d records agree on all three sides", r.Month, r.Posted, r.Matched)
	if r.Waiting > 0 {
		app.printf(" (%d refunds of them wait)", r.Waiting)
	}
	app.printf(", %d exceptions resolved; open exceptions: %s\n", r.Resolved, countsByKind(r.Exceptions))
}

func printTotals(app *app, groups []settlement.TotalDifference) {
	t := newTable("险种", "清算类别", "Insured 参保地", "Treating 就医地", "Side", "Records", "medfee_sumamt", "fund_pay_sumamt", "acct_pay")
	t.alignRight(6, 7, 8, 9)
	for _, d := range groups {
		for _, side := range []struct {
			name  settlement.Side
			total settlement.Total
		}{{settlement.Center, d.CenterSide}, {settlement.Treating, d.TreatingSide}, {settlement.Insured, d.InsuredSide}} {
			t.row(d.Insutype, d.ClearingType, d.Insured, d.Treating, string(side.name), side.total.Records,
				side.total.Medfee, side.total.FundPay, side.total.Account)
		}
	}
	t.print(app.out)
}

func printHalfLoaded(app *app, files []string) {
	for _, name := range files {
		app.printf("half loaded, its records are left alone: %s; import it again, then reconcile again\n", name)
	}
}

func printMore(app *app, n int64, what string) {
	if n > 0 {
		app.printf("… and %d more %s; --json lists up to 1000, report month counts all\n", n, what)
	}
}

func countsByKind(counts map[string]int64) string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
