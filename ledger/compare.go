package ledger

import (
	"context"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// comparePage is how many rows of a derived table are read at a time.
const comparePage = 2000

// voucherSeries is a book and month, which number their vouchers from 1.
type voucherSeries struct {
	book   accounts.Book
	period accounts.Month
}

// seriesCheck is what the entries say of one series.
type seriesCheck struct {
	count int64
	hash  uint64
}

type voucherPlace struct {
	entry    uuid.UUID
	position Position
}

// voucher counts a voucher that the entry must have and returns it.
func (c *checker) voucher(due voucherDue, r *Record) Voucher {
	key := voucherSeries{due.Book, due.Period}
	if c.vouchers[key] == nil {
		c.vouchers[key] = &seriesCheck{}
	}
	c.vouchers[key].count++
	c.vouchers[key].hash += maphash.Comparable(c.seed, voucherPlace{r.ID, r.Position})
	return Voucher{due.Book, due.Period, c.vouchers[key].count}
}

func (c *checker) compareVouchers(ctx context.Context, q *db.Queries) error {
	stored := map[voucherSeries]*seriesCheck{}
	var after db.PageOfVouchersParams
	after.Page = comparePage
	last := Position(0)
	for {
		rows, err := q.PageOfVouchers(ctx, after)
		if err != nil {
			return err
		}
		for _, v := range rows {
			c.items[checkVouchers]++
			key := voucherSeries{accounts.Book(v.Book), accounts.Month(v.Period)}
			if stored[key] == nil {
				stored[key], last = &seriesCheck{}, 0
			}
			s := stored[key]
			if v.Number != s.count+1 {
				c.find(checkVouchers, v.Book, v.EntryID.String(), "voucher number %d of %s follows number %d", v.Number, v.Period, s.count)
			}
			if Position(v.Position) <= last {
				c.find(checkVouchers, v.Book, v.EntryID.String(), "voucher number %d of %s stands before an earlier one in the journal", v.Number, v.Period)
			}
			last = Position(v.Position)
			s.count = v.Number
			s.hash += maphash.Comparable(c.seed, voucherPlace{v.EntryID, Position(v.Position)})
			after.Book, after.Period, after.Number = v.Book, v.Period, v.Number
		}
		if len(rows) < comparePage {
			break
		}
	}
	for key, want := range c.vouchers {
		if got := stored[key]; got == nil || *got != *want {
			c.find(checkVouchers, string(key.book), "", "the vouchers of %s are not those of its %d cash entries", key.period, want.count)
		}
		delete(stored, key)
	}
	for key := range stored {
		c.find(checkVouchers, string(key.book), "", "there are vouchers of %s without a cash entry", key.period)
	}
	return nil
}

func (c *checker) compareFloors(ctx context.Context, q *db.Queries) error {
	stored, _, err := c.journal.floorsAt(ctx, q, c.report.Position)
	if err != nil {
		return err
	}
	for _, key := range unionOf(stored, c.floors) {
		c.items[checkFloors]++
		f := stored[key]
		f.key = key
		c.floors[key].compare(c.report, f)
	}
	return nil
}

func unionOf[V, W any](a map[string]V, b map[string]W) []string {
	names := map[string]bool{}
	for k := range a {
		names[k] = true
	}
	for k := range b {
		names[k] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (c *checker) compareBalances(ctx context.Context, q *db.Queries) error {
	rows, err := q.AllBalances(ctx)
	if err != nil {
		return err
	}
	projected, err := q.ReadHead(ctx, headProjected)
	if err != nil {
		return err
	}
	stored := make(map[string]db.AllBalancesRow, len(rows))
	for _, r := range rows {
		stored[r.Account] = r
		if r.Position > projected {
			c.find(checkBalances, r.Account, "", "the balance has seen position %d, the projection stands at %d", r.Position, projected)
		}
	}
	for _, name := range unionOf(stored, c.accounts) {
		c.items[checkBalances]++
		got, want := stored[name], c.accounts[name]
		if want == nil {
			want = &accountCheck{}
		}
		if accounts.Fen(got.DebitFen) != want.debit || accounts.Fen(got.CreditFen) != want.credit || got.LineCount != want.lines || Position(got.Position) != want.last {
			c.find(checkBalances, name, "", "the balance says debit %s, credit %s over %d lines; the journal says debit %s, credit %s over %d lines",
				accounts.Fen(got.DebitFen), accounts.Fen(got.CreditFen), got.LineCount, want.debit, want.credit, want.lines)
		}
	}
	return nil
}

func (c *checker) compareLines(ctx context.Context, q *db.Queries) error {
	type sums struct {
		debit, credit accounts.Fen
		hash          uint64
	}
	got := map[string]*sums{}
	after := db.PageOfLinesParams{Page: comparePage}
	for {
		blocks, err := q.PageOfLines(ctx, after)
		if err != nil {
			return err
		}
		for _, b := range blocks {
			s := got[b.Account]
			if s == nil {
				s = &sums{}
				got[b.Account] = s
			}
			if accounts.Fen(b.OpeningDebitFen) != s.debit || accounts.Fen(b.OpeningCreditFen) != s.credit {
				c.find(checkLines, b.Account, "", "the lines from position %d on open with debit %s, credit %s; the lines before end with debit %s, credit %s",
					b.FirstPosition, accounts.Fen(b.OpeningDebitFen), accounts.Fen(b.OpeningCreditFen), s.debit, s.credit)
			}
			lines, err := decodeLines(b.Lines)
			if err != nil {
				c.find(checkLines, b.Account, "", "the lines from position %d on cannot be read", b.FirstPosition)
			}
			for _, l := range lines {
				c.items[checkLines]++
				l.turnover(&s.debit, &s.credit)
				s.hash += maphash.Comparable(c.seed, l)
			}
			after.Account, after.FirstPosition = b.Account, b.FirstPosition
		}
		if len(blocks) < comparePage {
			break
		}
	}
	for _, name := range unionOf(got, c.accounts) {
		want, have := c.accounts[name], got[name]
		if want == nil || have == nil || want.hash != have.hash {
			c.find(checkLines, name, "", "the account's lines are not those of the journal's entries")
		}
	}
	return nil
}

func (c *checker) compareMonths(ctx context.Context, q *db.Queries) error {
	after := db.PageOfMonthsParams{Page: comparePage}
	left := map[string]int{}
	for name, a := range c.accounts {
		left[name] = len(a.days)
	}
	for {
		rows, err := q.PageOfMonths(ctx, after)
		if err != nil {
			return err
		}
		for _, r := range rows {
			after.Account, after.Month = r.Account, r.Month
			days, err := decodeDays(r.Account, r.Month, r.Days)
			if err != nil {
				c.find(checkTurnover, r.Account, "", "the turnover of %s cannot be read", r.Month)
				continue
			}
			if total := days.total(); int64(total.debit) != r.DebitFen || int64(total.credit) != r.CreditFen {
				c.find(checkTurnover, r.Account, "", "the turnover of %s is not the sum of its days", r.Month)
			}
			for day, got := range days {
				c.items[checkTurnover]++
				left[r.Account]--
				var want *dayTurnover
				if a := c.accounts[r.Account]; a != nil {
					want = a.days[r.Month+"-"+day]
				}
				if want == nil || *want != got {
					c.find(checkTurnover, r.Account, "", "the turnover of %s-%s is not that of the journal's entries", r.Month, day)
				}
			}
		}
		if len(rows) < comparePage {
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if left[name] != 0 {
			c.find(checkTurnover, name, "", "%d days of turnover are missing or too many", left[name])
		}
	}
	return nil
}
