package settlement_test

import (
	"bytes"
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
)

// withdraw loads withdrawals of a side, each dated by the side.
func (f fixture) withdraw(t testing.TB, side settlement.Side, name string, ids ...string) []settlement.Withdrawal {
	t.Helper()
	report, err := f.Withdraw(t.Context(), side, name, withdrawals(side, ids...))
	if err != nil {
		t.Fatal(err)
	}
	return report.Withdrawals
}

func withdrawals(side settlement.Side, ids ...string) []byte {
	day := map[settlement.Side]string{settlement.Treating: "2025-02-10", settlement.Center: "2025-02-12", settlement.Insured: "2025-02-11"}[side]
	text := "setl_id\tdate\treason\tdocument\n"
	for _, id := range ids {
		text += id + "\t" + day + "\t重复上传\t冲正1号\n"
	}
	return []byte(text)
}

func (f fixture) balance(t testing.TB, account string) (sum accounts.Fen) {
	t.Helper()
	a, err := accounts.ParseAccount(account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	balances, _, err := f.journal.Balances(t.Context(), ledger.Filter(a), ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range balances {
		sum += b.Balance
	}
	return sum
}

func (f fixture) story(t testing.TB, id string) *settlement.Settlement {
	t.Helper()
	story, _, err := f.Settlement(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return story
}

func TestAPostedSettlementIsTakenBackWhenAllSidesWithdrawIt(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", bill("A1"), bill("A2"), refund("R1", "A1", "5.00"))
	f.reconcile(t, "2025-01")
	equal(t, "payable", f.balance(t, "320500.agency/310/9002"), -165_00)
	w := f.withdraw(t, settlement.Treating, "w.tsv", "A1")
	equal(t, "state", w[0].State, settlement.WithdrawalPending)
	equal(t, "missing", len(w[0].Missing), 2)
	f.withdraw(t, settlement.Center, "w.tsv", "A1")
	report := f.reconcile(t, "2025-01")
	if len(report.OpenExceptions) != 1 || report.OpenExceptions[0].Kind != settlement.KindWithdrawalPending ||
		!strings.Contains(report.OpenExceptions[0].Detail, "insured did not") {
		t.Error(report.OpenExceptions)
	}
	equal(t, "payable", f.balance(t, "320500.agency/310/9002"), -165_00)
	w = f.withdraw(t, settlement.Insured, "w.tsv", "A1")
	equal(t, "state", w[0].State, settlement.WithdrawalReversed)
	equal(t, "payable", f.balance(t, "320500.agency/310/9002"), -85_00)
	equal(t, "320", f.balance(t, "320500.agency/320/9002"), -5_00)
	e, err := f.journal.Entry(t.Context(), w[0].Entry.UUID)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "date", e.Date.String(), "2025-02-12")
	equal(t, "corrects", e.Corrects.UUID, ledger.EntryID("settlement/A1"))
	story := f.story(t, "A1")
	equal(t, "state", story.State, settlement.StateWithdrawn)
	equal(t, "remaining", story.Remaining, 0)
	equal(t, "entries", len(story.Entries), 2)
	equal(t, "exceptions", len(f.reconcile(t, "2025-01").OpenExceptions), 0)
	// Nothing is left for a refund, and the same file again changes nothing.
	f.loadAll(t, "r.tsv", refund("R2", "A1", "1.00"))
	equal(t, "waiting", f.waiting(t)["R2"], "hifp_pay: 1.00 is refunded and 0.00 is left of original A1")
	again, err := f.Withdraw(t.Context(), settlement.Insured, "w.tsv", withdrawals(settlement.Insured, "A1"))
	if err != nil || !again.AlreadyLoaded || again.Withdrawals[0].State != settlement.WithdrawalReversed {
		t.Error(again, err)
	}
	month, err := f.MonthReport(t.Context(), "2025-02")
	if fault.KindOf(err) != fault.NotFound {
		t.Error(month, err)
	}
	f.mustBeWhole(t)
}

func TestTheOrderOfWithdrawalsDoesNotMatter(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", bill("A1"))
	f.reconcile(t, "2025-01")
	errs := make(chan error, 3)
	for _, side := range settlement.Sides() {
		content := withdrawals(side, "A1")
		go func() {
			_, err := f.Withdraw(t.Context(), side, "w.tsv", content)
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	equal(t, "state", f.story(t, "A1").State, settlement.StateWithdrawn)
	equal(t, "payable", f.balance(t, "320500.agency/310/9002"), 0)
	f.mustBeWhole(t)
}

func TestBeforePostingAWithdrawnRecordCountsNoMore(t *testing.T) {
	t.Parallel()
	f := open(t)
	// The insured side lacks A1; A2 agrees, and is withdrawn by one side.
	f.load(t, settlement.Treating, file(t, "f.tsv", text(bill("A1"), bill("A2"))))
	f.load(t, settlement.Center, file(t, "f.tsv", text(bill("A1"), bill("A2"))))
	f.load(t, settlement.Insured, file(t, "f.tsv", text(bill("A2"))))
	f.withdraw(t, settlement.Insured, "w.tsv", "A2")
	report := f.reconcile(t, "2025-01")
	equal(t, "posted", report.Posted, 0)
	equal(t, "missing", report.Exceptions[settlement.KindMissingInsured], 1)
	equal(t, "pending", report.Exceptions[settlement.KindWithdrawalPending], 1)
	f.withdraw(t, settlement.Treating, "w2.tsv", "A1")
	w := f.withdraw(t, settlement.Center, "w2.tsv", "A1")
	equal(t, "state", w[0].State, settlement.WithdrawalDone)
	equal(t, "story", f.story(t, "A1").State, settlement.StateWithdrawn)
	report = f.reconcile(t, "2025-01")
	equal(t, "missing", report.Exceptions[settlement.KindMissingInsured], 0)
	equal(t, "pending", report.Exceptions[settlement.KindWithdrawalPending], 1)
	// A later file brings the record again.
	f.load(t, settlement.Insured, file(t, "f2.tsv", text(bill("A2"), bill("A3"))))
	report = f.reconcile(t, "2025-01")
	equal(t, "posted", report.Posted, 1)
	equal(t, "pending", report.Exceptions[settlement.KindWithdrawalPending], 0)
	equal(t, "story", f.story(t, "A2").State, settlement.StatePosted)
	f.mustBeWhole(t)
}

func TestALaterFileRevokesAWithdrawalUntilItIsComplete(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", bill("A1"))
	f.reconcile(t, "2025-01")
	f.withdraw(t, settlement.Treating, "w.tsv", "A1")
	f.withdraw(t, settlement.Center, "w.tsv", "A1")
	f.load(t, settlement.Treating, file(t, "t2.tsv", text(bill("A1"), bill("A2"))))
	pending := f.story(t, "A1")
	equal(t, "withdrawn by", pending.Withdrawal.Sides[0].Side, settlement.Center)
	if d := pending.Exception.Detail; !strings.Contains(d, "treating did not") || !strings.Contains(d, "center withdrew it") {
		t.Error(d)
	}
	f.load(t, settlement.Center, file(t, "c2.tsv", text(bill("A1"), bill("A2"))))
	revoked := f.story(t, "A1")
	equal(t, "state", revoked.State, settlement.StatePosted)
	equal(t, "withdrawal", revoked.Withdrawal, nil)
	equal(t, "resolved by", revoked.Exception.ResolvedBy, "c2.tsv")
	// Once all have withdrawn it, it is over.
	for _, side := range settlement.Sides() {
		content := bytes.ReplaceAll(withdrawals(side, "A1"), []byte("冲正1号"), []byte("冲正2号"))
		if _, err := f.Withdraw(t.Context(), side, "w2.tsv", content); err != nil {
			t.Fatal(err)
		}
	}
	f.load(t, settlement.Treating, file(t, "t3.tsv", text(bill("A1"), bill("A3"))))
	equal(t, "state", f.story(t, "A1").State, settlement.StateWithdrawn)
	equal(t, "payable", f.balance(t, "320500.agency/310/9002"), 0)
	f.mustBeWhole(t)
}

func TestAFileOfWithdrawalsIsTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", bill("A1"), refund("R1", "A1", "5.00"))
	f.reconcile(t, "2025-01")
	_, err := f.Withdraw(t.Context(), settlement.Center, "w.tsv", []byte("setl_id\tdate\treason\tdocument\nA1\t2025-02-30\tr\td\nA1\t2025-02-01\t\td\n a b\t2025-02-01\tr\td\n"))
	mustFail(t, err, fault.Invalid, "w.tsv:2:date:")
	mustFail(t, err, fault.Invalid, "w.tsv:3:reason:")
	mustFail(t, err, fault.Invalid, "w.tsv:4:setl_id:")
	_, err = f.Withdraw(t.Context(), settlement.Center, "w.tsv", withdrawals(settlement.Center, "A1", "A9", "R1"))
	mustFail(t, err, fault.Invalid, "w.tsv:3:setl_id:the center side has no record of settlement A9")
	mustFail(t, err, fault.Invalid, "w.tsv:4:setl_id:settlement R1 is a posted refund")
	_, err = f.Withdraw(t.Context(), settlement.Center, "w.tsv", []byte("setl_id\tdate\n"))
	mustFail(t, err, fault.Invalid, "w.tsv:1:reason")
	f.withdraw(t, settlement.Center, "w.tsv", "A1")
	_, err = f.Withdraw(t.Context(), settlement.Center, "x.tsv", []byte("setl_id\tdate\treason\tdocument\nA1\t2025-02-20\tr\td\n"))
	mustFail(t, err, fault.Invalid, "x.tsv:2:setl_id:settlement A1 was withdrawn already by w.tsv, line 2")
	f.mustBeWhole(t)
}

// A corrected line from a side closes an exception, whatever its kind.
func TestALaterLineClosesEachKindOfException(t *testing.T) {
	t.Parallel()
	f := open(t)
	bad := bill("A6", "hifp_pay", "54.00")
	double := func(id string) []map[string]string {
		return []map[string]string{bill(id), bill(id, "hifp_pay", "50.00", "fund_pay_sumamt", "55.00", "medfee_sumamt", "95.00")}
	}
	center := append([]map[string]string{bill("A2"), bill("A3"), bill("A4", "hifp_pay", "50.00", "fund_pay_sumamt", "55.00", "psn_cash_pay", "15.00"), bill("A5", "med_type", "14"), bad}, double("A7")...)
	f.load(t, settlement.Treating, file(t, "t.tsv", text(bill("A1"), bill("A3"), bill("A4"), bill("A5"), bill("A6"), bill("A7"))))
	f.load(t, settlement.Insured, file(t, "i.tsv", text(bill("A1"), bill("A2"), bill("A4"), bill("A5"), bill("A6"), bill("A7"))))
	f.load(t, settlement.Center, file(t, "c.tsv", text(center...)))
	report := f.reconcile(t, "2025-01")
	for _, kind := range []string{settlement.KindMissingCenter, settlement.KindMissingTreating, settlement.KindMissingInsured, settlement.KindAmountDiffers,
		settlement.KindFieldsDiffer, settlement.KindConflictingRow, settlement.ComponentsDoNotSum} {
		equal(t, kind, report.Exceptions[kind], 1)
	}
	equal(t, "posted", report.Posted, 0)
	f.load(t, settlement.Treating, file(t, "t2.tsv", text(bill("A2"))))
	f.load(t, settlement.Insured, file(t, "i2.tsv", text(bill("A3"))))
	f.load(t, settlement.Center, file(t, "c2.tsv", text(bill("A1"), bill("A4"), bill("A5"), bill("A6"), bill("A7"))))
	report = f.reconcile(t, "2025-01")
	equal(t, "posted", report.Posted, 7)
	equal(t, "resolved", report.Resolved, 7)
	equal(t, "open", len(report.OpenExceptions), 0)
	for id, by := range map[string]string{"A1": "c2.tsv", "A2": "t2.tsv", "A3": "i2.tsv", "A7": "c2.tsv"} {
		story := f.story(t, id)
		if story.State != settlement.StatePosted || story.Exception == nil || story.Exception.ResolvedBy != by {
			t.Errorf("%s: %+v", id, story)
		}
	}
	f.mustBeWhole(t)
}
