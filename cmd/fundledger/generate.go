package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"

	"fundledger/accounts"
	"fundledger/internal/sample"
)

// generateCmd makes a month of settlements with planted faults, the same for
// the same seed.
type generateCmd struct {
	Month        string `required:"" placeholder:"YYYY-MM" help:"Service month."`
	Settlements  int    `default:"5000" help:"How many settlements; refunds come beside them."`
	Seed         uint64 `default:"1" help:"Another seed makes another month."`
	RefundFaults bool   `help:"Plant faults in refunds too, and refund faulty settlements."`
	Out          string `required:"" type:"path" placeholder:"DIR" help:"Where treating.tsv, center.tsv, insured.tsv and expected.json are written."`
}

type generateReport struct {
	Directory string           `json:"directory"`
	Expected  *sample.Expected `json:"expected"`
}

func (c *generateCmd) Run(app *app) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	expected, err := sample.GenerateFiles(sample.Options{
		Month: month, Settlements: c.Settlements, Seed: c.Seed, RefundFaults: c.RefundFaults,
	}, c.Out)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", " ")
	if err := e.Encode(expected); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.Out, "expected.json"), text.Bytes(), 0o644); err != nil {
		return err
	}
	if app.json {
		return app.printJSON(generateReport{c.Out, expected})
	}
	app.printf("%d settlements of %s in %s: %d records match on all three sides, %d kinds of faults are planted\n",
		expected.Records, month, c.Out, expected.MatchedRecords, len(expected.Exceptions))
	return nil
}
