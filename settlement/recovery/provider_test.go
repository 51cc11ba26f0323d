package recovery_test

import (
	"testing"

	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

// With payment lists as they are: what was paid decides what is deducted, and
// neither a deduction nor a clawback leaves anything open towards the provider.
func TestDeductionsAndClawbacksFollowPaymentLists(t *testing.T) {
	t.Parallel()
	f := open(t)
	desk := provider.New(f.db, f.journal, f.book)
	f.Recovery = recovery.New(f.db, f.journal, f.book, provider.PaidOf, f.clearing)
	f.settle(t, "2025-01", a1)
	pay := func(id, on string, lines ...provider.Line) {
		t.Helper()
		list, err := desk.MakeList(t.Context(), provider.ListRequest{ID: id, Treating: suzhou, Provider: "H" + suzhou + "00001", Through: day(on), Lines: lines, Date: day(on), By: "clerk"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := desk.Pay(t.Context(), provider.Payment{List: list.ID, Date: day(on), Reference: id, By: "cashier"}); err != nil {
			t.Fatal(err)
		}
	}
	pay("L1", "2025-02-01", provider.Line{Fund: "310", Amount: 80_00})
	made := f.deduct(t, "2025-02-10", line("A1", 60_00))
	equal(t, "deducted: 90.00 less 80.00", made[0].Deducted, 10_00)
	if _, err := f.Approve(t.Context(), recovery.Ruling{Case: caseA1, Date: day("2025-02-11"), By: "head"}); err != nil {
		t.Fatal(err)
	}
	f.move(t, caseA1, recovery.Received, "2025-02-12")
	f.mustBe(t, "320500.agency/310/9002", -30_00)
	open, _, err := desk.Payables(t.Context(), suzhou, "H"+suzhou+"00001", day("2025-02-28"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range open {
		if p.Fund == "310" && (p.Open != 30_00 || p.SetOff != 0 || p.Unassigned != 0) { // the account part
			t.Errorf("open towards the provider: %+v", p)
		}
	}
	f.clear(t, "2025-02")
	f.remit(t, "2025-02", "2025-04-05")
	f.mustBe(t, "320500.agency/310/2001.03", 0)
	f.mustBe(t, "320500.agency/310/1101.03", -30_00)
	pay("L2", "2025-05-01")
	f.mustBe(t, "320500.agency/310/1101.03", 0)
	f.mustBe(t, "320100.agency/310/5001", 60_00)
	f.mustBeWhole(t, true)
}
