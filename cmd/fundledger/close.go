package main

import (
	"strings"

	"fundledger/accounts"
	"fundledger/clearing/closing"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// closeCmd groups the closing of months and years.
type closeCmd struct {
	Checklist closeChecklistCmd `cmd:"" help:"Show what hinders closing a month of a book."`
	Month     closeMonthCmd     `cmd:"" help:"Close a month (月结): stop postings, go through the checklist, close."`
	Year      closeYearCmd      `cmd:"" help:"Close the last month of a year and carry income and expense into 基金结余 (年结)."`
}

func (s *session) closing() *closing.Closing { return closing.New(s.db, s.journal, s.book, nil) }

type closeChecklistCmd struct {
	Month string `arg:"" help:"The month, as YYYY-MM."`
	Book  string `arg:"" help:"The book, such as 320100.agency."`
}

func (c *closeChecklistCmd) Run(app *app) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	items, err := s.closing().Checklist(app.ctx, accounts.Book(c.Book), month)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(items)
	}
	printItems(app, items)
	return nil
}

func printItems(app *app, items []closing.Item) {
	t := newTable("Point", "State", "", "Details")
	for _, i := range items {
		t.row(i.Name, string(i.State), i.Title, strings.Join(i.Details, "\n"))
	}
	t.print(app.out)
}

// overrideFlags close over what is open.
type overrideFlags struct {
	By       string   `required:"" help:"Who does it."`
	Override string   `placeholder:"REASON" help:"Close although something is open, as another person than who began; why is recorded with the list."`
	Accept   []string `placeholder:"POINT" help:"A point of the checklist that may be open under the override; repeat for more."`
}

func (f *overrideFlags) override() (*closing.Override, error) {
	switch {
	case f.Override == "" && len(f.Accept) == 0:
		return nil, nil
	case f.Override == "" || len(f.Accept) == 0:
		return nil, fault.New(fault.Invalid, "an override takes both --override REASON and --accept POINT")
	}
	return &closing.Override{Reason: f.Override, Items: f.Accept}, nil
}

type closeMonthCmd struct {
	Month string   `arg:"" help:"The month, as YYYY-MM."`
	Books []string `arg:"" optional:"" name:"book" help:"The books, such as 320100.agency."`
	All   bool     `help:"All books."`
	overrideFlags
}

func (c *closeMonthCmd) Run(app *app) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	if c.All == (len(c.Books) > 0) {
		return fault.New(fault.Invalid, "name the books, or give --all for every one of them")
	}
	override, err := c.override()
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	books, err := s.booksNamed(c.Books, c.All)
	if err != nil {
		return err
	}
	closed, err := s.closing().CloseMonth(app.ctx, closing.MonthRequest{Books: books, Month: month, By: c.By, Override: override})
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(closed)
	}
	app.printf("%s is closed in %d books\n", month, len(closed))
	return nil
}

type closeYearCmd struct {
	Year  int      `arg:"" help:"The year."`
	Books []string `arg:"" optional:"" name:"book" help:"The books, such as 320100.agency."`
	All   bool     `help:"All books."`
	overrideFlags
}

// Run closes the year of the books one after the other; a year that is closed
// is left alone, so after a failure the same command goes on.
func (c *closeYearCmd) Run(app *app) error {
	if c.All == (len(c.Books) > 0) {
		return fault.New(fault.Invalid, "name the books, or give --all for every one of them")
	}
	override, err := c.override()
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	books, err := s.booksNamed(c.Books, c.All)
	if err != nil {
		return err
	}
	var list []*closing.YearClosed
	for _, book := range books {
		closed, err := s.closing().CloseYear(app.ctx, closing.YearRequest{Book: book, Year: c.Year, By: c.By, Override: override})
		if err != nil {
			return err
		}
		list = append(list, closed)
	}
	if app.json {
		return app.printJSON(list)
	}
	t := newTable("Book 账套", "Fund 险种", "Income 收入", "Expense 支出", "Surplus 结余", "Entry")
	t.alignRight(3, 4, 5)
	for _, closed := range list {
		for _, f := range closed.Funds {
			t.row(closed.Book, f.Fund, f.Income, f.Expense, f.Income-f.Expense, f.Entry)
		}
	}
	t.print(app.out)
	app.printf("%d is closed in %d books\n", c.Year, len(list))
	return nil
}

// closeChecked closes a month of one book for which closing has begun, as
// period close does: against the checklist.
func (s *session) closeChecked(app *app, book accounts.Book, month accounts.Month, by string) (ledger.PeriodResult, error) {
	if err := s.closing().Ready(app.ctx, s.journal.Under(""), book, month, by); err != nil {
		return ledger.PeriodResult{}, err
	}
	return s.journal.Close(app.ctx, book, month, by)
}
