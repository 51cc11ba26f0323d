package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"fundledger/ledger"
)

// Targets of the posting path.
const (
	batchTarget   = 0.6  // of the limit
	callersTarget = 0.4  // of the limit, 64 callers on random accounts
	hotTarget     = 0.8  // rate of 64 callers on hot accounts, of that on random ones
	heldTarget    = 0.85 // ratio in a large journal, of the ratio in an empty one
)

// singleBatch is the size of the limit's batches beside callers that post one
// entry at a time.
const singleBatch = 64

// posting are the workloads that post, each beside the bare insert of the same rows.
func (b *journalBench) posting() (subjects []subject) {
	random, hot, hotFloors := b.random(), b.hot(), b.hotFloors()
	for _, t := range []transfers{random, hot, b.randomFloors(), hotFloors} {
		for _, callers := range []int{1, 8, 64} {
			name := fmt.Sprintf("%d callers, %s", callers, t.name)
			if callers == 1 {
				name = "1 caller, " + t.name
			}
			s := b.posted(name, load{t, callers, 1, nil})
			if callers == 64 && t.name == random.name {
				s.targetOf, s.target = OfRatio, callersTarget
			}
			subjects = append(subjects, s)
		}
		for _, size := range []int{100, 1000} {
			s := b.posted(fmt.Sprintf("batches of %d, %s", size, t.name), load{t, b.Callers, size, nil})
			s.targetOf, s.target = OfRatio, batchTarget
			subjects = append(subjects, s)
		}
	}
	for _, t := range []transfers{hot, hotFloors} {
		s := b.posted(fmt.Sprintf("64 callers, %s beside random", t.name), load{t, 64, 1, nil})
		s.limitIs = "64 callers, random"
		s.limit = func(ctx context.Context, length time.Duration) (run, error) {
			return b.post(ctx, load{random, 64, 1, nil}, length, lastDay)
		}
		s.targetOf, s.target, s.holds, s.finish = OfRatio, hotTarget, false, nil
		subjects = append(subjects, s)
	}
	return subjects
}

// posted is one way to post beside its limit.
func (b *journalBench) posted(name string, l load) subject {
	var before tally
	return subject{
		name: name, unit: "entries", limitIs: "bare insert of the same rows", holds: true,
		prepare: func(ctx context.Context) (err error) {
			if err = b.ready(ctx, l.transfers); err == nil {
				before, err = count(ctx, b.owner.Pool)
			}
			return err
		},
		work: func(ctx context.Context, length time.Duration) (run, error) { return b.post(ctx, l, length, lastDay) },
		limit: func(ctx context.Context, _ time.Duration) (run, error) {
			size := l.size
			if size == 1 {
				size = singleBatch
			}
			return b.mirror.insert(ctx, l.transfers, b.last, size, b.used)
		},
		finish: func(ctx context.Context, w *Workload) error {
			after, err := count(ctx, b.owner.Pool)
			if err != nil {
				return err
			}
			w.PairsPerEntry, w.Connections = after.since(before).perEntry(), b.used
			return nil
		},
	}
}

// ready gives the accounts of the transfers what they need: in a journal that
// is to be empty nothing else is left in it.
func (b *journalBench) ready(ctx context.Context, t transfers) error {
	if b.served != nil { // its records of calls come behind
		if err := b.served.calls.Flush(ctx); err != nil {
			return err
		}
	}
	if !b.filled {
		if err := b.mirror.reset(ctx); err != nil {
			return err
		}
	}
	if t.floor == "" {
		return nil
	}
	if err := b.postAll(ctx, t.endow(firstDay)); err != nil {
		return err
	}
	return b.mirror.followFloors(ctx)
}

// postAll posts entries that may be in the journal already.
func (b *journalBench) postAll(ctx context.Context, entries []ledger.Entry) error {
	results, err := b.journal.Post(ctx, entries...)
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(results))
	for i, r := range results {
		if r.Err != nil {
			return r.Err
		}
		ids[i] = r.ID
	}
	return b.mirror.follow(ctx, ids)
}

// settle brings the journal to rest after a subject: all sealed and projected,
// and the limit's tables as large as its own.
func (b *journalBench) settle(ctx context.Context, from int64) error {
	if _, err := b.journal.CatchUp(ctx); err != nil {
		return err
	}
	posted := span{from, b.next.Load()}
	return b.mirror.follow(ctx, idsOf(posted.take(int(posted.count()))))
}
