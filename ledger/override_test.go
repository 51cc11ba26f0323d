package ledger_test

import (
	"slices"
	"testing"
	"time"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestAMonthIsClosedOverWhatIsOpenByASecondPersonWhoSaysWhy(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	f.beginClose(t, "2025-01")
	override := ledger.Override{Reason: "国家平台文件迟到", Open: []string{"exceptions: 3 of 2025-01", "runs:\n2025-01/cross-out"}}
	over := func(by string, o ledger.Override) error {
		return second(f.Under("k").CloseOver(ctx, agency, "2025-01", by, o))
	}
	isRefused(t, "by who began", over("closer", override), fault.Permission, "the closing of period 2025-01 of book 320100.agency was begun by closer: another person must override its checklist")
	isRefused(t, "without a reason", over("chief", ledger.Override{Open: override.Open}), fault.Invalid, "say in one line why")
	isRefused(t, "in two lines", over("chief", ledger.Override{Reason: "a\nb", Open: override.Open}), fault.Invalid, "say in one line why")
	isRefused(t, "without a list", over("chief", ledger.Override{Reason: "a"}), fault.Invalid, "nothing is said to be open")
	for range 2 {
		if err := over("chief", override); err != nil {
			t.Fatal(err)
		}
	}
	events, err := f.PeriodHistory(ctx, agency)
	if err != nil || len(events) != 3 {
		t.Fatal(events, err)
	}
	got, ok := events[2].Overridden()
	if want := []string{"exceptions: 3 of 2025-01", "runs: 2025-01/cross-out"}; !ok || got.Reason != override.Reason || !slices.Equal(got.Open, want) {
		t.Errorf("%+v", got)
	}
	if _, ok := events[1].Overridden(); ok || events[2].By != "chief" {
		t.Errorf("%+v", events)
	}
	f.mustBeWhole(t)
}

func TestWhatClosesAYearIsReversedInItsMonthAlone(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	f.post(t, income("a", 100))
	f.beginClose(t, "2025-01")
	e := entry("year", debit("320100.agency/310/4001", 100), credit("320100.agency/310/3001.01", 100))
	e.Kind = "year_end.agency.split"
	f.post(t, e)
	f.closePeriod(t, "2025-01")
	r := taking("r", "year")
	r.Period = "2025-02"
	isRefused(t, "in another month", second(f.Reverse(ctx, r)), fault.Precondition, "it is reversed in 2025-01 alone, once that month is reopened")
	isRefused(t, "while closed", second(f.Reverse(ctx, taking("r", "year"))), fault.PeriodClosed, "is closed")
	if _, err := f.Reopen(ctx, agency, "2025-01", "chief", "an invoice came late"); err != nil {
		t.Fatal(err)
	}
	f.reverse(t, "r", "year")
	f.catchUp(t)
	if got := f.balance(t, "320100.agency/310/4001"); got != -100 {
		t.Errorf("%s", got)
	}
	e.Key = "given"
	results, err := f.PostGiven(ctx, false, e)
	if err != nil {
		t.Fatal(err)
	}
	isRefused(t, "given", results[0].Err, fault.Precondition, "are made by closing the year")
	isRefused(t, "pended", second(f.Pend(ctx, e, time.Time{})), fault.Precondition, "are made by closing the year")
	f.mustBeWhole(t)
}
