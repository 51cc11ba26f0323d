package settlement

import (
	"context"
	"sync/atomic"
)

// lanes bound how many transactions post at the same time. PostgreSQL finds
// conflicts by page, so that transactions which touch no common row still make
// each other start over; CockroachDB does not. Every transaction that had to
// start over closes a lane, down to the last one.
type lanes struct {
	free chan struct{}
	open atomic.Int64
}

func newLanes(n int) *lanes {
	l := &lanes{free: make(chan struct{}, n)}
	l.open.Store(int64(n))
	for range n {
		l.free <- struct{}{}
	}
	return l
}

// enter waits for a free lane.
func (l *lanes) enter(ctx context.Context) error {
	select {
	case <-l.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the lane back, or closes it.
func (l *lanes) leave(startedOver bool) {
	if startedOver && l.open.Add(-1) >= 1 {
		return
	} else if startedOver {
		l.open.Add(1)
	}
	l.free <- struct{}{}
}
