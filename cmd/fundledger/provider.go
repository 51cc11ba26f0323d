package main

import (
	"os"
	"path/filepath"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/provider"
)

// providerCmd groups what a treating region does with its providers.
type providerCmd struct {
	Match       providerMatchCmd       `cmd:"" help:"Compare a provider's statement file of a month with what is accepted (对账)."`
	Differences providerDifferencesCmd `cmd:"" help:"List in which settlements a provider and we differ."`
	Payable     providerPayableCmd     `cmd:"" help:"Show what is payable, to all providers of a region or to one."`
	List        providerListCmd        `cmd:"" help:"Make a payment list (拨付清单) of what is payable, oldest settlements first."`
	Pay         providerPayCmd         `cmd:"" help:"Post the payment of a list out of the spending account."`
	Cancel      providerCancelCmd      `cmd:"" help:"Give up a list that is not paid."`
	Return      providerReturnCmd      `cmd:"" help:"Take back a payment that the bank has sent back (退票)."`
	Lists       providerListsCmd       `cmd:"" help:"List payment lists."`
	Show        providerShowCmd        `cmd:"" help:"Show a payment list, its history and what it pays of each settlement."`
	Statement   providerStatementCmd   `cmd:"" help:"Show how a provider stands in a month, fund by fund."`
	Fund        providerFundCmd        `cmd:"" help:"Bring money from the fiscal account to the spending account (拨支出户)."`
}

// withDesk calls fn with the desk of the open database.
func (a *app) withDesk(fn func(*provider.Desk) error) error {
	s, err := a.open()
	if err != nil {
		return err
	}
	defer s.close()
	return fn(provider.New(s.db, s.journal, s.book))
}

// dates parses what is given; an empty text leaves the date zero.
func dates(into ...any) error {
	for i := 0; i < len(into); i += 2 {
		if text := into[i].(string); text != "" {
			d, err := accounts.ParseDate(text)
			if err != nil {
				return err
			}
			*into[i+1].(*civil.Date) = d
		}
	}
	return nil
}

// providerLines pairs funds with amounts.
func providerLines(funds, amounts []string) ([]provider.Line, error) {
	if len(funds) != len(amounts) {
		return nil, fault.New(fault.Invalid, "%d --fund and %d --amount were given: each fund needs its amount", len(funds), len(amounts))
	}
	var lines []provider.Line
	for i, fund := range funds {
		amount, err := accounts.ParseYuan(amounts[i])
		if err != nil {
			return nil, err
		}
		lines = append(lines, provider.Line{Fund: fund, Amount: amount})
	}
	return lines, nil
}

type providerMatchCmd struct {
	File     string `arg:"" help:"TSV with setl_id, month and total, or the part fields hifp_pay … acct_pay instead of total."`
	Region   string `required:"" help:"Treating region."`
	Provider string `required:"" help:"Code of the provider."`
	Month    string `required:"" help:"Service month (YYYY-MM)."`
	Date     string `required:"" help:"Date of the comparison (YYYY-MM-DD)."`
	By       string `required:"" help:"Who compares."`
}

func (c *providerMatchCmd) Run(app *app) error {
	r := provider.MatchRequest{Treating: c.Region, Provider: c.Provider, File: filepath.Base(c.File), By: c.By}
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	r.Month = month
	if err := dates(c.Date, &r.Date); err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return fault.New(fault.NotFound, "the provider's file cannot be opened: %w", err)
	}
	defer file.Close()
	r.Content = file
	return app.withDesk(func(d *provider.Desk) error {
		m, err := d.Match(app.ctx, r)
		if err != nil {
			return err
		}
		if app.json {
			return app.printJSON(m)
		}
		printMatch(app, m)
		return nil
	})
}

func printMatch(app *app, m *provider.Match) {
	t := newTable("", "Records", "Amount 金额")
	t.alignRight(2, 3)
	t.row("Provider 机构", m.Theirs.Records, m.Theirs.Amount)
	t.row("Here 经办", m.Ours.Records, m.Ours.Amount)
	t.row("Equal 一致", m.Equal.Records, m.Equal.Amount)
	t.print(app.out)
	app.printf("%s of %s, comparison %d: %s differ\n", m.Provider, m.Month, m.Number, countsByKind(m.Differences))
}

type providerDifferencesCmd struct {
	Region   string `required:"" help:"Treating region."`
	Provider string `required:"" help:"Code of the provider."`
	Month    string `required:"" help:"Service month (YYYY-MM)."`
	Number   int64  `help:"Which comparison of the month; the last one if not given."`
	Kind     string `help:"Only missing_at_provider, missing_here or amount_differs."`
}

func (c *providerDifferencesCmd) Run(app *app) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		all := []provider.Difference{}
		query := provider.DifferenceQuery{Treating: c.Region, Provider: c.Provider, Month: month, Number: c.Number, Kind: c.Kind, PageSize: 1000}
		for {
			page, err := d.Differences(app.ctx, query)
			if err != nil {
				return err
			}
			all, query.Number = append(all, page.Differences...), page.Match.Number
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				break
			}
		}
		if app.json {
			return app.printJSON(all)
		}
		t := newTable("Settlement", "Kind", "Provider 机构", "Here 经办", "")
		t.alignRight(3, 4)
		for _, r := range all {
			t.row(r.SetlID, r.Kind, r.Theirs, r.Ours, r.Detail)
		}
		t.print(app.out)
		app.printf("%d differences\n", len(all))
		return nil
	})
}

type providerPayableCmd struct {
	Region   string `required:"" help:"Treating region."`
	Provider string `help:"Code of the provider; all of the region if not given."`
	Through  string `help:"With --provider: settlements up to this day (YYYY-MM-DD)."`
}

func (c *providerPayableCmd) Run(app *app) error {
	var through civil.Date
	if err := dates(c.Through, &through); err != nil {
		return err
	}
	if c.Provider != "" && c.Through == "" {
		return fault.New(fault.Invalid, "give --through, the day up to which settlements count")
	}
	return app.withDesk(func(d *provider.Desk) error {
		if c.Provider == "" {
			return c.all(app, d)
		}
		list, _, err := d.Payables(app.ctx, c.Region, c.Provider, through)
		if err != nil {
			return err
		}
		if app.json {
			return app.printJSON(list)
		}
		t := newTable("Fund 险种", "Open 应付", "of it set off 抵扣", "Settlements", "Later 以后", "In lists 在途", "Unassigned", "Balance 余额")
		t.alignRight(2, 3, 4, 5, 6, 7, 8)
		for _, p := range list {
			t.row(p.Fund, p.Open, p.SetOff, p.Settlements, p.Later, p.Listed, p.Unassigned, p.Balance)
		}
		t.print(app.out)
		return nil
	})
}

func (c *providerPayableCmd) all(app *app, d *provider.Desk) error {
	claims, _, err := d.Claims(app.ctx, c.Region)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(claims)
	}
	t := newTable("Provider 机构", "Fund 险种", "Amount 金额")
	t.alignRight(3)
	for _, claim := range claims {
		t.row(claim.Provider, claim.Fund, claim.Amount)
	}
	t.print(app.out)
	return nil
}

type providerStatementCmd struct {
	Region   string `required:"" help:"Treating region."`
	Provider string `required:"" help:"Code of the provider."`
	Month    string `required:"" help:"Month of the business date (YYYY-MM)."`
}

func (c *providerStatementCmd) Run(app *app) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		s, err := d.Statement(app.ctx, c.Region, c.Provider, month)
		if err != nil {
			return err
		}
		if app.json {
			return app.printJSON(s)
		}
		t := newTable("Fund 险种", "Opening 期初", "Accepted 受理", "Refunds 退费", "Deductions 扣款", "Recovered 追回", "Other", "Paid 已付", "Closing 期末")
		t.alignRight(2, 3, 4, 5, 6, 7, 8, 9)
		for _, l := range s.Lines {
			t.row(l.Fund, l.Opening, l.Accepted, l.Refunds, l.Deductions, l.Recovered, l.Other, l.Paid, l.Closing)
		}
		t.print(app.out)
		return nil
	})
}
