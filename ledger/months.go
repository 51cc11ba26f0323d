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

// dayTurnover is what the lines of one business date sum to, and the positions
// between which they stand.
type dayTurnover struct {
	debit, credit accounts.Fen
	first, last   Position
}

// line adds a line.
func (t *dayTurnover) line(l accountLine) {
	l.turnover(&t.debit, &t.credit)
	t.span(l.position, l.position)
}

// add adds the lines of another part of the journal.
func (t *dayTurnover) add(u dayTurnover) {
	t.debit, t.credit = t.debit+u.debit, t.credit+u.credit
	t.span(u.first, u.last)
}

func (t *dayTurnover) span(first, last Position) {
	if first != 0 && (t.first == 0 || first < t.first) {
		t.first = first
	}
	t.last = max(t.last, last)
}

// MarshalJSON writes [debit, credit, first, last], amounts in fen as numbers,
// the form kept in the database.
func (t dayTurnover) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for _, n := range []int64{int64(t.debit), int64(t.credit), int64(t.first), int64(t.last)} {
		b = append(strconv.AppendInt(b, n, 10), ',')
	}
	b[len(b)-1] = ']'
	return b, nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *dayTurnover) UnmarshalJSON(data []byte) error {
	var n [4]int64
	err := json.Unmarshal(data, &n)
	*t = dayTurnover{accounts.Fen(n[0]), accounts.Fen(n[1]), Position(n[2]), Position(n[3])}
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
		t.add(d)
	}
	return t
}

func decodeDays(account, month string, data []byte) (days monthTurnover, err error) {
	if err := json.Unmarshal(data, &days); err != nil {
		return nil, fault.New(fault.Internal, "the turnover of %s in %s cannot be read: %w", account, month, err)
	}
	return days, nil
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
			t.line(l)
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
		before, err := decodeDays(r.Account, r.Month, r.Days)
		if err != nil {
			return err
		}
		for day, t := range before {
			t.add(days[day])
			days[day] = t
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
			arg.Debits, arg.Credits = append(arg.Debits, int64(total.debit)), append(arg.Credits, int64(total.credit))
			arg.Days = append(arg.Days, string(data))
		}
	}
	return q.WriteMonths(ctx, arg)
}
