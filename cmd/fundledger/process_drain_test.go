package main

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fundledger/internal/calls"
	"fundledger/internal/devdb"
	"fundledger/internal/postgres"
	"fundledger/ledger"
	"fundledger/proto/client"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// batchOf is a batch of entries of one caller, which stand or fall together.
func batchOf(caller, n int) *ledgerv1.PostBatchRequest {
	request := &ledgerv1.PostBatchRequest{Atomic: true}
	for i := range batchEntries {
		request.Entries = append(request.Entries, &ledgerv1.NewEntry{
			IdempotencyKey: fmt.Sprintf("%d/%d/%d", caller, n, i), Date: "2025-01-15", Period: "2025-01", Kind: "adjustment", Summary: "试验",
			Postings: []*ledgerv1.Posting{
				{Account: bank, Side: typev1.Side_SIDE_DEBIT, Amount: "1.00"}, {Account: incomes, Side: typev1.Side_SIDE_CREDIT, Amount: "1.00"},
			},
		})
	}
	return request
}

const batchEntries = 5

// load posts batches from several callers, numbered from one on, until it is
// ended. It remembers what was acknowledged.
type load struct {
	callers sync.WaitGroup
	stop    context.CancelFunc

	mu    sync.Mutex
	acked map[string]bool
	last  error
}

func startLoad(c *client.Client, first, callers int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop, acked: map[string]bool{}}
	for caller := first; caller < first+callers; caller++ {
		l.callers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				request := batchOf(caller, n)
				answer, err := c.Ledger.PostBatch(context.WithoutCancel(ctx), request)
				for _, r := range answer.GetResults() {
					if r.GetError() != nil {
						err = fmt.Errorf("%s", r.GetError().GetMessage())
					}
				}
				l.mu.Lock()
				if err != nil {
					l.last = err
					l.mu.Unlock()
					return
				}
				for _, e := range request.GetEntries() {
					l.acked[e.GetIdempotencyKey()] = true
				}
				l.mu.Unlock()
			}
		})
	}
	return l
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// reach waits until so many more entries are acknowledged.
func (l *load) reach(t *testing.T, more int) {
	t.Helper()
	wanted := l.count() + more
	for deadline := time.Now().Add(time.Minute); l.count() < wanted; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d entries are acknowledged", l.count(), wanted)
		}
	}
}

// end waits for the callers and gives how they ended.
func (l *load) end() error {
	l.stop()
	l.callers.Wait()
	return l.last
}

// standing are the keys that the journal has. It fails unless all that was
// acknowledged is among them, each batch is there as a whole, and the books are.
func (l *load) standing(t *testing.T, db *postgres.DB) map[string]bool {
	t.Helper()
	must(t, db.URL, "seal", "--once")
	report := decoded[ledger.CheckReport](t, db.URL, "verify")
	rows, err := db.Pool.Query(t.Context(), "SELECT key FROM entries")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	keys, parts := map[string]bool{}, map[string]int{}
	for rows.Next() {
		var key string
		var caller, n, i int
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(key, "%d/%d/%d", &caller, &n, &i); err != nil || keys[key] {
			t.Errorf("%q: %v", key, err)
		}
		keys[key] = true
		parts[fmt.Sprint(caller, "/", n)]++
	}
	for batch, n := range parts {
		if n != batchEntries {
			t.Errorf("batch %s has %d entries", batch, n)
		}
	}
	for key := range l.acked {
		if !keys[key] {
			t.Errorf("%s was acknowledged and is lost", key)
		}
	}
	if !report.OK() || report.Entries != int64(len(keys)) {
		t.Errorf("%d entries: %+v", len(keys), report)
	}
	return keys
}

func TestSIGTERMUnderLoadLosesNothingAcknowledgedAndLeavesNoHalfEntry(t *testing.T) {
	db := devdb.Test(t)
	must(t, db.URL, "setup", "--profile", "jiangsu", "--open-from", "2025-01")
	before := goleak.IgnoreCurrent()
	server := serving(t, db.URL, "127.0.0.1:0", "--dev", "--set", "limits.requests_per_second=100000")
	c := calling(t, client.Options{Patience: time.Second}, server)
	l := startLoad(c, 0, 16)
	l.reach(t, 500)
	server.stop(t)
	if err := l.end(); err == nil {
		t.Error("no caller has noticed")
	}
	c.Close()
	goleak.VerifyNone(t, before)
	l.standing(t, db)
	// What was under way has ended, and its outcome is recorded.
	page, err := calls.NewLog(db).List(t.Context(), calls.Query{Outcome: calls.Unknown})
	if err != nil || len(page.Calls) != 0 {
		t.Errorf("%d calls have no outcome: %+v %v", len(page.Calls), page.Calls, err)
	}
}

func TestCallersOfTwoServersNoticeNeitherAStopNorAKill(t *testing.T) {
	db := devdb.Test(t)
	must(t, db.URL, "setup", "--profile", "jiangsu", "--open-from", "2025-01")
	options := []string{"--dev", "--set", "limits.requests_per_second=100000"}
	one := serving(t, db.URL, "127.0.0.1:0", options...)
	two := serving(t, db.URL, "127.0.0.1:0", options...)
	acknowledged := 0
	for i, protocol := range []client.Protocol{client.Connect, client.GRPC} {
		c := calling(t, client.Options{Protocol: protocol}, one, two)
		l := startLoad(c, 8*i, 8)
		l.reach(t, 200)
		one.stop(t)
		l.reach(t, 200)
		one = serving(t, db.URL, one.address(), options...)
		two.kill(t)
		l.reach(t, 200)
		two = serving(t, db.URL, two.address(), options...)
		if err := l.end(); err != nil {
			t.Errorf("a caller has noticed: %v", err)
		}
		acknowledged += l.count()
		if standing := l.standing(t, db); len(standing) != acknowledged {
			t.Errorf("%d entries stand there, %d are acknowledged", len(standing), acknowledged)
		}
		c.Close()
	}
}
