package bench

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
)

// latencies gathers how long transactions take and how many run at once.
type latencies struct {
	mu            sync.Mutex
	times         []time.Duration
	running, most int
}

func (l *latencies) begin() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running++
	l.most = max(l.most, l.running)
	return time.Now()
}

func (l *latencies) end(begun time.Time) {
	took := time.Since(begun)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	l.times = append(l.times, took)
}

// quantile returns milliseconds, or nil when nothing was timed.
func (l *latencies) quantile(percent int) *float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.times) == 0 {
		return nil
	}
	slices.Sort(l.times)
	ms := float64(l.times[(len(l.times)-1)*percent/100].Microseconds()) / 1000
	return &ms
}

// timedStore times the writing transactions of a store, retries included.
type timedStore struct {
	accounts.Store
	times *latencies
}

// InTx implements accounts.Store.
func (s timedStore) InTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	defer s.times.end(s.times.begin())
	return s.Store.InTx(ctx, fn)
}

// Single implements accounts.Store.
func (s timedStore) Single(ctx context.Context, fn func(w accounts.Reader) error) error {
	defer s.times.end(s.times.begin())
	return s.Store.Single(ctx, fn)
}
