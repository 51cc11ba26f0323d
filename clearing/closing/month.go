package closing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/bank"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

var utc = time.UTC

// Closing closes months and years. It is safe for concurrent use, by several
// processes on one database too.
type Closing struct {
	store   accounts.Store
	journal *ledger.Journal
	book    *accounts.Rulebook
	bank    Source
}

// New returns the closing of the journal under the rules of the book. The point
// of the bank reconciliation is looked at by reconciliation; nil is that of
// clearing/bank.
func New(store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook, reconciliation Source) *Closing {
	if reconciliation == nil {
		reconciliation = bankPoint{bank.New(store, journal, book)}
	}
	return &Closing{store, journal, book, reconciliation}
}

// Override (越过检查结账) closes a month although something is open.
type Override struct {
	Reason string   `json:"reason"`
	Items  []string `json:"items"` // names of the points that may be open
}

// MonthRequest asks to close a month of books.
type MonthRequest struct {
	Key      string // idempotency key of the call; empty: idempotent by state only
	Books    []accounts.Book
	Month    accounts.Month
	By       string
	Override *Override // nil: nothing may be open
}

// BookClosed is a month of a book after its closing, and what was looked at.
type BookClosed struct {
	Book     accounts.Book       `json:"book"`
	Period   ledger.PeriodResult `json:"period"`
	Items    []Item              `json:"items,omitempty"` // none where the month was closed before
	Replayed bool                `json:"replayed,omitempty"`
}

// CloseMonth (月结) closes a month of each of the books: it stops ordinary
// postings, goes through the checklist of each, and closes them where nothing is open. While something
// is, none of them is closed, and all stay closing (结账中), which keeps them from changing.
// An override closes them over the points that it names; it needs another person
// than the one who began the closing. The last month of a year is closed by
// CloseYear, which no override replaces, unless there is no income and expense to close. A month that was
// closed by the same person before is a replay.
//
// Errors: Precondition with the list, one detail "open" for each point (and
// those of ledger.BeginClose: months close in order), Permission (the override
// of who began), Invalid, NotFound.
func (c *Closing) CloseMonth(ctx context.Context, r MonthRequest) ([]BookClosed, error) {
	if len(r.Books) == 0 {
		return nil, fault.New(fault.Invalid, "say which books are closed").With("field", "books")
	}
	closed := make([]BookClosed, len(r.Books))
	var report *clearing.CheckReport
	for i, book := range r.Books {
		closed[i].Book = book
		if before, err := c.before(ctx, r, book, &closed[i]); err != nil || before {
			if err != nil {
				return nil, err
			}
			continue
		}
		done, err := c.begin(ctx, r, book)
		if err != nil {
			return nil, err
		}
		if done {
			continue
		}
		if report == nil {
			if report, err = clearing.Check(ctx, c.journal, c.store, c.book); err != nil {
				return nil, err
			}
		}
		if closed[i].Items, err = c.checklist(ctx, book, r.Month, report); err != nil {
			return nil, err
		}
	}
	if err := refuse(r, closed); err != nil {
		return nil, err
	}
	for i := range closed {
		if closed[i].Replayed {
			continue
		}
		var err error
		if closed[i].Period, err = c.shut(ctx, r, closed[i].Book, closed[i].Items); err != nil {
			if i > 0 {
				return nil, fmt.Errorf("after %d of %d books: %w", i, len(closed), err)
			}
			return nil, err
		}
		closed[i].Replayed = closed[i].Period.Replayed
	}
	return closed, nil
}

func (c *Closing) known(book accounts.Book, month accounts.Month) error {
	if _, err := accounts.ParseMonth(string(month)); err != nil {
		return err
	}
	if !slices.Contains(c.book.Regions.Books(), book) {
		return fault.New(fault.NotFound, "there is no book %s", book).With("book", string(book))
	}
	return nil
}

// state is that of a month of a book.
func (c *Closing) state(ctx context.Context, book accounts.Book, month accounts.Month) (ledger.PeriodState, error) {
	if err := c.known(book, month); err != nil {
		return "", err
	}
	page, err := c.journal.Periods(ctx, ledger.PeriodQuery{Book: book, From: month, To: month})
	if err != nil {
		return "", err
	}
	if len(page.Periods) == 0 {
		return "", fault.New(fault.Precondition, "book %s has no period %s: it was not opened by then", book, month).With("book", string(book)).With("period", string(month))
	}
	return page.Periods[0].State, nil
}

// begin stops ordinary postings into the month, and tells whether it is closed already.
func (c *Closing) begin(ctx context.Context, r MonthRequest, book accounts.Book) (closed bool, err error) {
	state, err := c.state(ctx, book, r.Month)
	if err != nil || state == ledger.PeriodShut || state == ledger.PeriodClosing {
		return state == ledger.PeriodShut, err
	}
	_, err = c.journal.Under(r.key(book)).BeginClose(ctx, book, r.Month, r.By)
	if fault.KindOf(err) == fault.Precondition { // somebody was faster
		if state, stateErr := c.state(ctx, book, r.Month); stateErr == nil && (state == ledger.PeriodShut || state == ledger.PeriodClosing) {
			return state == ledger.PeriodShut, nil
		}
	}
	return false, err
}

// before finds a month that was closed under the key of the request.
func (c *Closing) before(ctx context.Context, r MonthRequest, book accounts.Book, closed *BookClosed) (bool, error) {
	reason := ""
	if r.Override != nil {
		reason = strings.TrimSpace(r.Override.Reason)
	}
	for _, reason := range slices.Compact([]string{"", reason}) { // an override that was not needed closes without its reason
		before, err := c.journal.Under(r.key(book)).ClosedBefore(ctx, book, r.Month, r.By, reason)
		if err != nil && reason != "" || err != nil && r.Override == nil {
			return false, err
		}
		if before && err == nil {
			page, err := c.journal.Periods(ctx, ledger.PeriodQuery{Book: book, From: r.Month, To: r.Month})
			if err != nil {
				return false, err
			}
			if closed.Replayed = true; len(page.Periods) > 0 {
				closed.Period = ledger.PeriodResult{Period: page.Periods[0], Replayed: true}
			}
			return true, nil
		}
	}
	return false, nil
}

// key is that of the change of one of the books.
func (r MonthRequest) key(book accounts.Book) string {
	if r.Key == "" {
		return ""
	}
	return r.Key + "/" + string(book)
}

// refuse lists what is open and not overridden, of all books at once.
func refuse(r MonthRequest, closed []BookClosed) error {
	var lines []string
	var details []string
	for _, b := range closed {
		for _, item := range b.Items {
			overridden := r.Override != nil && item.Name != yearItem && slices.Contains(r.Override.Items, item.Name)
			if item.State != Open || overridden {
				continue
			}
			details = append(details, string(b.Book)+" "+item.String())
			lines = append(lines, fmt.Sprintf("%s, %s: %s", b.Book, item.Title, strings.Join(item.Details, "; ")))
		}
	}
	if lines == nil {
		return nil
	}
	err := fault.New(fault.Precondition, "%s cannot be closed, since of it is open:\n%s", r.Month, strings.Join(lines, "\n")).With("period", string(r.Month))
	for _, d := range details {
		err = err.With("open", d)
	}
	return err
}

// Ready refuses, with the list of CloseMonth, that a month is closed for which
// closing has begun while something of it is open: it stands before a bare
// Journal.Close. Of a month that is in another state, or was closed under the
// key before, the journal itself says what is wrong, or that it is a replay.
func (c *Closing) Ready(ctx context.Context, keyed ledger.Keyed, book accounts.Book, month accounts.Month, by string) error {
	if before, err := keyed.ClosedBefore(ctx, book, month, by, ""); before || err != nil {
		return err
	}
	page, err := c.journal.Periods(ctx, ledger.PeriodQuery{Book: book, From: month, To: month})
	if err != nil || len(page.Periods) == 0 || page.Periods[0].State != ledger.PeriodClosing {
		return err
	}
	items, err := c.Checklist(ctx, book, month)
	if err != nil {
		return err
	}
	return refuse(MonthRequest{Month: month}, []BookClosed{{Book: book, Items: items}})
}

// shut closes the month, over what is open where something is.
func (c *Closing) shut(ctx context.Context, r MonthRequest, book accounts.Book, items []Item) (ledger.PeriodResult, error) {
	keyed := c.journal.Under(r.key(book))
	var open []string
	for _, item := range items {
		if item.State == Open {
			open = append(open, item.String())
		}
	}
	if len(open) == 0 {
		return c.shutClear(ctx, keyed, r, book, items == nil)
	}
	return keyed.CloseOver(ctx, book, r.Month, r.By, ledger.Override{Reason: r.Override.Reason, Open: open})
}

// shutClear closes a month of which nothing is open. One that was closed before
// is a replay where the same person had closed it, over what was open then or not.
func (c *Closing) shutClear(ctx context.Context, keyed ledger.Keyed, r MonthRequest, book accounts.Book, before bool) (ledger.PeriodResult, error) {
	if before {
		page, err := c.journal.Periods(ctx, ledger.PeriodQuery{Book: book, From: r.Month, To: r.Month})
		if err != nil {
			return ledger.PeriodResult{}, err
		}
		for _, p := range page.Periods {
			if p.State == ledger.PeriodShut && p.Last != nil && p.Last.By == r.By {
				return ledger.PeriodResult{Period: p, Replayed: true}, nil
			}
		}
	}
	return keyed.Close(ctx, book, r.Month, r.By)
}
