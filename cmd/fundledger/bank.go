package main

import (
	"os"
	"path/filepath"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	banking "fundledger/clearing/bank"
	"fundledger/internal/fault"
)

// bankCmd groups what compares the books with money and with each other.
type bankCmd struct {
	Accounts    bankAccountsCmd    `cmd:"" help:"List bank accounts, or enter those of a file."`
	Import      bankImportCmd      `cmd:"" help:"Import bank statements (TSV, CSV, camt.053)."`
	Statements  bankStatementsCmd  `cmd:"" help:"List the statements of a bank account, and where they do not continue each other."`
	Lines       bankLinesCmd       `cmd:"" help:"List the lines of the statements of a bank account."`
	Match       bankMatchCmd       `cmd:"" help:"Match the books with statements (勾对): by the automatic rules, a suggestion, or lines by hand."`
	Suggestions bankSuggestionsCmd `cmd:"" help:"List matches that the rules suggest, for a person to confirm."`
	Matches     bankMatchesCmd     `cmd:"" help:"List the matches of a bank account, undone ones too."`
	Undo        bankUndoCmd        `cmd:"" help:"Undo a match, with a reason."`
	Table       bankTableCmd       `cmd:"" help:"Make the 银行存款余额调节表 of a bank account and day."`
	Alerts      bankAlertsCmd      `cmd:"" help:"List the lines of statements that nobody can explain for too long."`
	Differences bankDifferencesCmd `cmd:"" help:"List where books differ that must agree (账账相符), with the entries."`
	Province    bankProvinceCmd    `cmd:"" help:"Compare our books with the statement of another province."`
}

func (s *session) bank() *banking.Desk { return banking.New(s.db, s.journal, s.book) }

// readInput reads a small file whole.
func readInput(name string) ([]byte, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.New(fault.NotFound, "%s cannot be read: %w", name, err)
	}
	return content, nil
}

type bankAccountsCmd struct {
	File string `placeholder:"FILE" help:"Enter the bank accounts of this file instead of listing them."`
	By   string `help:"With --file: who enters them."`
	On   string `help:"Only those that hold on this day (YYYY-MM-DD)."`
}

func (c *bankAccountsCmd) Help() string {
	return "The columns of a file, in any order, divided by TAB or comma: " + strings.Join(banking.AccountColumns(), ", ") + ". " +
		"backs is FUND/SUBJECT, several divided by spaces: the accounts of the book whose money lies there. A version from a later day ends the one before."
}

func (c *bankAccountsCmd) Run(app *app) error {
	on, err := optionalDate(c.On)
	if err != nil {
		return err
	}
	var change banking.AccountChange
	if c.File != "" {
		content, err := readInput(c.File)
		if err != nil {
			return err
		}
		change.By = c.By
		if change.Accounts, err = banking.ReadAccounts(filepath.Base(c.File), content); err != nil {
			return err
		}
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if c.File != "" {
		done, err := s.bank().ChangeAccounts(app.ctx, change)
		if err != nil {
			return err
		}
		if app.json {
			return app.printJSON(done)
		}
		app.printf("%d bank accounts entered, %d ended, %d stood there already\n", done.Inserted, done.Ended, done.Unchanged)
		return nil
	}
	list, err := s.bank().Accounts(app.ctx, on)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(list)
	}
	t := newTable("Number 账号", "Bank 开户行", "Holder 户名", "Book 账套", "Backs 科目", "Holds 执行", "Source 依据", "By")
	for _, a := range list {
		var backs []string
		for _, b := range a.Backs {
			backs = append(backs, b.String())
		}
		t.row(a.Number, a.Bank, a.Holder, a.Book, strings.Join(backs, " "), span(a.Effective), a.Source, a.EnteredBy)
	}
	t.print(app.out)
	app.printf("%d bank accounts\n", len(list))
	return nil
}

type bankImportCmd struct {
	By    string   `required:"" help:"Who imports them."`
	Files []string `arg:"" name:"file" help:"Files: ISO 20022 camt.053 (XML), or lines divided by TAB or comma; or a zip of one such file."`
}

func (c *bankImportCmd) Help() string {
	required, optional := banking.StatementColumns()
	return "A file has the lines of one bank account, with the columns " + strings.Join(required, ", ") + ", and where there are any " + strings.Join(optional, ", ") + "; " +
		"side is C (money in) or D (money out). Above the columns stand #opening and #closing, each with a balance, and where the statement has more days than its lines, #from and #to. " +
		"Balances must tie. The same statement again changes nothing; another content of a serial number is refused."
}

func (c *bankImportCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	reports := []*banking.ImportReport{}
	for _, name := range c.Files {
		content, err := readInput(name)
		if err != nil {
			return err
		}
		report, err := s.bank().Import(app.ctx, banking.ImportRequest{By: c.By, File: filepath.Base(name), Content: content})
		if err != nil {
			return err
		}
		reports = append(reports, report)
		for i := range report.Statements {
			if !app.json {
				printImported(app, &report.Statements[i])
			}
		}
	}
	if app.json {
		return app.printJSON(reports)
	}
	return nil
}

func printImported(app *app, i *banking.Imported) {
	app.printf("%s: %s from %s to %s, opening %s, closing %s: ", i.File, i.Account, i.From, i.To, i.Opening, i.Closing)
	if i.Replayed {
		app.printf("imported before, nothing changed\n")
	} else {
		app.printf("%d lines added, %d known\n", i.Added, i.Known)
	}
	if len(i.Ignored) > 0 {
		app.printf("ignored: %s\n", strings.Join(i.Ignored, ", "))
	}
	printGaps(app, i.Gaps)
}

func printGaps(app *app, gaps []banking.Gap) {
	for _, g := range gaps {
		app.printf("gap: up to %s closes with %s, from %s opens with %s; %d days without a statement\n", g.After, g.Closing, g.Before, g.Opening, g.Days)
	}
}

type bankStatementsCmd struct {
	Account string `arg:"" help:"Number of the bank account."`
}

func (c *bankStatementsCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.bank().BooksOf(app.ctx, c.Account); err != nil {
		return err
	}
	list, gaps, err := s.bank().Statements(app.ctx, c.Account)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(map[string]any{"statements": list, "gaps": gaps})
	}
	t := newTable("From", "To", "Opening 期初", "Closing 期末", "Lines", "File", "By")
	t.alignRight(3, 4, 5)
	for _, r := range list {
		t.row(r.From, r.To, r.Opening, r.Closing, r.Count, r.File, r.ImportedBy)
	}
	t.print(app.out)
	printGaps(app, gaps)
	return nil
}

type bankLinesCmd struct {
	Account string `arg:"" help:"Number of the bank account."`
	From    string `help:"First day (YYYY-MM-DD)."`
	To      string `help:"Last day (YYYY-MM-DD)."`
	Open    bool   `help:"Only lines that are not matched."`
	Page    string `help:"Continue after an earlier page: its page token."`
}

func (c *bankLinesCmd) Run(app *app) error {
	query := banking.LineQuery{Account: c.Account, OpenOnly: c.Open, PageToken: c.Page, PageSize: 1000}
	var err error
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
	if _, err := s.bank().BooksOf(app.ctx, c.Account); err != nil {
		return err
	}
	page, err := s.bank().Lines(app.ctx, query)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(page)
	}
	t := newTable("Date", "Serial 流水号", "Side", "Amount 金额", "Counterparty 对方", "Remark 摘要", "Reference", "Match 勾对")
	t.alignRight(4)
	for _, l := range page.Lines {
		match := ""
		if l.Match.Valid {
			match = l.Match.UUID.String()
		}
		t.row(l.Date, l.Serial, string(l.Side), l.Amount, strings.TrimSpace(l.CounterpartyName+" "+l.CounterpartyAccount), l.Remark, l.Reference, match)
	}
	t.print(app.out)
	if page.NextPageToken != "" {
		app.printf("more lines: --page %s\n", page.NextPageToken)
	}
	return nil
}

// bankDay is a bank account up to a day.
type bankDay struct {
	Account string `arg:"" help:"Number of the bank account."`
	Day     string `required:"" help:"The day (YYYY-MM-DD); what lies behind it is left out."`
}

func (c *bankDay) day() (civil.Date, error) { return accounts.ParseDate(c.Day) }
