package settlement_test

import (
	"context"
	"testing"

	"fundledger/ledger"
	"fundledger/settlement"
)

// waiting is why each refund waits after a reconciliation of January.
func (f fixture) waiting(t testing.TB) map[string]string {
	t.Helper()
	reasons := map[string]string{}
	for _, w := range f.reconcile(t, "2025-01").WaitingRefunds {
		reasons[w.SetlID] = w.Reason
	}
	return reasons
}

func TestARefundWaitsForItsOriginal(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "mar.tsv", refund("R1", "A1", "5.00", "setl_time", "2025-03-02T09:00:00+08:00"))
	march := f.reconcile(t, "2025-03")
	equal(t, "posted", march.Posted, 0)
	equal(t, "matched", march.Matched, 1)
	equal(t, "waiting", march.Waiting, 1)
	equal(t, "reason", march.WaitingRefunds[0].Reason, "original A1 is not posted")
	month, err := f.MonthReport(t.Context(), "2025-03")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "a waiting refund is matched", month.MatchedRecords, 1)
	equal(t, "and no record", month.Records, 0)
	equal(t, "and counts", month.InProvince[0].Amount.String(), "-5.00")
	// The original comes later, and the refund with it, whatever its month.
	f.loadAll(t, "jan.tsv", bill("A1"))
	january := f.reconcile(t, "2025-01")
	equal(t, "posted", january.Posted, 2)
	equal(t, "waiting", len(january.WaitingRefunds), 0)
	var corrects, original string
	if err := f.db.Pool.QueryRow(t.Context(), `SELECT r.corrects::text, o.id::text FROM entries AS r, entries AS o
		WHERE r.key = 'settlement/R1' AND o.key = 'settlement/A1'`).Scan(&corrects, &original); err != nil || corrects != original {
		t.Error("the refund's entry names the original's:", corrects, original, err)
	}
	f.mustBeWhole(t)
}

func TestARefundNeverExceedsWhatIsLeft(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", bill("A1"),
		refund("R3", "A1", "20.00", "setl_time", "2025-01-22T09:00:00+08:00"),
		refund("R2", "A1", "30.00", "setl_time", "2025-01-21T09:00:00+08:00"),
		refund("R1", "A1", "56.00", "setl_time", "2025-01-20T09:00:00+08:00"),
		refund("R4", "A1", "5.00", "setl_time", "2025-01-23T09:00:00+08:00"),
		refund("R5", "A1", "1.00", "setl_time", "2025-01-24T09:00:00+08:00"),
		refund("R6", "A1", "1.00", "mdtrtarea_admvs", "320400"),
		refund("R7", "R2", "1.00"))
	want := map[string]string{
		"R1": "hifp_pay: 56.00 is refunded and 55.00 is left of original A1",
		"R5": "hifp_pay: 1.00 is refunded and 0.00 is left of original A1",
		"R6": "original A1 is of insutype 310, insured in 320100, treated in 320500 by H32050000001: not those of the refund",
		"R7": "original R2 is a refund itself",
	}
	got := f.waiting(t)
	equal(t, "waiting", len(got), len(want))
	for id, reason := range want {
		equal(t, id, got[id], reason)
	}
	f.mustBeWhole(t)
}

func TestRacingRefundsArePostedOnceAndWithinTheRest(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", bill("A1"), refund("R1", "A1", "30.00"), refund("R2", "A1", "30.00"))
	errs := make(chan error, 4)
	for range 4 {
		go func() {
			_, err := settlement.New(f.db, f.journal, f.book).Reconcile(context.Background(), "2025-01", settlement.ReconcileOptions{})
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	entries := f.entries(t)
	if len(entries) != 2 || entries["settlement/R1"] == "" {
		t.Error(entries)
	}
}

func TestAWaitingRefundFollowsItsRecord(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "f.tsv", refund("R1", "A1", "5.00"))
	equal(t, "waiting", len(f.waiting(t)), 1)
	// One side corrects it: it agrees no more, and must not be posted as it was.
	f.load(t, settlement.Treating, file(t, "t2.tsv", text(refund("R1", "A1", "6.00"))))
	f.loadAll(t, "orig.tsv", bill("A1"))
	report := f.reconcile(t, "2025-01")
	equal(t, "posted", report.Posted, 1)
	equal(t, "exceptions", report.OpenExceptions[0].Kind, "amount_differs")
	f.load(t, settlement.Center, file(t, "c2.tsv", text(refund("R1", "A1", "6.00"))))
	f.load(t, settlement.Insured, file(t, "i2.tsv", text(refund("R1", "A1", "6.00"))))
	equal(t, "posted", f.reconcile(t, "2025-01").Posted, 1)
	f.mustBeWhole(t)
}

func TestARefundIsPostedWhenItComesWhateverHasPassed(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "jan.tsv", bill("A1"))
	f.reconcile(t, "2025-01")
	// After later settlements of the same person (隔笔).
	f.loadAll(t, "feb.tsv", bill("A2", "setl_time", "2025-02-10T09:00:00+08:00", "begndate", "2025-02-10", "enddate", "2025-02-10"))
	f.reconcile(t, "2025-02")
	f.loadAll(t, "mar.tsv", refund("R1", "A1", "20.00", "setl_time", "2025-03-02T09:00:00+08:00"))
	equal(t, "posted", f.reconcile(t, "2025-03").Posted, 1)
	// In a later year (跨年): in the current period, with the benefit year of its discharge.
	f.loadAll(t, "2026.tsv", refund("R2", "A1", "15.00", "setl_time", "2026-02-02T09:00:00+08:00"))
	equal(t, "posted", f.reconcile(t, "2026-02").Posted, 1)
	e, err := f.journal.Entry(t.Context(), ledger.EntryID("settlement/R2"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "period", e.Period, "2026-02")
	equal(t, "corrects", e.Corrects.UUID, ledger.EntryID("settlement/A1"))
	f.mustBeWhole(t)
}

func TestARefundToExactlyZero(t *testing.T) {
	t.Parallel()
	f := open(t)
	all := refund("R1", "A1", "55.00", "cvlserv_pay", "-5.00", "fund_pay_sumamt", "-60.00", "acct_pay", "-30.00", "psn_cash_pay", "-10.00", "medfee_sumamt", "-100.00")
	f.loadAll(t, "f.tsv", bill("A1"), all, refund("R2", "A1", "0.01", "setl_time", "2025-01-25T09:00:00+08:00"))
	equal(t, "the next one waits", f.waiting(t)["R2"], "hifp_pay: 0.01 is refunded and 0.00 is left of original A1")
	for _, account := range []string{"320500.agency/310/9002", "320500.agency/320/9002", "320100.agency/310/9101.01", "320000.agency/310/9201.01"} {
		equal(t, account, f.balance(t, account), 0)
	}
	equal(t, "remaining", f.story(t, "A1").Remaining, 0)
	f.mustBeWhole(t)
}
