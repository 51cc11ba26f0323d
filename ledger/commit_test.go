package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

func TestAnAtomicGroupStandsOrFallsTogether(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("start", 100))
	results, err := f.PostAtomic(t.Context(), spend("a", 60), accepted("b", "H1", 5), spend("c", 60))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if fault.KindOf(r.Err) != fault.Insufficient {
			t.Errorf("member %d: %v", i, r.Err)
		}
	}
	invalid, err := f.PostAtomic(t.Context(), spend("a", 60), entry("d", debit("320100.agency/310/1003", 1)))
	if err != nil || fault.KindOf(invalid[0].Err) != fault.Invalid {
		t.Error(invalid, err)
	}
	whole, err := f.PostAtomic(t.Context(), spend("a", 60), accepted("b", "H1", 5), spend("c", 40))
	if err != nil || whole[0].Err != nil || whole[1].Err != nil || whole[2].Err != nil {
		t.Error(whole, err)
	}
	again, err := f.PostAtomic(t.Context(), spend("a", 60), accepted("b", "H1", 5), spend("c", 40))
	if err != nil || !again[0].Replayed || !again[2].Replayed {
		t.Error(again, err)
	}
	if report := f.mustBeWhole(t); report.Entries != 4 {
		t.Errorf("%d entries", report.Entries)
	}
}

// flaky is a store whose commits fail in every way a commit can.
type flaky struct {
	accounts.Store
	n atomic.Int64
}

func (s *flaky) InTx(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.commit(
		func() error { return s.Store.InTx(ctx, fn) },
		func() { s.Store.InTx(ctx, func(tx pgx.Tx) error { _ = fn(tx); return errRolledBack }) })
}

func (s *flaky) Single(ctx context.Context, fn func(accounts.Reader) error) error {
	return s.commit(func() error { return s.Store.Single(ctx, fn) }, func() { _ = fn(nowhere{}) })
}

func (s *flaky) commit(work func() error, lost func()) error {
	unknown := fault.New(fault.Unavailable, "the outcome is unknown")
	switch s.n.Add(1) % 3 {
	case 0: // the commit went through, its confirmation was lost
		if err := work(); err != nil {
			return err
		}
		return unknown
	case 1: // the connection was lost before the commit arrived
		lost()
		return unknown
	}
	return work()
}

var errRolledBack = errors.New("rolled back")

// nowhere takes a statement that never arrives.
type nowhere struct{ accounts.Reader }

func (nowhere) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.NewCommandTag("INSERT 0 1"), nil
}

func TestACommitOfUnknownOutcomePostsOnceAndIsNoReplay(t *testing.T) {
	t.Parallel()
	f := open(t)
	shaky := ledger.New(&flaky{Store: f.db}, f.book)
	lost := 0
	for i := range 30 {
		e := accepted(fmt.Sprint("k", i), "H1", 1)
		results, err := shaky.Post(t.Context(), e)
		if err != nil { // both attempts failed: the caller sends the key again
			lost++
			results, err = f.Post(t.Context(), e)
		}
		if err != nil || results[0].Err != nil {
			t.Fatal(results, err)
		}
	}
	if lost == 30 {
		t.Error("no commit went through")
	}
	if report := f.mustBeWhole(t); report.Entries != 30 {
		t.Errorf("%d entries, want each of 30 once", report.Entries)
	}
}

// overtaken is a store whose first commit is lost without having arrived, while
// somebody else posts.
type overtaken struct {
	accounts.Store
	once sync.Once
	by   func()
}

func (s *overtaken) Single(ctx context.Context, fn func(accounts.Reader) error) error {
	first := false
	s.once.Do(func() {
		first = true
		_ = fn(nowhere{})
		s.by()
	})
	if first {
		return fault.New(fault.Unavailable, "the outcome is unknown")
	}
	return s.Store.Single(ctx, fn)
}

func TestAnUnknownCommitIsNotTakenForEntriesThatSomebodyElsePosted(t *testing.T) {
	t.Parallel()
	f := open(t)
	other := accepted("other", "H1", 1)
	other.Summary = "something else"
	shaky := ledger.New(&overtaken{Store: f.db, by: func() { f.post(t, accepted("same", "H1", 1), accepted("other", "H1", 1)) }}, f.book)
	results, err := shaky.Post(t.Context(), accepted("same", "H1", 1), other, accepted("mine", "H1", 1))
	if err != nil {
		t.Fatal(err)
	}
	if !results[0].Replayed || fault.KindOf(results[1].Err) != fault.AlreadyExists || results[2].Err != nil || results[2].Replayed {
		t.Errorf("got %+v", results)
	}
	if report := f.mustBeWhole(t); report.Entries != 3 {
		t.Errorf("%d entries, want 3", report.Entries)
	}
}

func TestKeysThatAreKnownAreMetByTheInsert(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, accepted("a", "H1", 1), accepted("b", "H1", 2))
	for range 3 { // the first meets them, the others look first
		results, err := f.Post(t.Context(), accepted("a", "H1", 1), accepted("b", "H1", 3), accepted("c", "H1", 1))
		if err != nil || !results[0].Replayed || fault.KindOf(results[1].Err) != fault.AlreadyExists || results[2].Err != nil {
			t.Errorf("got %+v %v", results, err)
		}
	}
	if report := f.mustBeWhole(t); report.Entries != 3 {
		t.Errorf("%d entries, want 3", report.Entries)
	}
}

func TestCallersShareCommitsAndOneThatGivesUpTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	f := open(t)
	const callers, each = 64, 20
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := range each {
				ctx, cancel := context.WithCancel(t.Context())
				if (c+i)%7 == 0 {
					cancel()
				}
				results, err := f.Post(ctx, accepted(fmt.Sprintf("%d/%d", c, i), "H1", 1))
				if err == nil && results[0].Err != nil {
					t.Error(results[0].Err)
				}
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	group.Wait()
	report := f.mustBeWhole(t)
	if report.Entries < callers*each*6/7-callers || report.Entries > callers*each {
		t.Errorf("%d entries", report.Entries)
	}
	var batches int64
	if err := f.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM batches").Scan(&batches); err != nil {
		t.Fatal(err)
	}
	if batches*2 > report.Entries {
		t.Errorf("%d entries took %d commits", report.Entries, batches)
	}
}

// counted counts transactions and how often their work was begun.
type counted struct {
	accounts.Store
	transactions, attempts atomic.Int64
}

func (s *counted) InTx(ctx context.Context, fn func(pgx.Tx) error) error {
	s.transactions.Add(1)
	return s.Store.InTx(ctx, func(tx pgx.Tx) error {
		s.attempts.Add(1)
		return fn(tx)
	})
}

func TestCallersOfOneProcessDoNotUndoEachOthersFloors(t *testing.T) {
	t.Parallel()
	f := open(t)
	store := &counted{Store: f.db}
	j := ledger.New(store, f.book)
	const callers, each = 16, 20
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := range each {
				results, err := j.Post(context.Background(), income(fmt.Sprintf("in/%d/%d", caller, i), 1))
				if err != nil || results[0].Err != nil {
					t.Error(results, err)
				}
			}
		})
	}
	group.Wait()
	// CockroachDB may ask for a retry for reasons of its own.
	if n, attempts := store.transactions.Load(), store.attempts.Load(); f.db.Dialect == postgres.PostgreSQL && attempts != n {
		t.Errorf("%d transactions were begun %d times", n, attempts)
	}
	if report := f.mustBeWhole(t); report.Entries != callers*each {
		t.Errorf("%d entries", report.Entries)
	}
}
