package settlement_test

import (
	"strings"
	"testing"

	"fundledger/settlement"
)

// aside lists what was set aside of a settlement, as "cause line: reason".
func (f fixture) aside(t testing.TB, id string) string {
	t.Helper()
	rows, err := f.db.Pool.Query(t.Context(), "SELECT cause || ' ' || line || ': ' || reason FROM set_aside WHERE setl_id = $1 ORDER BY cause, line", id)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		list = append(list, one)
	}
	return strings.Join(list, "|")
}

func (f fixture) kinds(t testing.TB) string {
	t.Helper()
	var list []string
	for _, e := range f.reconcile(t, "2025-01").OpenExceptions {
		list = append(list, e.SetlID+" "+e.Kind)
	}
	return strings.Join(list, ", ")
}

func TestWithinAFileABadRowBeatsAConflictAndAConflictBeatsAValidRow(t *testing.T) {
	t.Parallel()
	f := open(t)
	other := []string{"psn_cash_pay", "11.00", "medfee_sumamt", "101.00"}
	broken := []string{"clr_type", "99"}
	rows := []map[string]string{
		bill("DUP"), bill("DUP"),
		bill("CON"), bill("CON", other...), bill("CON"),
		bill("REJ1"), bill("REJ1", broken...), bill("REJ1", other...),
		bill("REJ2", broken...), bill("REJ2"), bill("REJ2", broken...),
		bill("CONREJ"), bill("CONREJ", other...), bill("CONREJ", broken...),
	}
	report := f.load(t, settlement.Treating, file(t, "t.tsv", text(rows...)))
	equal(t, "rejected", report.Rejected, 4)
	equal(t, "duplicates", report.Duplicates, 2)
	equal(t, "conflicting", report.Conflicting, 6)
	equal(t, "accepted", report.Accepted, 2)
	f.load(t, settlement.Center, file(t, "c.tsv", text(bill("DUP"), bill("CON"), bill("REJ1"), bill("REJ2"), bill("CONREJ"))))
	f.load(t, settlement.Insured, file(t, "i.tsv", text(bill("DUP"), bill("CON"), bill("REJ1"), bill("REJ2"), bill("CONREJ"))))
	equal(t, "exceptions", f.kinds(t), "CON conflicting_row, CONREJ unknown_code, REJ1 unknown_code, REJ2 unknown_code")
	equal(t, "set aside", f.aside(t, "CON"), "conflicting 5: the same setl_id as line 4 with other content (medfee_sumamt, psn_cash_pay)|duplicate 6: the same as line 4")
	month, err := f.MonthReport(t.Context(), "2025-01")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "duplicates are counted by record", month.Exceptions["duplicate_row_ignored"], 2)
	equal(t, "records", month.Records, 5)
	equal(t, "matched", month.MatchedRecords, 1)
}

func TestALaterFileHasTheLastWordUntilTheSettlementIsPosted(t *testing.T) {
	t.Parallel()
	f := open(t)
	changed := []string{"psn_cash_pay", "11.00", "medfee_sumamt", "101.00"}
	f.load(t, settlement.Treating, file(t, "t1.tsv", text(bill("A1"), bill("A2"), bill("A3", "clr_type", "99"))))
	f.load(t, settlement.Center, file(t, "c1.tsv", text(bill("A1", changed...), bill("A2"), bill("A3"))))
	f.load(t, settlement.Insured, file(t, "i1.tsv", text(bill("A1", changed...), bill("A2"), bill("A3"))))
	equal(t, "exceptions", f.kinds(t), "A1 amount_differs, A3 unknown_code")

	report := f.load(t, settlement.Treating, file(t, "t2.tsv", text(bill("A1", changed...), bill("A2", changed...), bill("A3"))))
	equal(t, "replaced", report.Replaced, 2)
	equal(t, "in conflict with what is posted", report.ConflictsWithPosted, 1)
	want := "t2.tsv:3:setl_id:the settlement is posted with the content of t1.tsv, line 3 (medfee_sumamt, psn_cash_pay): let a refund correct it"
	equal(t, "reported", report.BadRows[0].String(), want)
	equal(t, "set aside", f.aside(t, "A1"), "superseded 2: t2.tsv, a later file, says otherwise in line 2")

	again := f.reconcile(t, "2025-01")
	equal(t, "posted", again.Posted, 2)
	equal(t, "resolved", again.Resolved, 2)
	equal(t, "matched", again.Matched, 3)
	equal(t, "open", len(again.OpenExceptions), 0)
	var resolvedBy string
	if err := f.db.Pool.QueryRow(t.Context(), "SELECT resolved_by FROM exceptions WHERE setl_id = 'A1' AND resolved_at IS NOT NULL").Scan(&resolvedBy); err != nil || resolvedBy != "t2.tsv" {
		t.Error(resolvedBy, err)
	}
	f.mustBeWhole(t)
}

func TestALaterBadRowTakesAValidRecordBack(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.load(t, settlement.Treating, file(t, "t1.tsv", text(bill("A1"))))
	f.load(t, settlement.Treating, file(t, "t2.tsv", text(bill("A1", "clr_type", "99"))))
	f.load(t, settlement.Center, file(t, "c.tsv", text(bill("A1"))))
	f.load(t, settlement.Insured, file(t, "i.tsv", text(bill("A1"))))
	equal(t, "exceptions", f.kinds(t), "A1 unknown_code")
	f.load(t, settlement.Treating, file(t, "t3.tsv", text(bill("A1"), bill("A9"))))
	equal(t, "exceptions", f.kinds(t), "A9 missing_center")
}

func TestTheSameRowInALaterFileChangesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "one.tsv", bill("A1"), bill("A2"))
	equal(t, "posted", f.reconcile(t, "2025-01").Posted, 2)
	report := f.load(t, settlement.Center, file(t, "two.tsv", text(bill("A2"), bill("A1"), bill("A3"))))
	equal(t, "accepted", report.Accepted, 3)
	equal(t, "added", report.Added, 1)
	equal(t, "replaced", report.Replaced, 0)
	// A second content in the later file conflicts with its first one there.
	report = f.load(t, settlement.Center, file(t, "three.tsv", text(bill("A3"), bill("A3", "psn_cash_pay", "11.00", "medfee_sumamt", "101.00"))))
	equal(t, "conflicting", report.Conflicting, 1)
	equal(t, "exceptions", f.kinds(t), "A3 conflicting_row")
}
