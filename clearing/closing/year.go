package closing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// The events of the posting table that close a year, and the funds that close
// into 统筹 and 个人（家庭）账户 apart.
const (
	eventAgency      = "year_end.agency"
	eventSplit       = "year_end.agency.split"
	eventFinance     = "year_end.finance"
	policySplitFunds = "year_end.split_funds"
)

// YearRequest asks to close a year of a book.
type YearRequest struct {
	Key      string // as of MonthRequest
	Book     accounts.Book
	Year     int
	By       string
	Override *Override // of the checklist of the last month
}

// FundClosed is what closing a year has carried over in a fund, with the signs
// of the statements; negative where red letters outweigh.
type FundClosed struct {
	Fund    string       `json:"fund"`
	Income  accounts.Fen `json:"income"`
	Expense accounts.Fen `json:"expense"`
	Entry   uuid.UUID    `json:"entry"`
}

// YearClosed is a year of a book after its closing.
type YearClosed struct {
	Book     accounts.Book `json:"book"`
	Year     int           `json:"year"`
	Month    BookClosed    `json:"month"` // its last month
	Funds    []FundClosed  `json:"funds"` // that this call has closed; none for a replay
	Replayed bool          `json:"replayed,omitempty"`
}

// maxRounds bounds how often what was adjusted meanwhile is closed, too.
const maxRounds = 5

// CloseYear (年结) closes the last month of a year of a book, and with it the
// year: income and expense of every fund go into 基金结余 by the posting table,
// one entry a fund, all of them or none, so that the new year begins without any;
// assets, liabilities and obligations stand as they are. The months before must be
// closed. The last month goes through its checklist first; an override is as of
// CloseMonth. What is closed already is left alone, so after a crash the same
// call goes on. After the month was reopened it carries over what has changed.
// The entries are reversed by reopening alone (ledger.Reverse).
//
// Errors: Precondition (a month before is open, the list, income or expense
// that the posting table does not close), Permission, Invalid, NotFound.
func (c *Closing) CloseYear(ctx context.Context, r YearRequest) (*YearClosed, error) {
	if r.Year < 1900 || r.Year > 9998 {
		return nil, fault.New(fault.Invalid, "%d is not a year", r.Year).With("field", "year")
	}
	december := accounts.Month(fmt.Sprintf("%04d-12", r.Year))
	month := MonthRequest{Key: r.Key, Books: []accounts.Book{r.Book}, Month: december, By: r.By, Override: r.Override}
	closed := &YearClosed{Book: r.Book, Year: r.Year, Month: BookClosed{Book: r.Book}, Funds: []FundClosed{}}
	if err := c.known(r.Book, december); err != nil {
		return nil, err
	}
	before, err := c.before(ctx, month, r.Book, &closed.Month)
	if err != nil {
		return nil, err
	}
	if before {
		closed.Replayed = true
		return closed, nil
	}
	done, err := c.begin(ctx, month, r.Book)
	if err != nil {
		return nil, err
	}
	if !done {
		if err := c.carry(ctx, month, closed); err != nil {
			return nil, err
		}
	}
	if closed.Month.Period, err = c.shut(ctx, month, r.Book, closed.Month.Items); err != nil {
		return nil, err
	}
	closed.Month.Replayed = closed.Month.Period.Replayed
	closed.Replayed = closed.Month.Replayed
	return closed, c.mustBeCarried(ctx, r.Book, december)
}

// carry goes through the checklist and posts what carries the year over.
func (c *Closing) carry(ctx context.Context, r MonthRequest, closed *YearClosed) error {
	report, err := clearing.Check(ctx, c.journal, c.store, c.book)
	if err != nil {
		return err
	}
	items, err := c.checklist(ctx, closed.Book, r.Month, report)
	if err != nil {
		return err
	}
	closed.Month.Items = slices.DeleteFunc(items, func(i Item) bool { return i.Name == yearItem })
	if err := refuse(r, []BookClosed{closed.Month}); err != nil {
		return err
	}
	if r.Override != nil { // who may not override closes no year either
		if err := c.mayOverride(ctx, r, closed); err != nil {
			return err
		}
	}
	for range maxRounds {
		entries, funds, err := c.entries(ctx, closed.Book, r.Month, r.By)
		if err != nil || len(entries) == 0 {
			return err
		}
		results, err := c.journal.PostAtomic(ctx, entries...)
		if err != nil {
			return err
		}
		again := false
		for i, result := range results {
			switch {
			case fault.KindOf(result.Err) == fault.AlreadyExists: // somebody else closes it at the same time
				again = true
			case result.Err != nil:
				return result.Err
			default:
				funds[i].Entry = result.ID
			}
		}
		if !again {
			closed.Funds = append(closed.Funds, funds...)
		}
		if _, err := c.journal.CatchUp(ctx); err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "income and expense of %s in %s change faster than they are closed: try again", closed.Book, r.Month)
}

// mayOverride refuses the override of who began the closing before anything is posted.
func (c *Closing) mayOverride(ctx context.Context, r MonthRequest, closed *YearClosed) error {
	if !slices.ContainsFunc(closed.Month.Items, func(i Item) bool { return i.State == Open }) {
		return nil
	}
	page, err := c.journal.Periods(ctx, ledger.PeriodQuery{Book: closed.Book, From: r.Month, To: r.Month})
	if err != nil {
		return err
	}
	for _, p := range page.Periods {
		if p.Last == nil {
			continue
		}
		done := fmt.Sprintf("the closing of period %s of book %s was begun", r.Month, closed.Book)
		if err := accounts.SecondPerson(p.Last.By, r.By, done, "override its checklist"); err != nil {
			return err
		}
	}
	return nil
}

// standing is what stands on an account of income or expense, debits less credits.
type standing struct {
	account accounts.Account
	section accounts.Section
	balance accounts.Fen
}

// standings are the accounts of income and expense of a book that are not zero
// at the end of the month, by fund.
func (c *Closing) standings(ctx context.Context, book accounts.Book, month accounts.Month) (map[string][]standing, error) {
	if _, err := c.journal.CatchUp(ctx); err != nil {
		return nil, err
	}
	moves, _, err := c.journal.Turnovers(ctx, ledger.TurnoverQuery{Filter: ledger.Filter{Book: book}, From: month, To: month})
	if err != nil {
		return nil, err
	}
	open := map[string][]standing{}
	for _, t := range moves {
		layout := c.book.Statements.Layout(accounts.IncomeStatement, book.Role(), t.Account.Fund, month.Last())
		if layout == nil {
			return nil, fault.New(fault.NotFound, "there is no income statement for fund %s of book %s: run fundledger setup again", t.Account.Fund, book)
		}
		if row, ok := layout.Of(t.Account.Subject, accounts.Income, accounts.Expense); ok && t.Closing() != 0 {
			open[t.Account.Fund] = append(open[t.Account.Fund], standing{t.Account, row.Section, t.Closing()})
		}
	}
	return open, nil
}

// entries drafts the entry of each fund that has something to carry over.
func (c *Closing) entries(ctx context.Context, book accounts.Book, month accounts.Month, by string) ([]ledger.Entry, []FundClosed, error) {
	open, err := c.standings(ctx, book, month)
	if err != nil {
		return nil, nil, err
	}
	var entries []ledger.Entry
	var funds []FundClosed
	for _, fund := range c.book.Funds {
		list := open[fund.Code]
		if len(list) == 0 {
			continue
		}
		event, err := c.event(book, fund.Code, month)
		if err != nil {
			return nil, nil, err
		}
		postings, closed, err := c.draft(book, fund.Code, event, month, list)
		if err != nil {
			return nil, nil, err
		}
		key, err := c.freeKey(ctx, fmt.Sprintf("year_end/%d/%s/%s", month.Year(), book, fund.Code))
		if err != nil {
			return nil, nil, err
		}
		entries = append(entries, ledger.Entry{
			Key: key, Date: month.Last(), Period: month, Kind: event, Summary: fmt.Sprintf("%d 年年终结转", month.Year()),
			Source: fmt.Sprintf("年结 %d", month.Year()), Preparer: by, Postings: postings,
		})
		funds = append(funds, closed)
	}
	return entries, funds, nil
}

func (c *Closing) event(book accounts.Book, fund string, month accounts.Month) (string, error) {
	if book.Role() == accounts.Finance {
		return eventFinance, nil
	}
	split, err := c.book.Policy.Find(policySplitFunds, month.Last())
	if err != nil {
		return "", err
	}
	if slices.Contains(strings.Split(split.Value, ","), fund) {
		return eventSplit, nil
	}
	return eventAgency, nil
}

// draft gives the posting table the amount that each of its lines closes.
func (c *Closing) draft(book accounts.Book, fund, event string, month accounts.Month, list []standing) ([]ledger.Posting, FundClosed, error) {
	amounts := map[string][]ledger.Part{}
	left := map[string]standing{}
	closed := FundClosed{Fund: fund}
	for _, s := range list {
		left[s.account.Subject] = s
		if s.section == accounts.Income {
			closed.Income -= s.balance
		} else {
			closed.Expense += s.balance
		}
	}
	for _, rule := range c.book.Postings.Event(event, month.Last()) {
		s, ok := left[rule.Subject]
		if ok = ok && s.account.Counterparty == ""; !ok {
			if _, known := amounts[rule.Amount]; !known {
				amounts[rule.Amount] = ledger.Total(0)
			}
			continue
		}
		amount := s.balance // stands on the debit side, so a credit closes it
		if rule.Side == accounts.Debit {
			amount = -amount
		}
		amounts[rule.Amount] = ledger.Total(amount)
		delete(left, rule.Subject)
	}
	for _, s := range list {
		if _, ok := left[s.account.Subject]; ok {
			return nil, closed, fault.New(fault.Precondition, "the posting table (%s) does not close %s, which stands at %s: add a line for it, or post it away", event, s.account, s.balance).
				With("account", s.account.String())
		}
	}
	postings, err := ledger.Draft(c.book, ledger.Facts{
		Event: event, Date: month.Last(), Fund: fund, Regions: map[string]string{"H": book.Region()}, Amounts: amounts,
	})
	return postings, closed, err
}

// freeKey is the first key of the series that no entry has: a second one is
// needed for what was posted after the month was reopened.
func (c *Closing) freeKey(ctx context.Context, series string) (string, error) {
	for n := 1; ; n++ {
		key := fmt.Sprintf("%s/%d", series, n)
		_, err := c.journal.Entry(ctx, ledger.EntryID(key))
		if fault.KindOf(err) == fault.NotFound {
			return key, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// mustBeCarried finds income and expense in a year that is closed, which an
// adjustment could leave that was posted while the month was being closed.
func (c *Closing) mustBeCarried(ctx context.Context, book accounts.Book, month accounts.Month) error {
	open, err := c.standings(ctx, book, month)
	if err != nil || len(open) == 0 {
		return err
	}
	for _, fund := range c.book.Funds {
		for _, s := range open[fund.Code] {
			return fault.New(fault.Precondition, "%s of book %s is closed, and %s stands at %s: let another person reopen it, and close the year again", month, book, s.account, s.balance).
				With("account", s.account.String())
		}
	}
	return nil
}

// yearItem is the point of the checklist that income and expense are closed.
const yearItem = "year_end"

func (c *Closing) yearItem(ctx context.Context, book accounts.Book, month accounts.Month) (Item, error) {
	open, err := c.standings(ctx, book, month)
	if err != nil {
		return Item{}, err
	}
	var details []string
	for _, fund := range c.book.Funds {
		if n := len(open[fund.Code]); n > 0 {
			details = append(details, fmt.Sprintf("income and expense of fund %s are not carried over (%d subjects): close the year %d", fund.Code, n, month.Year()))
		}
	}
	return itemOf(yearItem, "年终结转 Income and expense are carried over", details), nil
}
