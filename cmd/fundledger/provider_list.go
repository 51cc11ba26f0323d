package main

import (
	"fundledger/settlement/provider"
)

type providerListCmd struct {
	ID       string   `arg:"" help:"Id of the list, chosen by you; the same request again changes nothing."`
	Region   string   `required:"" help:"Treating region."`
	Provider string   `required:"" help:"Code of the provider."`
	Through  string   `required:"" help:"Settlements up to this day (YYYY-MM-DD)."`
	Fund     []string `sep:"none" help:"Only this fund; repeat, with an --amount each. All funds in full if not given."`
	Amount   []string `sep:"none" help:"What is to be paid in the fund, in yuan."`
	Date     string   `required:"" help:"Date of the list (YYYY-MM-DD)."`
	By       string   `required:"" help:"Who makes it."`
}

func (c *providerListCmd) Run(app *app) error {
	lines, err := providerLines(c.Fund, c.Amount)
	if err != nil {
		return err
	}
	r := provider.ListRequest{ID: c.ID, Treating: c.Region, Provider: c.Provider, Lines: lines, By: c.By}
	if err := dates(c.Date, &r.Date, c.Through, &r.Through); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		l, err := d.MakeList(app.ctx, r)
		return printLists(app, err, l)
	})
}

// printLists prints the lists, or returns the error.
func printLists(app *app, err error, lists ...*provider.List) error {
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(lists)
	}
	t := newTable("List 清单", "Provider 机构", "State", "Fund 险种", "Amount 金额", "Settlements", "Made", "Paid", "Reference", "")
	t.alignRight(5, 6)
	for _, l := range lists {
		paid, again := "", ""
		if l.Paid.IsValid() {
			paid = l.Paid.String()
		}
		if l.Replayed {
			again = "recorded before"
		}
		for _, line := range l.Lines {
			t.row(l.ID, l.Provider, string(l.State), line.Fund, line.Amount, l.Settlements, l.Made, paid, l.Reference, again)
		}
	}
	t.print(app.out)
	return nil
}

type providerPayCmd struct {
	List      string `arg:"" help:"The list."`
	Date      string `required:"" help:"Date on which the money moved (YYYY-MM-DD)."`
	Reference string `required:"" help:"Reference of the bank's voucher."`
	By        string `required:"" help:"Who records it."`
}

func (c *providerPayCmd) Run(app *app) error {
	p := provider.Payment{List: c.List, Reference: c.Reference, By: c.By}
	if err := dates(c.Date, &p.Date); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		l, err := d.Pay(app.ctx, p)
		return printLists(app, err, l)
	})
}

// undoing is what giving a list up asks for.
type undoing struct {
	List     string `arg:"" help:"The list."`
	Date     string `required:"" help:"Date on which it is taken back (YYYY-MM-DD)."`
	Reason   string `required:"" help:"Why."`
	Document string `help:"Such as the bank's note."`
	By       string `required:"" help:"Who takes it back."`
}

func (u *undoing) request() (provider.Undoing, error) {
	r := provider.Undoing{List: u.List, Reason: u.Reason, Document: u.Document, By: u.By}
	return r, dates(u.Date, &r.Date)
}

type providerCancelCmd struct {
	undoing `embed:""`
}

func (c *providerCancelCmd) Run(app *app) error {
	u, err := c.request()
	if err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		l, err := d.CancelList(app.ctx, u)
		return printLists(app, err, l)
	})
}

type providerReturnCmd struct {
	undoing `embed:""`
}

func (c *providerReturnCmd) Run(app *app) error {
	u, err := c.request()
	if err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		l, err := d.ReturnPayment(app.ctx, u)
		return printLists(app, err, l)
	})
}

type providerListsCmd struct {
	Region   string `help:"Treating region."`
	Provider string `help:"Code of the provider."`
	State    string `enum:",made,paid,cancelled,returned" default:"" help:"Only made, paid, cancelled or returned ones."`
}

func (c *providerListsCmd) Run(app *app) error {
	return app.withDesk(func(d *provider.Desk) error {
		var all []*provider.List
		query := provider.ListQuery{Treating: c.Region, Provider: c.Provider, State: provider.ListState(c.State), PageSize: 1000}
		for {
			page, err := d.Lists(app.ctx, query, 0)
			if err != nil {
				return err
			}
			all = append(all, page.Lists...)
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return printLists(app, nil, all...)
			}
		}
	})
}

type providerShowCmd struct {
	List string `arg:"" help:"The list."`
}

// shownList is a list with all that it pays.
type shownList struct {
	*provider.List
	Items []provider.Item `json:"items"`
}

func (c *providerShowCmd) Run(app *app) error {
	return app.withDesk(func(d *provider.Desk) error {
		l, err := d.List(app.ctx, c.List)
		if err != nil {
			return err
		}
		shown := shownList{l, []provider.Item{}}
		for token := ""; ; {
			page, err := d.ListItems(app.ctx, c.List, 1000, token)
			if err != nil {
				return err
			}
			shown.Items = append(shown.Items, page.Items...)
			if token = page.NextPageToken; token == "" {
				break
			}
		}
		if app.json {
			return app.printJSON(shown)
		}
		if err := printLists(app, nil, l); err != nil {
			return err
		}
		printEvents(app, l.Events)
		t := newTable("Settlement", "Settled on", "Insured 参保地", "Fund 险种", "Part", "Amount 金额")
		t.alignRight(6)
		for _, i := range shown.Items {
			t.row(i.SetlID, i.On, i.Insured, i.Fund, i.Part, i.Amount)
		}
		t.print(app.out)
		return nil
	})
}

func printEvents(app *app, events []provider.Event) {
	for _, e := range events {
		app.printf("%s %s by %s", e.On, e.Step, e.By)
		for _, text := range []string{e.Document, e.Reason} {
			if text != "" {
				app.printf(", %s", text)
			}
		}
		app.printf("\n")
	}
}

type providerFundCmd struct {
	Region    string   `required:"" help:"The region whose money it is."`
	Fund      []string `required:"" sep:"none" help:"A fund; repeat, with an --amount each."`
	Amount    []string `required:"" sep:"none" help:"What was brought in the fund, in yuan."`
	Date      string   `required:"" help:"Date on which the money moved (YYYY-MM-DD)."`
	Reference string   `required:"" help:"Reference of the bank's voucher; recorded once."`
	By        string   `required:"" help:"Who records it."`
}

func (c *providerFundCmd) Run(app *app) error {
	lines, err := providerLines(c.Fund, c.Amount)
	if err != nil {
		return err
	}
	f := provider.Funding{Region: c.Region, Lines: lines, Reference: c.Reference, By: c.By}
	if err := dates(c.Date, &f.Date); err != nil {
		return err
	}
	return app.withDesk(func(d *provider.Desk) error {
		made, err := d.Fund(app.ctx, f)
		if err != nil {
			return err
		}
		if app.json {
			return app.printJSON(made)
		}
		app.printf("funding %s: entry %s%s\n", made.Reference, made.Entry, map[bool]string{true: ", recorded before"}[made.Replayed])
		return nil
	})
}
