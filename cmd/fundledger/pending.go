package main

import (
	"maps"
	"slices"

	"fundledger/ledger"
)

// pendingCmd groups what is done with reservations; fundledger post --pend makes them.
type pendingCmd struct {
	List   pendingListCmd   `cmd:"" help:"List reservations (预占) and what they hold."`
	Show   pendingShowCmd   `cmd:"" help:"Show one with its postings."`
	Finish pendingFinishCmd `cmd:"" help:"Post one, in full or in part."`
	Void   pendingVoidCmd   `cmd:"" help:"Give one up and release what it holds."`
	Expire pendingExpireCmd `cmd:"" help:"Release those whose time has passed."`
}

// pendingListCmd lists reservations by key.
type pendingListCmd struct {
	State    string `enum:"open,finished,voided,expired,all" default:"open" help:"open, finished, voided, expired or all."`
	Floor    string `placeholder:"ACCOUNT" help:"Only those that hold something of this account or group."`
	Page     string `help:"Continue after an earlier page: its page token."`
	PageSize int    `help:"Reservations a page, at most 1000." default:"100"`
}

func (c *pendingListCmd) Run(app *app) error {
	query := ledger.PendingQuery{State: ledger.PendingState(c.State), Floor: c.Floor, PageToken: c.Page, PageSize: c.PageSize}
	if c.State == "all" {
		query.State = ""
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	page, err := s.journal.ListPending(app.ctx, query)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(page)
	}
	t := newTable("Key", "State", "Expires", "Summary 摘要", "Holds of", "Amount")
	t.alignRight(6)
	for _, p := range page.Pendings {
		if len(p.Holds) == 0 {
			t.row(p.Key, p.State, expiry(p), p.Summary, "", "")
		}
		for _, floor := range slices.Sorted(maps.Keys(p.Holds)) {
			t.row(p.Key, p.State, expiry(p), p.Summary, floor, p.Holds[floor])
		}
	}
	t.print(app.out)
	app.printf("%d reservations\n", len(page.Pendings))
	if page.NextPageToken != "" {
		app.printf("more: --page %s\n", page.NextPageToken)
	}
	return nil
}

func expiry(p *ledger.Pending) string {
	if p.Expires.IsZero() {
		return "never"
	}
	return clock(p.Expires)
}

// pendingShowCmd shows one reservation.
type pendingShowCmd struct {
	Key string `arg:"" help:"The key of the pending entry."`
}

func (c *pendingShowCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	p, err := s.journal.Pending(app.ctx, c.Key)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(p)
	}
	app.printf("%s is %s, made %s, expires %s\n", p.Key, p.State, clock(p.Made), expiry(p))
	if !p.Decided.IsZero() {
		app.printf("decided %s%s%s\n", clock(p.Decided), labelled(" by ", p.By), labelled(": ", p.Reason))
	}
	if p.State == ledger.Finished {
		app.printf("posted as entry %s\n", ledger.FinishID(p.Key))
	}
	for _, floor := range slices.Sorted(maps.Keys(p.Holds)) {
		app.printf("held %s of %s\n", p.Holds[floor], floor)
	}
	printEntry(app, s.book, &p.Entry)
	return nil
}

// pendingFinishCmd posts a reservation.
type pendingFinishCmd struct {
	Key     string   `arg:"" help:"The key of the pending entry."`
	By      string   `required:"" help:"Who posts it; the entry's reviewer, unless it names one."`
	Posting []string `sep:"none" placeholder:"N=AMOUNT" help:"Post only this of posting N (1 is the first), in yuan; repeat. Postings that are not named are left out. Default: all of it."`
	Date    string   `help:"Business date instead of the reservation's (YYYY-MM-DD)."`
	Period  string   `help:"Accounting period instead of the reservation's (YYYY-MM)."`
}

func (c *pendingFinishCmd) Run(app *app) error {
	finishing := ledger.Finishing{Key: c.Key, By: c.By}
	var err error
	if finishing.Date, err = optionalDate(c.Date); err != nil {
		return err
	}
	if finishing.Period, err = optionalMonth(c.Period); err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if len(c.Posting) > 0 {
		p, err := s.journal.Pending(app.ctx, c.Key)
		if err != nil {
			return err
		}
		if finishing.Amounts, err = partial(c.Posting, len(p.Postings)); err != nil {
			return err
		}
	}
	result, err := s.journal.Finish(app.ctx, finishing)
	if err != nil {
		return err
	}
	return app.printOne("finish/"+c.Key, result)
}

// pendingVoidCmd gives a reservation up.
type pendingVoidCmd struct {
	Key    string `arg:"" help:"The key of the pending entry."`
	By     string `required:"" help:"Who gives it up."`
	Reason string `required:"" help:"Why; it is recorded."`
}

func (c *pendingVoidCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.journal.Void(app.ctx, c.Key, c.By, c.Reason); err != nil {
		return err
	}
	if app.json {
		return app.printJSON(map[string]string{"key": c.Key, "state": string(ledger.Voided)})
	}
	app.printf("%s is voided\n", c.Key)
	return nil
}

// pendingExpireCmd sweeps.
type pendingExpireCmd struct {
	Limit int `default:"1000" help:"At most so many."`
}

func (c *pendingExpireCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	n, err := s.journal.Expire(app.ctx, c.Limit)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(map[string]int{"expired": n})
	}
	app.printf("%d reservations have expired\n", n)
	return nil
}
