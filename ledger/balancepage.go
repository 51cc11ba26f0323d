package ledger

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/paging"
	"fundledger/ledger/internal/db"
)

// BalanceQuery selects a page of balances.
type BalanceQuery struct {
	Filter
	AsOf
	Regions     []string       // whose books may be seen; nil is all
	RollUp      *RollupOptions // sums by the hierarchy of subjects; nil: the accounts themselves
	IncludeZero bool           // those whose balance is 0.00 too
	PageSize    int            // at most 1000; 0 means 100
	PageToken   string
}

// BalancePage is a page of balances, all pages at the position of the first one.
type BalancePage struct {
	Balances      []Balance `json:"balances"`
	NextPageToken string    `json:"next_page_token,omitempty"`
	Position      Position  `json:"position"`
}

// scanAccounts bounds the accounts that one page looks at where those of 0.00
// are left out.
const scanAccounts = 10_000

// PageOfBalances lists balances in order of account, or sums with each heading
// before what it sums. The token holds the position that the first page was
// read at, and the pages that follow show the same state, whatever is posted in
// between; Reserved alone is of the moment of each page, and given where the
// balances of now are wanted. A page can hold fewer balances than asked and
// still have a next one. Errors: Invalid, NotFound (no such book, or the
// journal is shorter than a position that is asked).
func (j *Journal) PageOfBalances(ctx context.Context, query BalanceQuery) (*BalancePage, error) {
	size, err := paging.Size(query.PageSize, "balances")
	if err != nil {
		return nil, err
	}
	if err := query.Filter.check(); err != nil {
		return nil, err
	}
	if err := query.AsOf.check(); err != nil {
		return nil, err
	}
	r := balanceReader{query: &query}
	if r.books, err = j.booksIn(query.Book, query.Regions); err != nil {
		return nil, err
	}
	at, after := query.Position, ""
	switch {
	case query.PageToken != "":
		if at, after, err = parseBalanceToken(query.PageToken); err != nil {
			return nil, err
		}
	case !query.PostedAt.IsZero():
		if at, err = j.positionAt(ctx, query.PostedAt); err != nil || at == 0 {
			return &BalancePage{Balances: []Balance{}}, err
		}
	}
	var page *BalancePage
	err = j.read(ctx, func(q *db.Queries) error {
		head, err := projected(ctx, q, max(at, query.AtLeast))
		if err != nil {
			return err
		}
		if r.at = at; at == 0 {
			r.at = head
		}
		r.q = q
		page, err = r.page(ctx, after, size)
		return err
	})
	return page, err
}

// balanceReader reads balances at a position.
type balanceReader struct {
	query *BalanceQuery
	books []string // nil: all
	at    Position
	q     *db.Queries
}

func (r *balanceReader) page(ctx context.Context, after string, size int) (*BalancePage, error) {
	page := &BalancePage{Balances: []Balance{}, Position: r.at}
	if r.query.RollUp != nil {
		sums, err := r.sums(ctx, after)
		if err != nil {
			return nil, err
		}
		if len(sums) > size {
			sums = sums[:size]
			page.NextPageToken = balanceToken(r.at, sums[size-1].Account.String())
		}
		page.Balances = append(page.Balances, sums...)
		return page, nil
	}
	for looked := 0; ; {
		balances, last, err := r.next(ctx, after, size)
		if err != nil {
			return nil, err
		}
		for _, b := range balances {
			if len(page.Balances) == size {
				page.NextPageToken = balanceToken(r.at, page.Balances[size-1].Account.String())
				return page, nil
			}
			page.Balances = append(page.Balances, b)
		}
		if last == "" {
			return page, nil
		}
		if looked += size; looked >= scanAccounts {
			page.NextPageToken = balanceToken(r.at, last)
			return page, nil
		}
		after = last
	}
}

// next reads the balances of the next so many accounts, and returns the last of these
// accounts, or "" when no more follow.
func (r *balanceReader) next(ctx context.Context, after string, many int) (balances []Balance, last string, err error) {
	rows, err := r.q.PageOfBalancesAt(ctx, db.PageOfBalancesAtParams{
		After: after, AllBooks: r.books == nil, Books: r.books, Fund: r.query.Fund, Subject: r.query.Subject,
		Counterparty: r.query.Counterparty, Page: int32(many), Position: int64(r.at),
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) == many {
		last = rows[many-1].Account
	}
	var until map[string]*dayTurnover
	if date := r.query.AsOf.Date; !date.IsZero() {
		if until, err = r.untilDate(ctx, rows, date); err != nil {
			return nil, "", err
		}
	}
	now := r.query.AsOf.Date.IsZero() && r.query.Position == 0 && r.query.PostedAt.IsZero()
	for _, row := range rows {
		debit, credit := accounts.Fen(row.DebitFen), accounts.Fen(row.CreditFen)
		switch t := until[row.Account]; {
		case !row.Found:
			continue
		case until == nil:
			if err := addLines(row.Lines, r.at, &debit, &credit); err != nil {
				return nil, "", err
			}
		case t == nil: // nothing by that date
			continue
		default:
			debit, credit = t.debit, t.credit
		}
		b, err := balanceOf(row.Account, debit, credit)
		if err != nil {
			return nil, "", err
		}
		if now {
			b.Reserved = accounts.Fen(row.ReservedFen)
		}
		if b.Balance != 0 || r.query.IncludeZero || r.query.RollUp != nil {
			balances = append(balances, b)
		}
	}
	return balances, last, nil
}

// untilDate sums the turnover of the accounts up to and with the date, as of
// the reader's position: that of now, less the lines that stand behind it.
func (r *balanceReader) untilDate(ctx context.Context, rows []db.PageOfBalancesAtRow, date civil.Date) (map[string]*dayTurnover, error) {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Account
	}
	until := make(map[string]*dayTurnover, len(rows))
	month := string(accounts.MonthOf(date))
	months, err := r.q.MonthsUntil(ctx, db.MonthsUntilParams{Accounts: names, Month: month})
	if err != nil {
		return nil, err
	}
	for _, m := range months {
		debit, credit := accounts.Fen(m.DebitFen), accounts.Fen(m.CreditFen)
		if m.Month == month {
			if debit, credit, err = daysUntil(m.Account, m.Days, date); err != nil {
				return nil, err
			}
		}
		if until[m.Account] == nil {
			until[m.Account] = &dayTurnover{}
		}
		t := until[m.Account]
		t.debit, t.credit = t.debit+debit, t.credit+credit
	}
	behind, err := r.q.LinesBehind(ctx, db.LinesBehindParams{Accounts: names, Position: int64(r.at)})
	if err != nil {
		return nil, err
	}
	for _, block := range behind {
		lines, err := decodeLines(block.Lines)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if l.position > r.at && !l.date.After(date) {
				l.amount = -l.amount
				t := until[block.Account]
				l.turnover(&t.debit, &t.credit)
			}
		}
	}
	return until, nil
}

// sums reads all balances, sums them up and returns the sums that come after
// the account.
func (r *balanceReader) sums(ctx context.Context, after string) ([]Balance, error) {
	var all []Balance
	for last := ""; ; {
		balances, next, err := r.next(ctx, last, paging.Largest)
		if err != nil {
			return nil, err
		}
		all = append(all, balances...)
		if last = next; next == "" {
			break
		}
	}
	sums := rollUp(all, *r.query.RollUp)
	if after != "" {
		account, err := accounts.ParseAccount(after)
		if err != nil {
			return nil, paging.BadToken(r.query.PageToken, "a list of balances")
		}
		sums = slices.DeleteFunc(sums, func(b Balance) bool { return compareAccounts(b.Account, account) <= 0 })
	}
	return slices.DeleteFunc(sums, func(b Balance) bool { return b.Balance == 0 && !r.query.IncludeZero }), nil
}

func balanceToken(at Position, account string) string {
	return strconv.FormatInt(int64(at), 10) + ":" + account
}

func parseBalanceToken(token string) (at Position, after string, err error) {
	number, after, ok := strings.Cut(token, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 1 || after == "" {
		return 0, "", paging.BadToken(token, "a list of balances")
	}
	return Position(n), after, nil
}
