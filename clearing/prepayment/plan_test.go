package prepayment_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
)

func (f fixture) notice(t testing.TB, id string) prepayment.Notice {
	t.Helper()
	notices, err := f.Notices(t.Context(), prepayment.NoticeQuery{Notice: id})
	if err != nil || len(notices) != 1 {
		t.Fatal(id, len(notices), err)
	}
	return notices[0]
}

func TestPlanIsFrozenWithItsNotices(t *testing.T) {
	t.Parallel()
	f := open(t)
	in := f.plan(t, prepayment.InProvince)
	if len(in.Notices) != 1 || in.Notices[0].ID != "2025/in-province/320100/pay" || in.Notices[0].Amount != 20_00 || in.Notices[0].Annex != "3" {
		t.Fatalf("only the net debtor prepays: %+v", in.Notices)
	}
	// Ten working days from Wednesday 2025-02-05, the first one of the month after
	// the Spring Festival; Saturday the 8th is worked.
	if n := in.Notices[0]; n.Issued != day("2025-02-05") || n.Due != day("2025-02-18") {
		t.Errorf("issued %s, due %s", n.Issued, n.Due)
	}
	cross := f.plan(t, prepayment.CrossProvince)
	want := map[string]accounts.Fen{"2025/cross-province/310000/receive": 100_00, "2025/cross-province/320100/pay": 75_00, "2025/cross-province/320500/pay": 25_00}
	for _, n := range cross.Notices {
		if want[n.ID] != n.Amount {
			t.Errorf("%s: %s", n.ID, n.Amount)
		}
		delete(want, n.ID)
	}
	if len(want) > 0 {
		t.Errorf("missing %v", want)
	}
	if n := f.notice(t, "2025/cross-province/310000/receive"); n.Due != day("2025-02-28") {
		t.Errorf("the other provinces are paid by %s", n.Due)
	}
	if n := f.notice(t, "2025/cross-province/320500/pay"); n.ApplyBy != day("2025-02-11") || n.Due != day("2025-02-18") || n.Annex != "5" {
		t.Errorf("%+v", n)
	}
	if again := f.plan(t, prepayment.InProvince); !again.Replayed {
		t.Error("the same request makes a plan again")
	}
	_, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2025, Scheme: prepayment.InProvince, File: f.bases(t, 2025), By: "clerk"})
	mention(t, err, fault.AlreadyExists, "content")
	_, err = f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2025, Scheme: prepayment.InProvince, File: f.bases(t, 2025), By: "clerk", Key: "other"})
	mention(t, err, fault.AlreadyExists, "stands already")
	_, err = f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2024, Scheme: prepayment.InProvince, File: f.bases(t, 2024), By: "clerk"})
	mention(t, err, fault.Precondition, "2025/in-province stands already")
	_, err = f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2026, Scheme: prepayment.InProvince, By: "clerk"})
	mention(t, err, fault.Precondition, "24 runs of 2025 are not frozen")
}

func TestQuotasMoveInPartsAndOnlyOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.plan(t, prepayment.InProvince)
	f.plan(t, prepayment.CrossProvince)
	f.moved(t, "2025/in-province/320100/pay", "2025-02-10", 15_00)
	f.refuse(t, f.move("2025/in-province/320100/pay", "2025-02-11", 6_00), fault.Insufficient, "6.00 was asked and 5.00 is open", "1.00")
	f.refuse(t, f.move("2025/in-province/320100/pay", "2025-02-01", 5_00), fault.Invalid, "before notice")
	last := f.move("2025/in-province/320100/pay", "2025-02-12")
	for _, replayed := range []bool{false, true} {
		m, err := f.Record(t.Context(), last)
		if err != nil || m.Replayed != replayed || m.Lines[0].Amount != 5_00 {
			t.Fatal(m, err)
		}
	}
	other := last
	other.Date = day("2025-02-13")
	f.refuse(t, other, fault.AlreadyExists, "date")
	f.mustBe(t, home+".agency/310/2001.01.01/"+nanjing, -20_00)
	f.mustBe(t, nanjing+".agency/310/1101.01", 20_00)

	forward := "2025/cross-province/310000/receive"
	f.refuse(t, f.move(forward, "2025-02-20", 30_00), fault.Insufficient, "0.00 of what the cities have paid in", "30.00 is missing")
	f.moved(t, "2025/cross-province/320500/pay", "2025-02-18")
	f.refuse(t, f.move(forward, "2025-02-20", 30_00), fault.Insufficient, "25.00 of what the cities", "5.00 is missing")
	f.moved(t, forward, "2025-02-20", 25_00)
	f.mustBe(t, home+".agency/310/1101.02/"+shanghai, 25_00)
	f.mustBe(t, home+".agency/310/1003", 0)
	f.mustBeWhole(t)

	late, err := f.Notices(t.Context(), prepayment.NoticeQuery{LateOn: day("2025-02-19")})
	if err != nil || len(late) != 1 || late[0].ID != "2025/cross-province/320100/pay" || late[0].Open != 75_00 {
		t.Errorf("late: %+v %v", late, err)
	}
	if late, err = f.Notices(t.Context(), prepayment.NoticeQuery{LateOn: day("2025-02-18")}); err != nil || len(late) != 0 {
		t.Errorf("nobody is late on the day itself: %+v %v", late, err)
	}
}

func TestBalanceHeldIsSetOffInTheNextYear(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.plan(t, prepayment.InProvince)
	f.plan(t, prepayment.CrossProvince)
	for _, notice := range []string{"2025/in-province/320100/pay", "2025/cross-province/320100/pay", "2025/cross-province/320500/pay"} {
		f.moved(t, notice, "2025-02-18")
	}
	f.moved(t, "2025/cross-province/310000/receive", "2025-02-28", 90_00)
	// A year later Nanjing is no debtor, and half as much is to lie at Shanghai.
	next := f.bases(t, 2026, basis{"in_province_payable", "310", suzhou, "2025", 100_00}, basis{"cross_province_payable", "310", nanjing, "2025", 1_00},
		basis{"cross_province_settled", "310", shanghai, "2025-10", 75_00})
	for _, scheme := range prepayment.Schemes() {
		if _, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2026, Scheme: scheme, Issued: day("2026-02-02"), File: next, By: "clerk"}); err != nil {
			t.Fatal(err)
		}
	}
	for id, amount := range map[string]accounts.Fen{
		"2026/in-province/320100/receive": 20_00, "2026/in-province/320500/pay": 20_00, "2026/cross-province/320100/receive": 25_00,
		"2026/cross-province/320500/receive": 25_00, "2026/cross-province/310000/pay": 40_00,
	} {
		if n := f.notice(t, id); n.Amount != amount {
			t.Errorf("%s is %s, want %s", id, n.Amount, amount)
		}
	}
	f.refuse(t, f.move("2025/cross-province/310000/receive", "2026-02-03"), fault.Precondition, "set off in plan 2026/cross-province")
	f.moved(t, "2026/in-province/320100/receive", "2026-02-03")
	// 10.00 of what the cities paid in was never forwarded; the rest has to come back first.
	f.refuse(t, f.move("2026/cross-province/320100/receive", "2026-02-03"), fault.Insufficient, "10.00 of what the cities", "15.00 is missing")
	f.moved(t, "2026/cross-province/310000/pay", "2026-02-03")
	f.moved(t, "2026/cross-province/320100/receive", "2026-02-04")
	f.moved(t, "2026/cross-province/320500/receive", "2026-02-04")
	f.mustBe(t, nanjing+".agency/310/1101.01", 0)
	f.mustBe(t, nanjing+".agency/310/1101.02", 50_00)
	f.mustBe(t, suzhou+".agency/310/1101.02", 0)
	f.mustBe(t, home+".agency/310/1101.02/"+shanghai, 50_00)
	f.mustBeWhole(t)
}

func TestOtherProvincesPrepayHere(t *testing.T) {
	t.Parallel()
	f := open(t)
	in := prepayment.Move{Province: beijing, Direction: clearing.Pay, Document: "国家通知2025-1", Lines: []clearing.Line{{Fund: "310", Amount: 50_00}}, Date: day("2025-02-26"), Reference: "in", By: "clerk"}
	for _, replayed := range []bool{false, true} {
		if m, err := f.Record(t.Context(), in); err != nil || m.Replayed != replayed {
			t.Fatal(m, err)
		}
	}
	out := in
	out.Direction, out.Reference, out.Lines = clearing.Receive, "out", []clearing.Line{{Fund: "310", Amount: 60_00}}
	f.refuse(t, out, fault.Insufficient, "10.00")
	out.Lines[0].Amount = 20_00
	if _, err := f.Record(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	f.mustBe(t, home+".agency/310/2001.01.03/"+beijing, -30_00)
	f.mustBeWhole(t)
	for name, m := range map[string]prepayment.Move{
		"a city":       {Province: nanjing, Direction: clearing.Pay, Document: "d", Lines: in.Lines, Date: in.Date, Reference: "x", By: "clerk"},
		"no document":  {Province: beijing, Direction: clearing.Pay, Lines: in.Lines, Date: in.Date, Reference: "x", By: "clerk"},
		"nobody":       {Province: beijing, Direction: clearing.Pay, Document: "d", Lines: in.Lines, Date: in.Date, Reference: "x"},
		"no direction": {Province: beijing, Document: "d", Lines: in.Lines, Date: in.Date, Reference: "x", By: "clerk"},
		"no reference": {Province: beijing, Direction: clearing.Pay, Document: "d", Lines: in.Lines, Date: in.Date, By: "clerk"},
		"below zero":   {Province: beijing, Direction: clearing.Pay, Document: "d", Lines: []clearing.Line{{Fund: "310", Amount: -1}}, Date: in.Date, Reference: "x", By: "clerk"},
	} {
		if _, err := f.Record(t.Context(), m); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBasesAreThoseOfTheJournalOnceItHasAYear(t *testing.T) {
	t.Parallel()
	f := open(t)
	for n := range 12 {
		month := accounts.Month("2024-01").Add(n)
		f.settle(t, month, bill{nanjing, suzhou, 10_00}, bill{suzhou, nanjing, 4_00}, bill{nanjing, shanghai, 9_00}, bill{suzhou, shanghai, 3_00})
		f.cleared(t, month)
	}
	plan, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2025, Scheme: prepayment.CrossProvince, File: f.yearly(t, 2025), By: "clerk"})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Differences) == 0 || plan.Source != "the journal" {
		t.Fatalf("%s: %d differences", plan.Source, len(plan.Differences))
	}
	found := false
	for _, d := range plan.Differences {
		if d.Basis == clearing.CrossSettled && d.Party == shanghai && d.Period == "2024-10" {
			found = d.Amount == 12_00 && d.Other == 40_00
		}
	}
	if !found {
		t.Errorf("%+v", plan.Differences)
	}
	// Twice the mean of 12.00 a month, three quarters of it Nanjing's.
	if n := f.notice(t, "2025/cross-province/320100/pay"); n.Amount != 18_00 {
		t.Error(n.Amount)
	}
	in, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2025, Scheme: prepayment.InProvince, By: "clerk"})
	if err != nil || len(in.Notices) != 1 || in.Notices[0].Amount != 14_40 { // 20 % of 12 × 6.00
		t.Fatalf("%+v %v", in, err)
	}
}

// TestACityWithNetInflowHasNoQuotaAndGetsBackWhatItHeld: only debtors prepay in
// the province, one that is a debtor by a fen too; whose outflow has become
// inflow has a quota of 0.00 and gets back what it held (J30, J32).
func TestACityWithNetInflowHasNoQuotaAndGetsBackWhatItHeld(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.plan(t, prepayment.InProvince)
	f.moved(t, "2025/in-province/320100/pay", "2025-02-18")
	f.mustBe(t, nanjing+".agency/310/1101.01", 20_00)
	next := f.bases(t, 2026, basis{"in_province_payable", "310", nanjing, "2025", 50_00}, basis{"in_province_receivable", "310", nanjing, "2025", 50_01},
		basis{"in_province_payable", "310", suzhou, "2025", 50_03}, basis{"in_province_receivable", "310", suzhou, "2025", 50_00},
		basis{"in_province_payable", "310", wuxi, "2025", 7_00}, basis{"in_province_receivable", "310", wuxi, "2025", 7_00})
	plan, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2026, Scheme: prepayment.InProvince, Issued: day("2026-02-02"), File: next, By: "clerk"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][3]accounts.Fen{nanjing: {0, 20_00, -20_00}, suzhou: {1, 0, 1}, wuxi: {0, 0, 0}} // quota, held, adjustment
	for _, p := range plan.Positions {
		if w := want[p.Party]; p.Fund == "310" && [3]accounts.Fen{p.Quota, p.Held, p.Adjustment} != w {
			t.Errorf("%s has quota %s, holds %s, adjusts by %s; want %v", p.Party, p.Quota, p.Held, p.Adjustment, w)
		}
	}
	if len(plan.Notices) != 2 {
		t.Errorf("%d notices, want that of Nanjing and that of Suzhou", len(plan.Notices))
	}
	f.moved(t, "2026/in-province/320100/receive", "2026-02-03")
	f.mustBe(t, nanjing+".agency/310/1101.01", 0)
	f.mustBeWhole(t)
}
