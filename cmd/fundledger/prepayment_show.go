package main

import (
	"fmt"
	"strings"

	"fundledger/accounts"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// prepaymentShowCmd shows the prepayments of a year.
type prepaymentShowCmd struct {
	Year     int    `required:"" help:"The year."`
	City     string `help:"Only this city." xor:"party"`
	Province string `help:"Only this other province." xor:"party"`
	Explain  bool   `help:"Print the entries of every figure."`
}

type holdingsReport struct {
	Year     int                  `json:"year"`
	Position ledger.Position      `json:"position"`
	Holdings []prepayment.Holding `json:"holdings"`
}

func (c *prepaymentShowCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	party, kind := c.City, accounts.City
	if c.Province != "" {
		party, kind = c.Province, accounts.Counterparty
	}
	if region, ok := s.book.Regions.Find(party); party != "" && (!ok || region.Kind != kind) {
		return fault.New(fault.Invalid, "%s is not a %s", party, kind).With("region", party)
	}
	holdings, position, err := s.prepayments().Holdings(app.ctx, prepayment.HoldingQuery{Year: c.Year, Party: party})
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(holdingsReport{c.Year, position, holdings})
	}
	printHoldings(app, holdings)
	if c.Explain {
		explainHoldings(app, holdings)
	}
	app.printf("year %d, at position %d of the journal\n", c.Year, position)
	return nil
}

var placeNames = map[prepayment.Place]string{
	prepayment.CityInProvince: "省内预付金", prepayment.CityCross: "跨省预付金", prepayment.AtProvince: "我省存外省",
	prepayment.OfProvince: "外省存我省", prepayment.Pool: "省内预付金占用",
}

func printHoldings(app *app, holdings []prepayment.Holding) {
	t := newTable("Party", "Kind", "Fund 险种", "Quota 额度", "Carried 结转", "Paid 上解", "Topped up 调增", "Returned 退还", "Other", "Balance 余额", "Used 占用", "Refilled 补足")
	t.alignRight(4, 5, 6, 7, 8, 9, 10, 11, 12)
	for _, h := range holdings {
		t.row(h.PartyName, placeNames[h.Place], h.Fund, h.Quota, h.CarriedOver.Amount, h.Paid.Amount, h.ToppedUp.Amount, h.Returned.Amount, h.Other.Amount, h.Balance,
			h.Used.Amount, h.Refilled.Amount)
	}
	t.print(app.out)
	t = newTable("Province 省份", "Fund 险种", "Month", "Cleared 清算", "Held 预付金", "Used % 使用率", "Level 预警", "")
	t.alignRight(4, 5, 6)
	rows := 0
	for _, h := range holdings {
		for _, m := range h.Months {
			of := m.Run
			if m.Projected {
				of = "projected"
			}
			rows++
			t.row(h.PartyName, h.Fund, m.Month, m.Cleared, m.Held, m.Percent, m.Level, of)
		}
	}
	if rows > 0 {
		t.print(app.out)
	}
}

// explainHoldings lists the entries of each figure; the lines behind balance and
// carry-over are those of the account (fundledger statement).
func explainHoldings(app *app, holdings []prepayment.Holding) {
	for _, h := range holdings {
		app.printf("%s %s, fund %s: account %s\n", h.PartyName, placeNames[h.Place], h.Fund, h.Account)
		for _, f := range []struct {
			name   string
			figure prepayment.Figure
		}{{"carried over, opened", h.CarriedOver}, {"paid", h.Paid}, {"topped up", h.ToppedUp}, {"returned", h.Returned}, {"other", h.Other}, {"used", h.Used}, {"refilled", h.Refilled}} {
			if len(f.figure.Entries) == 0 {
				continue
			}
			ids := make([]string, len(f.figure.Entries))
			for i, id := range f.figure.Entries {
				ids[i] = fmt.Sprint(id)
			}
			app.printf("  %s %s: %s\n", f.name, f.figure.Amount, strings.Join(ids, " "))
		}
	}
}

// chargeFlags are what a bank has paid or taken.
type chargeFlags struct {
	fundAmounts
	Holder    string `required:"" help:"The region whose account it is."`
	Deposit   string `default:"fiscal" enum:"fiscal,settlement" help:"fiscal (财政专户) or settlement (结算户, of the province)."`
	Date      string `required:"" help:"Date of the bank's voucher (YYYY-MM-DD)."`
	Reference string `required:"" help:"Reference of the bank's voucher; the same reference is posted once."`
	By        string `required:"" help:"Who records it."`
}

func (c *chargeFlags) charge() (prepayment.Charge, error) {
	date, err := accounts.ParseDate(c.Date)
	if err != nil {
		return prepayment.Charge{}, err
	}
	lines, err := c.lines()
	return prepayment.Charge{Holder: c.Holder, Deposit: prepayment.Deposit(c.Deposit), Lines: lines, Date: date, Reference: c.Reference, By: c.By}, err
}

// prepaymentInterestCmd posts interest.
type prepaymentInterestCmd struct{ chargeFlags }

func (c *prepaymentInterestCmd) Run(app *app) error {
	charge, err := c.charge()
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	credited, err := s.prepayments().Interest(app.ctx, charge)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(credited)
	}
	app.printf("interest of %s posted, entry %s\n", charge.Holder, credited.Entry)
	return nil
}

// prepaymentFeeCmd refuses bank fees.
type prepaymentFeeCmd struct{ chargeFlags }

func (c *prepaymentFeeCmd) Run(app *app) error {
	charge, err := c.charge()
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	return s.prepayments().BankFee(app.ctx, charge)
}
