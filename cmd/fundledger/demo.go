package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"fundledger/internal/devdb"
	"fundledger/internal/sample"
)

// demoCmd runs the main job on the sample month, or a fiscal year on generated
// months, on a database of its own unless one is given.
type demoCmd struct {
	Out         string `help:"Directory for the sample files, tables and notices." default:"out/demo" placeholder:"DIR"`
	Year        bool   `help:"Run a whole fiscal year and print its table: quotas, twelve months, top-ups, refunds, clawbacks, the next year's quotas."`
	Settlements int    `help:"With --year: settlements of a month." default:"150" placeholder:"N"`
	Seed        uint64 `help:"With --year: of the generated settlements." default:"1" placeholder:"N"`
}

// demoPaid is when the demo's payments are made: no date comes from the clock.
const demoPaid = "2025-03-10"

// demoStep is one command of the demo and what it shows.
type demoStep struct {
	title   string
	command interface{ Run(*app) error }
}

func (c *demoCmd) Run(app *app) error {
	server, err := devdb.Start(app.ctx, devdb.Options{URL: app.databaseURL, Log: func(line string) { fmt.Fprintln(app.errOut, line) }})
	if err != nil {
		return err
	}
	defer server.Stop()
	app.databaseURL = server.URL
	if c.Year {
		if err := c.runYear(app); err != nil {
			return err
		}
		return c.stay(app)
	}
	if err := c.copySample(); err != nil {
		return err
	}
	for i, step := range c.steps() {
		app.printf("\n== %d. %s\n", i+1, step.title)
		if err := step.command.Run(app); err != nil {
			return err
		}
	}
	app.printf("\nThe sample files are in %s, tables and notices in %s.\n", c.Out, c.documents())
	return c.stay(app)
}

func (c *demoCmd) steps() []demoStep {
	steps := []demoStep{
		{"Open the books: schema, regions, chart, posting table, policy, opening balances", &migrateCmd{}},
		{"Opening balances", &setupCmd{Profile: "jiangsu", OpenFrom: sample.Month, Openings: c.file("openings.tsv")}},
	}
	for _, side := range []string{"treating", "center", "insured"} {
		steps = append(steps, demoStep{"Import the settlements of the " + side + " side",
			&importSettlementsCmd{Side: side, Files: []string{c.file(side + ".tsv")}}})
	}
	return append(steps,
		demoStep{"Reconcile the three sides and post what agrees (三方对账)", &reconcileCmd{Month: sample.Month}},
		demoStep{"Clear the month: 清算平衡总表", &clearCmd{Month: sample.Month, Out: c.documents()}},
		demoStep{"Who pays whom", &noticesCmd{Month: sample.Month}},
		demoStep{"The money moves", &remitCmd{Month: sample.Month, All: true, Date: demoPaid, Reference: "DEMO"}},
		demoStep{"The province's books afterwards", &balancesCmd{Book: "320000.agency"}},
		demoStep{"Check everything from the journal (账账相符)", &checkCmd{}},
	)
}

func (c *demoCmd) file(name string) string { return filepath.Join(c.Out, name) }

func (c *demoCmd) documents() string { return filepath.Join(c.Out, "documents") }

// copySample puts the embedded files where a user can look at them.
func (c *demoCmd) copySample() error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	names := []string{"openings.tsv"}
	for _, name := range []string{"treating.tsv", "center.tsv", "insured.tsv", "prepayment_bases.tsv"} {
		names = append(names, sample.Month+"/"+name)
	}
	for _, name := range names {
		data, err := fs.ReadFile(sample.Files, name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.file(filepath.Base(name)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// stay keeps the database up for further commands while somebody sits at the
// terminal.
func (c *demoCmd) stay(app *app) error {
	out, ok := app.out.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	app.printf("The database stays up until Ctrl-C. In another terminal:\n  export FUNDLEDGER_DATABASE_URL='%s'\n  go run ./cmd/fundledger statement 320000.agency/310/1003\n", app.databaseURL)
	<-app.ctx.Done()
	return nil
}
