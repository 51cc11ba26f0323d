package bench

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
)

// Workload is one measured path. Rates are in units a second.
type Workload struct {
	Name   string   `json:"name"`
	Unit   string   `json:"unit"`
	Count  int64    `json:"count"` // units done
	Rate   float64  `json:"rate"`
	Limit  *float64 `json:"limit,omitempty"` // the rate of the bare insert of the same rows
	Ratio  *float64 `json:"ratio,omitempty"` // rate / limit
	Target float64  `json:"target,omitempty"`
	// P50 and P99 are of one transaction, in milliseconds.
	P50 *float64 `json:"p50_ms,omitempty"`
	P99 *float64 `json:"p99_ms,omitempty"`
}

func newWorkload(name, unit string, count int64, elapsed time.Duration, times *latencies) Workload {
	w := Workload{Name: name, Unit: unit, Count: count, Rate: float64(count) / elapsed.Seconds()}
	if times != nil {
		w.P50, w.P99 = times.quantile(50), times.quantile(99)
	}
	return w
}

// against sets the limit.
func (w *Workload) against(limit Workload) {
	ratio := w.Rate / limit.Rate
	w.Limit, w.Ratio = &limit.Rate, &ratio
}

// recount corrects how many units were done.
func (w *Workload) recount(count int64) {
	w.Rate *= float64(count) / float64(w.Count)
	w.Count = count
}

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
