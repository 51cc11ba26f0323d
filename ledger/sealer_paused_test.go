package ledger_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
)

// freezer is a process that can be stopped as a whole, as by SIGSTOP or by a
// machine that swaps: whatever it does next with the database waits.
type freezer struct {
	accounts.Store
	within bool // stop at the end of a transaction, with its locks, instead of before one
	mu     sync.Mutex
	frozen chan struct{}
	stuck  chan struct{} // closed when something waits
}

func (s *freezer) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen, s.stuck = make(chan struct{}), make(chan struct{})
}

func (s *freezer) thaw() { close(s.frozen) }

func (s *freezer) wait() {
	s.mu.Lock()
	frozen, stuck := s.frozen, s.stuck
	if stuck != nil && !isDone(stuck) {
		close(stuck)
	}
	s.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
}

func isDone(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (s *freezer) InTx(ctx context.Context, fn func(pgx.Tx) error) error {
	if !s.within {
		s.wait()
	}
	return s.Store.InTx(ctx, func(tx pgx.Tx) error {
		err := fn(tx)
		if s.within {
			s.wait()
		}
		return err
	})
}

func TestALeaderPausedPastItsLeaseHarmsNothingWhenItWakes(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]bool{"between transactions": false, "in a transaction": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			_, db, _ := f.through(t)
			process := &freezer{Store: db, within: within}
			f.post(t, income("start", 1000))
			stopPosters := f.posters(t)
			runSealer(t, ledger.New(process, f.book), ledger.SealerOptions{Name: "paused"})
			first := f.untilLed(t, "paused")
			f.untilSealed(t, 50)
			stopB := runSealer(t, f.Journal, ledger.SealerOptions{Name: "b"})
			process.freeze()
			<-process.stuck
			second := f.untilLed(t, "b")
			f.untilSealed(t, second.Sealed+50)
			process.thaw()
			now := f.status(t)
			now = f.untilSealed(t, now.Sealed+200)
			if now.Leader != "b" || now.Term != second.Term || second.Term != first.Term+1 {
				t.Errorf("the lead went from %+v to %+v to %+v", first, second, now)
			}
			total := 1 + stopPosters()
			f.untilSealed(t, total)
			if report := f.isWhole(t); report.Entries != int64(total) {
				t.Errorf("%d entries, %d were posted", report.Entries, total)
			}
			stopB()
			third := f.untilLed(t, "paused") // it is well again
			if third.Term != second.Term+1 {
				t.Errorf("%+v after %+v", third, second)
			}
		})
	}
}
