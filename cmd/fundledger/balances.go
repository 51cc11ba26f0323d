package main

import (
	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// balancesCmd shows balances now or as of another state, by account or rolled up.
type balancesCmd struct {
	Account  string `arg:"" optional:"" help:"One account, as BOOK/FUND/SUBJECT[/COUNTERPARTY]."`
	Book     string `help:"Only this book, such as 320100.agency."`
	Fund     string `help:"Only this fund, such as 310."`
	Subject  string `help:"Only this subject and its sub-accounts, such as 2001.02."`
	Party    string `name:"counterparty" help:"Only this counterparty."`
	Date     string `help:"As at the end of this business date (YYYY-MM-DD)."`
	PostedAt string `placeholder:"TIME" help:"As posted by this time (2025-01-31T17:00:00+08:00)."`
	Position int64  `help:"As at this position of the journal."`
	Zero     bool   `help:"Show accounts whose balance is zero too."`
	Rollup   bool   `help:"Sum by the hierarchy of subjects (科目汇总), per book and fund."`
	Levels   int    `help:"With --rollup: the deepest level of subjects shown; 0 is all."`
	ByParty  bool   `name:"by-counterparty" help:"With --rollup: a sum per counterparty."`
}

type balancesReport struct {
	Position ledger.Position  `json:"position"`
	Date     string           `json:"date,omitempty"`
	PostedAt string           `json:"posted_at,omitempty"`
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
	if as.PostedAt, err = optionalTime(c.PostedAt); err != nil {
		return err
	}
	if !c.Rollup && (c.Levels != 0 || c.ByParty) {
		return fault.New(fault.Invalid, "--levels and --by-counterparty belong to --rollup")
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.journal.CatchUp(app.ctx); err != nil {
		return err
	}
	balances, position, err := c.read(app, s, filter, as)
	if err != nil {
		return err
	}
	report := balancesReport{Position: position, Date: c.Date, PostedAt: c.PostedAt, Balances: []ledger.Balance{}}
	for _, b := range balances {
		if b.Balance != 0 || c.Zero || c.Account != "" {
			report.Balances = append(report.Balances, b)
		}
	}
	if app.json {
		return app.printJSON(report)
	}
	t := newTable("Account", "Subject", "Debit 借方", "Credit 贷方", "Balance 余额 (借+ 贷−)", "Reserved 预占")
	t.alignRight(3, 4, 5, 6)
	for _, b := range report.Balances {
		reserved := ""
		if b.Reserved != 0 {
			reserved = b.Reserved.String()
		}
		t.row(b.Account, subjectName(s.book, b.Account), b.Debit, b.Credit, b.Balance, reserved)
	}
	t.print(app.out)
	app.printf("%d accounts, journal position %d\n", len(report.Balances), position)
	return nil
}

func (c *balancesCmd) read(app *app, s *session, filter ledger.Filter, as ledger.AsOf) ([]ledger.Balance, ledger.Position, error) {
	if c.Rollup {
		return s.journal.Rollup(app.ctx, filter, as, ledger.RollupOptions{Levels: c.Levels, ByCounterparty: c.ByParty})
	}
	return s.journal.Balances(app.ctx, filter, as)
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
