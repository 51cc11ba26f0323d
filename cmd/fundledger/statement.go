package main

import (
	"fundledger/accounts"
	"fundledger/ledger"
)

// statementCmd shows the lines behind a balance.
type statementCmd struct {
	Account  string `arg:"" help:"The account, as BOOK/FUND/SUBJECT[/COUNTERPARTY]."`
	From     string `help:"First business date shown (YYYY-MM-DD)."`
	To       string `help:"Last business date shown (YYYY-MM-DD)."`
	Position int64  `help:"Last journal position shown."`
	Page     string `help:"Continue after an earlier page: its page token."`
	PageSize int    `help:"Lines a page, at most 1000." default:"100"`
}

func (c *statementCmd) Run(app *app) error {
	account, err := accounts.ParseAccount(c.Account)
	if err != nil {
		return err
	}
	query := ledger.StatementQuery{Until: ledger.Position(c.Position), PageToken: c.Page, PageSize: c.PageSize}
	if query.From, err = optionalDate(c.From); err != nil {
		return err
	}
	if query.To, err = optionalDate(c.To); err != nil {
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
	statement, err := s.journal.Statement(app.ctx, account, query)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(statement)
	}
	app.printf("%s  %s\n", account, subjectName(s.book, account))
	t := newTable("Position", "Date", "Summary 摘要", "Side", "Amount", "Balance 余额", "Run", "Entry")
	t.alignRight(1, 5, 6)
	for _, l := range statement.Lines {
		t.row(l.Position, l.Date, l.Summary, sideName(l.Side), l.Amount, l.Balance, l.Run, l.Entry)
	}
	t.print(app.out)
	app.printf("journal position %d\n", statement.Position)
	if statement.NextPageToken != "" {
		app.printf("more lines: --page %s\n", statement.NextPageToken)
	}
	return nil
}

func sideName(s accounts.Side) string {
	if s == accounts.Debit {
		return "借 Dr"
	}
	return "贷 Cr"
}
