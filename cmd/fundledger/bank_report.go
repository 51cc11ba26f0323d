package main

import (
	"path/filepath"

	"fundledger/accounts"
	banking "fundledger/clearing/bank"
	"fundledger/internal/export"
)

type bankTableCmd struct {
	bankDay
	Out string `placeholder:"DIR" help:"Write the table there too, as XLSX and JSON."`
}

func (c *bankTableCmd) Run(app *app) error {
	day, err := c.day()
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	table, err := s.bank().Reconcile(app.ctx, c.Account, day, 0)
	if err != nil {
		return err
	}
	var paths []string
	if c.Out != "" {
		if paths, err = export.WriteReconciliation(c.Out, table); err != nil {
			return err
		}
	}
	if app.json {
		return app.printJSON(table)
	}
	printBankTable(app, table)
	for _, path := range paths {
		app.printf("%s\n", path)
	}
	return nil
}

func printBankTable(app *app, b *banking.Table) {
	app.printf("银行存款余额调节表  %s  %s  %s  %s\n", b.Account.Number, b.Account.Holder, b.Account.Book, b.Day)
	t := newTable("Books 企业", "", "Statement 银行", "")
	t.alignRight(2, 4)
	t.row("balance 账面余额", b.Book, "balance 对账单余额", b.Statement)
	t.row("+ 银行已收企业未收", b.BankIn, "+ 企业已收银行未收", b.BookIn)
	t.row("− 银行已付企业未付", b.BankOut, "− 企业已付银行未付", b.BookOut)
	t.row("adjusted 调节后余额", b.AdjustedBook, "adjusted 调节后余额", b.AdjustedStatement)
	t.print(app.out)
	if len(b.Items) > 0 {
		t = newTable("Kind 未达账项", "Date", "Amount 金额", "Age 天", "Line", "Text 摘要", "")
		t.alignRight(3, 4)
		for _, i := range b.Items {
			line, alert := i.Serial, ""
			if i.Posting != nil {
				line = i.Posting.String()
			}
			if i.Alert {
				alert = "ALERT 逾期未说明"
			}
			t.row(string(i.Kind), i.Date, i.Amount, i.Age, line, i.Text, alert)
		}
		t.print(app.out)
	}
	if b.Ties() {
		app.printf("the adjusted balances agree (journal position %d)\n", b.Position)
		return
	}
	app.printf("the adjusted balances differ by %s (journal position %d):\n", b.Difference, b.Position)
	for _, cause := range b.Causes {
		app.printf("  %s: %s\n", cause.Amount, cause.Text)
	}
}

type bankAlertsCmd struct {
	On      string `required:"" help:"As of this day (YYYY-MM-DD)."`
	Account string `help:"Only this bank account."`
}

func (c *bankAlertsCmd) Run(app *app) error {
	on, err := accounts.ParseDate(c.On)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.bank().Alerts(app.ctx, c.Account, on, nil)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(list)
	}
	t := newTable("Account 账号", "Book 账套", "Date", "Age 天", "Kind 未达账项", "Amount 金额", "Serial 流水号", "Remark 摘要")
	t.alignRight(4, 6)
	for _, a := range list {
		t.row(a.Account, a.Book, a.Date, a.Age, string(a.Kind), a.Amount, a.Serial, a.Remark)
	}
	t.print(app.out)
	app.printf("%d lines that nobody can explain\n", len(list))
	return nil
}

type bankDifferencesCmd struct {
	On     string   `required:"" help:"At the end of this day (YYYY-MM-DD)."`
	Region []string `help:"Only this region; repeat for more."`
}

func (c *bankDifferencesCmd) Run(app *app) error {
	on, err := accounts.ParseDate(c.On)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.bank().Differences(app.ctx, on, c.Region, 0)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(list)
	}
	for _, d := range list.Differences {
		app.printf("%s  %s %s, fund %s: %s %s %s, %s %s %s: they differ by %s\n", d.Pairing, d.Region, d.RegionName, d.Fund,
			d.First.Book, d.First.Subject, d.First.Balance, d.Second.Book, d.Second.Subject, d.Second.Balance, d.Difference)
		t := newTable("Position", "Date", "Age 天", "Kind", "Summary 摘要", "Source", "First", "Second", "Difference 差额", "Entry")
		t.alignRight(1, 3, 7, 8, 9)
		for _, e := range d.Entries {
			t.row(e.Position, e.Date, e.Age, e.Kind, e.Summary, e.Source, e.First, e.Second, e.Difference, e.Entry)
		}
		t.print(app.out)
	}
	app.printf("%d of %d pairs differ (journal position %d)\n", len(list.Differences), list.Compared, list.Position)
	return nil
}

type bankProvinceCmd struct {
	File string `arg:"" help:"Their statement, divided by TAB or comma; see docs/bank.md."`
}

func (c *bankProvinceCmd) Run(app *app) error {
	content, err := readInput(c.File)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	statement, err := banking.ReadProvince(s.book, filepath.Base(c.File), content)
	if err != nil {
		return err
	}
	made, err := s.bank().CompareProvince(app.ctx, statement, 0)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(made)
	}
	app.printf("%s %s, %s to %s, journal position %d\n", made.Province, made.ProvinceName, made.From, made.To, made.Position)
	t := newTable("Item", "Fund", "Our opening", "Their opening", "Our closing", "Their closing", "Difference 差额")
	t.alignRight(3, 4, 5, 6, 7)
	for _, a := range made.Accounts {
		t.row(string(a.Item), a.Fund, a.OurOpening, a.TheirOpening, a.OurClosing, a.TheirClosing, a.Difference)
	}
	t.print(app.out)
	t = newTable("Item", "Fund", "Ours 我方", "Date", "Source", "Theirs 对方", "Date", "Reference", "Difference 差额", "Age 天")
	t.alignRight(3, 6, 9, 10)
	for _, a := range made.Accounts {
		for _, d := range a.Differences {
			cells := []any{string(a.Item), a.Fund, "", "", "", "", "", "", d.Amount, d.Age}
			if d.Ours != nil {
				cells[2], cells[3], cells[4] = d.Ours.Amount, d.Ours.Date, d.Ours.Source
			}
			if d.Theirs != nil {
				cells[5], cells[6], cells[7] = d.Theirs.Amount, d.Theirs.Date, d.Theirs.Reference
			}
			t.row(cells...)
		}
	}
	t.print(app.out)
	return nil
}
