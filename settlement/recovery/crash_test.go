package recovery_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/recovery"
)

// Each step loses its commit, before the server has it or after, and is asked
// again: it stands once, and stands whole.
func TestAStepWhoseCommitIsLostIsTakenOnce(t *testing.T) {
	t.Parallel()
	f := paidA1(t, a1)
	proxy := devdb.NewProxy(t, f.db.URL)
	db, err := postgres.Open(t.Context(), proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	j := ledger.New(db, f.book)
	office := clearing.New(db, j, f.book)
	shaky := recovery.New(db, j, f.book, f.providers.paidOf, office)
	decision := recovery.Decision{Lines: []recovery.Line{line("A1", 40_00)}, Date: day("2025-03-10"), By: "auditor"}
	cash := recovery.Line{SetlID: "A1", Part: "cvlserv_pay", Amount: 4_00, Reason: "r", Document: "扣1号"} // not paid
	received := f.movement(caseA1, recovery.Received, "2025-03-12")
	file := []byte("setl_id\tdate\treason\tdocument\nA1\t2025-03-20\t重复上传\t冲1号\n")
	settlements := settlement.New(db, j, f.book)
	steps := []func() error{
		func() error {
			_, err := shaky.Deduct(t.Context(), recovery.Decision{Lines: []recovery.Line{cash}, Date: day("2025-03-10"), By: "auditor"})
			return err
		},
		func() error { _, err := shaky.OpenClawbacks(t.Context(), decision); return err },
		func() error {
			_, err := shaky.Approve(t.Context(), recovery.Ruling{Case: caseA1, Date: day("2025-03-11"), By: "head"})
			return err
		},
		func() error { _, err := shaky.Move(t.Context(), received); return err },
		func() error {
			for _, side := range settlement.Sides() {
				if _, err := settlements.Withdraw(t.Context(), side, "w.tsv", file); err != nil {
					return err
				}
			}
			return nil
		},
		func() error { _, err := office.Clear(t.Context(), "2025-03", day("2025-04-28")); return err },
		func() error { _, err := office.RemitAll(t.Context(), "2025-03", day("2025-05-06"), "MAY"); return err },
	}
	for i, step := range steps {
		for _, cut := range []devdb.Cut{devdb.BeforeCommit, devdb.AfterCommit} {
			proxy.CutNext(cut)
			if err := step(); err != nil && fault.KindOf(err) != fault.Unavailable {
				t.Fatalf("step %d: %v", i, err)
			}
		}
		if err := step(); err != nil {
			t.Fatalf("step %d again: %v", i, err)
		}
	}
	if proxy.Cuts() < len(steps) {
		t.Errorf("only %d commits were lost", proxy.Cuts())
	}
	c, _, err := f.Case(t.Context(), caseA1, 0)
	if err != nil || len(c.Steps) != 4 || c.State != recovery.Returned {
		t.Errorf("%+v %v", c, err)
	}
	for account, want := range map[string]accounts.Fen{"320500.agency/310/2001.03": 0, "320100.agency/310/5001": 0, "320100.agency/320/5001": 0} {
		f.mustBe(t, account, want)
	}
	f.mustBeWhole(t, true)
}
