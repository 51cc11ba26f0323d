package recovery_test

import (
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/recovery"
)

// a1 is 120.00 of fund 310 (90.00 统筹, 30.00 个人账户) and 10.00 of fund 320.
var a1 = bill{id: "A1", insured: nanjing, treating: suzhou, pooled: 90_00, account: 30_00, servant: 10_00}

func TestADeductionBeforePaymentLowersWhatAllSidesAreOwed(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", a1)
	account := recovery.Line{SetlID: "A1", Part: "acct_pay", Amount: 5_00, Reason: "重复收费", Document: "审〔2025〕1号"}
	made := f.deduct(t, "2025-01-20", line("A1", 20_00), account)
	equal(t, "documents", len(made), 1)
	equal(t, "deducted", made[0].Deducted, 25_00)
	equal(t, "case", made[0].Case, "")
	equal(t, "entry", made[0].Entry.Valid, true)
	f.mustBe(t, "320500.agency/310/9002", -95_00)
	f.mustBe(t, "320500.agency/310/9001.01/320100", 95_00)
	f.mustBe(t, "320100.agency/310/9101.01/320500", -95_00)
	f.mustBe(t, "320500.agency/310/9991", 0)
	e, err := f.journal.Entry(t.Context(), made[0].Entry.UUID)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "kind", e.Kind, "settlement.in_province")
	equal(t, "source", e.Source, "审〔2025〕1号")
	equal(t, "it corrects the settlement", e.Corrects.Valid, true)
	f.mustBeWhole(t, false)
	month, err := f.settlements.MonthReport(t.Context(), "2025-01")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the sides agree on", month.MatchedAmount, 130_00)
	equal(t, "taken back", month.TakenBack, 1)
	equal(t, "and come to", month.TakenBackAmount, -25_00)
	f.clear(t, "2025-01")
	f.remit(t, "2025-01", "2025-03-05")
	f.mustBe(t, "320100.agency/310/5001", 95_00)
	f.mustBe(t, "320500.agency/310/1003", 500_000_00+95_00)
	f.mustBeWhole(t, true)
	list, _, err := f.Deductions(t.Context(), recovery.Query{SetlID: "A1", Limit: 10}, 0)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	equal(t, "run", list[0].Run, "2025-01/in-province")
}

func TestADeductionAfterClearingComesInTheNextRun(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", a1)
	f.clear(t, "2025-01")
	f.deduct(t, "2025-02-10", line("A1", 20_00))
	f.remit(t, "2025-01", "2025-03-05")
	f.mustBe(t, "320100.agency/310/5001", 120_00)
	f.clear(t, "2025-02")
	f.remit(t, "2025-02", "2025-04-05")
	f.mustBe(t, "320100.agency/310/5001", 100_00)
	f.mustBeWhole(t, true)
}

func TestOfAPartlyPaidSettlementTheUnpaidPartIsDeductedAndTheRestClawedBack(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", a1)
	f.payProvider(t, a1, 70_00) // 20.00 of 90.00 is unpaid
	made := f.deduct(t, "2025-02-10", line("A1", 50_00))
	equal(t, "asked", made[0].Asked, 50_00)
	equal(t, "deducted", made[0].Deducted, 20_00)
	equal(t, "case", made[0].Case, caseA1)
	c, _, err := f.Case(t.Context(), caseA1, 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "claimed", c.Total.Claimed, 30_00)
	equal(t, "mode", c.Mode, recovery.Offset)
	equal(t, "state", c.State, recovery.Opened)
	f.mustBe(t, "320500.agency/310/9002", -30_00) // the account part
	// Nothing of hifp_pay is unpaid now: all of the next one is clawed back.
	next := line("A1", 10_00)
	next.Document = "审〔2025〕2号"
	made = f.deduct(t, "2025-02-11", next)
	equal(t, "deducted", made[0].Deducted, 0)
	equal(t, "entry", made[0].Entry.Valid, false)
	equal(t, "case", made[0].Case, "审〔2025〕2号/A1")
	f.mustBeWhole(t, false)
}

func TestTakingBackNeverExceedsWhatIsLeft(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", a1)
	f.settle(t, "2025-02", bill{id: "R1", insured: nanjing, treating: suzhou, pooled: -10_00, refundOf: "A1"})
	f.deduct(t, "2025-02-20", line("A1", 30_00))
	second := line("A1", 50_01)
	second.Document = "审〔2025〕2号"
	_, err := f.Deduct(t.Context(), recovery.Decision{Lines: []recovery.Line{second}, Date: day("2025-02-21"), By: "auditor"})
	refused(t, err, fault.Insufficient, "hifp_pay", "50.01", "50.00 is left of settlement A1")
	// A refund is measured against deductions too.
	f.settle(t, "2025-03", bill{id: "R2", insured: nanjing, treating: suzhou, pooled: -50_01, refundOf: "A1"})
	report, err := f.settlements.Reconcile(t.Context(), "2025-03", noOptions)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "waiting", report.WaitingRefunds[0].Reason, "hifp_pay: 50.01 is refunded and 50.00 is left of original A1")
	f.settle(t, "2025-03", bill{id: "R3", insured: nanjing, treating: suzhou, pooled: -50_00, refundOf: "A1"})
	f.mustBe(t, "320500.agency/310/9002", -30_00) // the account part alone
	f.mustBeWhole(t, false)
}

func TestTheSameDecisionAgainChangesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", a1)
	f.deduct(t, "2025-01-20", line("A1", 20_00))
	again := f.deduct(t, "2025-01-20", line("A1", 20_00))
	equal(t, "replayed", again[0].Replayed, true)
	equal(t, "fund", again[0].Parts[0].Fund, "310")
	f.mustBe(t, "320500.agency/310/9002", -100_00)
	_, err := f.Deduct(t.Context(), recovery.Decision{Lines: []recovery.Line{line("A1", 21_00)}, Date: day("2025-01-20"), By: "auditor"})
	refused(t, err, fault.AlreadyExists, "审〔2025〕1号", "A1", "20.00")
	f.mustBeWhole(t, false)
}

func TestAListTakesAllLinesOrNone(t *testing.T) {
	t.Parallel()
	f := open(t)
	a2 := a1
	a2.id = "A2"
	f.settle(t, "2025-01", a1, a2)
	read := func(lines ...string) ([]recovery.Line, error) {
		return recovery.ReadList("list.tsv", strings.NewReader("setl_id\tpart\tamount\treason\tdocument\n"+strings.Join(lines, "\n")+"\n"))
	}
	_, err := read("A1\thifp_pay\t1.005\tr\td", "A2\thifp_pay\tx\tr\td")
	refused(t, err, fault.Invalid, "list.tsv:2:amount:", "list.tsv:3:amount:")
	lines, err := read("A1\thifp_pay\t1.00\tr\td", "A2\thifp\t1.00\tr\td", "A2\thifp_pay\t0.00\tr\td", "A2\thifp_pay\t1.00\t\td", "A1\thifp_pay\t1.00\tr\td")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Deduct(t.Context(), recovery.Decision{Lines: lines, Date: day("2025-01-20"), By: "auditor"})
	refused(t, err, fault.Invalid, "list.tsv:3:part:", "list.tsv:4:amount:", "list.tsv:5:reason:", "list.tsv:6:part:")
	lines, err = read("A1\thifp_pay\t1.00\tr\td", "A2\thifp_pay\t1.00\tr\td", "A2\tacct_pay\t30.01\tr\td", "A9\tacct_pay\t30.01\tr\td")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Deduct(t.Context(), recovery.Decision{Lines: lines, Date: day("2025-01-20"), By: "auditor"})
	refused(t, err, fault.Insufficient, "list.tsv:4:amount:acct_pay: 30.01", "list.tsv:5:setl_id:settlement A9 is not posted")
	f.mustBe(t, "320500.agency/310/9002", -240_00)
	lines, _ = read("A1\thifp_pay\t1.00\tr\td", "A2\thifp_pay\t1.00\tr\td", "A2\tacct_pay\t30.00\tr\td")
	made := f.deduct(t, "2025-01-20", lines...)
	equal(t, "decisions", len(made), 2)
	f.mustBe(t, "320500.agency/310/9002", -208_00)
	f.mustBeWhole(t, false)
}

func TestWhatAnotherProvinceDeductsLowersOurDebt(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", bill{id: "A1", insured: nanjing, treating: shanghai, pooled: 90_00})
	f.deduct(t, "2025-01-20", line("A1", 20_00))
	f.mustBe(t, "320100.agency/310/9101.01/310000", -70_00)
	f.clear(t, "2025-01")
	f.remit(t, "2025-01", "2025-03-05")
	f.mustBe(t, "320100.agency/310/5001", 70_00)
	f.mustBeWhole(t, true)
}

func TestTwoDecisionsAtOnceTakeTheRestOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, "2025-01", a1)
	errs := make(chan error, 4)
	for i := range 4 {
		go func() {
			l := line("A1", 60_00)
			l.Document = []string{"d1", "d2"}[i%2]
			_, err := f.Deduct(t.Context(), recovery.Decision{Lines: []recovery.Line{l}, Date: day("2025-01-20"), By: "auditor"})
			errs <- err
		}()
	}
	done := 0
	for range 4 {
		if err := <-errs; err == nil {
			done++
		} else {
			refused(t, err, fault.Insufficient, "30.00 is left")
		}
	}
	equal(t, "one document and its replay", done, 2)
	f.mustBe(t, "320500.agency/310/9002", accounts.Fen(-60_00))
	f.mustBeWhole(t, false)
}
