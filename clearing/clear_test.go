package clearing_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
)

func TestDueDatesFollowTheCalendar(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-03", append(small(),
		bill{insured: nanjing, treating: shanghai, insutype: "310", med: "21", pooled: 70_00},
		bill{insured: shanghai, treating: nanjing, insutype: "310", med: "21", pooled: 40_00})...)
	f.clear(t, "2025-03")
	// Notices of 2025-04-28: 27 April was worked for May Day, 1 to 5 May were off.
	for id, want := range map[string]struct{ annex, applyBy, due string }{
		"2025-03/in-province/320100/pay":     {"10", "", "2025-05-15"},
		"2025-03/in-province/320200/receive": {"10", "", ""},
		"2025-03/cross-out/320100/pay":       {"12", "2025-05-08", "2025-05-15"},
		"2025-03/cross-out/310000/receive":   {"", "", "2025-05-25"},
		"2025-03/cross-in/320100/receive":    {"13", "", ""},
		"2025-03/cross-in/310000/pay":        {"", "", "2025-05-25"},
	} {
		n := f.notice(t, id)
		if n.Issued.String() != "2025-04-28" || n.Annex != want.annex || text(n.ApplyBy) != want.applyBy || text(n.Due) != want.due {
			t.Errorf("%s: annex %q, issued %s, apply by %s, due %s; want %+v", id, n.Annex, n.Issued, n.ApplyBy, n.Due, want)
		}
	}
}

func text(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func TestUnknownCalendarYearWritesNothing(t *testing.T) {
	f := open(t)
	_, err := f.Clear(t.Context(), "2025-01", civil.Date{Year: 2031, Month: 2, Day: 28})
	mention(t, err, fault.NotFound, "working-day calendar has no year 2031")
	runs, err := f.Runs(t.Context(), "")
	if err != nil || len(runs) != 0 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

func TestClearingTwiceGivesTheSameRun(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", small()...)
	first := f.clear(t, "2025-01")
	f.settle(t, "2025-01", bill{insured: nanjing, treating: wuxi, insutype: "310", med: "21", pooled: 5_00}) // late
	again := f.clear(t, "2025-01")
	if !reflect.DeepEqual(first, again) {
		t.Errorf("first %+v, again %+v", first, again)
	}
	if n := f.notice(t, nanjingPays); n.Amount != 100_00 {
		t.Errorf("the notice is %s", n.Amount)
	}
	_, err := f.Clear(t.Context(), "2025-01", civil.Date{Year: 2025, Month: 3, Day: 3})
	mention(t, err, fault.Precondition, "stands with notice date 2025-02-28")
}

func TestLateRecordsAreCarriedOver(t *testing.T) {
	f := open(t)
	f.settle(t, "2024-10", small()[:1]...)
	f.settle(t, "2025-01", small()[1:2]...)
	f.settle(t, "2025-02", small()[2:3]...)
	f.clear(t, "2025-02")
	documents, err := f.Documents(t.Context(), "2025-02")
	if err != nil {
		t.Fatal(err)
	}
	records := documents[0].Carried.Records
	if len(records) != 2 || records[0].ServiceMonth != "2024-10" || !records[0].Overdue || records[1].Overdue {
		t.Errorf("carried over: %+v", records)
	}
	_, err = f.Clear(t.Context(), "2025-01", civil.Date{})
	mention(t, err, fault.Precondition, "2025-02 is cleared already")
	f.mustBeWhole(t, false)
}

func TestClearRefusals(t *testing.T) {
	f := open(t)
	_, err := f.Clear(t.Context(), "2025-01", civil.Date{Year: 2025, Month: 1, Day: 31})
	mention(t, err, fault.Invalid, "notice date 2025-01-31 lies before the end of service month 2025-01")
	_, err = f.Documents(t.Context(), "2025-01")
	mention(t, err, fault.NotFound, "no clearing run 2025-01/in-province")
}

func TestEmptyMonthIsFrozenWithoutNotices(t *testing.T) {
	f := open(t)
	for _, run := range f.clear(t, "2025-01") {
		if run.State != clearing.Frozen {
			t.Errorf("%s is %s", run.ID, run.State)
		}
	}
	documents, err := f.Documents(t.Context(), "2025-01")
	if err != nil || len(documents) != 3 || len(documents[0].Notices) != 0 {
		t.Errorf("%+v %v", documents, err)
	}
	f.mustBeWhole(t, true)
}

func TestTwoClearsAtOnceMakeOneRun(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", small()...)
	other := clearing.New(f.db, f.journal, f.book)
	runs := make([][]clearing.Run, 4)
	errs := make([]error, len(runs))
	var wait sync.WaitGroup
	for i := range runs {
		wait.Go(func() { runs[i], errs[i] = other.Clear(context.Background(), "2025-01", civil.Date{}) })
	}
	wait.Wait()
	for i := range runs {
		if errs[i] != nil || !reflect.DeepEqual(runs[i], runs[0]) {
			t.Fatalf("clear %d: %+v %v", i, runs[i], errs[i])
		}
	}
	f.pay(t, nanjingPays)
	f.pay(t, wuxiGets)
	f.pay(t, suzhouGets)
	f.mustBeWhole(t, true)
}

func TestTwoRemittancesAtOncePayOnce(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", small()...)
	f.clear(t, "2025-01")
	var wait sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		p := f.payment(nanjingPays, in310(30_00))
		wait.Go(func() { _, errs[i] = f.Remit(context.Background(), p) })
	}
	wait.Wait()
	paid := 0
	for _, err := range errs {
		if err == nil {
			paid++
		} else {
			mention(t, err, fault.Insufficient, "20.00 is more than is owed")
		}
	}
	if n := f.notice(t, nanjingPays); paid != 3 || n.Open != 10_00 {
		t.Errorf("%d payments of 30.00 went through, %s is open", paid, n.Open)
	}
	f.mustBeWhole(t, false)
}

// dying is a store whose program is killed before the nth commit.
type dying struct {
	accounts.Store
	left int
}

var errKilled = errors.New("killed")

func (d *dying) InTx(ctx context.Context, fn func(pgx.Tx) error) error {
	return d.Store.InTx(ctx, func(tx pgx.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if d.left--; d.left < 0 {
			return errKilled
		}
		return nil
	})
}

func TestClearKilledAnywhereGoesOn(t *testing.T) {
	f := open(t)
	f.settle(t, "2025-01", append(small(), bill{insured: nanjing, treating: shanghai, insutype: "310", med: "21", pooled: 70_00})...)
	kills := 0
	for left := 0; ; left++ {
		_, err := clearing.New(&dying{f.db, left}, f.journal, f.book).Clear(t.Context(), "2025-01", civil.Date{})
		if err == nil {
			break
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if kills++; kills > 40 {
			t.Fatal("clearing does not get on")
		}
		f.mustBeWhole(t, false)
	}
	if kills < 4 {
		t.Errorf("it was killed %d times only", kills)
	}
	if n := f.notice(t, nanjingPays); n.Amount != 100_00 {
		t.Errorf("the notice is %s", n.Amount)
	}
	if _, err := f.RemitAll(t.Context(), "2025-01", small2025, "all"); err != nil {
		t.Fatal(err)
	}
	f.mustBeWhole(t, true)
}

// A later month waits for one that was left collecting.
func TestAnUnfinishedMonthComesFirst(t *testing.T) {
	f := open(t)
	_, err := clearing.New(&dying{f.db, 1}, f.journal, f.book).Clear(t.Context(), "2025-01", civil.Date{})
	if !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	_, err = f.Clear(t.Context(), "2025-02", civil.Date{})
	mention(t, err, fault.Precondition, "2025-01/in-province was begun and not frozen", "clear --month 2025-01")
	if report := f.check(t); !report.OK() || len(report.Unfrozen) != 1 || !strings.HasPrefix(report.Unfrozen[0].ID, "2025-01/") {
		t.Errorf("the check says %+v", report)
	}
}
