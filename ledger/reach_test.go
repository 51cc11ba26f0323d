package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestWhoeverCatchesUpBesideASealerSeesWhatItHasPosted(t *testing.T) {
	t.Parallel()
	f := open(t)
	runSealer(t, f.Journal, ledger.SealerOptions{Name: "a"})
	other := ledger.New(f.db, f.book) // of another process
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			j := []*ledger.Journal{f.Journal, other}[worker%2]
			account, _ := accounts.ParseAccount(fmt.Sprintf("320500.agency/310/9002/H%d", worker))
			for i := range 25 {
				if _, err := j.Post(t.Context(), accepted(fmt.Sprintf("%d/%d", worker, i), account.Counterparty, 1)); err != nil {
					t.Error(err)
					return
				}
				reached, err := j.CatchUp(t.Context())
				balances, seen, err2 := j.Balances(t.Context(), ledger.Filter(account), ledger.AsOf{AtLeast: reached})
				if err != nil || err2 != nil || seen < reached || len(balances) != 1 || balances[0].Balance != accounts.Fen(-i-1) {
					t.Errorf("after %d: %+v at %d of %d, %v %v", i+1, balances, seen, reached, err, err2)
					return
				}
			}
		})
	}
	for range 5 { // a check never takes what is not yet projected for a fault
		f.isWhole(t)
	}
	group.Wait()
	if report := f.mustBeWhole(t); report.Entries != 100 {
		t.Errorf("%d entries", report.Entries)
	}
}

func TestAReadThatNeedsAPositionGetsItWithoutASealer(t *testing.T) {
	t.Parallel()
	f := open(t)
	account, _ := accounts.ParseAccount("320100.agency/310/1003")
	for i, read := range []func(ledger.Position) (ledger.Position, error){
		func(p ledger.Position) (ledger.Position, error) {
			_, seen, err := f.Balances(t.Context(), ledger.Filter(account), ledger.AsOf{AtLeast: p})
			return seen, err
		},
		func(p ledger.Position) (ledger.Position, error) {
			balances, seen, err := f.Balances(t.Context(), ledger.Filter(account), ledger.AsOf{Position: p})
			if err == nil && balances[0].Balance != 100*accounts.Fen(p) {
				err = fmt.Errorf("%+v", balances)
			}
			return seen, err
		},
		func(p ledger.Position) (ledger.Position, error) {
			_, seen, err := f.Balances(t.Context(), ledger.Filter(account), ledger.AsOf{Date: day, AtLeast: p})
			return seen, err
		},
		func(p ledger.Position) (ledger.Position, error) {
			s, err := f.Statement(t.Context(), account, ledger.StatementQuery{AtLeast: p})
			if err == nil && len(s.Lines) != int(p) {
				err = fmt.Errorf("%+v", s)
			}
			return s.Position, err
		},
		func(p ledger.Position) (ledger.Position, error) {
			s, err := f.Statement(t.Context(), account, ledger.StatementQuery{Until: p})
			return s.Position, err
		},
	} {
		f.post(t, income(fmt.Sprint("e", i), 100))
		wanted := ledger.Position(i + 1)
		if seen, err := read(wanted); err != nil || seen < wanted {
			t.Errorf("read %d saw %d: %v", i, seen, err)
		}
		_, err := read(wanted + 1)
		isRefused(t, fmt.Sprint("read ", i, " beyond the end"), err, fault.NotFound, fmt.Sprintf("the journal is at position %d, %d was asked", wanted, wanted+1))
	}
}

func TestThePositionsOfATimeOfPostingAreReadWhileASealerIsAhead(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 100), accepted("o", "H1", 1))
	runSealer(t, f.Journal, ledger.SealerOptions{Name: "a"})
	stopPosters := f.posters(t)
	for range 20 {
		_, position, err := f.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{PostedAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatalf("at %d: %v", position, err)
		}
	}
	stopPosters()
	if s := f.until(t, "nothing waits", func(s *ledger.SealerStatus) bool { return s.WaitingBatches == 0 && s.Projected == s.Sealed }); s.Leader != "a" {
		t.Errorf("%+v", s)
	}
}
