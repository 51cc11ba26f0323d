package main

import (
	"bufio"
	"os"

	"golang.org/x/mod/sumdb/note"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// verifyCmd proves a bundle, without a database, or the journal of a database.
type verifyCmd struct {
	Bundle string   `type:"existingfile" placeholder:"FILE" help:"Prove this bundle of export bundle; no database is used."`
	Key    []string `sep:"none" placeholder:"VKEY" help:"Verifier key of a checkpoint signer; may be given several times. Each checkpoint must be signed by one of them, each of them must have signed one."`
}

func (c *verifyCmd) Run(app *app) error {
	keys, err := verifierKeys(c.Key)
	if err != nil {
		return err
	}
	var report *ledger.CheckReport
	if c.Bundle != "" {
		report, err = app.verifyBundle(c.Bundle, keys)
	} else {
		report, err = app.verifyDatabase(keys)
	}
	if err != nil {
		return err
	}
	if app.json {
		err = app.printJSON(report)
	} else {
		printVerified(app, report, len(keys) > 0)
	}
	if err == nil && !report.OK() {
		found := 0
		for _, r := range report.Checks {
			found += r.Findings
		}
		return fault.New(fault.Internal, "the verification failed: %d findings", found)
	}
	return err
}

func (a *app) verifyBundle(name string, keys []note.Verifier) (*ledger.CheckReport, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the bundle cannot be opened: %w", err)
	}
	defer file.Close()
	return ledger.VerifyBundle(a.ctx, bufio.NewReaderSize(file, 1<<20), keys...)
}

func (a *app) verifyDatabase(keys []note.Verifier) (*ledger.CheckReport, error) {
	s, err := a.open()
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.journal.VerifyCaughtUp(a.ctx, keys...)
}

// verifierKeys reads keys as checkpoint keygen prints them.
func verifierKeys(texts []string) ([]note.Verifier, error) {
	var keys []note.Verifier
	for _, text := range texts {
		key, err := note.NewVerifier(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%q is not a verifier key, as fundledger checkpoint keygen prints it: %w", text, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func printVerified(app *app, report *ledger.CheckReport, signatures bool) {
	t := newTable("Check", "Items", "Findings")
	t.alignRight(2, 3)
	for _, r := range report.Checks {
		t.row(r.Name, r.Items, r.Findings)
	}
	t.print(app.out)
	app.printf("journal position %d: %d entries, %d postings\n", report.Position, report.Entries, report.Postings)
	switch {
	case report.Signed > 0:
		app.printf("the first %d entries are signed by a given key\n", report.Signed)
	case !signatures:
		app.printf("no --key is given: the signatures of checkpoints were not verified\n")
	}
	if report.Behind > 0 {
		app.printf("%d more entries were posted when the bundle was taken, and had no place in it yet\n", report.Behind)
	}
	if report.Rules != "" {
		app.printf("checked against the chart of accounts in the bundle, %s\n", report.Rules)
	}
	for _, f := range report.Findings {
		app.printf("FAILED %s: %s%s %s\n", f.Check, f.Account, labelled(" entry ", f.Entry), f.Message)
	}
	for _, r := range report.Checks {
		if r.Findings > ledger.MaxFindings {
			app.printf("FAILED %s: %d more\n", r.Name, r.Findings-ledger.MaxFindings)
		}
	}
	if report.OK() {
		app.printf("all checks hold\n")
	}
}
