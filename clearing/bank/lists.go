package bank

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing/bank/internal/db"
	"fundledger/internal/paging"
)

// Statements lists the statements of a bank account, by day, with where they do
// not continue each other.
func (d *Desk) Statements(ctx context.Context, number string) (list []Statement, open []Gap, err error) {
	err = d.store.Read(ctx, func(r accounts.Reader) (err error) {
		list, err = readStatements(ctx, db.New(r), number)
		return err
	})
	return list, gaps(list), err
}

// LineQuery selects a page of the lines of a bank account.
type LineQuery struct {
	Account   string
	From, To  civil.Date // both inclusive; zero is no bound
	OpenOnly  bool       // those that are not matched
	PageSize  int        // at most 1000; 0 means 100
	PageToken string
}

// LinePage is a page of lines, by day and serial number.
type LinePage struct {
	Lines         []Line `json:"lines"`
	NextPageToken string `json:"next_page_token,omitempty"`
}

// lastDay lies behind every statement.
var lastDay = civil.Date{Year: 9999, Month: 12, Day: 31}

// Lines lists lines of statements. Errors: Invalid (page).
func (d *Desk) Lines(ctx context.Context, query LineQuery) (*LinePage, error) {
	size, err := paging.Size(query.PageSize, "lines")
	if err != nil {
		return nil, err
	}
	p := db.PageOfBankLinesParams{Account: query.Account, FromDay: dateParam(firstDay), ToDay: dateParam(lastDay), OpenOnly: query.OpenOnly,
		AfterDay: dateParam(firstDay), Page: int32(size) + 1}
	if !query.From.IsZero() {
		p.FromDay = dateParam(query.From)
	}
	if !query.To.IsZero() {
		p.ToDay = dateParam(query.To)
	}
	if query.PageToken != "" { // day and serial number of the last line
		day, serial, _ := strings.Cut(query.PageToken, "|")
		after, err := accounts.ParseDate(day)
		if err != nil {
			return nil, paging.BadToken(query.PageToken, "a list of bank lines")
		}
		p.AfterDay, p.AfterSerial = dateParam(after), serial
	}
	page := &LinePage{Lines: []Line{}}
	err = d.store.Read(ctx, func(r accounts.Reader) error {
		rows, err := db.New(r).PageOfBankLines(ctx, p)
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = civil.DateOf(rows[size-1].EntryDate).String() + "|" + rows[size-1].Serial
		}
		for _, row := range rows {
			page.Lines = append(page.Lines, lineOf(db.ListBankLinesRow(row)))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// Alert is a line of a statement that nobody can explain: it has stayed without a
// line of the books for as long as the policy allows.
type Alert struct {
	Book accounts.Book `json:"book"`
	Line
	Kind Kind `json:"kind"`
	Age  int  `json:"age"` // days
}

// Alerts lists the lines of all bank accounts, or of one, that nobody can explain
// as of a day, the oldest first; those of the regions where they are given. Errors:
// NotFound (the policy has no value for the day).
func (d *Desk) Alerts(ctx context.Context, number string, on civil.Date, regions []string) ([]Alert, error) {
	patience, err := d.book.Policy.Int(unexplainedDays, on)
	if err != nil {
		return nil, err
	}
	list, err := d.Accounts(ctx, civil.Date{})
	if err != nil {
		return nil, err
	}
	alerts := []Alert{}
	for i, a := range list {
		if a.From.After(on) || i+1 < len(list) && list[i+1].Number == a.Number && !list[i+1].From.After(on) {
			continue // the last version counts, of an account that has ended too
		}
		if number != "" && a.Number != number || regions != nil && !slices.Contains(regions, a.Book.Region()) {
			continue
		}
		for query := (LineQuery{Account: a.Number, To: on.AddDays(-patience), OpenOnly: true, PageSize: paging.Largest}); ; {
			page, err := d.Lines(ctx, query)
			if err != nil {
				return nil, err
			}
			for _, l := range page.Lines {
				alert := Alert{Book: a.Book, Line: l, Kind: BankIn, Age: on.DaysSince(l.Date)}
				if l.Signed() < 0 {
					alert.Kind = BankOut
				}
				alerts = append(alerts, alert)
			}
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				break
			}
		}
	}
	slices.SortStableFunc(alerts, func(a, b Alert) int { return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.Account, b.Account)) })
	return alerts, nil
}
