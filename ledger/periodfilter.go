package ledger

import (
	"context"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// periodFilter selects the lines of an account by the accounting periods of
// their entries. Where nothing of the account was shifted, the month of the
// business date is the period; elsewhere the entries are asked. Nil takes all.
type periodFilter struct {
	from, to accounts.Month
	months   map[accounts.Month]bool // of which something is shifted: whether into the periods
	known    map[uuid.UUID]accounts.Month
}

func (query StatementQuery) periods(ctx context.Context, q *db.Queries, account string) (*periodFilter, error) {
	if query.FromPeriod == "" && query.ToPeriod == "" {
		return nil, nil
	}
	f := &periodFilter{from: query.FromPeriod, to: query.ToPeriod, months: map[accounts.Month]bool{}}
	for _, m := range []accounts.Month{f.from, f.to} {
		if m == "" {
			continue
		}
		if _, err := accounts.ParseMonth(string(m)); err != nil {
			return nil, err
		}
	}
	if f.to != "" && f.to < f.from {
		return nil, fault.New(fault.Invalid, "the periods end in %s, before they begin in %s", f.to, f.from).With("field", "to_period")
	}
	rows, err := q.ShiftsOfAccount(ctx, account)
	for _, r := range rows {
		month := accounts.Month(r.Month)
		f.months[month] = f.months[month] || f.within(accounts.Month(r.Period))
	}
	return f, err
}

func (f *periodFilter) within(m accounts.Month) bool {
	return m >= f.from && (f.to == "" || m <= f.to)
}

// mayTake tells whether lines of a month of business dates can be selected.
func (f *periodFilter) mayTake(month accounts.Month) bool {
	return f == nil || f.within(month) || f.months[month]
}

// look reads the periods of those lines whose dates do not tell them.
func (f *periodFilter) look(ctx context.Context, q *db.Queries, lines []accountLine) (err error) {
	if f == nil || len(f.months) == 0 {
		return nil
	}
	f.known, err = periodsOf(ctx, q, lines)
	return err
}

func (f *periodFilter) take(l accountLine) bool {
	if f == nil {
		return true
	}
	if period, ok := f.known[l.entry]; ok {
		return f.within(period)
	}
	return f.within(accounts.MonthOf(l.date))
}
