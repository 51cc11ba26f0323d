package bench

import (
	"context"
	"time"
)

// Targets of posting over RPC.
const (
	servedBatchTarget   = 0.7  // of the same batches in this process
	servedCallersTarget = 0.25 // of the limit, 64 callers
)

// overRPC are the workloads that post through a server in this process, over TCP:
// batches beside the same ones without RPC, single entries beside the bare insert
// of the same rows, and beside what net/http by itself leaves of that.
func (b *journalBench) overRPC() []subject {
	random := b.random()
	within := func(l load) func(context.Context, time.Duration) (run, error) {
		return func(ctx context.Context, length time.Duration) (run, error) { return b.post(ctx, l, length, lastDay) }
	}
	batches := b.posted("batches of 100 over RPC, random", load{random, b.Callers, 100, b.served})
	batches.limitIs, batches.limit = "the same without RPC", within(load{random, b.Callers, 100, nil})
	batches.targetOf, batches.target, batches.holds = OfRatio, servedBatchTarget, false

	callers := b.posted("64 callers over RPC, random", load{random, 64, 1, b.served})
	callers.targetOf, callers.target = OfRatio, servedCallersTarget

	plain := b.posted("64 callers over plain HTTP, random", load{random, 64, 1, b.plain})
	plain.holds = false

	beside := b.posted("64 callers over RPC beside plain HTTP, random", load{random, 64, 1, b.served})
	beside.limitIs, beside.limit, beside.holds = "the same over plain HTTP", within(load{random, 64, 1, b.plain}), false
	return []subject{batches, callers, plain, beside}
}
