package main

import (
	"os"

	"fundledger/accounts"
	"fundledger/clearing/statement"
	"fundledger/internal/export"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// statementFlags say of what a statement is wanted and where it goes.
type statementFlags struct {
	Book     string `required:"" help:"The book, such as 320100.agency."`
	Fund     string `required:"" help:"The fund, such as 310."`
	Position int64  `help:"As at this position of the journal."`
	PostedAt string `placeholder:"TIME" help:"As posted by this time (2025-01-31T17:00:00+08:00)."`
	Out      string `placeholder:"FILE" help:"Write a workbook (XLSX) instead of printing."`
}

func (f *statementFlags) asOf() (as ledger.AsOf, err error) {
	as.Position = ledger.Position(f.Position)
	as.PostedAt, err = optionalTime(f.PostedAt)
	return as, err
}

// periodFlags are the accounting periods of a statement.
type periodFlags struct {
	statementFlags
	Month string `help:"A month, as YYYY-MM."`
	Year  string `help:"A year, as YYYY."`
	From  string `help:"First month, with --to."`
	To    string `help:"Last month."`
}

func (f *periodFlags) query() (q statement.Query, err error) {
	q = statement.Query{Book: accounts.Book(f.Book), Fund: f.Fund}
	if q.AsOf, err = f.asOf(); err != nil {
		return q, err
	}
	switch {
	case f.Month != "" && f.Year == "" && f.From == "" && f.To == "":
		q.From, q.To = accounts.Month(f.Month), accounts.Month(f.Month)
	case f.Year != "" && f.Month == "" && f.From == "" && f.To == "":
		q.From, q.To = accounts.Month(f.Year+"-01"), accounts.Month(f.Year+"-12")
	case f.From != "" && f.To != "" && f.Month == "" && f.Year == "":
		q.From, q.To = accounts.Month(f.From), accounts.Month(f.To)
	default:
		return q, fault.New(fault.Invalid, "give --month, or --year, or --from and --to")
	}
	return q, nil
}

// statements opens the database and brings the journal up to date.
func (a *app) statements() (*session, *statement.Statements, error) {
	s, err := a.open()
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.journal.CatchUp(a.ctx); err != nil {
		s.close()
		return nil, nil, err
	}
	return s, statement.New(s.journal, s.book), nil
}

// write writes a workbook to the file.
func (f *statementFlags) write(app *app, sheet export.Sheet) error {
	file, err := os.Create(f.Out)
	if err != nil {
		return fault.New(fault.Invalid, "the workbook cannot be written: %w", err)
	}
	if err := export.WriteXLSX(file, sheet); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return fault.New(fault.Unavailable, "the workbook cannot be written: %w", err)
	}
	app.printf("wrote %s\n", f.Out)
	return nil
}

// show prints the statement, as JSON or as a table, or writes its workbook.
func (f *statementFlags) show(app *app, value any, sheet export.Sheet) error {
	switch {
	case f.Out != "":
		return f.write(app, sheet)
	case app.json:
		return app.printJSON(value)
	}
	printSheet(app, sheet)
	return nil
}

// printSheet prints a sheet as a table.
func printSheet(app *app, sheet export.Sheet) {
	app.printf("%s\n", sheet.Title)
	for _, line := range sheet.Lines {
		app.printf("%s\n", line)
	}
	header := make([]any, len(sheet.Columns))
	for i, c := range sheet.Columns {
		header[i] = c.Name
	}
	t := newTable(header...)
	var right []int
	for i := range sheet.Columns {
		for _, rows := range [][][]any{sheet.Rows, sheet.Totals} {
			if len(rows) > 0 {
				if _, money := rows[len(rows)-1][i].(accounts.Fen); money && (len(right) == 0 || right[len(right)-1] != i+1) {
					right = append(right, i+1)
				}
			}
		}
	}
	t.alignRight(right...)
	for _, rows := range [][][]any{sheet.Rows, sheet.Totals} {
		for _, row := range rows {
			cells := make([]any, len(row))
			for i, cell := range row {
				if cells[i] = cell; cell == nil {
					cells[i] = ""
				}
			}
			t.row(cells...)
		}
	}
	t.print(app.out)
	for _, note := range sheet.Notes {
		app.printf("%s\n", note)
	}
}

// reportTrialCmd prints a 科目余额表.
type reportTrialCmd struct {
	periodFlags
	BeforeClosing bool   `help:"Without what closed the year (结转前)."`
	Explain       string `placeholder:"SUBJECT" help:"Print the lines of entries behind the turnover of a subject."`
	explainFlags
}

func (c *reportTrialCmd) Run(app *app) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	s, statements, err := app.statements()
	if err != nil {
		return err
	}
	defer s.close()
	if c.Explain != "" {
		return c.explain(app, statements, statement.Explanation{Query: q, Line: c.Explain})
	}
	trial, err := statements.TrialBalance(app.ctx, q, c.BeforeClosing)
	if err != nil {
		return err
	}
	if err := c.show(app, trial, export.TrialBalanceSheet(trial)); err != nil {
		return err
	}
	return trial.Err()
}

// reportBalanceSheetCmd prints a 资产负债表.
type reportBalanceSheetCmd struct {
	statementFlags
	Month   string `required:"" help:"At the end of this month, as YYYY-MM."`
	Explain string `placeholder:"LINE" help:"Print the lines of entries behind a line."`
	explainFlags
}

func (c *reportBalanceSheetCmd) Run(app *app) error {
	flags := periodFlags{statementFlags: c.statementFlags, Month: c.Month}
	q, err := flags.query()
	if err != nil {
		return err
	}
	s, statements, err := app.statements()
	if err != nil {
		return err
	}
	defer s.close()
	if c.Explain != "" {
		return c.explain(app, statements, statement.Explanation{Query: q, Statement: accounts.BalanceSheet, Line: c.Explain})
	}
	sheet, err := statements.BalanceSheet(app.ctx, q)
	if err != nil {
		return err
	}
	if err := c.show(app, sheet, export.StatementSheet(sheet)); err != nil {
		return err
	}
	return sheet.Err()
}

// reportIncomeCmd prints a 收支表.
type reportIncomeCmd struct {
	periodFlags
	Explain string `placeholder:"LINE" help:"Print the lines of entries behind a line."`
	explainFlags
}

func (c *reportIncomeCmd) Run(app *app) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	s, statements, err := app.statements()
	if err != nil {
		return err
	}
	defer s.close()
	if c.Explain != "" {
		return c.explain(app, statements, statement.Explanation{Query: q, Statement: accounts.IncomeStatement, Line: c.Explain})
	}
	income, err := statements.IncomeStatement(app.ctx, q)
	if err != nil {
		return err
	}
	if err := c.show(app, income, export.StatementSheet(income)); err != nil {
		return err
	}
	return income.Err()
}

// reportLedgerCmd prints a 总账.
type reportLedgerCmd struct {
	periodFlags
	Subject string `help:"Only this subject and its sub-accounts."`
	Level   int    `help:"Only subjects of this level; 0 is all." default:"1"`
}

func (c *reportLedgerCmd) Run(app *app) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	s, statements, err := app.statements()
	if err != nil {
		return err
	}
	defer s.close()
	level := c.Level
	if c.Subject != "" {
		level = 0
	}
	general, err := statements.GeneralLedger(app.ctx, q, c.Subject, level)
	if err != nil {
		return err
	}
	return c.show(app, general, export.GeneralLedgerSheet(general))
}

// reportAgeingCmd prints a 往来账龄.
type reportAgeingCmd struct {
	statementFlags
	Date string `required:"" help:"At the end of this business date (YYYY-MM-DD)."`
}

func (c *reportAgeingCmd) Run(app *app) error {
	date, err := accounts.ParseDate(c.Date)
	if err != nil {
		return err
	}
	as, err := c.asOf()
	if err != nil {
		return err
	}
	s, statements, err := app.statements()
	if err != nil {
		return err
	}
	defer s.close()
	aged, err := statements.Ageing(app.ctx, accounts.Book(c.Book), c.Fund, date, as)
	if err != nil {
		return err
	}
	return c.show(app, aged, export.AgeingSheet(aged))
}

// reportCheckCmd checks a table that somebody has published. It needs no
// database: without one it takes the rules of the profile.
type reportCheckCmd struct {
	File    string `arg:"" help:"The table: #statement, #role, #fund, #date, #unit above the columns line and amount, TAB separated."`
	Profile string `default:"jiangsu" help:"Rules to use when no database is given."`
}

func (c *reportCheckCmd) Run(app *app) error {
	book, err := (&rulesCmd{Profile: c.Profile}).rules(app)
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return fault.New(fault.NotFound, "the table cannot be opened: %w", err)
	}
	defer file.Close()
	table, err := statement.ReadPublished(file, c.File)
	if err != nil {
		return err
	}
	ties, err := statement.New(nil, book).CheckPublished(table)
	if ties == nil {
		return err
	}
	if app.json {
		if printErr := app.printJSON(ties); printErr != nil {
			return printErr
		}
		return err
	}
	t := newTable("Line 行次", "Title 项目", "Formula 公式", "Computed 计算", "Printed 所载", "Difference 差额")
	t.alignRight(4, 5, 6)
	for _, tie := range ties {
		t.row(tie.Line, tie.Title, tie.Formula, tie.Computed, tie.Printed, tie.Difference)
	}
	t.print(app.out)
	return err
}

// explainFlags page through the lines behind a figure.
type explainFlags struct {
	Page     string `help:"With --explain: continue after an earlier page."`
	PageSize int    `help:"With --explain: lines a page, at most 1000." default:"100"`
}

func (f *explainFlags) explain(app *app, statements *statement.Statements, e statement.Explanation) error {
	e.PageSize, e.PageToken = f.PageSize, f.Page
	explained, err := statements.Explain(app.ctx, e)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(explained)
	}
	app.printf("%s %s\n", e.Line, explained.Title)
	t := newTable("Account", "Position", "Date", "Kind", "Summary 摘要", "Side", "Amount", "Adds 计入", "Entry")
	t.alignRight(2, 7, 8)
	var sum accounts.Fen
	for _, l := range explained.Lines {
		sum += l.Adds
		t.row(l.Account, l.Position, l.Date, l.Kind, l.Summary, sideName(l.Side), l.Amount, l.Adds, l.Entry)
	}
	t.print(app.out)
	app.printf("%d lines add %s, journal position %d\n", len(explained.Lines), sum, explained.Position)
	if explained.NextPageToken != "" {
		app.printf("more lines: --page %s\n", explained.NextPageToken)
	}
	return nil
}
