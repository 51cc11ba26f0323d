package statement

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// movement is what stood and moved on the accounts of a book and fund: opening
// balances that were brought in within the periods count as standing before
// them, and what closed a year is kept apart, so that income and expense of a
// year can be told after they were closed too.
type movement struct {
	position ledger.Position
	moves    []ledger.Turnover
	closed   map[accounts.Account]ledger.Turnover // by the entries that closed a year
	closings map[uuid.UUID]bool                   // these entries
	opening  uuid.UUID                            // the entry of the opening balances
	opened   accounts.Month                       // and its period, where it is one of these
}

// moved tells whether the entry is not that of the opening balances.
func (m *movement) moved(entry uuid.UUID) bool { return entry != m.opening }

const (
	openingKind  = "opening"
	yearEndKind  = "year_end."
	reversalKind = "reversal"
)

// movement reads the periods of the query.
func (s *Statements) movement(ctx context.Context, q Query) (*movement, error) {
	if err := s.check(q); err != nil {
		return nil, err
	}
	filter := ledger.Filter{Book: q.Book, Fund: q.Fund}
	m := &movement{closed: map[accounts.Account]ledger.Turnover{}, closings: map[uuid.UUID]bool{}}
	var err error
	m.moves, m.position, err = s.journal.Turnovers(ctx, ledger.TurnoverQuery{Filter: filter, From: q.From, To: q.To, AsOf: q.AsOf})
	if err != nil || m.position == 0 {
		return m, err
	}
	if err := s.takeOpening(ctx, q, m); err != nil {
		return nil, err
	}
	return m, s.takeClosings(ctx, q, m)
}

// takeOpening counts the opening balances as standing before the periods.
func (s *Statements) takeOpening(ctx context.Context, q Query, m *movement) error {
	record, err := s.journal.Entry(ctx, ledger.EntryID(openingKind+"/"+string(q.Book)+"/"+q.Fund))
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return nil
	case err != nil:
		return err
	case record.Position == 0 || record.Position > m.position || record.Period < q.From || record.Period > q.To:
		return nil
	}
	m.opening, m.opened = record.ID, record.Period
	sums := sumOf(record)
	for i := range m.moves {
		t := &m.moves[i]
		sum := sums[t.Account]
		t.OpeningDebit, t.OpeningCredit = t.OpeningDebit+sum.Debit, t.OpeningCredit+sum.Credit
		t.Debit, t.Credit = t.Debit-sum.Debit, t.Credit-sum.Credit
	}
	return nil
}

// takeClosings finds the entries that closed a year, and their reversals, by
// the lines that they have on 基金结余 in its last month.
func (s *Statements) takeClosings(ctx context.Context, q Query, m *movement) error {
	layout, err := s.layout(accounts.IncomeStatement, q)
	if err != nil {
		return err
	}
	for december := january(q.From).Add(11); december <= q.To; december = december.Add(12) {
		for i := range m.moves {
			if !layout.Surplus(m.moves[i].Account.Subject) {
				continue
			}
			if err := s.closingsOn(ctx, m, m.moves[i].Account, december); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Statements) closingsOn(ctx context.Context, m *movement, account accounts.Account, december accounts.Month) error {
	query := ledger.StatementQuery{FromPeriod: december, ToPeriod: december, Until: m.position, PageSize: 1000}
	for {
		page, err := s.journal.Statement(ctx, account, query)
		if err != nil {
			return err
		}
		for _, l := range page.Lines {
			closes := strings.HasPrefix(l.Kind, yearEndKind)
			if m.closings[l.Entry] || !closes && l.Kind != reversalKind {
				continue
			}
			record, err := s.journal.Entry(ctx, l.Entry)
			if err == nil && !closes {
				closes, err = s.reversesClosing(ctx, record)
			}
			if err != nil {
				return err
			}
			if closes {
				m.take(record, account)
			}
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return nil
		}
	}
}

// reversesClosing tells whether a reversal takes back what closed a year, or
// a reversal of it.
func (s *Statements) reversesClosing(ctx context.Context, record *ledger.Record) (bool, error) {
	for record.Corrects.Valid {
		original, err := s.journal.Entry(ctx, record.Corrects.UUID)
		if err != nil {
			return false, err
		}
		if strings.HasPrefix(original.Kind, yearEndKind) {
			return true, nil
		}
		record = original
	}
	return false, nil
}

// take counts an entry that closes a year in the book and fund of the account.
func (m *movement) take(record *ledger.Record, of accounts.Account) {
	m.closings[record.ID] = true
	for account, sum := range sumOf(record) {
		if account.Book == of.Book && account.Fund == of.Fund {
			t := m.closed[account]
			t.Debit, t.Credit = t.Debit+sum.Debit, t.Credit+sum.Credit
			m.closed[account] = t
		}
	}
}

// sumOf sums the lines of an entry by account.
func sumOf(record *ledger.Record) map[accounts.Account]ledger.Turnover {
	sums := map[accounts.Account]ledger.Turnover{}
	for _, p := range record.Postings {
		t := sums[p.Account]
		if p.Side == accounts.Debit {
			t.Debit += p.Amount
		} else {
			t.Credit += p.Amount
		}
		sums[p.Account] = t
	}
	return sums
}

// before returns the moves without what closed a year.
func (m *movement) before() []ledger.Turnover {
	moves := make([]ledger.Turnover, len(m.moves))
	for i, t := range m.moves {
		closed := m.closed[t.Account]
		t.Debit, t.Credit = t.Debit-closed.Debit, t.Credit-closed.Credit
		moves[i] = t
	}
	return moves
}
