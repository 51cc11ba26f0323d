package main

import (
	"context"
	"maps"
	"slices"

	"fundledger/accounts"
	"fundledger/clearing/prepayment"
	"fundledger/internal/export"
)

// prepaymentUtilisationCmd shows how far our prepayments are used.
type prepaymentUtilisationCmd struct {
	Month string `required:"" help:"Service month (YYYY-MM): of its frozen run, or projected while it is not frozen."`
}

func (c *prepaymentUtilisationCmd) Run(app *app) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.prepayments().Utilisation(app.ctx, month)
	if err == nil && len(list) > 0 && !list[0].Projected {
		list, err = s.prepayments().Watch(app.ctx, month)
	}
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(list)
	}
	printUtilisation(app, list)
	return nil
}

func printUtilisation(app *app, list []prepayment.Utilisation) {
	t := newTable("Province 省份", "Fund 险种", "Cleared 清算", "Held 预付金", "Used % 使用率", "Level 预警", "Top-up 调增")
	t.alignRight(3, 4, 5)
	for _, u := range list {
		for _, fund := range slices.Sorted(maps.Keys(u.Funds)) {
			of := u.Funds[fund]
			t.row(u.ProvinceName, fund, of.Cleared, of.Held, of.Percent, of.Level, "")
		}
		t.row(u.ProvinceName, "all", u.Total.Cleared, u.Total.Held, u.Total.Percent, u.Level(), u.TopUp)
	}
	t.print(app.out)
	if len(list) > 0 && list[0].Projected {
		app.printf("projected from accepted settlements that are in no run\n")
	}
}

// prepaymentTopUpCmd groups the steps of top-up cases.
type prepaymentTopUpCmd struct {
	List    topUpListCmd    `cmd:"" help:"List cases with what has come and what has not, and late cities."`
	Propose topUpProposeCmd `cmd:"" help:"Propose an amount per fund."`
	Approve topUpApproveCmd `cmd:"" help:"Record the nationally approved amount and allocate it to the cities; by another person."`
	Notify  topUpNotifyCmd  `cmd:"" help:"Issue the notices to the cities (annex 6) and for the province."`
	Decline topUpDeclineCmd `cmd:"" help:"End a case with the reason."`
}

// topUpListCmd lists cases.
type topUpListCmd struct {
	TopUp    string `arg:"" optional:"" name:"case" help:"Only this case, such as topup/2025-03/310000."`
	Month    string `help:"Only cases of this service month (YYYY-MM)."`
	Province string `help:"Only cases of this other province."`
	Out      string `placeholder:"DIR" help:"With a case: directory for its notices (annex 6) as XLSX and JSON."`
	On       string `help:"Mark cities that are late on this day (YYYY-MM-DD)."`
}

func (c *topUpListCmd) Run(app *app) error {
	on, err := optionalDate(c.On)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	cases, err := s.prepayments().TopUps(app.ctx, prepayment.TopUpQuery{TopUp: c.TopUp, Month: accounts.Month(c.Month), Province: c.Province, On: on})
	if err != nil {
		return err
	}
	if c.Out != "" && c.TopUp != "" {
		if _, err := export.WriteTopUp(c.Out, &cases[0], s.book); err != nil {
			return err
		}
	}
	if app.json {
		return app.printJSON(cases)
	}
	for i := range cases {
		printTopUp(app, &cases[i])
	}
	app.printf("%d cases\n", len(cases))
	return nil
}

func printTopUp(app *app, c *prepayment.TopUp) {
	app.printf("%s %s: %s, opened on %s\n", c.ID, c.ProvinceName, c.State, c.OpenedOn)
	for _, s := range c.Steps {
		app.printf("  %s on %s by %s %s %s\n", s.Name, s.Date, s.By, s.Document, s.Reason)
	}
	t := newTable("Fund 险种", "Cleared 清算", "Held 预付金", "Proposed 申请", "Approved 核定", "Collected 归集", "Forwarded 拨付")
	t.alignRight(2, 3, 4, 5, 6, 7)
	for _, f := range c.Funds {
		t.row(f.Fund, f.Cleared, f.Held, f.Proposed, f.Approved, f.Collected, f.Forwarded)
	}
	t.print(app.out)
	if len(c.Cities) == 0 {
		return
	}
	t = newTable("City 统筹地区", "Fund 险种", "Part 分摊", "Collected 归集", "Due 期限", "")
	t.alignRight(3, 4)
	for _, city := range c.Cities {
		late := ""
		if city.Late {
			late = "late 逾期"
		}
		if city.Amount != 0 {
			t.row(city.CityName, city.Fund, city.Amount, city.Collected, city.Due, late)
		}
	}
	t.print(app.out)
}

// topUpStep are what all steps need.
type topUpStep struct {
	TopUp string `arg:"" name:"case" help:"The case, such as topup/2025-03/310000."`
	Date  string `required:"" help:"Date of the step (YYYY-MM-DD)."`
	By    string `required:"" help:"Who takes the step."`
	Key   string `required:"" help:"Idempotency key: the same step under the same key is taken once."`
}

// take takes the step with what the command adds to it.
func (c *topUpStep) take(app *app, add prepayment.TopUpStep, amounts *fundAmounts, step func(*prepayment.Prepayments, context.Context, prepayment.TopUpStep) (*prepayment.TopUp, error)) error {
	add.TopUp, add.By, add.Key = c.TopUp, c.By, c.Key
	var err error
	if add.Date, err = accounts.ParseDate(c.Date); err != nil {
		return err
	}
	if amounts != nil {
		if add.Lines, err = amounts.lines(); err != nil {
			return err
		}
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	after, err := step(s.prepayments(), app.ctx, add)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(after)
	}
	printTopUp(app, after)
	return nil
}

type topUpProposeCmd struct {
	topUpStep
	fundAmounts
	Reason string `help:"Why so much."`
}

func (c *topUpProposeCmd) Run(app *app) error {
	return c.take(app, prepayment.TopUpStep{Reason: c.Reason}, &c.fundAmounts, (*prepayment.Prepayments).Propose)
}

type topUpApproveCmd struct {
	topUpStep
	fundAmounts
	Document string `required:"" help:"The document of the national agency that names the amount."`
}

func (c *topUpApproveCmd) Run(app *app) error {
	return c.take(app, prepayment.TopUpStep{Document: c.Document}, &c.fundAmounts, (*prepayment.Prepayments).Approve)
}

type topUpNotifyCmd struct{ topUpStep }

func (c *topUpNotifyCmd) Run(app *app) error {
	return c.take(app, prepayment.TopUpStep{}, nil, (*prepayment.Prepayments).Notify)
}

type topUpDeclineCmd struct {
	topUpStep
	Reason string `required:"" help:"Why the case is declined."`
}

func (c *topUpDeclineCmd) Run(app *app) error {
	return c.take(app, prepayment.TopUpStep{Reason: c.Reason}, nil, (*prepayment.Prepayments).Decline)
}
