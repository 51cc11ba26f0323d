package main

import (
	"fmt"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// periodCmd groups what is done with the months of the books.
type periodCmd struct {
	List       periodListCmd       `cmd:"" help:"List the months of the books and who set their state; a month that is not listed is open."`
	BeginClose periodBeginCloseCmd `cmd:"" help:"Begin to close a month (结账): from now on it takes closing entries only."`
	Close      periodCloseCmd      `cmd:"" help:"Close a month for which closing has begun, against its checklist (see fundledger close)."`
	Reopen     periodReopenCmd     `cmd:"" help:"Reopen a closed month (反结账), or abandon its closing; by another person than who closed it."`
}

// periodListCmd lists months.
type periodListCmd struct {
	Book    []string `help:"Only this book; repeat for more."`
	History bool     `help:"Every change instead of the present state."`
}

func (c *periodListCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	books, err := s.booksNamed(c.Book, len(c.Book) == 0)
	if err != nil {
		return err
	}
	events := []ledger.PeriodEvent{}
	for _, book := range books {
		history, err := s.journal.PeriodHistory(app.ctx, book)
		if err != nil {
			return err
		}
		for i, e := range history {
			if last := i+1 == len(history) || history[i+1].Month != e.Month; c.History || last {
				events = append(events, e)
			}
		}
	}
	if app.json {
		return app.printJSON(events)
	}
	t := newTable("Book 账套", "Month 期间", "State", "By", "At", "Position", "Reason")
	t.alignRight(6)
	for _, e := range events {
		t.row(e.Book, e.Month, e.State, e.By, clock(e.At), e.Position, e.Reason)
	}
	t.print(app.out)
	app.printf("%d rows\n", len(events))
	return nil
}

// periodChange are the arguments of all changes.
type periodChange struct {
	Month string   `arg:"" help:"The month, as YYYY-MM."`
	Books []string `arg:"" optional:"" name:"book" help:"The books, such as 320100.agency."`
	All   bool     `help:"All books."`
	By    string   `required:"" help:"Who does it."`
}

type periodBeginCloseCmd struct{ periodChange }

func (c *periodBeginCloseCmd) Run(app *app) error {
	return c.each(app, "closing", func(s *session, book accounts.Book, month accounts.Month) (ledger.PeriodResult, error) {
		return s.journal.BeginClose(app.ctx, book, month, c.By)
	})
}

type periodCloseCmd struct{ periodChange }

func (c *periodCloseCmd) Run(app *app) error {
	return c.each(app, "closed", func(s *session, book accounts.Book, month accounts.Month) (ledger.PeriodResult, error) {
		return s.closeChecked(app, book, month, c.By)
	})
}

type periodReopenCmd struct {
	periodChange
	Reason string `required:"" help:"Why; it is recorded."`
}

func (c *periodReopenCmd) Run(app *app) error {
	return c.each(app, "reopened", func(s *session, book accounts.Book, month accounts.Month) (ledger.PeriodResult, error) {
		return s.journal.Reopen(app.ctx, book, month, c.By, c.Reason)
	})
}

// periodReport says what was changed, book by book.
type periodReport struct {
	Month accounts.Month  `json:"month"`
	State string          `json:"state"`
	Books []accounts.Book `json:"books"`
}

// each changes the month in the books one after the other. A change that was
// made before does nothing, so after a failure the same command goes on.
func (c *periodChange) each(app *app, state string, change func(*session, accounts.Book, accounts.Month) (ledger.PeriodResult, error)) error {
	month, err := accounts.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	if c.All == (len(c.Books) > 0) {
		return fault.New(fault.Invalid, "name the books, or give --all for every one of them")
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
	for i, book := range books {
		if _, err := change(s, book, month); err != nil {
			if i > 0 {
				return fmt.Errorf("after %d of %d books: %w", i, len(books), err)
			}
			return err
		}
	}
	if app.json {
		return app.printJSON(periodReport{month, state, books})
	}
	app.printf("%s is %s in %d books\n", month, state, len(books))
	return nil
}

// booksNamed returns the books of these names, or all of them.
func (s *session) booksNamed(names []string, all bool) ([]accounts.Book, error) {
	known := s.book.Regions.Books()
	if all {
		return known, nil
	}
	exists := make(map[accounts.Book]bool, len(known))
	for _, b := range known {
		exists[b] = true
	}
	books := make([]accounts.Book, len(names))
	for i, name := range names {
		if books[i] = accounts.Book(name); !exists[books[i]] {
			return nil, fault.New(fault.NotFound, "there is no book %s", name)
		}
	}
	return books, nil
}
