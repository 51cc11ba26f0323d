package prepayment_test

import (
	"fmt"
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
)

// prepaid is a year in which 100.00 of fund 310 lie at Shanghai.
func prepaid(t testing.TB) fixture {
	f := open(t)
	f.plan(t, prepayment.CrossProvince)
	f.moved(t, "2025/cross-province/320100/pay", "2025-02-18")
	f.moved(t, "2025/cross-province/320500/pay", "2025-02-18")
	f.moved(t, "2025/cross-province/310000/receive", "2025-02-28")
	return f
}

// usage is how far the prepayment at a province is used in a month.
func (f fixture) usage(t testing.TB, month accounts.Month, province string) prepayment.Utilisation {
	t.Helper()
	list, err := f.Utilisation(t.Context(), month)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list {
		if u.Province == province {
			return u
		}
	}
	t.Fatalf("%s: nothing of %s", month, province)
	return prepayment.Utilisation{}
}

func TestUtilisationIsRedAtExactlyTheLimit(t *testing.T) {
	t.Parallel()
	f := prepaid(t)
	for i, c := range []struct {
		bill    accounts.Fen
		percent string
		level   prepayment.Level
	}{
		{69_99, "69.99", prepayment.Green}, {70_00, "70.00", prepayment.Yellow}, {89_99, "89.99", prepayment.Yellow}, {90_00, "90.00", prepayment.Red},
	} {
		month := accounts.Month("2025-02").Add(i)
		f.settle(t, month, bill{nanjing, shanghai, c.bill})
		projected := f.usage(t, month, shanghai)
		if !projected.Projected || projected.Total.Percent != c.percent || projected.Level() != c.level {
			t.Errorf("projected %+v", projected)
		}
		if _, err := f.Watch(t.Context(), month); fault.KindOf(err) != fault.Precondition {
			t.Errorf("a projection opens no case: %v", err)
		}
		f.cleared(t, month)
		list, err := f.Watch(t.Context(), month)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		u := list[0]
		if u.Projected || u.Funds["310"].Percent != c.percent || u.Level() != c.level || (u.TopUp != "") != (c.level == prepayment.Red) {
			t.Errorf("%s: %+v", c.percent, u)
		}
	}
	cases, err := f.TopUps(t.Context(), prepayment.TopUpQuery{})
	if err != nil || len(cases) != 1 || cases[0].ID != "topup/2025-05/310000" || cases[0].Funds[0].Cleared != 90_00 || cases[0].Funds[0].Held != 100_00 {
		t.Fatalf("%+v %v", cases, err)
	}
	if _, err := f.Watch(t.Context(), "2025-05"); err != nil {
		t.Fatal(err)
	}
	if cases, _ := f.TopUps(t.Context(), prepayment.TopUpQuery{}); len(cases) != 1 {
		t.Errorf("a second look opens %d cases", len(cases))
	}
}

func TestUseWithoutPrepaymentIsRed(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-02", bill{nanjing, beijing, 1})
	f.cleared(t, "2025-02")
	f.cleared(t, "2025-03") // a run with no records
	list, err := f.Watch(t.Context(), "2025-02")
	if err != nil || len(list) != 1 || list[0].Level() != prepayment.Red || list[0].Total.Percent != "" || list[0].TopUp == "" {
		t.Errorf("%+v %v", list, err)
	}
	if list, err = f.Watch(t.Context(), "2025-03"); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

// step is a step of a case with a key of its own.
func (f fixture) step(topUp, date, by string, amount accounts.Fen) prepayment.TopUpStep {
	*f.bills++
	s := prepayment.TopUpStep{TopUp: topUp, Date: day(date), By: by, Document: "医保函1", Key: fmt.Sprintf("step-%d", *f.bills)}
	if amount != 0 {
		s.Lines = []clearing.Line{{Fund: "310", Amount: amount}}
	}
	return s
}

// red clears a month with 95.00 at Shanghai, where 100.00 lie, and returns the case.
func (f fixture) red(t testing.TB, month accounts.Month, amount accounts.Fen) string {
	t.Helper()
	f.settle(t, month, bill{nanjing, shanghai, amount})
	f.cleared(t, month)
	list, err := f.Watch(t.Context(), month)
	if err != nil || list[0].TopUp == "" {
		t.Fatal(list, err)
	}
	return list[0].TopUp
}

// approved takes the case as far as its notices.
func (f fixture) approved(t testing.TB, id, date string, amount accounts.Fen) {
	t.Helper()
	if _, err := f.Propose(t.Context(), f.step(id, date, "maker", amount)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Approve(t.Context(), f.step(id, date, "checker", amount)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Notify(t.Context(), f.step(id, date, "maker", 0)); err != nil {
		t.Fatal(err)
	}
}

func TestTopUpGoesFromRedToForwarded(t *testing.T) {
	t.Parallel()
	f := prepaid(t)
	id := f.red(t, "2025-02", 95_00)
	_, err := f.Approve(t.Context(), f.step(id, "2025-03-31", "checker", 50_01))
	mention(t, err, fault.Precondition, "is open, so it cannot be approved")
	propose := f.step(id, "2025-03-31", "maker", 60_00)
	for _, replayed := range []bool{false, true} {
		if c, err := f.Propose(t.Context(), propose); err != nil || c.Replayed != replayed || c.State != prepayment.Proposed {
			t.Fatal(c, err)
		}
	}
	changed := propose
	changed.By = "somebody"
	_, err = f.Propose(t.Context(), changed)
	mention(t, err, fault.AlreadyExists, "person")
	_, err = f.Approve(t.Context(), f.step(id, "2025-03-31", "maker", 50_01))
	mention(t, err, fault.Permission, "maker")
	without := f.step(id, "2025-03-31", "checker", 50_01)
	without.Document = ""
	_, err = f.Approve(t.Context(), without)
	mention(t, err, fault.Invalid, "document")
	c, err := f.Approve(t.Context(), f.step(id, "2025-04-01", "checker", 50_01))
	if err != nil || c.State != prepayment.Approved {
		t.Fatal(c, err)
	}
	parts := map[string]accounts.Fen{}
	for _, city := range c.Cities {
		if city.Amount != 0 {
			parts[city.City] = city.Amount
		}
	}
	if len(parts) != 2 || parts[nanjing] != 37_51 || parts[suzhou] != 12_50 {
		t.Errorf("as the quotas are split: %v", parts)
	}
	// The term of five working days and five more counts the Sunday that is worked
	// for the Labour Day holidays, and jumps over them.
	if c, err = f.Notify(t.Context(), f.step(id, "2025-04-21", "maker", 0)); err != nil || c.State != prepayment.Notified {
		t.Fatal(c, err)
	}
	nj := id + "/320100/pay"
	if n := f.notice(t, nj); n.Annex != "6" || n.ApplyBy != day("2025-04-27") || n.Due != day("2025-05-07") {
		t.Errorf("apply by %s, due %s", n.ApplyBy, n.Due)
	}
	forward := id + "/310000/receive"
	f.refuse(t, f.move(forward, "2025-05-06", 10_00), fault.Insufficient, "0.00 of what the cities")
	f.moved(t, nj, "2025-05-06", 30_00)
	f.refuse(t, f.move(forward, "2025-05-06"), fault.Insufficient, "30.00 of what the cities", "20.01 is missing")
	f.moved(t, forward, "2025-05-06", 30_00)
	cases, err := f.TopUps(t.Context(), prepayment.TopUpQuery{TopUp: id, On: day("2025-05-08")})
	if err != nil {
		t.Fatal(err)
	}
	if of := cases[0].Funds[0]; of.Approved != 50_01 || of.Collected != 30_00 || of.Forwarded != 30_00 {
		t.Errorf("%+v", of)
	}
	late := 0
	for _, city := range cases[0].Cities {
		if city.Late {
			late++
		}
	}
	if late != 2 {
		t.Errorf("%d cities are late: %+v", late, cases[0].Cities)
	}
	_, err = f.Decline(t.Context(), prepayment.TopUpStep{TopUp: id, Date: day("2025-05-08"), By: "checker", Reason: "过期", Key: "d"})
	mention(t, err, fault.Precondition, "notified")
	f.moved(t, nj, "2025-05-09")
	f.moved(t, id+"/320500/pay", "2025-05-09")
	f.moved(t, forward, "2025-05-09")
	if cases, err = f.TopUps(t.Context(), prepayment.TopUpQuery{TopUp: id, On: day("2025-06-01")}); err != nil || cases[0].State != prepayment.Closed {
		t.Errorf("%+v %v", cases, err)
	}
	f.mustBe(t, home+".agency/310/1101.02/"+shanghai, 150_01)
	f.mustBeWhole(t)
}

func TestMoneyOfATopUpIsThatOfTheCaseNamed(t *testing.T) {
	t.Parallel()
	f := prepaid(t)
	first, second := f.red(t, "2025-02", 95_00), f.red(t, "2025-03", 99_00)
	f.approved(t, first, "2025-05-06", 40_00)
	f.approved(t, second, "2025-05-06", 40_00)
	f.moved(t, first+"/320100/pay", "2025-05-08", 30_00)
	f.moved(t, second+"/320500/pay", "2025-05-08", 10_00)
	f.refuse(t, f.move(second+"/310000/receive", "2025-05-09", 20_00), fault.Insufficient, "10.00 of what the cities", "10.00 is missing")
	f.moved(t, second+"/310000/receive", "2025-05-09", 10_00)
	f.moved(t, first+"/310000/receive", "2025-05-09", 30_00)
	for _, c := range []struct {
		id  string
		sum accounts.Fen
	}{{first, 30_00}, {second, 10_00}} {
		cases, err := f.TopUps(t.Context(), prepayment.TopUpQuery{TopUp: c.id})
		if err != nil || cases[0].Funds[0].Collected != c.sum || cases[0].Funds[0].Forwarded != c.sum {
			t.Errorf("%+v %v", cases, err)
		}
	}
	f.mustBeWhole(t)
}

func TestTopUpIsDeclinedWithAReason(t *testing.T) {
	t.Parallel()
	f := prepaid(t)
	id := f.red(t, "2025-02", 95_00)
	_, err := f.Decline(t.Context(), prepayment.TopUpStep{TopUp: id, Date: day("2025-03-31"), By: "checker", Key: "d"})
	mention(t, err, fault.Invalid, "reason")
	c, err := f.Decline(t.Context(), prepayment.TopUpStep{TopUp: id, Date: day("2025-03-31"), By: "checker", Reason: "下月回落", Key: "d"})
	if err != nil || c.State != prepayment.Declined || c.Steps[0].Reason != "下月回落" {
		t.Fatal(c, err)
	}
	_, err = f.Propose(t.Context(), f.step(id, "2025-03-31", "maker", 1))
	mention(t, err, fault.Precondition, "declined")
	if list, err := f.Watch(t.Context(), "2025-02"); err != nil || list[0].TopUp != id {
		t.Errorf("%+v %v", list, err)
	}
	_, err = f.Propose(t.Context(), f.step("topup/2025-02/110000", "2025-03-31", "maker", 1))
	mention(t, err, fault.NotFound, "no top-up")
}
