package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"fundledger/settlement"
)

// importCmd groups what can be imported.
type importCmd struct {
	Settlements importSettlementsCmd `cmd:"" help:"Import settlement files of one side."`
	Withdrawals importWithdrawalsCmd `cmd:"" help:"Import withdrawals (冲正) of one side."`
}

// importSettlementsCmd loads settlement files of one side.
type importSettlementsCmd struct {
	Side   string   `required:"" enum:"treating,center,insured" help:"Whose files they are: treating, center or insured."`
	Strict bool     `help:"Load nothing of a file that has a bad row."`
	Files  []string `arg:"" name:"file" help:"Files: UTF-8, TAB separated, the columns named in the first line; or a zip of one such file."`
}

// Help shows the format.
func (c *importSettlementsCmd) Help() string {
	return "The columns, in any order: " + strings.Join(settlement.Columns(), ", ") + ". " +
		"Amounts are yuan with two decimals, dates YYYY-MM-DD, setl_time has an offset; null or nothing means absent. " +
		"Bad rows are shown as file:line:field:reason and the good ones are loaded. The same file again changes nothing."
}

type importReport struct {
	Files []*settlement.ImportReport `json:"files"`
}

func (c *importSettlementsCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	report := importReport{Files: []*settlement.ImportReport{}}
	for _, name := range c.Files {
		options := settlement.ImportOptions{Strict: c.Strict, Progress: app.progress(name)}
		if app.json {
			options.BadRows = -1
		}
		done, err := s.settlements().Import(app.ctx, settlement.Side(c.Side), settlement.PathFile(name), options)
		if err != nil {
			return err
		}
		report.Files = append(report.Files, done)
		if !app.json {
			printImport(app, done)
		}
	}
	if app.json {
		return app.printJSON(report)
	}
	return nil
}

func (s *session) settlements() *settlement.Settlements {
	return settlement.New(s.db, s.journal, s.book)
}

// progress draws a bar where somebody watches.
func (a *app) progress(name string) func(done, total int64) {
	terminal, ok := a.errOut.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(done, total int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(terminal), progressbar.OptionShowBytes(true),
				progressbar.OptionSetDescription(name), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100e6))
		}
		bar.Set64(done) //nolint:errcheck // a bar that cannot be drawn is no reason to stop
	}
}

func printImport(app *app, r *settlement.ImportReport) {
	if r.AlreadyLoaded {
		app.printf("%s (%s): this file was loaded before, nothing changed\n", r.File, r.Side)
	}
	for _, b := range r.BadRows {
		app.printf("%s\n", b)
	}
	if r.MoreBadRows > 0 {
		app.printf("… and %d more bad rows; all are kept, --json lists them\n", r.MoreBadRows)
	}
	if len(r.IgnoredColumns) > 0 {
		app.printf("%s: columns ignored: %s\n", r.File, strings.Join(r.IgnoredColumns, ", "))
	}
	var others []string
	for _, count := range []struct {
		n    int64
		what string
	}{
		{r.Rejected, "rejected"}, {r.Duplicates, "duplicate rows ignored"}, {r.Conflicting, "conflicting"},
		{r.Superseded, "superseded by a later file"}, {r.ConflictsWithPosted, "in conflict with posted settlements"},
	} {
		if count.n > 0 {
			others = append(others, fmt.Sprintf("%d %s", count.n, count.what))
		}
	}
	app.printf("%s (%s): %d rows, %d accepted", r.File, r.Side, r.Rows, r.Accepted)
	if len(others) > 0 {
		app.printf(", %s", strings.Join(others, ", "))
	}
	if !r.AlreadyLoaded {
		app.printf("; %d records added, %d replaced", r.Added, r.Replaced)
	}
	app.printf("\n")
}
