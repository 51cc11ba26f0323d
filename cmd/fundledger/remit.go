package main

import (
	"fmt"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
)

// remitCmd records that money moved on a notice, or on all open ones of a month.
type remitCmd struct {
	Notice       string   `arg:"" optional:"" help:"The notice, such as 2025-01/in-province/320100/pay; see fundledger notices."`
	Month        string   `help:"With --all: every open notice of this service month (YYYY-MM), in full."`
	All          bool     `help:"All that is open; of one notice that is the default without --fund."`
	Fund         []string `sep:"none" help:"A fund that was paid; repeat, with an --amount each."`
	Amount       []string `sep:"none" help:"What was paid in the fund, in yuan."`
	Counterparty string   `help:"For a city in a cross-in run: only the money of this province."`
	Date         string   `required:"" help:"Date on which the money moved (YYYY-MM-DD)."`
	Reference    string   `required:"" help:"Reference of the bank's voucher; the same reference is recorded once."`
}

func (c *remitCmd) Run(app *app) error {
	date, err := accounts.ParseDate(c.Date)
	if err != nil {
		return err
	}
	lines, err := c.lines()
	if err != nil {
		return err
	}
	one := clearing.Payment{Notice: c.Notice, Lines: lines, Counterparty: c.Counterparty, Date: date, Reference: c.Reference}
	var month accounts.Month
	switch {
	case c.Notice == "" && !(c.All && c.Month != ""):
		return fault.New(fault.Invalid, "name a NOTICE, or give --month YYYY-MM --all for every open notice of a month")
	case c.Notice == "" && (len(lines) > 0 || c.Counterparty != ""):
		return fault.New(fault.Invalid, "--fund, --amount and --counterparty belong to one NOTICE, not to --month --all")
	case c.Notice != "" && c.Month != "":
		return fault.New(fault.Invalid, "give a NOTICE or --month, not both")
	case c.Notice != "" && c.All && len(lines) > 0:
		return fault.New(fault.Invalid, "--all pays what is open: leave --fund and --amount out")
	case c.Notice == "":
		if month, err = accounts.ParseMonth(c.Month); err != nil {
			return err
		}
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	made := []*clearing.Remittance{}
	if c.Notice != "" {
		remittance, err := s.clearing().Remit(app.ctx, one)
		if err != nil {
			return err
		}
		made = append(made, remittance)
	} else {
		all, err := s.clearing().RemitAll(app.ctx, month, date, c.Reference)
		if err != nil {
			return fmt.Errorf("after %d remittances: %w", len(all), err)
		}
		made = append(made, all...)
	}
	if app.json {
		return app.printJSON(made)
	}
	printRemittances(app, made)
	return nil
}

// lines pairs the funds with the amounts.
func (c *remitCmd) lines() ([]clearing.Line, error) {
	if len(c.Fund) != len(c.Amount) {
		return nil, fault.New(fault.Invalid, "%d --fund and %d --amount were given: each fund needs its amount", len(c.Fund), len(c.Amount))
	}
	var lines []clearing.Line
	for i, fund := range c.Fund {
		amount, err := accounts.ParseYuan(c.Amount[i])
		if err != nil {
			return nil, err
		}
		lines = append(lines, clearing.Line{Fund: fund, Amount: amount})
	}
	return lines, nil
}

func printRemittances(app *app, made []*clearing.Remittance) {
	t := newTable("Notice 通知书", "Fund 险种", "Amount 金额", "Date", "Reference", "")
	t.alignRight(3)
	for _, r := range made {
		note := ""
		if r.Replayed {
			note = "recorded before"
		}
		for _, line := range r.Lines {
			t.row(r.Notice, line.Fund, line.Amount, r.Date, r.Reference, note)
		}
	}
	t.print(app.out)
	app.printf("%d remittances\n", len(made))
}

// noticesCmd lists the notices.
type noticesCmd struct {
	Month string `help:"Only those of this service month (YYYY-MM)."`
	Open  bool   `help:"Only those on which something is open."`
}

func (c *noticesCmd) Run(app *app) error {
	month := accounts.Month("")
	if c.Month != "" {
		var err error
		if month, err = accounts.ParseMonth(c.Month); err != nil {
			return err
		}
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	all, err := s.clearing().Notices(app.ctx, month)
	if err != nil {
		return err
	}
	shown := []clearing.Notice{}
	for _, n := range all {
		if !c.Open || !n.Closed() {
			shown = append(shown, n)
		}
	}
	if app.json {
		return app.printJSON(shown)
	}
	printNotices(app, shown)
	return nil
}

func printNotices(app *app, notices []clearing.Notice) {
	t := newTable("Notice 通知书", "Party", "Issued", "Due 期限", "Fund 险种", "Amount 金额", "Open 未付")
	t.alignRight(6, 7)
	for _, n := range notices {
		due := "promptly 及时"
		if !n.Due.IsZero() {
			due = n.Due.String()
		}
		for _, line := range n.Lines {
			t.row(n.ID, n.PartyName, n.Issued, due, line.Fund, line.Amount, line.Open)
		}
	}
	t.print(app.out)
	app.printf("%d notices\n", len(notices))
}
