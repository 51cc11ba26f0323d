package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// run is one round of a workload or of its limit.
type run struct {
	count   int64
	elapsed time.Duration
	times   *latencies // of its calls; nil when it is one call
}

func (r run) rate() float64 { return float64(r.count) / r.elapsed.Seconds() }

// subject is something to measure in rounds, beside its limit if it has one.
type subject struct {
	name, unit string
	work       func(context.Context, time.Duration) (run, error)
	limit      func(context.Context, time.Duration) (run, error) // after each round of work
	limitIs    string
	targetOf   Figure
	target     float64
	holds      bool // the ratio is to hold in a large journal
	whole      bool // a round is the whole of something, not a time: few of them, and no warming up

	prepare func(context.Context) error            // before the first round, untimed
	finish  func(context.Context, *Workload) error // after the last one, untimed
}

// measurement is what the rounds of a subject have given so far.
type measurement struct {
	Workload
	rates, limits []float64
	times         latencies
}

// measure runs work and limit in turn, so that whatever else the machine does
// falls on both. Of the rounds the medians count. The first, short round only
// opens connections and fills caches.
func (m *measurement) measure(ctx context.Context, s subject, o Rounds, profiles string) error {
	if s.prepare != nil {
		if err := s.prepare(ctx); err != nil {
			return err
		}
	}
	rounds := o.Number
	if s.whole {
		rounds = min(rounds, wholeRounds)
	} else if _, _, err := s.round(ctx, o.Length/10, "", ""); err != nil {
		return err
	}
	for range rounds {
		profile := fmt.Sprintf("%s-%d", fileName(m.Name), len(m.rates)+1)
		done, limit, err := s.round(ctx, o.Length, profiles, profile)
		if err != nil {
			return err
		}
		m.Count += done.count
		m.rates = append(m.rates, done.rate())
		if done.times != nil {
			m.times.times = append(m.times.times, done.times.times...)
		}
		if s.limit != nil {
			m.limits = append(m.limits, limit.rate())
			m.Ratios = append(m.Ratios, done.rate()/limit.rate())
		}
	}
	m.conclude()
	if s.finish != nil {
		return s.finish(ctx, &m.Workload)
	}
	return nil
}

// round runs the work and then its limit.
func (s subject) round(ctx context.Context, length time.Duration, profiles, profile string) (done, limit run, err error) {
	runtime.GC()
	err = profiled(profiles, profile, func() (err error) {
		done, err = s.work(ctx, length)
		return err
	})
	if err != nil {
		return done, limit, fmt.Errorf("%s: %w", s.name, err)
	}
	if s.limit != nil {
		if limit, err = s.limit(ctx, length); err != nil {
			err = fmt.Errorf("limit of %s: %w", s.name, err)
		}
	}
	return done, limit, err
}

// Rounds say how often a workload and its limit are run in turn, and for how long.
type Rounds struct {
	Number int
	Length time.Duration
}

// wholeRounds is how often what cannot be cut into rounds is run at most.
const wholeRounds = 3

// conclude takes the medians of the rounds.
func (m *measurement) conclude() {
	m.Rate = median(m.rates)
	m.P50, m.P99 = m.times.quantile(50), m.times.quantile(99)
	if len(m.limits) > 0 {
		slices.Sort(m.Ratios)
		limit, ratio := median(m.limits), median(m.Ratios)
		m.Limit, m.Ratio = &limit, &ratio
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, strings.ToLower(name))
}
