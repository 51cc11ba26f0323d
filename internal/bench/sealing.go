package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const (
	// sealingTarget is the rate of posting beside a sealer, of that without one.
	sealingTarget = 0.85

	// sealEvery is how long a sealer rests between two passes.
	sealEvery = 100 * time.Millisecond

	sealedBatch = 1000
)

// sealing are the workloads of what follows behind posting.
func (b *journalBench) sealing() []subject {
	random := load{b.random(), b.Callers, sealedBatch, nil}
	return []subject{
		b.besideSealer(random),
		b.besideSealer(load{b.hotFloors(), b.Callers, sealedBatch, nil}),
		{
			name: "sealing alone", unit: "entries", prepare: b.atRest(random),
			work: func(ctx context.Context, length time.Duration) (run, error) {
				return b.behind(ctx, random, length, func() error { return nil }, func() error { return b.journal.Seal(ctx) })
			},
		},
		{
			name: "projection alone", unit: "entries", prepare: b.atRest(random),
			work: func(ctx context.Context, length time.Duration) (run, error) {
				return b.behind(ctx, random, length, func() error { return b.journal.Seal(ctx) }, func() error {
					_, err := b.journal.CatchUp(ctx)
					return err
				})
			},
		},
		{
			name: "posting, sealing and projection together", unit: "entries", prepare: b.atRest(random),
			work: func(ctx context.Context, length time.Duration) (run, error) { return b.together(ctx, random, length) },
		},
	}
}

func (b *journalBench) atRest(l load) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := b.ready(ctx, l.transfers); err != nil {
			return err
		}
		_, err := b.journal.CatchUp(ctx)
		return err
	}
}

// besideSealer posts batches while a sealer gives them their place, grows the
// tree and signs checkpoints; its limit is the same without the sealer.
func (b *journalBench) besideSealer(l load) subject {
	var backlog int64
	return subject{
		name: fmt.Sprintf("batches of %d beside sealing, %s", l.size, l.name), unit: "entries",
		limitIs: "the same without sealing", targetOf: OfRatio, target: sealingTarget,
		prepare: func(ctx context.Context) error {
			backlog = 0
			return b.atRest(l)(ctx)
		},
		work: func(ctx context.Context, length time.Duration) (run, error) {
			signer, err := newSigner()
			if err != nil {
				return run{}, err
			}
			stop := b.keep(ctx, func() error {
				if err := b.journal.Seal(ctx); err != nil {
					return err
				}
				var sealed bool
				if err := b.owner.Pool.QueryRow(ctx, "SELECT position > 0 FROM heads WHERE name = 'sealed'").Scan(&sealed); err != nil || !sealed {
					return err
				}
				_, err := b.journal.Sign(ctx, signer)
				return err
			})
			done, err := b.post(ctx, l, length, lastDay)
			waiting, countErr := b.waiting(ctx)
			backlog = max(backlog, waiting)
			for _, err := range []error{err, countErr, stop(), b.caughtUp(ctx)} {
				if err != nil {
					return run{}, err
				}
			}
			return done, nil
		},
		limit: func(ctx context.Context, length time.Duration) (run, error) {
			done, err := b.post(ctx, l, length, lastDay)
			if err != nil {
				return run{}, err
			}
			return done, b.caughtUp(ctx)
		},
		finish: func(_ context.Context, w *Workload) error {
			w.Backlog = &backlog
			return nil
		},
	}
}

func newSigner() (note.Signer, error) {
	secret, _, err := note.GenerateKey(rand.Reader, "bench")
	if err != nil {
		return nil, err
	}
	return note.NewSigner(secret)
}

// keep runs fn again and again until the returned function is called, which
// waits for the last run and returns the first error.
func (b *journalBench) keep(ctx context.Context, fn func() error) (stop func() error) {
	var running sync.WaitGroup
	var failed error
	ended := make(chan struct{})
	running.Go(func() {
		for failed == nil {
			failed = fn()
			select {
			case <-ctx.Done():
				return
			case <-ended:
				return
			case <-time.After(sealEvery):
			}
		}
	})
	return func() error {
		close(ended)
		running.Wait()
		return failed
	}
}

func (b *journalBench) caughtUp(ctx context.Context) error {
	_, err := b.journal.CatchUp(ctx)
	return err
}

// waiting counts the entries that have no place in the sequence yet.
func (b *journalBench) waiting(ctx context.Context) (n int64, err error) {
	err = b.owner.Pool.QueryRow(ctx, `SELECT coalesce(sum(array_length(b.entries, 1)), 0)::int8
		FROM inbox AS i JOIN batches AS b ON b.id = i.batch_id`).Scan(&n)
	return n, err
}

// behind posts untimed for a while and times what follows behind.
func (b *journalBench) behind(ctx context.Context, l load, length time.Duration, untimed, timed func() error) (run, error) {
	if _, err := b.post(ctx, l, length, lastDay); err != nil {
		return run{}, err
	}
	if err := untimed(); err != nil {
		return run{}, err
	}
	start := time.Now()
	err := timed()
	done := run{count: b.last.count(), elapsed: time.Since(start)}
	if err != nil {
		return done, err
	}
	return done, b.caughtUp(ctx)
}

// together posts while sealing and projection follow, and counts the time
// until they have caught up.
func (b *journalBench) together(ctx context.Context, l load, length time.Duration) (run, error) {
	start := time.Now()
	stop := b.keep(ctx, func() error { return b.caughtUp(ctx) })
	done, err := b.post(ctx, l, length, lastDay)
	if stopErr := stop(); err == nil {
		err = stopErr
	}
	if err == nil {
		err = b.caughtUp(ctx)
	}
	done.elapsed = time.Since(start)
	return done, err
}
