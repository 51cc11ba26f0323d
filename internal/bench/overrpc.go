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
// of the same rows, and beside the same without RPC.
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

	beside := b.posted("64 callers over RPC beside without, random", load{random, 64, 1, b.served})
	beside.limitIs, beside.limit, beside.holds = "the same without RPC", within(load{random, 64, 1, nil}), false
	return []subject{batches, callers, beside}
}
