package bench

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"cloud.google.com/go/civil"
)

const (
	fillBatch = 2000    // entries of one call
	fillSlice = 100_000 // entries posted before sealing and projection follow
)

var (
	firstDay = civil.Date{Year: 2025, Month: 1, Day: 1}
	lastDay  = civil.Date{Year: 2025, Month: 12, Day: 31}
)

// fill posts transfers until the journal holds so many entries, half of whose
// lines stand on one account, with business dates that follow the year. It
// tells how long posting, sealing and projection took.
func (b *journalBench) fill(ctx context.Context, until int64) ([]Workload, error) {
	l := load{b.halfHot(), b.Callers, fillBatch, nil}
	var has int64
	if err := b.owner.Pool.QueryRow(ctx, "SELECT count(*) FROM entries").Scan(&has); err != nil {
		return nil, err
	}
	begun := has
	var took [3]time.Duration
	for has < until {
		slice := span{b.next.Load(), b.next.Load() + min(fillSlice, until-has)}
		date := func(n int64) civil.Date {
			return firstDay.AddDays(int((has + n - slice.from) * 365 / max(until, 1)))
		}
		for i, step := range []func() error{
			func() error { return b.postSlice(ctx, l, slice, date) },
			func() error { return b.journal.Seal(ctx) },
			func() error { return b.caughtUp(ctx) },
		} {
			start := time.Now()
			if err := step(); err != nil {
				return nil, err
			}
			took[i] += time.Since(start)
		}
		has += slice.count()
		if err := b.mirror.follow(ctx, idsOf(slice.take(fillSlice))); err != nil {
			return nil, err
		}
		b.Log(fmt.Sprintf("filling the journal: %d of %d entries", has, until))
	}
	var done []Workload
	for i, name := range []string{"filling: posting", "filling: sealing", "filling: projection"} {
		done = append(done, newWorkload(name, "entries", until-begun, took[i], nil))
	}
	return done, b.mirror.analyze(ctx)
}

// postSlice posts the transfers of the span.
func (b *journalBench) postSlice(ctx context.Context, l load, slice span, date func(n int64) civil.Date) error {
	group, ctx := errgroup.WithContext(ctx)
	for range l.callers {
		group.Go(func() error {
			for ctx.Err() == nil {
				end := b.next.Add(int64(l.size))
				from := end - int64(l.size)
				if from >= slice.to {
					return nil
				}
				part := l
				part.size = int(min(end, slice.to) - from)
				if err := b.call(ctx, part, from, date); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	b.next.Store(slice.to)
	return nil
}
