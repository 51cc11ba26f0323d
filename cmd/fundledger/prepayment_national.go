package main

import (
	"os"
	"path/filepath"

	"fundledger/accounts"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
)

// prepaymentNationalCmd groups the figures of the national platform.
type prepaymentNationalCmd struct {
	Import nationalImportCmd `cmd:"" help:"Import a clearing list, quota notice or list of approved top-ups and compare it with our figures."`
	List   nationalListCmd   `cmd:"" help:"List what was imported with its differences."`
	Accept nationalAcceptCmd `cmd:"" help:"Accept the national figures; by another person than the one who imported them."`
}

// nationalImportCmd imports a list.
type nationalImportCmd struct {
	File string `arg:"" help:"TAB separated with a header: month (or year), province, fund and the amounts of the kind."`
	Kind string `required:"" enum:"clearing,quota,top-up" help:"clearing (payable, receivable), quota (quota, adjustment) or top-up (amount)."`
	Date string `required:"" help:"Date of the import (YYYY-MM-DD)."`
	By   string `required:"" help:"Who imports it."`
}

func (c *nationalImportCmd) Run(app *app) error {
	date, err := accounts.ParseDate(c.Date)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(c.File)
	if err != nil {
		return fault.New(fault.NotFound, "the national list cannot be read: %w", err)
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.prepayments().ImportNational(app.ctx, prepayment.NationalImport{Kind: prepayment.NationalKind(c.Kind), File: filepath.Base(c.File), Content: content, Date: date, By: c.By})
	if err != nil {
		return err
	}
	return printNationals(app, list, *list)
}

// nationalListCmd lists what was imported.
type nationalListCmd struct {
	List   string `arg:"" optional:"" help:"Only this list."`
	Kind   string `default:"" enum:",clearing,quota,top-up" help:"Only lists of this kind."`
	Period string `help:"Only lists of this month or year."`
}

func (c *nationalListCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	lists, err := s.prepayments().Nationals(app.ctx, prepayment.NationalQuery{List: c.List, Kind: prepayment.NationalKind(c.Kind), Period: c.Period})
	if err != nil {
		return err
	}
	return printNationals(app, lists, lists...)
}

// nationalAcceptCmd accepts a list.
type nationalAcceptCmd struct {
	List   string `arg:"" help:"The list; see fundledger prepayment national list."`
	Date   string `required:"" help:"Date of the acceptance (YYYY-MM-DD)."`
	By     string `required:"" help:"Who accepts it."`
	Reason string `help:"Why its differences are accepted; needed where there are any."`
}

func (c *nationalAcceptCmd) Run(app *app) error {
	date, err := accounts.ParseDate(c.Date)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.prepayments().AcceptNational(app.ctx, prepayment.NationalAcceptance{List: c.List, Date: date, By: c.By, Reason: c.Reason, Key: "accept/" + c.List})
	if err != nil {
		return err
	}
	return printNationals(app, list, *list)
}

func printNationals(app *app, report any, lists ...prepayment.NationalList) error {
	if app.json {
		return app.printJSON(report)
	}
	for _, l := range lists {
		state := "imported"
		switch {
		case l.Accepted && l.InForce:
			state = "accepted"
		case !l.InForce:
			state = "replaced by a later one"
		}
		app.printf("%s %s: list %s (%s, %d records) by %s on %s, %s\n", l.Kind, l.Period, l.ID, l.File, l.Records, l.ImportedBy, l.ImportedOn, state)
		if l.Uncomparing != "" {
			app.printf("  not compared: %s\n", l.Uncomparing)
		}
		printDifferences(app, l.Comparison)
	}
	app.printf("%d lists\n", len(lists))
	return nil
}

func printDifferences(app *app, list []prepayment.Difference) {
	if len(list) == 0 {
		return
	}
	t := newTable("Province 省份", "Fund 险种", "Figure", "Ours 本省", "National 国家", "Difference 差额", "Line")
	t.alignRight(4, 5, 6, 7)
	for _, d := range list {
		t.row(d.ProvinceName, d.Fund, d.Figure, d.Ours, d.National, d.Difference, d.Line)
	}
	t.print(app.out)
	app.printf("%d figures differ from ours\n", len(list))
}
