package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestOfRacingFinishersOneWins(t *testing.T) {
	t.Parallel()
	f := open(t)
	other := ledger.New(f.db, f.book)
	const rounds, racers = 12, 6
	f.post(t, income("in", rounds*100))
	for round := range rounds {
		key := fmt.Sprint("p", round)
		f.pend(t, spend(key, 100))
		var group sync.WaitGroup
		var mu sync.Mutex
		won, replayed, lost := 0, 0, 0
		for racer := range racers {
			group.Go(func() {
				j := []*ledger.Journal{f.Journal, other}[racer%2]
				var result ledger.Result
				var err error
				switch racer {
				case 5:
					_, err = j.Void(context.Background(), key, "boss", "race")
				case 4:
					result, err = j.Finish(context.Background(), finishing(key, 40, 40))
				default:
					result, err = j.Finish(context.Background(), finishing(key))
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case fault.KindOf(err) == fault.Precondition:
					lost++
				case err != nil:
					t.Error(err)
				case result.Replayed:
					replayed++
				default:
					won++
				}
			})
		}
		group.Wait()
		if won != 1 || won+replayed+lost != racers {
			t.Errorf("%d won, %d replayed, %d lost", won, replayed, lost)
		}
	}
	if r := f.reserved(t); r != 0 {
		t.Error(r)
	}
	f.mustBeWhole(t)
}

// Reservations and postings of many callers never take more than there is.
func TestReservationsAreExactUnderConcurrency(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 1000))
	var group sync.WaitGroup
	for worker := range 6 {
		group.Go(func() {
			for i := range 10 {
				key := fmt.Sprintf("%d/%d", worker, i)
				if worker%2 == 0 {
					if _, err := f.Post(context.Background(), spend(key, 30)); err != nil {
						t.Error(err)
					}
					continue
				}
				_, err := f.Pend(context.Background(), spend(key, 30), time.Time{})
				if err == nil && i%3 == 0 {
					_, err = f.Finish(context.Background(), finishing(key, 10, 10))
				}
				if err != nil && fault.KindOf(err) != fault.Insufficient {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	f.mustBeWhole(t)
	if b, r := f.balance(t, purse), f.reserved(t); b < r || b-r >= 30 {
		t.Errorf("balance %s, reserved %s: something was refused for nothing, or too little", b, r)
	}
}
