package main

import (
	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/ledger"
)

// balancesCmd shows balances now, at a business date or at a position.
type balancesCmd struct {
	Account  string `arg:"" optional:"" help:"One account, as BOOK/FUND/SUBJECT[/COUNTERPARTY]."`
	Book     string `help:"Only this book, such as 320100.agency."`
	Fund     string `help:"Only this fund, such as 310."`
	Subject  string `help:"Only this subject and its sub-accounts, such as 2001.02."`
	Party    string `name:"counterparty" help:"Only this counterparty."`
	Date     string `help:"As at the end of this business date (YYYY-MM-DD)."`
	Position int64  `help:"As at this position of the journal."`
	Zero     bool   `help:"Show accounts whose balance is zero too."`
}

type balancesReport struct {
	Position ledger.Position  `json:"position"`
	Date     string           `json:"date,omitempty"`
	Balances []ledger.Balance `json:"balances"`
}

func (c *balancesCmd) Run(app *app) error {
	filter := ledger.Filter{Book: accounts.Book(c.Book), Fund: c.Fund, Subject: c.Subject, Counterparty: c.Party}
	if c.Account != "" {
		account, err := accounts.ParseAccount(c.Account)
		if err != nil {
			return err
		}
		filter = ledger.Filter(account)
	}
	as := ledger.AsOf{Position: ledger.Position(c.Position)}
	var err error
	if as.Date, err = optionalDate(c.Date); err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.journal.CatchUp(app.ctx); err != nil {
		return err
	}
	balances, position, err := s.journal.Balances(app.ctx, filter, as)
	if err != nil {
		return err
	}
	report := balancesReport{Position: position, Date: c.Date, Balances: []ledger.Balance{}}
	for _, b := range balances {
		if b.Balance != 0 || c.Zero || c.Account != "" {
			report.Balances = append(report.Balances, b)
		}
	}
	if app.json {
		return app.printJSON(report)
	}
	t := newTable("Account", "Subject", "Debit 借方", "Credit 贷方", "Balance 余额 (借+ 贷−)")
	t.alignRight(3, 4, 5)
	for _, b := range report.Balances {
		t.row(b.Account, subjectName(s.book, b.Account), b.Debit, b.Credit, b.Balance)
	}
	t.print(app.out)
	app.printf("%d accounts, journal position %d\n", len(report.Balances), position)
	return nil
}

// subjectName returns the name of the account's subject in the newest chart.
func subjectName(book *accounts.Rulebook, a accounts.Account) string {
	name := ""
	for _, s := range book.Chart.Subjects() {
		if s.Role == a.Book.Role() && s.Code == a.Subject {
			name = s.Name
		}
	}
	return name
}

func optionalDate(s string) (civil.Date, error) {
	if s == "" {
		return civil.Date{}, nil
	}
	return accounts.ParseDate(s)
}
