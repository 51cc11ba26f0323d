package provider_test

import (
	"strings"
	"testing"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
	"fundledger/settlement/provider"
)

// Each step loses its commit, before the server has it or after, and is asked
// again: it stands once, and stands whole.
func TestAStepWhoseCommitIsLostIsTakenOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 30_000_00}, bill{id: "B", insured: wuxi, on: "2025-01-06", pooled: 40_00})
	proxy := devdb.NewProxy(t, f.db.URL)
	db, err := postgres.Open(t.Context(), proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	shaky := provider.New(db, ledger.New(db, f.book), f.book)
	paid := step("D1", "zhao", "2025-01-22")
	paid.Reference = "B9"
	steps := []func() error{
		func() error {
			return must(shaky.Fund(t.Context(), provider.Funding{Region: suzhou, Lines: []provider.Line{in("310", 90_000_00)}, Date: day("2025-01-20"), Reference: "K1", By: "li"}))
		},
		func() error {
			return must(shaky.Match(t.Context(), provider.MatchRequest{Treating: suzhou, Provider: hospital, Month: "2025-01", File: "h.tsv",
				Content: strings.NewReader("setl_id\tmonth\ttotal\nB\t2025-01\t40.00\n"), Date: day("2025-02-03"), By: "wang"}))
		},
		func() error { return must(shaky.MakeList(t.Context(), request("L1", in("310", 10_000_00)))) },
		func() error { return must(shaky.Pay(t.Context(), payment("L1"))) },
		func() error {
			return must(shaky.ReturnPayment(t.Context(), provider.Undoing{List: "L1", Date: day("2025-02-14"), Reason: "退票", By: "wang"}))
		},
		func() error { return must(shaky.MakeList(t.Context(), request("L2"))) },
		func() error { return must(shaky.Pay(t.Context(), payment("L2"))) },
		func() error { return must(shaky.Receive(t.Context(), application("D1", 500_00))) },
		func() error { return must(shaky.Approve(t.Context(), step("D1", "wang", "2025-01-21"))) },
		func() error { return must(shaky.Reimburse(t.Context(), paid)) },
		func() error {
			return must(shaky.Ask(t.Context(), provider.Asking{ID: "C1", SetlID: "A", Date: day("2025-02-03"), By: "chen"}))
		},
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
	equal(t, "A", f.paid(t, "A"), "310/=30000.00")
	equal(t, "B", f.paid(t, "B"), "310/=40.00")
	equal(t, "1004", f.balance(t, "320500.agency/310/1004"), 90_000_00-30_040_00-251_00)
	l, err := f.List(t.Context(), "L1")
	if err != nil || len(l.Events) != 3 {
		t.Errorf("%+v %v", l, err)
	}
	page, err := f.Differences(t.Context(), provider.DifferenceQuery{Treating: suzhou, Provider: hospital, Month: "2025-01"})
	if err != nil || page.Match.Number != 1 {
		t.Errorf("%+v %v", page, err)
	}
	f.mustBeWhole(t)
}
