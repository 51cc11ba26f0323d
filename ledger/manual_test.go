package ledger_test

import (
	"testing"
	"time"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestWhatPeopleGiveIsPostedUnlessItNeedsASecondPerson(t *testing.T) {
	t.Parallel()
	f := open(t)
	ordinary := func(key string) ledger.Entry {
		e := income(key, 10)
		e.Kind = "adjustment"
		return e
	}
	results, err := f.PostGiven(t.Context(), false, ordinary("a"), income("manual", 5), ordinary("b"))
	if err != nil || results[0].Err != nil || results[2].Err != nil || results[2].ID != ledger.EntryID("b") {
		t.Fatalf("%+v %v", results, err)
	}
	isRefused(t, "a manual one", results[1].Err, fault.Precondition, "is pended, and finished by another person")
	results, err = f.PostGiven(t.Context(), true, ordinary("c"), income("manual", 5))
	if err != nil || fault.KindOf(results[0].Err) != fault.Precondition || fault.KindOf(results[1].Err) != fault.Precondition {
		t.Errorf("%+v %v", results, err)
	}
	if results, err = f.PostGiven(t.Context(), true, ordinary("a"), ordinary("d")); err != nil || !results[0].Replayed || results[1].Err != nil {
		t.Errorf("%+v %v", results, err)
	}
	if report := f.mustBeWhole(t); report.Entries != 3 {
		t.Errorf("%d entries", report.Entries)
	}
}

// TestWhoPreparesAManualEntryDoesNotFinishIt: not even when it is done, or in part.
func TestWhoPreparesAManualEntryDoesNotFinishIt(t *testing.T) {
	t.Parallel()
	f := open(t)
	if _, err := f.Pend(t.Context(), income("m", 10), time.Time{}); err != nil {
		t.Fatal(err)
	}
	maker := ledger.Finishing{Key: "m", By: "tester"}
	isRefused(t, "the preparer", second(f.Finish(t.Context(), maker)), fault.Permission, `manual entry "m" was prepared by tester: another person must finish it`)
	if p, err := f.Pending(t.Context(), "m"); err != nil || p.State != ledger.Open {
		t.Errorf("%+v %v", p, err)
	}
	if r, err := f.Finish(t.Context(), finishing("m")); err != nil || r.Replayed {
		t.Fatal(r, err)
	}
	isRefused(t, "the preparer, behind", second(f.Finish(t.Context(), maker)), fault.Permission, "another person must finish it")
	other := income("o", 10)
	other.Kind = "adjustment"
	if _, err := f.Pend(t.Context(), other, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Finish(t.Context(), ledger.Finishing{Key: "o", By: "tester"}); err != nil {
		t.Errorf("what is not manual takes no second person: %v", err)
	}
	f.mustBeWhole(t)
}
