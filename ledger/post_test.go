package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestEntryThatBreaksARuleOfFormIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	f := open(t)
	long := strings.Repeat("x", 201)
	for _, c := range []struct {
		name    string
		entry   ledger.Entry
		kind    fault.Kind
		message string
	}{
		{"unbalanced", entry("a", debit("320100.agency/310/1003", 100), credit("320100.agency/310/4001", 99)),
			fault.Invalid, "the entry does not balance: debits less credits are 0.01 in 320100.agency, fund 310, layer cash"},
		{"balanced only across funds", entry("b", debit("320100.agency/310/1003", 100), credit("320100.agency/390/4001", 100)),
			fault.Invalid, "does not balance: debits less credits are 1.00 in 320100.agency, fund 310"},
		{"balanced only across books", entry("c", debit("320100.agency/310/1003", 100), credit("320200.agency/310/4001", 100)),
			fault.Invalid, "does not balance"},
		{"balanced only across layers", entry("d", debit("320100.agency/310/1003", 100), credit("320100.agency/310/9991", 100)),
			fault.Invalid, "does not balance"},
		{"no such subject", entry("e", debit("320100.agency/310/7777", 1), credit("320100.agency/310/4001", 1)),
			fault.NotFound, "the chart of agency books has no account 7777 on 2025-01-15"},
		{"heading", entry("f", debit("320100.agency/310/5001", 1), credit("320100.agency/310/4001", 1)),
			fault.Invalid, "is a heading: post to one of its sub-accounts"},
		{"counterparty missing", entry("g", debit("320500.agency/310/9001.01", 1), credit("320500.agency/310/9002/H1", 1)),
			fault.Invalid, "name the counterparty"},
		{"counterparty too many", entry("h", debit("320100.agency/310/1003/310000", 1), credit("320100.agency/310/4001", 1)),
			fault.Invalid, "is kept without counterparty"},
		{"no such book", entry("i", debit("310000.agency/310/1003", 1), credit("310000.agency/310/4001", 1)),
			fault.NotFound, "there is no book 310000.agency"},
		{"no such fund", entry("j", debit("320100.agency/999/1003", 1), credit("320100.agency/999/4001", 1)),
			fault.NotFound, "there is no fund 999"},
		{"zero line", entry("k", debit("320100.agency/310/1003", 0), credit("320100.agency/310/4001", 0)),
			fault.Invalid, "is zero or too large"},
		{"no key", entry("", debit("320100.agency/310/1003", 1), credit("320100.agency/310/4001", 1)),
			fault.Invalid, "an idempotency key has 1 to 200 bytes, this one has 0"},
		{"key too long", income(long, 1), fault.Invalid, "this one has 201"},
		{"no lines", entry("l"), fault.Invalid, "an entry has 1 to 5000 postings, this one has 0"},
		{"quote in a counterparty", entry("m", debit(`320500.agency/310/9001.01/3"1`, 1), credit("320500.agency/310/9002/H1", 1)),
			fault.Invalid, "has characters other than"},
		{"neither side", entry("n", line("X", "320100.agency/310/1003", 1), credit("320100.agency/310/4001", 1)),
			fault.Invalid, "is neither debit nor credit"},
	} {
		err := f.refused(t, c.entry)
		if err.Kind != c.kind || !strings.Contains(err.Message, c.message) {
			t.Errorf("%s: got %s: %s", c.name, err.Kind, err.Message)
		}
	}
	if report := f.mustBeWhole(t); report.Entries != 0 {
		t.Errorf("refused entries left %d in the journal", report.Entries)
	}
}

func TestSameKeySameContentIsAReplayOtherContentIsRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	first, err := f.Post(t.Context(), income("k", 500))
	if err != nil || first[0].Err != nil || first[0].Replayed {
		t.Fatal(first, err)
	}
	again, err := f.Post(t.Context(), income("k", 500), income("k", 500), income("l", 1), income("l", 1))
	if err != nil {
		t.Fatal(err)
	}
	for i, replayed := range []bool{true, true, false, true} {
		if again[i].Err != nil || again[i].Replayed != replayed {
			t.Errorf("result %d: %+v", i, again[i])
		}
	}
	if again[0].ID != first[0].ID {
		t.Error("a replay has another id")
	}
	refused := f.refused(t, income("k", 501))
	if refused.Kind != fault.AlreadyExists || !strings.Contains(refused.Message, `posting 1 is D 320100.agency/310/1003 5.00 there, D 320100.agency/310/1003 5.01 here`) {
		t.Error(refused)
	}
	twice, err := f.Post(t.Context(), income("m", 1), income("m", 2))
	if err != nil || twice[0].Err != nil || fault.KindOf(twice[1].Err) != fault.AlreadyExists {
		t.Error(twice, err)
	}
	f.mustBeWhole(t)
	if b := f.balance(t, "320100.agency/310/1003"); b != 502 {
		t.Error(b)
	}
}

func TestAFloorIsNeverCrossedAndTheShortfallIsNamed(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 1000))
	err := f.refused(t, spend("out", 1001))
	if err.Kind != fault.Insufficient || err.Message != "320100.agency/310/1003 holds 10.00, 10.01 is needed, short by 0.01" {
		t.Error(err)
	}
	if err.Detail("shortfall") != "0.01" || err.Detail("account") != "320100.agency/310/1003" {
		t.Error(err.Details)
	}
	results, dbErr := f.Post(t.Context(), spend("a", 600), spend("b", 600), spend("c", 400))
	if dbErr != nil || results[0].Err != nil || results[1].Err == nil || results[2].Err != nil {
		t.Errorf("a refused entry must leave its neighbours alone: %+v %v", results, dbErr)
	}
	f.mustBeWhole(t)
	if b := f.balance(t, "320100.agency/310/1003"); b != 0 {
		t.Error(b)
	}
}

func TestAGroupFloorHoldsOverItsAccountsTogether(t *testing.T) {
	t.Parallel()
	f := open(t)
	const p = "320000.agency/310/"
	f.post(t, entry("pool", debit(p+"1004.02", 1000), credit(p+"2001.01.01/320100", 600), credit(p+"2001.01.01/320200", 400)))
	use := func(key string, fen accounts.Fen) ledger.Entry {
		return entry(key, debit(p+"2001.04.01", fen), credit(p+"1004.02", fen))
	}
	f.post(t, use("use", 900))
	f.post(t, entry("money", debit(p+"1004.02", 500), credit(p+"4201", 500)))
	err := f.refused(t, use("more", 101))
	if err.Kind != fault.Insufficient || !strings.Contains(err.Message, "in_province_pool holds 1.00, 1.01 is needed, short by 0.01") {
		t.Error(err)
	}
	returned := f.refused(t, entry("return", debit(p+"2001.01.01/320100", 600), credit(p+"1004.02", 600)))
	if returned.Kind != fault.Insufficient {
		t.Error(returned)
	}
	f.post(t, use("rest", 100))
	f.mustBeWhole(t)
}

func TestAPeriodBeforeTheOpeningOrClosedTakesNoPostings(t *testing.T) {
	t.Parallel()
	f := open(t)
	early := income("early", 1)
	early.Period = "2024-12"
	if err := f.refused(t, early); err.Kind != fault.PeriodClosed || !strings.Contains(err.Message, "opens in 2025-01, so 2024-12 takes no postings") {
		t.Error(err)
	}
	for _, month := range []accounts.Month{"2025-01", "2025-02"} {
		f.beginClose(t, month)
		f.closePeriod(t, month)
	}
	late := income("late", 1)
	late.Period = "2025-02"
	if err := f.refused(t, late); err.Kind != fault.PeriodClosed || !strings.Contains(err.Message, "period 2025-02 of book 320100.agency is closed") {
		t.Error(err)
	}
	var open accounts.Month
	err := f.db.InTx(t.Context(), func(tx pgx.Tx) (err error) {
		open, err = f.OpenPeriod(t.Context(), tx, "2025-02", "320100.agency", "320200.agency")
		return err
	})
	if err != nil || open != "2025-03" {
		t.Error(open, err)
	}
}

// counting counts the statements of a transaction.
type counting struct {
	pgx.Tx
	n int
}

func (c *counting) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	c.n++
	return c.Tx.Exec(ctx, sql, args...)
}

func (c *counting) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.n++
	return c.Tx.Query(ctx, sql, args...)
}

func (c *counting) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	c.n++
	return c.Tx.QueryRow(ctx, sql, args...)
}

func TestPostingTakesAConstantNumberOfStatements(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("start", 10_000), income("other", 10))
	round := 0
	statements := func(n int, corrects, expired bool) int {
		round++
		var batch []ledger.Entry
		for i := range n {
			e := spend(fmt.Sprintf("%d/%d", round, i), 1)
			if corrects {
				e.Corrects = uuid.NullUUID{UUID: ledger.EntryID([]string{"start", "other"}[i%2]), Valid: true}
			}
			batch = append(batch, e)
		}
		if expired { // all there is
			free := f.free(t)
			for i := range n {
				share := free / accounts.Fen(n-i)
				f.pend(t, spend(batch[i].Key, share))
				free -= share
			}
			for _, e := range batch {
				f.letExpire(t, e.Key)
			}
		}
		c := &counting{}
		err := f.db.InTx(t.Context(), func(tx pgx.Tx) error {
			c.Tx, c.n = tx, 0
			results, err := f.PostTx(t.Context(), c, batch)
			for _, r := range results {
				if r.Err != nil {
					t.Error(r.Err)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return c.n
	}
	for _, c := range []struct {
		name              string
		corrects, expired bool
		want              int
	}{{"ordinary", false, false, 3}, {"corrections", true, false, 6}, {"expired reservations in the way", false, true, 5}} {
		few, many := statements(2, c.corrects, c.expired), statements(60, c.corrects, c.expired)
		if few != c.want || many != c.want {
			t.Errorf("%s: %d and %d statements, want %d", c.name, few, many, c.want)
		}
	}
	f.mustBeWhole(t)
}

// free is what a posting may take of the purse.
func (f fixture) free(t testing.TB) (free accounts.Fen) {
	t.Helper()
	a, err := accounts.ParseAccount(purse)
	if err != nil {
		t.Fatal(err)
	}
	err = f.db.InTx(t.Context(), func(tx pgx.Tx) (err error) {
		if free, err = f.FloorBalance(t.Context(), tx, a); err != nil {
			return err
		}
		none := a
		none.Fund = "399" // never posted to
		all, err := f.FloorBalances(t.Context(), tx, []accounts.Account{none, a})
		if len(all) != 2 || all[a] != free || all[none] != 0 {
			t.Errorf("many at once: %v, alone: %s", all, free)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return free
}

func TestRowsOfTheCallerStandOrFallWithTheEntries(t *testing.T) {
	t.Parallel()
	f := open(t)
	stop := errors.New("stop")
	err := f.db.InTx(t.Context(), func(tx pgx.Tx) error {
		results, err := f.PostTx(t.Context(), tx, []ledger.Entry{income("x", 1)})
		if err != nil || results[0].Err != nil {
			t.Error(results, err)
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if report := f.mustBeWhole(t); report.Entries != 0 {
		t.Error("an entry of a transaction that was not committed stands in the journal")
	}
}

func TestConcurrentCallersPostEachKeyOnceAndKeepTheFloorExact(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("start", 500))
	other := ledger.New(f.db, f.book) // a second server on the same database
	var mu sync.Mutex
	posted, replayed, refused := 0, 0, 0
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			j := []*ledger.Journal{f.Journal, other}[worker%2]
			for _, key := range keys("spend", 20) { // every worker sends the same keys
				results, err := j.Post(context.Background(), spend(key, 50), accepted("o/"+key, "H1", 7))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				switch {
				case fault.KindOf(results[0].Err) == fault.Insufficient:
					refused++
				case results[0].Err != nil:
					t.Error(results[0].Err)
				case results[0].Replayed:
					replayed++
				default:
					posted++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if posted != 10 || posted+replayed+refused != 160 {
		t.Errorf("posted %d, replayed %d, refused %d", posted, replayed, refused)
	}
	report := f.mustBeWhole(t)
	if report.Entries != 1+10+20 {
		t.Errorf("%d entries", report.Entries)
	}
	if b := f.balance(t, "320100.agency/310/1003"); b != 0 {
		t.Error(b)
	}
}
