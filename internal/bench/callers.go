package bench

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"cloud.google.com/go/civil"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// during calls fn from several goroutines for a while, each at least once. It
// returns how many things were done.
func during(ctx context.Context, callers int, length time.Duration, fn func(context.Context) (int64, error)) (run, error) {
	times := &latencies{}
	var count atomic.Int64
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range callers {
		group.Go(func() error {
			for first := true; first || time.Since(start) < length; first = false {
				begun := times.begin()
				n, err := fn(ctx)
				if err != nil {
					return err
				}
				times.end(begun)
				count.Add(n)
			}
			return nil
		})
	}
	err := group.Wait()
	return run{count.Load(), time.Since(start), times}, err
}

// load is a way to post transfers: how many callers call Journal.Post at once,
// with how many entries each, and whether over RPC.
type load struct {
	transfers
	callers, size int
	over          remote // nil: in this process
}

// remote posts entries from outside, each once.
type remote interface {
	post(ctx context.Context, entries []ledger.Entry) error
}

// poster numbers transfers and posts them.
type poster struct {
	*books
	next atomic.Int64 // number of the next transfer of this run
	last span         // what the last round has posted
	used int          // transactions that were open at once in it
}

// post posts for a while. Each entry must be taken: a refusal is an error.
func (p *poster) post(ctx context.Context, l load, length time.Duration, date civil.Date) (run, error) {
	*p.times = latencies{}
	p.last.from = p.next.Load()
	done, err := during(ctx, l.callers, length, func(ctx context.Context) (int64, error) {
		return int64(l.size), p.call(ctx, l, p.next.Add(int64(l.size))-int64(l.size), func(int64) civil.Date { return date })
	})
	p.last.to, p.used = p.next.Load(), p.times.most
	return done, err
}

// call posts the transfers of the load from a number on.
func (p *poster) call(ctx context.Context, l load, from int64, date func(n int64) civil.Date) error {
	entries := make([]ledger.Entry, l.size)
	for i := range entries {
		entries[i] = l.entry(from+int64(i), date(from+int64(i)))
	}
	if l.over != nil {
		return l.over.post(ctx, entries)
	}
	results, err := p.journal.Post(ctx, entries...)
	if err != nil {
		return err
	}
	for i, r := range results {
		if r.Err != nil {
			return r.Err
		}
		if r.Replayed {
			return alreadyThere(entries[i].Key)
		}
	}
	return nil
}

func alreadyThere(key string) error {
	return fault.New(fault.Internal, "%s was in the journal before it was posted", key)
}
