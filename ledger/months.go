package ledger

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// dayTurnover is debit and credit of one day, in fen.
type dayTurnover [2]accounts.Fen

// MarshalJSON writes fen as numbers, the form kept in the database.
func (t dayTurnover) MarshalJSON() ([]byte, error) {
	b := strconv.AppendInt([]byte{'['}, int64(t[0]), 10)
	b = strconv.AppendInt(append(b, ','), int64(t[1]), 10)
	return append(b, ']'), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *dayTurnover) UnmarshalJSON(data []byte) error {
	var fen [2]int64
	err := json.Unmarshal(data, &fen)
	t[0], t[1] = accounts.Fen(fen[0]), accounts.Fen(fen[1])
	return err
}

// accountMonth is the turnover of an account in a month of business dates.
type accountMonth struct {
	account string
	month   accounts.Month
}

// monthTurnover is its content: by day of the month, "01" to "31".
type monthTurnover map[string]dayTurnover

func (m monthTurnover) total() (t dayTurnover) {
	for _, d := range m {
		t[0], t[1] = t[0]+d[0], t[1]+d[1]
	}
	return t
}

func (p *projection) writeMonths(ctx context.Context, q *db.Queries, names []string) error {
	added := map[accountMonth]monthTurnover{}
	months := map[string]bool{}
	for name, lines := range p.lines {
		for _, l := range lines {
			day := l.date.String()
			key := accountMonth{name, accounts.Month(day[:7])}
			if added[key] == nil {
				added[key] = monthTurnover{}
				months[string(key.month)] = true
			}
			t := added[key][day[8:]]
			l.turnover(&t[0], &t[1])
			added[key][day[8:]] = t
		}
	}
	rows, err := q.ReadMonths(ctx, db.ReadMonthsParams{Accounts: names, Months: slices.Sorted(maps.Keys(months))})
	if err != nil {
		return err
	}
	for _, r := range rows {
		days := added[accountMonth{r.Account, accounts.Month(r.Month)}]
		if days == nil {
			continue
		}
		var before monthTurnover
		if err := json.Unmarshal(r.Days, &before); err != nil {
			return fault.New(fault.Internal, "the turnover of %s in %s cannot be read: %w", r.Account, r.Month, err)
		}
		for day, t := range before {
			days[day] = dayTurnover{days[day][0] + t[0], days[day][1] + t[1]}
		}
	}
	var arg db.WriteMonthsParams
	for _, name := range names {
		for _, month := range slices.Sorted(maps.Keys(months)) {
			days, ok := added[accountMonth{name, accounts.Month(month)}]
			if !ok {
				continue
			}
			data, err := json.Marshal(days)
			if err != nil {
				return err
			}
			total := days.total()
			arg.Accounts, arg.Months = append(arg.Accounts, name), append(arg.Months, month)
			arg.Debits, arg.Credits = append(arg.Debits, int64(total[0])), append(arg.Credits, int64(total[1]))
			arg.Days = append(arg.Days, string(data))
		}
	}
	return q.WriteMonths(ctx, arg)
}
