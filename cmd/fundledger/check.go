package main

import (
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
)

// checkCmd proves the invariants from the journal.
type checkCmd struct{}

func (c *checkCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	report, err := clearing.Check(app.ctx, s.journal, s.db, s.book, prepayment.Check)
	if err != nil {
		return err
	}
	if app.json {
		err = app.printJSON(report)
	} else {
		printCheck(app, report)
	}
	if err == nil && !report.OK() {
		return fault.New(fault.Internal, "the check failed: %d findings", len(report.Findings))
	}
	return err
}

func printCheck(app *app, report *clearing.CheckReport) {
	t := newTable("Check", "Items", "Findings")
	t.alignRight(2, 3)
	for _, r := range report.Checks {
		t.row(r.Name, r.Items, r.Findings)
	}
	t.print(app.out)
	app.printf("journal position %d: %d entries, %d postings\n", report.Position, report.Entries, report.Postings)
	for _, f := range report.Findings {
		app.printf("FAILED %s: %s%s %s\n", f.Check, f.Account, labelled(" entry ", f.Entry), f.Message)
	}
	for _, e := range report.Exceptions {
		app.printf("open exceptions of %s: %d %s\n", e.Month, e.Count, e.Kind)
	}
	for _, run := range report.Unfrozen {
		app.printf("run %s is not frozen\n", run.ID)
	}
	for _, n := range report.Unpaid {
		app.printf("unpaid: %s, %s open\n", n.ID, n.Open)
	}
	if report.OK() {
		app.printf("all checks hold 账账相符\n")
	}
}

func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + value
}
