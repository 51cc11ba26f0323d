package ledger_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// TestAKeyThatComesLateChangesNothing: without the key the month would be closed
// again, since it is open when the request comes the second time.
func TestAKeyThatComesLateChangesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	steps := []func() (ledger.PeriodResult, error){
		func() (ledger.PeriodResult, error) {
			return f.Under("begin").BeginClose(ctx, agency, "2025-01", "closer")
		},
		func() (ledger.PeriodResult, error) { return f.Under("close").Close(ctx, agency, "2025-01", "closer") },
		func() (ledger.PeriodResult, error) {
			return f.Under("reopen").Reopen(ctx, agency, "2025-01", "chief", "late")
		},
		func() (ledger.PeriodResult, error) {
			return f.Under("begin 2").BeginClose(ctx, agency, "2025-01", "closer")
		},
	}
	for i, step := range steps {
		if r, err := step(); err != nil || r.Replayed {
			t.Fatalf("step %d: %+v %v", i, r, err)
		}
	}
	for i, step := range steps {
		if r, err := step(); err != nil || !r.Replayed || r.State != ledger.PeriodClosing || r.Last.Number != 5 {
			t.Errorf("step %d again: %+v %v", i, r, err)
		}
	}
	f.mustBeWhole(t)
}

func TestAKeyIsForOneChangeOnly(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	k := f.Under("k")
	// A change that is refused leaves its key free.
	isRefused(t, "too early", second(k.Close(ctx, agency, "2025-01", "closer")), fault.Precondition, "cannot become closed")
	if r, err := k.BeginClose(ctx, agency, "2025-01", "closer"); err != nil || r.Replayed {
		t.Fatal(r, err)
	}
	for name, err := range map[string]error{
		"another book":   second(k.BeginClose(ctx, "320200.agency", "2025-01", "closer")),
		"another month":  second(k.BeginClose(ctx, agency, "2025-02", "closer")),
		"another person": second(k.BeginClose(ctx, agency, "2025-01", "chief")),
	} {
		isRefused(t, name, err, fault.AlreadyExists, `key "k" is already used for another change`)
	}
	// Another method has keys of its own.
	if r, err := k.Close(ctx, agency, "2025-01", "closer"); err != nil || r.Replayed {
		t.Fatal(r, err)
	}
	if _, err := k.Reopen(ctx, agency, "2025-01", "chief", "late"); err != nil {
		t.Fatal(err)
	}
	isRefused(t, "another reason", second(k.Reopen(ctx, agency, "2025-01", "chief", "early")), fault.AlreadyExists, "another change")
	isRefused(t, "a long key", second(f.Under(strings.Repeat("k", 201)).Close(ctx, agency, "2025-01", "closer")), fault.Invalid, "has 201 bytes")

	bare := ledger.New(devdb.Test(t), f.book)
	for i, want := range []int{1, 0} {
		if opened, err := bare.Under("k").OpenBooks(ctx, "2025-01", "admin", agency); err != nil || len(opened) != want {
			t.Errorf("time %d: %v %v", i, opened, err)
		}
	}
	_, err := bare.Under("k").OpenBooks(ctx, "2025-01", "admin", agency, "320200.agency")
	isRefused(t, "other books", err, fault.AlreadyExists, "another change (open books)")

	g := withProfile(t)
	openings := readOpenings(t, smallOpening)
	for i, want := range []ledger.Opened{{Posted: 2}, {Replayed: 2}} {
		if got, err := g.Under("k").PostOpenings(ctx, openings); err != nil || got != want {
			t.Errorf("time %d: %+v %v", i, got, err)
		}
	}
	_, err = g.Under("k").PostOpenings(ctx, readOpenings(t, strings.ReplaceAll(smallOpening, "\t310\t", "\t390\t")))
	isRefused(t, "other balances", err, fault.AlreadyExists, "another change (post openings)")
	g.mustBeWhole(t)
}

// TestAKeyIsUsedOnceByTwoServers: and the reply tells one of them that it was a replay.
func TestAKeyIsUsedOnceByTwoServers(t *testing.T) {
	t.Parallel()
	f := open(t)
	servers := []*ledger.Journal{f.Journal, ledger.New(f.db, f.book)}
	for month := range 3 {
		fresh := make([]bool, len(servers))
		var all sync.WaitGroup
		for i, j := range servers {
			all.Go(func() {
				r, err := j.Under(fmt.Sprint("begin ", month)).BeginClose(t.Context(), agency, "2025-01", "closer")
				if err != nil {
					t.Error(err)
				}
				fresh[i] = !r.Replayed
			})
		}
		all.Wait()
		if fresh[0] == fresh[1] {
			t.Errorf("both were told the same: %v", fresh)
		}
		if _, err := f.Reopen(t.Context(), agency, "2025-01", "chief", "again"); err != nil {
			t.Fatal(err)
		}
	}
	events, err := f.PeriodHistory(t.Context(), agency)
	if err != nil || len(events) != 1+2*3 {
		t.Errorf("%+v %v", events, err)
	}
}

func TestAChangeUnderAKeySurvivesALostCommit(t *testing.T) {
	t.Parallel()
	f := open(t)
	proxy := devdb.NewProxy(t, f.db.URL)
	via, err := postgres.Open(t.Context(), proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer via.Close()
	j := ledger.New(via, f.book)
	for i, cut := range []devdb.Cut{devdb.BeforeCommit, devdb.AfterCommit} {
		begin := func() (ledger.PeriodResult, error) {
			return j.Under(fmt.Sprint("begin ", i)).BeginClose(t.Context(), agency, "2025-01", "closer")
		}
		proxy.CutNext(cut)
		if r, err := begin(); err != nil || r.Replayed || r.State != ledger.PeriodClosing {
			t.Errorf("cut %d: %+v %v", i, r, err)
		}
		if r, err := begin(); err != nil || !r.Replayed {
			t.Errorf("cut %d again: %+v %v", i, r, err)
		}
		if _, err := f.Reopen(t.Context(), agency, "2025-01", "chief", fmt.Sprint("round ", i)); err != nil {
			t.Fatal(err)
		}
	}
	events, err := f.PeriodHistory(t.Context(), agency)
	if err != nil || len(events) != 5 || proxy.Cuts() != 2 {
		t.Errorf("%d cuts: %+v %v", proxy.Cuts(), events, err)
	}
}
