package main

import (
	"fundledger/accounts"
	"fundledger/settlement/provider"
)

// feecheckCmd groups fee checks.
type feecheckCmd struct {
	Ask     feecheckAskCmd     `cmd:"" help:"Ask the treating place to check an inpatient bill."`
	Answer  feecheckAnswerCmd  `cmd:"" help:"Record what the treating place has found."`
	Confirm feecheckConfirmCmd `cmd:"" help:"Agree to an answer, or dispute it."`
	Show    feecheckShowCmd    `cmd:"" help:"Show a fee check and its history."`
	List    feecheckListCmd    `cmd:"" help:"List fee checks, late ones as of a day."`
}

type feecheckAskCmd struct {
	ID         string `arg:"" help:"Id of the check, chosen by you; the same request again changes nothing."`
	Settlement string `required:"" help:"The settlement (setl_id)."`
	Reason     string `help:"Why the bill is doubted."`
	Date       string `required:"" help:"Date of the request (YYYY-MM-DD)."`
	By         string `required:"" help:"Who asks."`
}

func (c *feecheckAskCmd) Run(app *app) error {
	a := provider.Asking{ID: c.ID, SetlID: c.Settlement, Reason: c.Reason, By: c.By}
	if err := dates(c.Date, &a.Date); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		check, err := d.Ask(app.ctx, a)
		return printChecks(app, err, check)
	})
}

type feecheckAnswerCmd struct {
	ID      string `arg:"" help:"The check."`
	Outcome string `required:"" enum:"confirmed,differs" help:"confirmed (核查无误) or differs (核查有误)."`
	Differs string `default:"0.00" help:"What is wrong in the bill, in yuan."`
	Reason  string `help:"What differs."`
	Date    string `required:"" help:"Date of the answer (YYYY-MM-DD)."`
	By      string `required:"" help:"Who answers."`
}

func (c *feecheckAnswerCmd) Run(app *app) error {
	a := provider.Answer{ID: c.ID, Outcome: c.Outcome, Reason: c.Reason, By: c.By}
	var err error
	if a.Differs, err = accounts.ParseYuan(c.Differs); err != nil {
		return err
	}
	if err := dates(c.Date, &a.Date); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		check, err := d.Answer(app.ctx, a)
		return printChecks(app, err, check)
	})
}

type feecheckConfirmCmd struct {
	ID      string `arg:"" help:"The check."`
	Dispute bool   `help:"The answer is not agreed: the treating place has to answer again."`
	Reason  string `help:"Why it is not agreed."`
	Date    string `required:"" help:"Date of the confirmation (YYYY-MM-DD)."`
	By      string `required:"" help:"Who confirms."`
}

func (c *feecheckConfirmCmd) Run(app *app) error {
	f := provider.Confirmation{ID: c.ID, Agreed: !c.Dispute, Reason: c.Reason, By: c.By}
	if err := dates(c.Date, &f.Date); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		check, err := d.Confirm(app.ctx, f)
		return printChecks(app, err, check)
	})
}

type feecheckShowCmd struct {
	ID string `arg:"" help:"The check."`
}

func (c *feecheckShowCmd) Run(app *app) error {
	return app.withDesk(func(d *provider.Desk) error {
		check, err := d.FeeCheck(app.ctx, c.ID)
		if err := printChecks(app, err, check); err != nil || app.json {
			return err
		}
		printEvents(app, check.Events)
		return nil
	})
}

type feecheckListCmd struct {
	AsOf    string `required:"" help:"Day as of which checks are overdue (YYYY-MM-DD)."`
	Region  string `help:"Insured or treating region."`
	State   string `enum:",asked,answered,disputed,closed" default:"" help:"Only asked, answered, disputed or closed ones."`
	Overdue bool   `help:"Only those whose next step is late."`
}

func (c *feecheckListCmd) Run(app *app) error {
	query := provider.CheckQuery{Region: c.Region, State: provider.CheckState(c.State), Overdue: c.Overdue, PageSize: 1000}
	if err := dates(c.AsOf, &query.AsOf); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		all := []*provider.FeeCheck{}
		for {
			page, err := d.FeeChecks(app.ctx, query)
			if err != nil {
				return err
			}
			all = append(all, page.Checks...)
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return printChecks(app, nil, all...)
			}
		}
	})
}

// printChecks prints fee checks, or returns the error.
func printChecks(app *app, err error, list ...*provider.FeeCheck) error {
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(list)
	}
	t := newTable("Check 协查", "Settlement", "Insured 参保地", "Treating 就医地", "Provider 机构", "Bill", "State", "Outcome", "Differs", "Due 期限", "")
	t.alignRight(6, 9)
	for _, c := range list {
		due, note := c.AnswerDue.String(), ""
		if c.ConfirmDue.IsValid() && c.State == provider.CheckAnswered {
			due = c.ConfirmDue.String()
		}
		switch {
		case c.Overdue:
			note = "overdue 逾期"
		case c.Replayed:
			note = "recorded before"
		}
		t.row(c.ID, c.SetlID, c.Insured, c.Treating, c.Provider, c.Bill, string(c.State), c.Outcome, c.Differs, due, note)
	}
	t.print(app.out)
	return nil
}
