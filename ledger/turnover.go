package ledger

import (
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Turnover (发生额) is what moved on an account within accounting periods, and
// what had moved on it before them. Red-letter lines count negative on their
// side.
type Turnover struct {
	Account       accounts.Account `json:"account"`
	OpeningDebit  accounts.Fen     `json:"opening_debit"`
	OpeningCredit accounts.Fen     `json:"opening_credit"`
	Debit         accounts.Fen     `json:"debit"`
	Credit        accounts.Fen     `json:"credit"`
}

// Opening is debits less credits before the periods.
func (t Turnover) Opening() accounts.Fen { return t.OpeningDebit - t.OpeningCredit }

// Closing is debits less credits at their end.
func (t Turnover) Closing() accounts.Fen { return t.Opening() + t.Debit - t.Credit }

// TurnoverQuery selects accounts and accounting periods.
type TurnoverQuery struct {
	Filter
	From, To accounts.Month // both inclusive
	// AsOf is the state of the journal: now, a position or a time of posting. A
	// date makes no sense beside periods and is refused.
	AsOf
}

// Turnovers returns the turnover of the accounts that the query selects and
// that have ever moved by its last period, in order of account, and the
// position of the journal that it shows. It counts by accounting period (the
// period of the entry, not the month of its business date), so a month that
// was closed keeps its figures whatever comes late. The work grows with
// accounts and months; at a past position, also with the lines of those months
// that the position divides. Errors as of Balances.
func (j *Journal) Turnovers(ctx context.Context, query TurnoverQuery) ([]Turnover, Position, error) {
	if err := query.check(); err != nil {
		return nil, 0, err
	}
	at := query.Position
	if !query.PostedAt.IsZero() {
		var err error
		if at, err = j.positionAt(ctx, query.PostedAt); err != nil || at == 0 {
			return nil, 0, err
		}
	}
	var sums *turnovers
	seen := at
	err := j.read(ctx, func(q *db.Queries) error {
		head, err := projected(ctx, q, max(at, query.AtLeast))
		if err != nil {
			return err
		}
		if err := shiftedToo(ctx, q, head); err != nil {
			return err
		}
		if at == 0 {
			seen = head
		}
		sums = newTurnovers(query, at)
		return sums.read(ctx, q)
	})
	if err != nil {
		return nil, 0, err
	}
	list, err := sums.list()
	return list, seen, err
}

func (query TurnoverQuery) check() error {
	if err := query.Filter.check(); err != nil {
		return err
	}
	if err := query.AsOf.check(); err != nil {
		return err
	}
	if !query.AsOf.Date.IsZero() {
		return fault.New(fault.Invalid, "turnover is of accounting periods: give no date beside them").With("field", "date")
	}
	for _, m := range []accounts.Month{query.From, query.To} {
		if _, err := accounts.ParseMonth(string(m)); err != nil {
			return err
		}
	}
	if query.To < query.From {
		return fault.New(fault.Invalid, "the periods end in %s, before they begin in %s", query.To, query.From).With("field", "to")
	}
	return nil
}

// turnovers sums by account.
type turnovers struct {
	query   TurnoverQuery
	at      Position // 0: all
	of      map[string]*Turnover
	divided map[string]map[accounts.Month]bool // months of which lines stand behind at too, by account
	until   Position                           // the last of their lines
	moved   map[string]map[shift]bool          // counted shifts, by account, of which lines stand behind at too
}

func newTurnovers(query TurnoverQuery, at Position) *turnovers {
	return &turnovers{query: query, at: at, of: map[string]*Turnover{}, divided: map[string]map[accounts.Month]bool{}, moved: map[string]map[shift]bool{}}
}

// add counts an amount in a period.
func (s *turnovers) add(account string, period accounts.Month, debit, credit accounts.Fen) {
	if period > s.query.To {
		return
	}
	t := s.of[account]
	if t == nil {
		t = &Turnover{}
		s.of[account] = t
	}
	if period < s.query.From {
		t.OpeningDebit, t.OpeningCredit = t.OpeningDebit+debit, t.OpeningCredit+credit
	} else {
		t.Debit, t.Credit = t.Debit+debit, t.Credit+credit
	}
}

// behind tells whether a position stands behind the one that is wanted.
func (s *turnovers) behind(p Position) bool { return s.at != 0 && p > s.at }

func (s *turnovers) read(ctx context.Context, q *db.Queries) error {
	f := s.query.Filter
	months, err := q.ListTurnover(ctx, db.ListTurnoverParams{
		WithDays: s.at != 0, Month: "9999-12", Book: string(f.Book), Fund: f.Fund, Subject: f.Subject, Counterparty: f.Counterparty,
	})
	if err != nil {
		return err
	}
	for _, m := range months {
		if err := s.month(m); err != nil {
			return err
		}
	}
	shifts, err := q.ShiftsOf(ctx, db.ShiftsOfParams{Book: string(f.Book), Fund: f.Fund, Subject: f.Subject, Counterparty: f.Counterparty})
	if err != nil {
		return err
	}
	for _, r := range shifts {
		if s.behind(Position(r.FirstPosition)) {
			continue
		}
		key := shift{r.Account, accounts.Month(r.Month), accounts.Month(r.Period)}
		debit, credit := accounts.Fen(r.DebitFen), accounts.Fen(r.CreditFen)
		s.add(r.Account, key.month, -debit, -credit)
		s.add(r.Account, key.period, debit, credit)
		if s.behind(Position(r.LastPosition)) {
			if s.moved[r.Account] == nil {
				s.moved[r.Account] = map[shift]bool{}
			}
			s.moved[r.Account][key] = true
		}
	}
	if len(s.divided) == 0 {
		return nil
	}
	return s.takeBack(ctx, q)
}

// month counts the turnover of a month, and notes whether the position
// divides it.
func (s *turnovers) month(m db.ListTurnoverRow) error {
	month := accounts.Month(m.Month)
	if s.at != 0 {
		days, err := decodeDays(m.Account, m.Month, m.Days)
		if err != nil {
			return err
		}
		total := days.total()
		if s.behind(total.first) {
			return nil
		}
		if total.last > s.at {
			if s.divided[m.Account] == nil {
				s.divided[m.Account] = map[accounts.Month]bool{}
			}
			s.divided[m.Account][month] = true
			s.until = max(s.until, total.last)
		}
	}
	s.add(m.Account, month, accounts.Fen(m.DebitFen), accounts.Fen(m.CreditFen))
	return nil
}

// takeBack takes back what lines behind the position have counted.
func (s *turnovers) takeBack(ctx context.Context, q *db.Queries) error {
	names := make([]string, 0, len(s.divided))
	for name := range s.divided {
		names = append(names, name)
	}
	slices.Sort(names)
	blocks, err := q.BlocksBehind(ctx, db.BlocksBehindParams{Accounts: names, Position: int64(s.at), Until: int64(s.until)})
	if err != nil {
		return err
	}
	for _, block := range blocks {
		lines, err := decodeLines(block.Lines)
		if err != nil {
			return err
		}
		lines = slices.DeleteFunc(lines, func(l accountLine) bool {
			return l.position <= s.at || !s.divided[block.Account][accounts.MonthOf(l.date)]
		})
		var periods map[uuid.UUID]accounts.Month
		if s.moved[block.Account] != nil {
			if periods, err = periodsOf(ctx, q, lines); err != nil {
				return err
			}
		}
		for _, l := range lines {
			period := accounts.MonthOf(l.date)
			if of := periods[l.entry]; s.moved[block.Account][shift{block.Account, period, of}] {
				period = of
			}
			var debit, credit accounts.Fen
			l.turnover(&debit, &credit)
			s.add(block.Account, period, -debit, -credit)
		}
	}
	return nil
}

// periodsOf reads the accounting periods of the lines' entries.
func periodsOf(ctx context.Context, q *db.Queries, lines []accountLine) (map[uuid.UUID]accounts.Month, error) {
	ids := make([]uuid.UUID, len(lines))
	for i, l := range lines {
		ids[i] = l.entry
	}
	rows, err := q.PeriodsOf(ctx, ids)
	periods := make(map[uuid.UUID]accounts.Month, len(rows))
	for _, r := range rows {
		periods[r.ID] = accounts.Month(r.Period)
	}
	return periods, err
}

func (s *turnovers) list() ([]Turnover, error) {
	list := make([]Turnover, 0, len(s.of))
	for name, t := range s.of {
		var err error
		if t.Account, err = accounts.ParseAccount(name); err != nil {
			return nil, err
		}
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b Turnover) int { return compareAccounts(a.Account, b.Account) })
	return list, nil
}

// DayTurnover is what moved on an account on a business date.
type DayTurnover struct {
	Account       accounts.Account
	Date          civil.Date
	Debit, Credit accounts.Fen
}

// TurnoverByDay returns the turnover of each business date up to and with
// until of the accounts that the filter selects, by account and date, and the
// position that it shows: that of as, which takes no date. The work grows with
// accounts and days; at a past position, also with the lines behind it. Errors
// as of Balances.
func (j *Journal) TurnoverByDay(ctx context.Context, filter Filter, until civil.Date, as AsOf) ([]DayTurnover, Position, error) {
	month := accounts.MonthOf(until)
	if err := (TurnoverQuery{filter, month, month, as}).check(); err != nil {
		return nil, 0, err
	}
	at := as.Position
	if !as.PostedAt.IsZero() {
		var err error
		if at, err = j.positionAt(ctx, as.PostedAt); err != nil || at == 0 {
			return nil, 0, err
		}
	}
	var days []DayTurnover
	seen := at
	err := j.read(ctx, func(q *db.Queries) error {
		head, err := projected(ctx, q, max(at, as.AtLeast))
		if err != nil {
			return err
		}
		if at == 0 {
			seen = head
		}
		days, err = turnoverByDay(ctx, q, filter, until, at)
		return err
	})
	return days, seen, err
}

func turnoverByDay(ctx context.Context, q *db.Queries, f Filter, until civil.Date, at Position) ([]DayTurnover, error) {
	rows, err := q.ListTurnover(ctx, db.ListTurnoverParams{
		WithDays: true, Month: string(accounts.MonthOf(until)), Book: string(f.Book), Fund: f.Fund, Subject: f.Subject, Counterparty: f.Counterparty,
	})
	if err != nil {
		return nil, err
	}
	type place struct {
		account string
		date    civil.Date
	}
	sums := map[place]*dayTurnover{}
	divided, end := map[string]bool{}, Position(0)
	for _, r := range rows {
		days, err := decodeDays(r.Account, r.Month, r.Days)
		if err != nil {
			return nil, err
		}
		for day, t := range days {
			date, err := civil.ParseDate(r.Month + "-" + day)
			if err != nil {
				return nil, fault.New(fault.Internal, "the turnover of %s in %s cannot be read: %w", r.Account, r.Month, err)
			}
			if date.After(until) || at != 0 && t.first > at {
				continue
			}
			if at != 0 && t.last > at {
				divided[r.Account], end = true, max(end, t.last)
			}
			sums[place{r.Account, date}] = &t
		}
	}
	if len(divided) > 0 {
		names := make([]string, 0, len(divided))
		for name := range divided {
			names = append(names, name)
		}
		blocks, err := q.BlocksBehind(ctx, db.BlocksBehindParams{Accounts: names, Position: int64(at), Until: int64(end)})
		if err != nil {
			return nil, err
		}
		for _, block := range blocks {
			lines, err := decodeLines(block.Lines)
			if err != nil {
				return nil, err
			}
			for _, l := range lines {
				if t := sums[place{block.Account, l.date}]; t != nil && l.position > at && t.last > at {
					l.amount = -l.amount
					l.turnover(&t.debit, &t.credit)
				}
			}
		}
	}
	list := make([]DayTurnover, 0, len(sums))
	for p, t := range sums {
		account, err := accounts.ParseAccount(p.account)
		if err != nil {
			return nil, err
		}
		list = append(list, DayTurnover{account, p.date, t.debit, t.credit})
	}
	slices.SortFunc(list, func(a, b DayTurnover) int {
		if c := compareAccounts(a.Account, b.Account); c != 0 {
			return c
		}
		return a.Date.Compare(b.Date)
	})
	return list, nil
}
