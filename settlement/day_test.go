package settlement_test

import (
	"fmt"
	"maps"
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/sample"
	"fundledger/settlement"
)

func (f fixture) reconcileDay(t testing.TB, day string) *settlement.DayReport {
	t.Helper()
	d, err := accounts.ParseDate(day)
	if err != nil {
		t.Fatal(err)
	}
	report, err := f.ReconcileDay(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestADayIsReconciledWithItsTotalsAndDifferences(t *testing.T) {
	t.Parallel()
	f := open(t)
	late := []string{"setl_time", "2025-01-10T23:59:59+08:00"}
	next := []string{"setl_time", "2025-01-10T16:00:00+00:00"} // is the 11th in Shanghai
	rows := []map[string]string{bill("A1"), bill("A2", late...), bill("A3", next...), bill("A4", "insutype", "390", "acct_pay", "0.00", "medfee_sumamt", "70.00"),
		refund("R1", "A1", "5.00", "setl_time", "2025-01-10T10:00:00+08:00")}
	f.load(t, settlement.Center, file(t, "c.tsv", text(append(rows, bill("B1"), bill("B2"))...)))
	f.load(t, settlement.Treating, file(t, "t.tsv", text(append(rows, bill("B1", "psn_cash_pay", "11.00", "medfee_sumamt", "101.00"))...)))
	f.load(t, settlement.Insured, file(t, "i.tsv", text(append(rows, bill("B1"), bill("B2"))...)))
	r := f.reconcileDay(t, "2025-01-10")
	equal(t, "counts", fmt.Sprint(r.Settlements, r.Matched, r.Posted, len(r.Totals), r.Differ, r.MoreDifferences), "6 4 4 2 1 0")
	var differences []string
	for _, d := range r.Differences {
		differences = append(differences, d.SetlID+":"+d.Kind)
	}
	equal(t, "differences", fmt.Sprint(differences), "[B1:amount_differs B2:missing_treating]")
	equal(t, "totals of 310", fmt.Sprint(r.Totals[0]), "{310 11 320100 320500 {5 395.00 235.00 120.00} {4 296.00 175.00 90.00} {5 395.00 235.00 120.00}}")
	again := f.reconcileDay(t, "2025-01-10")
	equal(t, "posted again", again.Posted, 0)
	equal(t, "no exceptions are kept", len(f.exceptionsOf(t)), 0)
	f.load(t, settlement.Treating, file(t, "t2.tsv", text(bill("B2"))))
	equal(t, "posted when the sides agree", f.reconcileDay(t, "2025-01-10").Posted, 1)
	equal(t, "posted by the month", f.reconcile(t, "2025-01").Posted, 1) // A3
	equal(t, "exceptions of the month", fmt.Sprint(f.exceptionsOf(t)), "[B1:amount_differs]")
	_, err := f.ReconcileDay(t.Context(), civil.Date{Year: 2025, Month: 2, Day: 1})
	mustFail(t, err, fault.NotFound, "no imported file has a row")
	f.mustBeWhole(t)
}

func (f fixture) exceptionsOf(t testing.TB) []string {
	t.Helper()
	list, _ := f.exceptions(t, settlement.ExceptionQuery{})
	return list
}

// The sample month has every kind of fault and refund.
func TestDaysAndTheMonthComeToTheSameAsTheMonthAlone(t *testing.T) {
	t.Parallel()
	alone, daily := open(t), open(t)
	alone.loadSample(t)
	daily.loadSample(t)
	alone.reconcile(t, sample.Month)
	first := accounts.Month(sample.Month).First()
	var posted int64
	for day := first; accounts.MonthOf(day) == sample.Month; day = day.AddDays(3) { // some days are left to the month
		posted += daily.reconcileDay(t, day.String()).Posted
	}
	if posted == 0 {
		t.Error("the days have posted nothing")
	}
	daily.reconcile(t, sample.Month)
	if !maps.Equal(alone.entries(t), daily.entries(t)) {
		t.Error("the entries differ")
	}
	equal(t, "exceptions", fmt.Sprint(daily.exceptionsOf(t)), fmt.Sprint(alone.exceptionsOf(t)))
	want, err := alone.MonthReport(t.Context(), sample.Month)
	if err != nil {
		t.Fatal(err)
	}
	got, err := daily.MonthReport(t.Context(), sample.Month)
	if err != nil {
		t.Fatal(err)
	}
	if d := firstDifference(indented(t, got), indented(t, want)); d != "" {
		t.Error("the report of the month:", d)
	}
	daily.mustBeWhole(t)
}

func TestADayPostsNothingThatIsWithdrawn(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "all.tsv", bill("A1"), bill("A2"), bill("A3"))
	withdraw := func(side settlement.Side, ids ...string) {
		t.Helper()
		content := "setl_id\tdate\treason\tdocument\n"
		for _, id := range ids {
			content += id + "\t2025-01-20\t重复上传\t冲1号\n"
		}
		if _, err := f.Withdraw(t.Context(), side, string(side)+"-w.tsv", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	withdraw(settlement.Center, "A1", "A2")
	withdraw(settlement.Treating, "A1")
	withdraw(settlement.Insured, "A1")
	r := f.reconcileDay(t, "2025-01-10")
	equal(t, "counts", fmt.Sprintln(r.Settlements, r.Matched, r.Posted, len(r.Differences)), "2 1 1 1\n")
	equal(t, "difference", r.Differences[0].SetlID+" "+r.Differences[0].Kind, "A2 "+settlement.KindWithdrawalPending)
	withdraw(settlement.Insured, "A3") // A3 is posted: until all sides have withdrawn it, it stands
	r = f.reconcileDay(t, "2025-01-10")
	equal(t, "differences", len(r.Differences), 1)
	equal(t, "of the month", fmt.Sprint(f.reconcile(t, "2025-01").Posted), "0")
	f.mustBeWhole(t)
}
