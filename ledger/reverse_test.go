package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestAReversalWritesRedLinesLinkedBothWays(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 100), spend("out", 60))
	f.reverse(t, "part", "out", 20, 20)
	f.reverse(t, "rest", "out", 40, 40)
	f.catchUp(t)
	original, err := f.Entry(t.Context(), ledger.EntryID("out"))
	if err != nil || len(original.CorrectedBy) != 2 || original.CorrectedBy[0] != ledger.EntryID("part") || original.CorrectedBy[1] != ledger.EntryID("rest") {
		t.Fatal(original, err)
	}
	red, err := f.Entry(t.Context(), ledger.EntryID("part"))
	if err != nil || red.Corrects != (uuid.NullUUID{UUID: original.ID, Valid: true}) || red.Kind != "reversal" || red.Source != "test" {
		t.Fatalf("%+v %v", red, err)
	}
	for i, p := range red.Postings {
		if o := original.Postings[i]; p.Side != o.Side || p.Account != o.Account || p.Amount != -20 {
			t.Errorf("line %d: %+v", i, p)
		}
	}
	if b := f.balance(t, purse); b != 100 {
		t.Error(b)
	}
	if again, err := f.Reverse(t.Context(), taking("rest", "out", 40, 40)); err != nil || !again.Replayed {
		t.Error("the same key again is a replay:", again, err)
	}
	f.mustBeWhole(t)
}

func TestAReversalCanBeReversedAndThatRestores(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 100), spend("out", 60))
	f.reverse(t, "r", "out")
	f.reverse(t, "rr", "r")
	_, err := f.Reverse(t.Context(), taking("again", "out"))
	isRefused(t, "the original", err, fault.Insufficient, "has 0.00 left to take back, 0.60 is asked")
	f.reverse(t, "rrr", "rr", 10, 10)
	f.catchUp(t)
	if b := f.balance(t, purse); b != 50 {
		t.Error(b)
	}
	f.mustBeWhole(t)
}

func TestReversalsSayWhyTheyAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 100), spend("out", 60), spend("gone", 40))
	f.reverse(t, "first", "out", 50, 50)
	changed := func(change func(*ledger.Reversal)) ledger.Reversal {
		r := taking("r", "out", 5, 5)
		change(&r)
		return r
	}
	for _, c := range []struct {
		name    string
		request ledger.Reversal
		kind    fault.Kind
		message string
	}{
		{"no such entry", taking("r", "none"), fault.NotFound, "the journal has no entry"},
		{"more than is left", taking("r", "out", 11, 11), fault.Insufficient, "(D 320100.agency/310/5001.01) has 0.10 left to take back, 0.11 is asked"},
		{"all when some is gone", taking("r", "out"), fault.Insufficient, "has 0.10 left to take back, 0.60 is asked"},
		{"more than there was", taking("r", "out", 61, 61), fault.Invalid, "is 0.60, of which 0.61 cannot be taken back"},
		{"another sign", taking("r", "out", -1, -1), fault.Invalid, "is 0.60, of which -0.01 cannot be taken back"},
		{"unbalanced", taking("r", "out", 5, 4), fault.Invalid, "does not balance"},
		{"nothing", taking("r", "out", 0, 0), fault.Invalid, "this one has 0"},
		{"too few amounts", taking("r", "out", 5), fault.Invalid, "has 2 postings, 1 amounts were given"},
		{"a floor", taking("r", "in"), fault.Insufficient, "1003 holds 0.50, 1.00 is needed, short by 0.50"},
		{"used key", taking("gone", "out", 5, 5), fault.AlreadyExists, `key "gone" already stands in the journal with other content: kind is`},
		{"same key, other amounts", taking("first", "out", 5, 5), fault.AlreadyExists, `key "first" already stands in the journal with other content: posting 1 is`},
		{"no summary", changed(func(r *ledger.Reversal) { r.Summary = "" }), fault.Invalid, "an entry needs a kind, a summary"},
		{"no period", changed(func(r *ledger.Reversal) { r.Period = "2025" }), fault.Invalid, `the period "2025" is not a month`},
		{"before the original", changed(func(r *ledger.Reversal) { r.Date = day.AddDays(-1) }), fault.Invalid, "a reversal on 2025-01-14 in 2025-01 comes before what it reverses, on 2025-01-15 in 2025-01"},
		{"next year", changed(func(r *ledger.Reversal) { r.Date, r.Period = day.AddDays(365), "2026-01" }), fault.Precondition, "counts in fiscal year 2025, 2026-01 does not: post one correcting voucher in blue that names it in corrects"},
	} {
		_, err := f.Reverse(t.Context(), c.request)
		isRefused(t, c.name, err, c.kind, c.message)
	}
	f.beginClose(t, "2025-01")
	_, err := f.Reverse(t.Context(), taking("r", "out", 5, 5))
	isRefused(t, "closing period", err, fault.PeriodClosed, "period 2025-01 of book 320100.agency is closing")
	later := changed(func(r *ledger.Reversal) { r.Date, r.Period = day.AddDays(30), "2025-02" })
	if _, err := f.Reverse(t.Context(), later); err != nil {
		t.Error("the same year, in an open period:", err)
	}
	f.mustBeWhole(t)
}

func TestAnEntryCorrectsOnlyWhatStandsInTheJournal(t *testing.T) {
	t.Parallel()
	f := open(t)
	correcting := func(key, of string) ledger.Entry {
		e := income(key, 1)
		e.Corrects = uuid.NullUUID{UUID: ledger.EntryID(of), Valid: true}
		return e
	}
	isRefused(t, "nothing", f.refused(t, correcting("a", "none")), fault.NotFound, "which this one corrects")
	isRefused(t, "itself", f.refused(t, correcting("b", "b")), fault.NotFound, "which this one corrects")
	made := income("made", 1)
	made.Kind = "reversal"
	isRefused(t, "a reversal made by hand", f.refused(t, made), fault.Invalid, "an entry of kind reversal is made by reversing another one")
	f.post(t, income("c", 1), correcting("d", "c"))
	f.post(t, correcting("e", "c"), correcting("f", "d"))
	r, err := f.Entry(t.Context(), ledger.EntryID("c"))
	if err != nil || len(r.CorrectedBy) != 2 || r.CorrectedBy[1] != ledger.EntryID("e") {
		t.Error(r, err)
	}
	f.mustBeWhole(t)
}

func TestRacingReversalsNeverTakeBackMoreThanThereWas(t *testing.T) {
	t.Parallel()
	f := open(t)
	other := ledger.New(f.db, f.book)
	f.post(t, accepted("o", "H1", 100)) // no floor, so that nothing else is locked
	var group sync.WaitGroup
	var mu sync.Mutex
	var taken accounts.Fen
	for worker := range 8 {
		group.Go(func() {
			j := []*ledger.Journal{f.Journal, other}[worker%2]
			for i := range 4 {
				_, err := j.Reverse(context.Background(), taking(fmt.Sprintf("%d/%d", worker, i), "o", 7, 7))
				mu.Lock()
				switch {
				case err == nil:
					taken += 7
				case fault.KindOf(err) != fault.Insufficient:
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if taken != 98 {
		t.Errorf("%s was taken back", taken)
	}
	f.mustBeWhole(t)
	original, err := f.Entry(t.Context(), ledger.EntryID("o"))
	if err != nil || len(original.CorrectedBy) != 14 || original.Position != 1 {
		t.Error(original, err)
	}
}
