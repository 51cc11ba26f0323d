package ledger

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger/internal/db"
)

// Period is a month of a book and its last change, nil where there was none.
type Period struct {
	Book  accounts.Book  `json:"book"`
	Month accounts.Month `json:"month"`
	State PeriodState    `json:"state"`
	Last  *PeriodEvent   `json:"last,omitempty"`
}

// PeriodQuery selects a page of periods; an empty field selects all.
type PeriodQuery struct {
	Book    accounts.Book
	Regions []string // whose books may be seen; nil is all
	// From and To are inclusive. From empty is the first month of each book, To
	// the last one that has a change, a voucher or an entry of a business date
	// in it.
	From, To  accounts.Month
	State     PeriodState
	AtLeast   Position // that the answer must have seen
	PageSize  int      // at most 1000; 0 means 100
	PageToken string
}

// PeriodPage is a page of periods, by book and month.
type PeriodPage struct {
	Periods       []Period `json:"periods"`
	NextPageToken string   `json:"next_page_token,omitempty"`
	Position      Position `json:"position"`
}

// Periods lists the months of books with their states; books that were never
// opened have none. Errors: Invalid, NotFound (no such book, or the journal is
// shorter than a position that is asked).
func (j *Journal) Periods(ctx context.Context, query PeriodQuery) (*PeriodPage, error) {
	size, err := paging.Size(query.PageSize, "periods")
	if err != nil {
		return nil, err
	}
	for _, m := range []accounts.Month{query.From, query.To} {
		if m == "" {
			continue
		}
		if _, err := accounts.ParseMonth(string(m)); err != nil {
			return nil, err
		}
	}
	books, err := j.booksIn(query.Book, query.Regions)
	if err != nil {
		return nil, err
	}
	if books == nil {
		for b := range j.rules().books {
			books = append(books, string(b))
		}
		slices.Sort(books)
	}
	from, after, err := parsePeriodToken(query.PageToken)
	if err != nil {
		return nil, err
	}
	books = slices.DeleteFunc(books, func(b string) bool { return b < from })
	var page *PeriodPage
	err = j.read(ctx, func(q *db.Queries) error {
		page = &PeriodPage{Periods: []Period{}}
		if page.Position, err = projected(ctx, q, query.AtLeast); err != nil {
			return err
		}
		list, err := readPeriodList(ctx, q, books)
		if err != nil {
			return err
		}
		for _, book := range books {
			begin := query.From
			if book == from {
				begin = max(begin, after.Add(1))
			}
			for p := range list.of(accounts.Book(book), begin, query.To, query.State) {
				if len(page.Periods) == size {
					last := page.Periods[size-1]
					page.NextPageToken = string(last.Book) + ":" + string(last.Month)
					return nil
				}
				page.Periods = append(page.Periods, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// periodList is what is known of the months of books.
type periodList struct {
	*periods
	events map[accounts.Book]map[accounts.Month]*PeriodEvent // the last ones
	last   map[accounts.Book]accounts.Month
}

func readPeriodList(ctx context.Context, q *db.Queries, books []string) (*periodList, error) {
	names := make([]accounts.Book, len(books))
	for i, b := range books {
		names[i] = accounts.Book(b)
	}
	known, err := readPeriods(ctx, q, names)
	if err != nil {
		return nil, err
	}
	l := &periodList{known, map[accounts.Book]map[accounts.Month]*PeriodEvent{}, map[accounts.Book]accounts.Month{}}
	for book, months := range known.state {
		for m := range months {
			l.last[book] = max(l.last[book], m)
		}
	}
	rows, err := q.LastPeriodEvents(ctx, books)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		e := periodEventOf(r)
		if l.events[e.Book] == nil {
			l.events[e.Book] = map[accounts.Month]*PeriodEvent{}
		}
		l.events[e.Book][e.Month] = &e
	}
	months, err := q.LastMonths(ctx, books)
	for _, m := range months {
		book := accounts.Book(m.Book)
		l.last[book] = max(l.last[book], accounts.Month(m.Voucher), accounts.Month(m.Turnover))
	}
	return l, err
}

// of yields the months of a book in their order. Months behind the last one
// that has anything are open, so they end the list where another state is wanted.
func (l *periodList) of(book accounts.Book, from, to accounts.Month, state PeriodState) func(yield func(Period) bool) {
	return func(yield func(Period) bool) {
		opened, ok := l.opened[book]
		if !ok {
			return
		}
		if last := l.last[book]; to == "" || (to > last && state != "" && state != PeriodOpen) {
			to = last
		}
		for m := max(from, opened); m <= to; m = m.Add(1) {
			p := Period{Book: book, Month: m, State: l.stateOf(book, m), Last: l.events[book][m]}
			if (state == "" || p.State == state) && !yield(p) {
				return
			}
		}
	}
}

func parsePeriodToken(token string) (of string, month accounts.Month, err error) {
	if token == "" {
		return "", "", nil
	}
	of, text, _ := strings.Cut(token, ":")
	if month, err = accounts.ParseMonth(text); err != nil || of == "" {
		return "", "", paging.BadToken(token, "a list of periods")
	}
	return of, month, nil
}

// PeriodEventQuery selects a page of the changes of a book's periods.
type PeriodEventQuery struct {
	Book      accounts.Book
	Month     accounts.Month // empty: every one
	AtLeast   Position       // that the answer must have seen
	PageSize  int            // at most 1000; 0 means 100
	PageToken string
}

// PeriodEventPage is a page of changes, by month and number.
type PeriodEventPage struct {
	Events        []PeriodEvent `json:"events"`
	NextPageToken string        `json:"next_page_token,omitempty"`
	Position      Position      `json:"position"`
}

// PeriodEvents lists the changes of a book's periods. Errors as of Periods.
func (j *Journal) PeriodEvents(ctx context.Context, query PeriodEventQuery) (*PeriodEventPage, error) {
	size, err := paging.Size(query.PageSize, "changes")
	if err != nil {
		return nil, err
	}
	if !j.rules().books[query.Book] {
		return nil, fault.New(fault.NotFound, "there is no book %s", query.Book).With("book", string(query.Book))
	}
	text, after, err := parsePeriodToken(query.PageToken)
	number := int64(0)
	if err == nil && query.PageToken != "" {
		number, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		return nil, paging.BadToken(query.PageToken, "a list of changes of periods")
	}
	var page *PeriodEventPage
	err = j.read(ctx, func(q *db.Queries) error {
		page = &PeriodEventPage{Events: []PeriodEvent{}}
		if page.Position, err = projected(ctx, q, query.AtLeast); err != nil {
			return err
		}
		rows, err := q.PageOfPeriodEvents(ctx, db.PageOfPeriodEventsParams{
			Book: string(query.Book), Month: string(query.Month), AfterMonth: string(after), AfterNumber: number, Page: int32(size) + 1,
		})
		if len(rows) > size {
			rows = rows[:size]
			last := rows[size-1]
			page.NextPageToken = strconv.FormatInt(last.Number, 10) + ":" + last.Month
		}
		for _, r := range rows {
			page.Events = append(page.Events, periodEventOf(r))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}
