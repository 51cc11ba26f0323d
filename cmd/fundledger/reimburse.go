package main

import (
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/provider"
)

// reimburseCmd groups manual reimbursements.
type reimburseCmd struct {
	Receive reimburseReceiveCmd `cmd:"" help:"Record an application with its due date."`
	Approve reimburseApproveCmd `cmd:"" help:"Let an application be paid; by another person than the one who received it."`
	Decline reimburseDeclineCmd `cmd:"" help:"Refuse an application, with the reason."`
	Extend  reimburseExtendCmd  `cmd:"" help:"Give an application the longest term, for a reason."`
	Pay     reimbursePayCmd     `cmd:"" help:"Post the payment of an approved application."`
	Show    reimburseShowCmd    `cmd:"" help:"Show an application and its history."`
	List    reimburseListCmd    `cmd:"" help:"List applications by due date."`
}

type reimburseReceiveCmd struct {
	Document string   `arg:"" help:"Number of the bill; with the region it is reimbursed once."`
	Region   string   `required:"" help:"Insured region, which pays."`
	Person   string   `required:"" help:"Salted hash of the person."`
	MedType  string   `required:"" help:"Medical category (med_type)."`
	Bill     string   `required:"" help:"Total of the bill, in yuan."`
	Fund     []string `required:"" sep:"none" help:"A fund, or FUND/account for an individual account; repeat, with an --amount each."`
	Amount   []string `required:"" sep:"none" help:"What the fund pays, in yuan."`
	Date     string   `required:"" help:"Date on which all papers were there (YYYY-MM-DD)."`
	By       string   `required:"" help:"Who received it."`
}

func (c *reimburseReceiveCmd) Run(app *app) error {
	a := provider.Application{Region: c.Region, Document: c.Document, PsnNo: c.Person, Category: c.MedType, By: c.By}
	if len(c.Fund) != len(c.Amount) {
		return fault.New(fault.Invalid, "%d --fund and %d --amount were given: each fund needs its amount", len(c.Fund), len(c.Amount))
	}
	var err error
	if a.Bill, err = accounts.ParseYuan(c.Bill); err != nil {
		return err
	}
	for i, name := range c.Fund {
		fund, part, _ := strings.Cut(name, "/")
		amount, err := accounts.ParseYuan(c.Amount[i])
		if err != nil {
			return err
		}
		a.Shares = append(a.Shares, provider.Share{Fund: fund, Part: part, Amount: amount})
	}
	if err := dates(c.Date, &a.Received); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		r, err := d.Receive(app.ctx, a)
		return printReimbursements(app, err, r)
	})
}

// decided is what each step of an application asks for.
type decided struct {
	Document string `arg:"" help:"Number of the bill."`
	Region   string `required:"" help:"Insured region."`
	Date     string `required:"" help:"Date of the step (YYYY-MM-DD)."`
	By       string `required:"" help:"Who takes it."`
}

func (c *decided) step() (provider.ReimbursementStep, error) {
	s := provider.ReimbursementStep{Region: c.Region, Document: c.Document, By: c.By}
	return s, dates(c.Date, &s.Date)
}

type reimburseApproveCmd struct {
	decided `embed:""`
}

func (c *reimburseApproveCmd) Run(app *app) error {
	s, err := c.step()
	if err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		r, err := d.Approve(app.ctx, s)
		return printReimbursements(app, err, r)
	})
}

type reimburseDeclineCmd struct {
	decided `embed:""`
	Reason  string `required:"" help:"Why."`
}

func (c *reimburseDeclineCmd) Run(app *app) error {
	s, err := c.step()
	if err != nil {
		return err
	}
	s.Reason = c.Reason
	return app.withDesk(func(d *provider.Desk) error {
		r, err := d.Decline(app.ctx, s)
		return printReimbursements(app, err, r)
	})
}

type reimburseExtendCmd struct {
	decided `embed:""`
	Reason  string `required:"" help:"Why."`
}

func (c *reimburseExtendCmd) Run(app *app) error {
	s, err := c.step()
	if err != nil {
		return err
	}
	s.Reason = c.Reason
	return app.withDesk(func(d *provider.Desk) error {
		r, err := d.Extend(app.ctx, s)
		return printReimbursements(app, err, r)
	})
}

type reimbursePayCmd struct {
	decided   `embed:""`
	Reference string `required:"" help:"Reference of the bank's voucher."`
}

func (c *reimbursePayCmd) Run(app *app) error {
	s, err := c.step()
	if err != nil {
		return err
	}
	s.Reference = c.Reference
	return app.withDesk(func(d *provider.Desk) error {
		r, err := d.Reimburse(app.ctx, s)
		return printReimbursements(app, err, r)
	})
}

type reimburseShowCmd struct {
	Document string `arg:"" help:"Number of the bill."`
	Region   string `required:"" help:"Insured region."`
}

func (c *reimburseShowCmd) Run(app *app) error {
	return app.withDesk(func(d *provider.Desk) error {
		r, err := d.Reimbursement(app.ctx, c.Region, c.Document)
		if err := printReimbursements(app, err, r); err != nil || app.json {
			return err
		}
		printEvents(app, r.Events)
		return nil
	})
}

type reimburseListCmd struct {
	AsOf    string `required:"" help:"Day as of which applications are overdue (YYYY-MM-DD)."`
	Region  string `help:"Insured region."`
	State   string `enum:",received,approved,paid,declined" default:"" help:"Only received, approved, paid or declined ones."`
	Overdue bool   `help:"Only those that are overdue."`
}

func (c *reimburseListCmd) Run(app *app) error {
	query := provider.ReimbursementQuery{Region: c.Region, State: provider.ReimbursementState(c.State), Overdue: c.Overdue, PageSize: 1000}
	if err := dates(c.AsOf, &query.AsOf); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		all := []*provider.Reimbursement{}
		for {
			page, err := d.Reimbursements(app.ctx, query)
			if err != nil {
				return err
			}
			all = append(all, page.Reimbursements...)
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return printReimbursements(app, nil, all...)
			}
		}
	})
}

// printReimbursements prints applications, or returns the error.
func printReimbursements(app *app, err error, list ...*provider.Reimbursement) error {
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(list)
	}
	t := newTable("Region", "Document 单据", "Bill", "Fund 险种", "Part", "Amount 金额", "Received", "Due 期限", "State", "")
	t.alignRight(3, 6)
	for _, r := range list {
		note := ""
		switch {
		case r.Overdue:
			note = "overdue 逾期"
		case r.Replayed:
			note = "recorded before"
		}
		for _, s := range r.Shares {
			t.row(r.Region, r.Document, r.Bill, s.Fund, s.Part, s.Amount, r.Received, r.Due, string(r.State), note)
		}
	}
	t.print(app.out)
	return nil
}
