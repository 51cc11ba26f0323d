package ledger_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// runSealer seals in the background, and returns how to stop it and wait.
func runSealer(t testing.TB, j *ledger.Journal, options ledger.SealerOptions) (stop func()) {
	t.Helper()
	options.Log = slog.New(slog.NewTextHandler(t.Output(), nil)) // shown when the test fails
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := j.RunSealer(ctx, options); err != nil {
			t.Errorf("sealer %s: %v", options.Name, err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

func (f fixture) status(t testing.TB) *ledger.SealerStatus {
	t.Helper()
	s, err := f.SealerStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// until waits until the status is as wanted, however long a busy machine takes.
func (f fixture) until(t testing.TB, what string, wanted func(*ledger.SealerStatus) bool) *ledger.SealerStatus {
	t.Helper()
	var s *ledger.SealerStatus
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if s = f.status(t); wanted(s) {
			return s
		}
	}
	t.Fatalf("it never came to pass that %s: %+v", what, s)
	return nil
}

func (f fixture) untilLed(t testing.TB, by string) *ledger.SealerStatus {
	t.Helper()
	return f.until(t, by+" leads", func(s *ledger.SealerStatus) bool { return s.Leader == by })
}

func (f fixture) untilSealed(t testing.TB, n ledger.Position) *ledger.SealerStatus {
	t.Helper()
	return f.until(t, fmt.Sprint(n, " are projected"), func(s *ledger.SealerStatus) bool { return s.Projected >= n })
}

// isWhole checks the journal as the sealer has left it.
func (f fixture) isWhole(t testing.TB) *ledger.CheckReport {
	t.Helper()
	report, err := f.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("check %+v", finding)
	}
	return report
}

// posters post income, spending and obligations from several goroutines until
// they are stopped, which returns how many entries stand.
func (f fixture) posters(t testing.TB) (stop func() ledger.Position) {
	t.Helper()
	ended := make(chan struct{})
	var group sync.WaitGroup
	var posted atomic.Int64
	for worker := range 3 {
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-ended:
					return
				default:
				}
				name := fmt.Sprintf("%d/%d/", worker, i)
				results, err := f.Post(context.Background(), income(name+"in", 7), accepted(name+"o", "H1", 1), spend(name+"out", 6))
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range results {
					if r.Err == nil {
						posted.Add(1)
					} else if fault.KindOf(r.Err) != fault.Insufficient {
						t.Error(r.Err)
					}
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	end := sync.OnceFunc(func() { close(ended); group.Wait() })
	t.Cleanup(end)
	return func() ledger.Position {
		end()
		return ledger.Position(posted.Load())
	}
}

// through is the fixture's journal over a proxy, as another process has it.
func (f fixture) through(t testing.TB) (*ledger.Journal, *postgres.DB, *devdb.Proxy) {
	t.Helper()
	proxy := devdb.NewProxy(t, f.db.URL)
	db, err := postgres.Open(t.Context(), proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return ledger.New(db, f.book), db, proxy
}

func TestASealerSealsWhatIsPostedAndGivesUpItsLeaseWhenItStops(t *testing.T) {
	t.Parallel()
	f := open(t)
	if s := f.status(t); s.Leader != "" || s.Term != 0 || s.WaitingBatches != 0 || s.Age() != 0 {
		t.Errorf("before: %+v", s)
	}
	f.post(t, income("early", 100))
	if s := f.status(t); s.WaitingBatches != 1 || s.WaitingEntries != 1 || s.OldestWaiting.IsZero() || s.At.Before(s.OldestWaiting) || s.Sealed != 0 {
		t.Errorf("one waits: %+v", s)
	}
	stop := runSealer(t, f.Journal, ledger.SealerOptions{Name: "a"})
	s := f.untilSealed(t, 1)
	if s.Leader != "a" || s.Term != 1 || s.Until.Before(s.At) || s.Since.After(s.At) || s.WaitingBatches != 0 || s.Sealed != 1 {
		t.Errorf("sealed: %+v", s)
	}
	f.post(t, spend("woken", 40), accepted("o", "H1", 5))
	f.untilSealed(t, 3)
	err := f.db.InTx(t.Context(), func(tx pgx.Tx) error { // of which the sealer is not told
		_, err := f.PostTx(t.Context(), tx, []ledger.Entry{spend("found", 10)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.untilSealed(t, 4)
	f.post(t, spend("last", 1)) // what is posted before the stop is sealed by it
	stop()
	if s := f.status(t); s.Leader != "" || !s.Until.IsZero() || s.Projected != 5 || s.WaitingBatches != 0 || s.Term != 1 {
		t.Errorf("stopped: %+v", s)
	}
	if report := f.isWhole(t); report.Entries != 5 {
		t.Errorf("%d entries", report.Entries)
	}
	runSealer(t, f.Journal, ledger.SealerOptions{Name: "a"}) // need not wait for the old lease
	f.until(t, "a leads again", func(s *ledger.SealerStatus) bool { return s.Leader == "a" && s.Term == 2 })
}

func TestALostLeaderIsReplacedAndNothingIsSealedTwiceOrSkipped(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*devdb.Proxy){"killed": (*devdb.Proxy).Sever, "cut off without a word": (*devdb.Proxy).Freeze} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			mortal, _, proxy := f.through(t)
			f.post(t, income("start", 1000))
			stopPosters := f.posters(t)
			stopA := runSealer(t, mortal, ledger.SealerOptions{Name: "a"})
			first := f.untilLed(t, "a")
			runSealer(t, f.Journal, ledger.SealerOptions{Name: "b"})
			before := f.untilSealed(t, 100)
			if before.Leader != "a" || before.Term != first.Term {
				t.Errorf("two lead: %+v, then %+v", first, before)
			}
			lose(proxy)
			after := f.untilLed(t, "b")
			if after.Term != first.Term+1 {
				t.Errorf("the term is %d after %d", after.Term, first.Term)
			}
			f.untilSealed(t, after.Sealed+100)
			total := 1 + stopPosters()
			s := f.untilSealed(t, total)
			if s.Sealed != total || s.Leader != "b" || s.Term != after.Term {
				t.Errorf("%d were posted: %+v", total, s)
			}
			stopA() // ends although it cannot reach the database
			proxy.Thaw()
			if report := f.isWhole(t); report.Entries != int64(total) {
				t.Errorf("%d entries, %d were posted", report.Entries, total)
			}
		})
	}
}

func TestASealerGoesOnAfterLostCommits(t *testing.T) {
	t.Parallel()
	f := open(t)
	flawed, _, proxy := f.through(t)
	runSealer(t, flawed, ledger.SealerOptions{Name: "a"})
	f.untilLed(t, "a")
	f.post(t, income("start", 1000))
	stopPosters := f.posters(t)
	for round := range 2 {
		proxy.CutNext([]devdb.Cut{devdb.BeforeCommit, devdb.AfterCommit}[round])
		sealed := f.status(t).Sealed
		f.until(t, "a commit was lost and it seals on", func(s *ledger.SealerStatus) bool {
			return proxy.Cuts() > round && s.Projected > sealed+20
		})
	}
	total := 1 + stopPosters()
	f.untilSealed(t, total)
	if report := f.isWhole(t); report.Entries != int64(total) {
		t.Errorf("%d entries, %d were posted", report.Entries, total)
	}
}

func TestASealerSaysWhatItLacks(t *testing.T) {
	t.Parallel()
	f := open(t)
	isRefused(t, "no name", f.RunSealer(t.Context(), ledger.SealerOptions{Name: " "}), fault.Invalid, "a sealer needs a name")
	owner, err := postgres.OpenOwner(t.Context(), f.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if _, err := owner.Pool.Exec(t.Context(), "DROP TABLE leases"); err != nil {
		t.Fatal(err)
	}
	isRefused(t, "not migrated", f.RunSealer(t.Context(), ledger.SealerOptions{Name: "a"}), fault.Precondition, "run fundledger migrate")
}

// It is not parallel, so that what runs is its own.
func TestASealerLeavesNothingRunning(t *testing.T) {
	f := open(t)
	f.post(t, income("a", 100))
	f.catchUp(t)
	before := goleak.IgnoreCurrent()
	stopA := runSealer(t, f.Journal, ledger.SealerOptions{Name: "a"})
	stopB := runSealer(t, f.Journal, ledger.SealerOptions{Name: "b"})
	f.until(t, "one leads", func(s *ledger.SealerStatus) bool { return s.Leader != "" })
	f.post(t, income("b", 100))
	f.untilSealed(t, 2)
	stopA()
	stopB()
	f.db.Close() // its connections come and go by themselves
	goleak.VerifyNone(t, before)
}
