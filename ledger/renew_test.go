package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// newAccount has a floor, by rules that come later.
const newAccount = "320100.agency/310/1009"

// intoNew puts money on the account of later rules, outOfNew takes it.
func intoNew(key string, fen accounts.Fen) ledger.Entry {
	return entry(key, debit(newAccount, fen), credit("320100.agency/310/4001", fen))
}

func outOfNew(key string, fen accounts.Fen) ledger.Entry {
	return entry(key, debit("320100.agency/310/5001.01", fen), credit(newAccount, fen))
}

// later are the rules with the new account, of the given version.
func later(t testing.TB, book *accounts.Rulebook, version int64) *accounts.Rulebook {
	t.Helper()
	subjects := slices.Clone(book.Chart.Subjects())
	i := slices.IndexFunc(subjects, func(s accounts.Subject) bool {
		return s.Role == accounts.Book("320100.agency").Role() && s.Code == "1003"
	})
	if i < 0 || !subjects[i].Floor {
		t.Fatal("the chart has no account 1003 with a floor")
	}
	added := subjects[i]
	added.Code, added.Name = "1009", "later"
	next := *book
	next.Chart, next.Version = accounts.NewChart(append(subjects, added)), version
	return &next
}

// held is a store that stops before its next commit, when what is to be
// committed was examined, until it is let go; the attempt is then repeated, as
// after a conflict, or committed.
type held struct {
	accounts.Store
	armed    atomic.Bool
	repeat   bool
	examined chan struct{}
	goOn     chan struct{}
}

func (s *held) InTx(ctx context.Context, fn func(pgx.Tx) error) error {
	if !s.armed.CompareAndSwap(true, false) {
		return s.Store.InTx(ctx, fn)
	}
	stop := func() {
		close(s.examined)
		<-s.goOn
	}
	if !s.repeat {
		return s.Store.InTx(ctx, func(tx pgx.Tx) error {
			err := fn(tx)
			stop()
			return err
		})
	}
	undone := fmt.Errorf("undone")
	if err := s.Store.InTx(ctx, func(tx pgx.Tx) error { _ = fn(tx); return undone }); err == nil {
		return fmt.Errorf("an attempt was not undone")
	}
	stop()
	return s.Store.InTx(ctx, fn)
}

// TestRulesThatChangeUnderALeaderHoldForWhatItCommitsNext: callers who wait for a
// leader that began under the old rules are examined by the new ones.
func TestRulesThatChangeUnderALeaderHoldForWhatItCommitsNext(t *testing.T) {
	t.Parallel()
	for _, repeat := range []bool{false, true} {
		t.Run(fmt.Sprint("repeat=", repeat), func(t *testing.T) {
			t.Parallel()
			f := open(t)
			store := &held{Store: f.db, repeat: repeat, examined: make(chan struct{}), goOn: make(chan struct{})}
			j := ledger.New(store, f.book)
			var callers sync.WaitGroup
			post := func(into *[]ledger.Result, entries ...ledger.Entry) {
				callers.Go(func() {
					results, err := j.Post(context.Background(), entries...)
					if err != nil {
						t.Error(err)
					}
					*into = results
				})
			}
			var led, before, after []ledger.Result
			store.armed.Store(true)
			post(&led, income("old", 10), intoNew("early", 7))
			<-store.examined // by the old rules
			post(&before, intoNew("waiting", 5))
			j.Renew(later(t, f.book, 1))
			post(&after, intoNew("new", 3), outOfNew("too much", 1000), outOfNew("fits", 2))
			close(store.goOn)
			callers.Wait()
			f.Renew(later(t, f.book, 1)) // by which it is checked
			report := f.mustBeWhole(t)
			if t.Failed() {
				return
			}
			if led[0].Err != nil || (led[1].Err == nil) != repeat || !repeat && fault.KindOf(led[1].Err) != fault.NotFound {
				t.Errorf("the leader's own: %+v", led)
			}
			if after[0].Err != nil || fault.KindOf(after[1].Err) != fault.Insufficient {
				t.Errorf("behind the change: %+v", after)
			}
			// Whoever waited was examined when it was led, before or behind the change.
			want := accounts.Fen(3 - 2)
			stand := int64(3)
			if repeat {
				want, stand = want+7, stand+1
			}
			if before[0].Err == nil {
				want, stand = want+5, stand+1
			} else if fault.KindOf(before[0].Err) != fault.NotFound {
				t.Errorf("while the rules changed: %+v", before)
			}
			if got := f.balance(t, newAccount); got != want || report.Entries != stand || after[2].Err != nil {
				t.Errorf("%s stands there, want %s, of %d entries, want %d; %+v", got, want, report.Entries, stand, after)
			}
		})
	}
}

// TestCallersWhoPostWhileRulesChangeAreExaminedByOneOfThem: what one caller has
// seen taken stays taken, and floors of new accounts hold from their first entry.
func TestCallersWhoPostWhileRulesChangeAreExaminedByOneOfThem(t *testing.T) {
	t.Parallel()
	f := open(t)
	const callers, each, versions = 12, 30, 40
	var posting, renewing sync.WaitGroup
	done := make(chan struct{})
	begun := make(chan struct{}, callers*each)
	renewing.Go(func() {
		<-begun
		for version := int64(1); ; version++ {
			f.Renew(later(t, f.book, version))
			select {
			case <-done:
				if version >= versions {
					return
				}
			case <-begun:
			}
		}
	})
	var taken atomic.Int64
	for caller := range callers {
		posting.Go(func() {
			known := false
			for i := range each {
				key := fmt.Sprintf("%d/%d", caller, i)
				results, err := f.Post(context.Background(), income("in/"+key, 1), intoNew("new/"+key, 2), outOfNew("out/"+key, 1), outOfNew("much/"+key, 1_000_000))
				begun <- struct{}{}
				if err != nil || results[0].Err != nil {
					t.Errorf("%v %v", results, err)
					return
				}
				fits := results[1].Err == nil
				switch {
				case fits && (results[2].Err != nil || fault.KindOf(results[3].Err) != fault.Insufficient):
					t.Errorf("by new rules: %+v", results)
				case !fits && (known || fault.KindOf(results[1].Err) != fault.NotFound):
					t.Errorf("by old rules: %+v", results)
				case fits:
					known = true
					taken.Add(1)
				}
			}
		})
	}
	posting.Wait()
	close(done)
	renewing.Wait()
	f.mustBeWhole(t)
	if got := f.balance(t, newAccount); got != accounts.Fen(taken.Load()) || got == 0 {
		t.Errorf("%s stands there, %d callers were taken", got, taken.Load())
	}
}
