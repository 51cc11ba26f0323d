package bank_test

import (
	"testing"

	"fundledger/clearing/bank"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// Each step loses a commit of its, before the server has it or after, and is asked
// again under its key: it stands once, and stands whole.
func TestAStepWhoseCommitIsLostIsTakenOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.move(t, "A1", "310", day(2), 10_00)
	f.move(t, "B1", "310", day(3), 20_00)
	proxy := devdb.NewProxy(t, f.db.URL)
	db, err := postgres.Open(t.Context(), proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	shaky := bank.New(db, ledger.New(db, f.book), f.book)
	content := []byte(paper(0, day(1), day(9), line{"1", day(2), 10_00, "A1"}, line{"2", day(4), 20_00, ""}, line{"3", day(4), -5_00, ""}))
	ask := func(key string) bank.MatchRequest {
		return bank.MatchRequest{Key: key, By: "person", Account: number, Day: day(9)}
	}
	steps := []func() error{
		func() error {
			_, err := shaky.ChangeAccounts(t.Context(), bank.AccountChange{Key: "a", By: "admin", Accounts: []bank.Account{account("3201-0002", "320/1001")}})
			return err
		},
		func() error {
			_, err := shaky.Import(t.Context(), bank.ImportRequest{Key: "i", By: "clerk", File: "s.tsv", Content: content})
			return err
		},
		func() error {
			_, err := shaky.MatchAutomatically(t.Context(), ask("m"))
			return err
		},
		func() error {
			_, err := shaky.MatchByHand(t.Context(), ask("h"), []string{"2"}, []bank.PostingID{{Entry: ledger.EntryID("e/B1"), Leg: 2}})
			return err
		},
		func() error {
			list, err := f.Matches(t.Context(), number)
			if err != nil {
				return err
			}
			for _, m := range list {
				if m.Automatic {
					_, _, err = shaky.Undo(t.Context(), "u", m.ID, "person", day(9), "错配")
				}
			}
			return err
		},
	}
	for i, step := range steps {
		for n := 1; n <= 3; n++ { // catching up and reading commit too
			for _, cut := range []devdb.Cut{devdb.BeforeCommit, devdb.AfterCommit} {
				proxy.CutAt(n, cut)
				if err := step(); err != nil && fault.KindOf(err) != fault.Unavailable {
					t.Fatalf("step %d, commit %d: %v", i, n, err)
				}
			}
		}
		for range 2 { // a cut may still be armed
			if err = step(); err == nil {
				break
			}
		}
		if err != nil {
			t.Fatalf("step %d again: %v", i, err)
		}
	}
	if proxy.Cuts() < len(steps) {
		t.Errorf("only %d commits were lost", proxy.Cuts())
	}
	list, err := f.Matches(t.Context(), number)
	if err != nil || len(list) != 2 {
		t.Errorf("%+v %v", list, err)
	}
	mustList(t, f.table(t, day(9)), "book_in_not_bank 10.00", "bank_in_not_book 10.00", "bank_out_not_book 5.00")
	if accounts, err := f.Accounts(t.Context(), day(9)); err != nil || len(accounts) != 2 {
		t.Errorf("%+v %v", accounts, err)
	}
	f.whole(t)
}
