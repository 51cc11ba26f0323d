package recovery_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
	"fundledger/settlement"
	"fundledger/settlement/recovery"
)

var noOptions settlement.ReconcileOptions

// paidA1 has A1 posted, its provider paid, and its run paid by Nanjing.
func paidA1(t *testing.T, b bill) fixture {
	t.Helper()
	f := open(t)
	f.settle(t, "2025-01", b)
	f.payProvider(t, b, b.pooled+b.account)
	f.clear(t, "2025-01")
	f.remit(t, "2025-01", "2025-03-05")
	return f
}

func TestAnOffsetClawbackIsSettledWhenItsRunIsPaid(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	c := f.claim(t, "2025-03-10", recovery.Offset, line("A1", 40_00))
	equal(t, "outstanding", c.Total.Outstanding, 40_00)
	f.move(t, caseA1, recovery.Received, "2025-03-12", hifp(15_00))
	f.mustBe(t, "320500.agency/310/2001.03.01/320100", -15_00)
	f.mustBe(t, "320500.agency/310/9002", 0) // paid back, and not owed any more
	f.mustBe(t, "320500.agency/310/9001.01/320100", -15_00)
	f.mustBeWhole(t, false)
	c = f.move(t, caseA1, recovery.Received, "2025-03-13")
	equal(t, "received", c.Total.Received, 40_00)
	equal(t, "awaiting", c.Total.AwaitingRun, 40_00)
	f.mustBeWhole(t, false)
	f.settle(t, "2025-03", bill{id: "B1", insured: nanjing, treating: suzhou, pooled: 100_00})
	f.clear(t, "2025-03")
	c, _, _ = f.Case(t.Context(), caseA1, 0)
	equal(t, "in run", c.Total.InRun, 40_00)
	// Suzhou is owed 60.00. A part payment settles nothing yet.
	f.remitOn(t, "2025-03/in-province/320100/pay", 30_00)
	f.remitOn(t, "2025-03/in-province/320500/receive", 30_00)
	f.mustBe(t, "320500.agency/310/2001.03.01/320100", -40_00)
	f.mustBeWhole(t, false)
	f.remit(t, "2025-03", "2025-05-05")
	f.mustBe(t, "320500.agency/310/2001.03.01/320100", 0)
	f.mustBe(t, "320500.agency/310/1101.03", -100_00) // B1's provider is not paid yet
	f.mustBe(t, "320100.agency/310/5001", 180_00)
	c, _, _ = f.Case(t.Context(), caseA1, 0)
	equal(t, "home", c.Total.Home, 40_00)
	equal(t, "state", c.State, recovery.Returned)
	equal(t, "last step", c.Steps[len(c.Steps)-1].Step, "settled")
	equal(t, "its run", c.Steps[len(c.Steps)-1].Run, "2025-03/in-province")
	f.mustBeWhole(t, true)
}

func (f fixture) remitOn(t testing.TB, notice string, amount accounts.Fen) {
	t.Helper()
	_, err := f.clearing.Remit(t.Context(), clearing.Payment{Notice: notice, Lines: []clearing.Line{{Fund: "310", Amount: amount}}, Date: day("2025-05-03"), Reference: notice})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAClawbackOffsetByAnEqualBillIsSettledWhenTheRunIsFrozen(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	f.claim(t, "2025-03-10", recovery.Offset, line("A1", 40_00))
	f.move(t, caseA1, recovery.Received, "2025-03-12")
	b1 := bill{id: "B1", insured: nanjing, treating: suzhou, pooled: 40_00}
	f.settle(t, "2025-03", b1)
	f.payProvider(t, b1, 40_00)
	f.clear(t, "2025-03")
	f.mustBe(t, "320500.agency/310/2001.03.01/320100", 0)
	f.mustBe(t, "320500.agency/310/1101.03", 0)
	c, _, _ := f.Case(t.Context(), caseA1, 0)
	equal(t, "state", c.State, recovery.Returned)
	f.mustBeWhole(t, true)
}

func TestAnOffsetThatMakesTheTotalNegativeIsPaidTheOtherWay(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	f.claim(t, "2025-03-10", recovery.Offset, line("A1", 40_00))
	f.move(t, caseA1, recovery.Received, "2025-03-12")
	f.clear(t, "2025-03")
	f.mustBe(t, "320500.agency/310/2001.03.01/320100", -40_00)
	f.event(t, "premium.received", "310", map[string]string{"H": suzhou}, 1_00)
	f.remit(t, "2025-03", "2025-05-05")
	f.mustBe(t, "320500.agency/310/2001.03.01/320100", 0)
	f.mustBe(t, "320100.agency/310/5001", 80_00)
	f.mustBeWhole(t, true)
}

func TestAnOffsetOfAPatientOfAnotherProvince(t *testing.T) {
	t.Parallel()
	f := paidA1(t, bill{id: "A1", insured: shanghai, treating: suzhou, pooled: 90_00})
	f.claim(t, "2025-03-10", recovery.Offset, line("A1", 40_00))
	f.move(t, caseA1, recovery.Received, "2025-03-12")
	f.settle(t, "2025-03", bill{id: "B1", insured: shanghai, treating: suzhou, pooled: 100_00})
	f.clear(t, "2025-03")
	f.mustBeWhole(t, false)
	f.remit(t, "2025-03", "2025-05-05")
	f.mustBe(t, "320500.agency/310/2001.03.01/310000", 0)
	f.mustBeWhole(t, true)
}

func TestARemittedClawbackGoesHomeStationByStation(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	account := recovery.Line{SetlID: "A1", Part: "acct_pay", Amount: 5_00, Reason: "重复收费", Document: "审〔2025〕1号"}
	f.claim(t, "2025-03-10", recovery.Remit, line("A1", 40_00), account)
	_, err := f.Move(t.Context(), f.movement(caseA1, recovery.Deposited, "2025-03-12"))
	refused(t, err, fault.Insufficient, "nothing")
	f.move(t, caseA1, recovery.Received, "2025-03-12", hifp(40_00))
	c := f.move(t, caseA1, recovery.Received, "2025-03-12")
	equal(t, "at the agency", c.Total.AtAgency, 45_00)
	f.mustBe(t, "320500.agency/310/2001.03.02/320100", -45_00)
	f.mustBeWhole(t, true)
	_, err = f.Move(t.Context(), f.movement(caseA1, recovery.Deposited, "2025-03-13", hifp(40_01)))
	refused(t, err, fault.Insufficient, "40.01", "40.00")
	c = f.move(t, caseA1, recovery.Deposited, "2025-03-13")
	equal(t, "deposited", c.Total.Deposited, 45_00)
	f.mustBeWhole(t, true)
	c = f.move(t, caseA1, recovery.Sent, "2025-03-14", hifp(30_00))
	equal(t, "at the province", c.Total.AtProvince, 30_00)
	f.mustBe(t, "320000.agency/310/2001.05/320100", -30_00)
	f.mustBeWhole(t, true)
	f.move(t, caseA1, recovery.Sent, "2025-03-14")
	c = f.move(t, caseA1, recovery.Home, "2025-03-15")
	equal(t, "home", c.Total.Home, 45_00)
	equal(t, "state", c.State, recovery.Returned)
	f.mustBe(t, "320100.agency/310/5001.01", 50_00) // 90.00 of 住院 less 40.00
	f.mustBe(t, "320100.agency/310/5001.05", 25_00) // 30.00 of 个人账户 less 5.00
	f.mustBe(t, "320100.agency/310/4501", 0)
	for _, zero := range []string{"320500.agency/310/2001.03", "320000.agency/310/2001.05", "320000.finance/310/2001.05", "320500.agency/310/9002"} {
		f.mustBe(t, zero, 0)
	}
	f.mustBeWhole(t, true)
}

func TestAClawbackHomeInALaterFiscalYearIsOtherIncome(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	f.claim(t, "2025-12-10", recovery.Remit, line("A1", 40_00))
	for _, station := range []recovery.Station{recovery.Received, recovery.Deposited, recovery.Sent} {
		f.move(t, caseA1, station, "2025-12-20")
	}
	f.move(t, caseA1, recovery.Home, "2025-12-31", hifp(10_00))
	f.mustBe(t, "320100.agency/310/5001", 110_00)
	f.move(t, caseA1, recovery.Home, "2026-01-01")
	f.mustBe(t, "320100.agency/310/5001", 110_00)
	f.mustBe(t, "320100.agency/310/4501", -30_00)
	f.mustBe(t, "320100.finance/310/4501", -30_00)
	f.mustBeWhole(t, true)
}

func TestRemittingNeedsAnExpense(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", a1)
	f.payProvider(t, a1, 120_00)
	ask := recovery.Decision{Lines: []recovery.Line{line("A1", 40_00)}, Date: day("2025-02-10"), By: "auditor", Mode: recovery.Remit}
	_, err := f.OpenClawbacks(t.Context(), ask)
	refused(t, err, fault.Precondition, "no clearing run", "offset")
	f.clear(t, "2025-01")
	_, err = f.OpenClawbacks(t.Context(), ask)
	refused(t, err, fault.Precondition, "320100 has not paid run 2025-01/in-province in fund 310", "offset")
	f.remit(t, "2025-01", "2025-03-05")
	if _, err := f.OpenClawbacks(t.Context(), ask); err != nil {
		t.Error(err)
	}
	f.mustBeWhole(t, true)
}

func TestAClawbackOfAnotherProvincesPatientIsSentOn(t *testing.T) {
	t.Parallel()
	f := paidA1(t, bill{id: "A1", insured: shanghai, treating: suzhou, pooled: 90_00})
	f.claim(t, "2025-03-10", recovery.Remit, line("A1", 40_00))
	for _, station := range []recovery.Station{recovery.Received, recovery.Deposited, recovery.Sent, recovery.Home} {
		f.move(t, caseA1, station, "2025-03-20")
		f.mustBeWhole(t, true)
	}
	f.mustBe(t, "320000.agency/310/2001.05", 0)
	f.mustBe(t, "320500.agency/310/1101.03", 0)
}

func TestAClawbackFromAnotherProvinceComesHome(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", bill{id: "A1", insured: nanjing, treating: shanghai, pooled: 90_00})
	f.clear(t, "2025-01")
	c := f.claim(t, "2025-03-01", "", line("A1", 40_00))
	equal(t, "mode", c.Mode, recovery.Inbound)
	c = f.move(t, caseA1, recovery.Arrived, "2025-03-02", hifp(25_00))
	equal(t, "at the province", c.Total.AtProvince, 25_00)
	equal(t, "outstanding", c.Total.Outstanding, 15_00)
	f.mustBeWhole(t, false)
	_, err := f.Move(t.Context(), f.movement(caseA1, recovery.Home, "2025-03-03"))
	refused(t, err, fault.Precondition, "has not paid run 2025-01/cross-out")
	_, err = f.Move(t.Context(), f.movement(caseA1, recovery.Received, "2025-03-03"))
	refused(t, err, fault.Invalid, "inbound", "received")
	f.remit(t, "2025-01", "2025-03-05")
	f.move(t, caseA1, recovery.Home, "2025-03-06")
	f.mustBe(t, "320100.agency/310/5001", 65_00)
	f.mustBeWhole(t, true)
}

func TestAClawbackIsOfWhatTheProviderWasPaid(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", a1)
	f.payProvider(t, a1, 30_00)
	ask := func(document string, amount accounts.Fen) error {
		l := line("A1", amount)
		l.Document = document
		_, err := f.OpenClawbacks(t.Context(), recovery.Decision{Lines: []recovery.Line{l}, Date: day("2025-02-10"), By: "auditor"})
		return err
	}
	refused(t, ask("d1", 30_01), fault.Insufficient, "was paid 30.00", "deduct")
	if err := ask("d1", 20_00); err != nil {
		t.Fatal(err)
	}
	refused(t, ask("d2", 10_01), fault.Insufficient, "was paid 30.00")
	if err := ask("d2", 10_00); err != nil {
		t.Fatal(err)
	}
	f.mustBeWhole(t, false)
}

func TestEveryStepOfACaseHasItsOrderAndItsPersons(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	ask := recovery.Decision{Lines: []recovery.Line{line("A1", 40_00)}, Date: day("2025-03-10"), By: "auditor"}
	cases, err := f.OpenClawbacks(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "state", cases[0].State, recovery.Opened)
	if cases, err = f.OpenClawbacks(t.Context(), ask); err != nil || !cases[0].Replayed {
		t.Error("the same case again:", err)
	}
	ask.Lines[0].Amount++
	_, err = f.OpenClawbacks(t.Context(), ask)
	refused(t, err, fault.AlreadyExists, "40.00")
	_, err = f.Move(t.Context(), f.movement(caseA1, recovery.Received, "2025-03-12"))
	refused(t, err, fault.Precondition, "not approved")
	ruling := recovery.Ruling{Case: caseA1, Date: day("2025-03-11"), By: "auditor", Reason: "r"}
	_, err = f.Approve(t.Context(), ruling)
	refused(t, err, fault.Permission, "auditor", "another person")
	_, err = f.Decline(t.Context(), ruling)
	refused(t, err, fault.Permission, "auditor")
	ruling.Date = day("2025-03-09")
	ruling.By = "head"
	_, err = f.Approve(t.Context(), ruling)
	refused(t, err, fault.Invalid, "before the case")
	ruling.Date = day("2025-03-11")
	if _, err = f.Approve(t.Context(), ruling); err != nil {
		t.Fatal(err)
	}
	c, err := f.Approve(t.Context(), ruling)
	if err != nil || !c.Replayed {
		t.Error("approved again:", err)
	}
	ruling.By = "other"
	_, err = f.Approve(t.Context(), ruling)
	refused(t, err, fault.AlreadyExists, "head")
	penalty := recovery.Penalty{Case: caseA1, Amount: 500_00, Document: "罚1", Date: day("2025-03-11"), By: "auditor"}
	for range 2 {
		if c, err = f.RecordPenalty(t.Context(), penalty); err != nil || c.Penalty != 500_00 {
			t.Fatal(c, err)
		}
	}
	penalty.Amount++
	_, err = f.RecordPenalty(t.Context(), penalty)
	refused(t, err, fault.AlreadyExists, "500.00")
	f.mustBe(t, "320500.agency/310/1004", 500_000_00-120_00) // a penalty is posted nowhere
	m := f.movement(caseA1, recovery.Received, "2025-03-12", hifp(10_00))
	for i := range 2 {
		c, err = f.Move(t.Context(), m)
		if err != nil || c.Replayed != (i == 1) || c.Total.Received != 10_00 {
			t.Fatal(c, err)
		}
	}
	m.Amounts = nil
	_, err = f.Move(t.Context(), m)
	refused(t, err, fault.AlreadyExists, "hifp_pay=10.00")
	_, err = f.Cancel(t.Context(), ruling)
	refused(t, err, fault.Precondition, "10.00 has come")
	_, err = f.Move(t.Context(), f.movement(caseA1, recovery.Received, "2025-03-12", hifp(30_01)))
	refused(t, err, fault.Insufficient, "30.01", "30.00")
	_, _, err = f.Case(t.Context(), "x/A1", 0)
	refused(t, err, fault.NotFound, "x/A1")
	f.mustBeWhole(t, true)
}

func TestAClaimThatIsGivenUpIsLeftOfTheSettlementAgain(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	for i, give := range []func() error{
		func() error {
			_, err := f.Decline(t.Context(), recovery.Ruling{Case: "d0/A1", Date: day("2025-03-11"), By: "head", Reason: "证据不足"})
			return err
		},
		func() error {
			_, err := f.Cancel(t.Context(), recovery.Ruling{Case: "d1/A1", Date: day("2025-03-11"), By: "auditor", Reason: "撤回"})
			return err
		},
		func() error { return nil },
	} {
		l := line("A1", 90_00)
		l.Document = []string{"d0", "d1", "d2"}[i]
		if _, err := f.OpenClawbacks(t.Context(), recovery.Decision{Lines: []recovery.Line{l}, Date: day("2025-03-10"), By: "auditor"}); err != nil {
			t.Fatal(i, err)
		}
		if err := give(); err != nil {
			t.Fatal(i, err)
		}
	}
	c, _, err := f.Case(t.Context(), "d0/A1", 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "state", c.State, recovery.Declined)
	equal(t, "outstanding", c.Total.Outstanding, 0)
	_, err = f.Move(t.Context(), f.movement("d0/A1", recovery.Received, "2025-03-12"))
	refused(t, err, fault.Precondition, "declined")
	cases, _, err := f.Cases(t.Context(), recovery.Query{State: recovery.Opened, Regions: []string{nanjing}, Limit: 10}, 0)
	if err != nil || len(cases) != 1 || cases[0].ID != "d2/A1" {
		t.Error(cases, err)
	}
	cases, _, _ = f.Cases(t.Context(), recovery.Query{Regions: []string{wuxi}, Limit: 10}, 0)
	equal(t, "others see nothing", len(cases), 0)
	// The refund waits, since the third claim stands.
	f.settle(t, "2025-03", bill{id: "R1", insured: nanjing, treating: suzhou, pooled: -1_00, refundOf: "A1"})
	report, err := f.settlements.Reconcile(t.Context(), "2025-03", noOptions)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "waiting", report.WaitingRefunds[0].Reason, "hifp_pay: 1.00 is refunded and 0.00 is left of original A1")
	f.mustBeWhole(t, true)
}

func TestTheSameMoneyAtTwoServersIsReceivedOnce(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	f.claim(t, "2025-03-10", recovery.Offset, line("A1", 40_00))
	m := f.movement(caseA1, recovery.Received, "2025-03-12", hifp(25_00))
	errs := make(chan error, 4)
	for i := range 4 {
		go func() {
			same := m
			if i == 3 {
				same.Reference = "another"
			}
			_, err := recovery.New(f.db, f.journal, f.book, f.providers.paidOf, f.clearing).Move(t.Context(), same)
			errs <- err
		}()
	}
	failed := 0
	for range 4 {
		if err := <-errs; err != nil {
			failed++
			refused(t, err, fault.Insufficient, "15.00")
		}
	}
	if failed != 1 && failed != 3 {
		t.Error(failed, "calls were refused")
	}
	f.mustBe(t, "320500.agency/310/2001.03.01/320100", -25_00)
	f.mustBeWhole(t, true)
}

func TestAClosedMonthIsSkipped(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	f.claim(t, "2025-03-10", recovery.Offset, line("A1", 40_00))
	book := accounts.BookOf(suzhou, accounts.Agency)
	for month := accounts.Month("2024-01"); month <= "2025-03"; month = month.Add(1) {
		if _, err := f.journal.BeginClose(t.Context(), book, month, "clerk"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.journal.Close(t.Context(), book, month, "chief"); err != nil {
			t.Fatal(err)
		}
	}
	c := f.move(t, caseA1, recovery.Received, "2025-03-12")
	e, err := f.journal.Entry(t.Context(), c.Steps[len(c.Steps)-1].Entries[0])
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "period", e.Period, "2025-04")
	equal(t, "date", e.Date, day("2025-03-12"))
	equal(t, "reviewer", e.Reviewer, "head")
	f.mustBeWhole(t, false)
}

func TestAWithdrawalAfterClearingComesInTheNextRun(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	f.claim(t, "2025-03-10", recovery.Offset, line("A1", 40_00))
	f.move(t, caseA1, recovery.Received, "2025-03-12", hifp(10_00))
	file := []byte("setl_id\tdate\treason\tdocument\nA1\t2025-03-20\t重复上传\t冲1号\n")
	for _, side := range settlement.Sides() {
		if _, err := f.settlements.Withdraw(t.Context(), side, "w.tsv", file); err != nil {
			t.Fatal(err)
		}
	}
	// 130.00 less the claim of 40.00: the case brings that back.
	f.mustBe(t, "320500.agency/310/9001.01/320100", -10_00-80_00)
	f.mustBe(t, "320500.agency/320/9001.01/320100", -10_00)
	f.move(t, caseA1, recovery.Received, "2025-03-21")
	f.clear(t, "2025-03")
	f.remit(t, "2025-03", "2025-05-05")
	f.mustBe(t, "320100.agency/310/5001", 0)
	f.mustBe(t, "320100.agency/320/5001", 0)
	f.mustBe(t, "320500.agency/310/2001.03.01", 0)
	story, _, err := f.clearing.Story(t.Context(), "A1", 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "state", story.State, settlement.StateWithdrawn)
	equal(t, "remaining", story.Remaining, 0)
	equal(t, "run of the reversal", story.Reductions[1].Run, "2025-03/in-province")
	equal(t, "clawback", story.Clawbacks[0].State, recovery.Returned)
	equal(t, "notices", len(story.Clearing.Notices), 2)
	f.mustBeWhole(t, true)
}

func TestRefundsAfterClearingAndInALaterYear(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	f.settle(t, "2025-03", bill{id: "R1", insured: nanjing, treating: suzhou, pooled: -50_00, account: -30_00, refundOf: "A1"})
	f.clear(t, "2025-03")
	f.remit(t, "2025-03", "2025-05-05")
	f.mustBe(t, "320100.agency/310/5001", 40_00)
	f.settle(t, "2026-01", bill{id: "R2", insured: nanjing, treating: suzhou, pooled: -40_00, servant: -10_00, refundOf: "A1"})
	f.clear(t, "2026-01")
	f.remit(t, "2026-01", "2026-03-05")
	f.mustBe(t, "320100.agency/310/5001", 0)
	f.mustBe(t, "320500.agency/310/9002", 120_00) // the provider owes what it was paid
	story, _, err := f.clearing.Story(t.Context(), "A1", 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "remaining", story.Remaining, 0)
	equal(t, "run of the second", story.RefundStories[1].Run, "2026-01/in-province")
	f.mustBeWhole(t, true)
}

func TestTheCheckFindsMoneyOfNoCase(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	f.mustBeWhole(t, true)
	f.event(t, "clawback.remit.recovered", "310", map[string]string{"T": suzhou, "I": nanjing}, 7_00)
	f.event(t, "clawback.remit.received", "310", map[string]string{"P": province, "I": wuxi}, 3_00)
	report, err := clearing.Check(t.Context(), f.journal, f.db, f.book)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, finding := range report.Findings {
		if finding.Check == "clawback cases" {
			found[finding.Account] = finding.Message
		}
	}
	equal(t, "findings", len(found), 3) // of the province the agency and the finance department
	equal(t, "the city", found["320500.agency/310/2001.03.02/320100"], "the journal has 7.00 here (credits less debits), the clawback cases say 0.00")
	equal(t, "the province", found["320000.finance/310/2001.05/320200"], "the journal has 3.00 here (credits less debits), the clawback cases say 0.00")
	// And what a case says without the journal.
	f.claim(t, "2025-03-10", recovery.Offset, line("A1", 40_00))
	f.move(t, caseA1, recovery.Received, "2025-03-12")
	if _, err := f.db.Pool.Exec(t.Context(), "UPDATE clawbacks SET treating = '320400'"); err != nil {
		t.Fatal(err)
	}
	if report, err = clearing.Check(t.Context(), f.journal, f.db, f.book); err != nil {
		t.Fatal(err)
	}
	equal(t, "findings", len(report.Findings), 5)
}
