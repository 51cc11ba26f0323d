package main

import (
	"context"
	"os"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// setupCmd writes the rules, opens the books and posts opening balances.
type setupCmd struct {
	Profile  string `default:"jiangsu" help:"The profile to set up."`
	Openings string `placeholder:"FILE" help:"Opening balances, TAB separated: book, fund, subject, counterparty, side, amount; the date in a line #date YYYY-MM-DD."`
	OpenFrom string `placeholder:"MONTH" help:"First accounting period of the books (YYYY-MM). Default: the month of the opening balances, else the policy's books.first_period."`
}

type setupReport struct {
	Profile  string            `json:"profile"`
	Rules    []accounts.Change `json:"rules"`
	Books    int               `json:"books"`
	OpenFrom accounts.Month    `json:"open_from"` // of books that were not open before
	Openings *ledger.Opened    `json:"openings,omitempty"`
}

// policyFirstPeriod names the first period where the user names none.
const policyFirstPeriod = "books.first_period"

func (c *setupCmd) Run(app *app) error {
	month := accounts.Month("")
	if c.OpenFrom != "" {
		var err error
		if month, err = accounts.ParseMonth(c.OpenFrom); err != nil {
			return err
		}
	}
	var openings []ledger.Opening
	if c.Openings != "" {
		file, err := os.Open(c.Openings)
		if err != nil {
			return fault.New(fault.NotFound, "the opening balances cannot be opened: %w", err)
		}
		defer file.Close()
		if openings, err = ledger.ReadOpenings(file, c.Openings); err != nil {
			return err
		}
	}
	db, err := app.store()
	if err != nil {
		return err
	}
	defer db.Close()
	report, err := setUp(app.ctx, db, c.Profile, month, openings)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(report)
	}
	printSetup(app, report)
	return nil
}

// setUp makes a migrated database ready for the first entry; run again it
// changes nothing. Without a month the books open with the openings.
func setUp(ctx context.Context, db *postgres.DB, profile string, month accounts.Month, openings []ledger.Opening) (*setupReport, error) {
	changes, err := accounts.Setup(ctx, db, profile)
	if err != nil {
		return nil, err
	}
	book, err := accounts.Load(ctx, db)
	if err != nil {
		return nil, err
	}
	if month == "" {
		if month, err = firstPeriod(book, openings); err != nil {
			return nil, err
		}
	}
	books := book.Regions.Books()
	journal := ledger.New(db, book)
	if _, err := journal.OpenBooks(ctx, month, "setup", books...); err != nil {
		return nil, err
	}
	report := &setupReport{Profile: profile, Rules: changes, Books: len(books), OpenFrom: month}
	if len(openings) > 0 {
		opened, err := journal.PostOpenings(ctx, openings)
		if err != nil {
			return nil, err
		}
		report.Openings = &opened
	}
	return report, nil
}

// firstPeriod is the month of the earliest opening balance, or the policy's.
func firstPeriod(book *accounts.Rulebook, openings []ledger.Opening) (accounts.Month, error) {
	if len(openings) > 0 {
		first := openings[0].Date
		for _, o := range openings {
			if o.Date.Before(first) {
				first = o.Date
			}
		}
		return accounts.MonthOf(first), nil
	}
	for _, p := range book.Policy { // the newest version; there is no date yet to ask for
		if p.Key == policyFirstPeriod && p.To.IsZero() {
			return accounts.ParseMonth(p.Value)
		}
	}
	return "", fault.New(fault.NotFound, "the policy has no %s: give --open-from", policyFirstPeriod)
}

func printSetup(app *app, r *setupReport) {
	t := newTable("Rules 规则", "New", "Ended", "Unchanged")
	t.alignRight(2, 3, 4)
	for _, c := range r.Rules {
		t.row(c.Rows, c.Inserted, c.Ended, c.Unchanged)
	}
	t.print(app.out)
	app.printf("profile %s, %d books, open from %s unless they were open before\n", r.Profile, r.Books, r.OpenFrom)
	if r.Openings != nil {
		app.printf("opening balances 期初余额: %d posted, %d stood there already\n", r.Openings.Posted, r.Openings.Replayed)
	}
}
