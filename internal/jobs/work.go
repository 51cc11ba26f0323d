package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"fundledger/internal/fault"
	"fundledger/internal/jobs/internal/db"
)

// Why work is told to stop; the cause of its context.
var (
	errCancelled = errors.New("the job was cancelled")
	errLost      = errors.New("the job is no longer this server's")
)

// claim is a job that this server has taken.
type claim struct {
	*runner
	job      Job
	progress atomic.Pointer[Progress]
	trusted  time.Time // until when the job is ours; the keeper's until it has stopped
}

// do works on the job and writes what came of it. The lease is kept until the
// work has returned, even when it was told to stop, so that no other server
// begins beside it.
func (r *runner) do(run context.Context, job Job, trusted time.Time) {
	c := &claim{runner: r, job: job, trusted: trusted}
	c.progress.Store(&job.Progress)
	outer := context.WithoutCancel(run) // what is to be written when the server stops
	switch {
	case job.CancelledBy != "":
		c.end(outer, Cancelled, Payload{}, nil)
		return
	case job.term > mostTakes:
		c.end(outer, Failed, Payload{}, fault.New(fault.Internal, "the job was begun %d times and never came to an end", mostTakes))
		return
	}
	ctx, stop := context.WithCancelCause(run)
	keeping, release := context.WithCancel(outer)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		c.keep(keeping, stop)
	}()
	result, err := c.work(ctx)
	release()
	<-kept
	cause := context.Cause(ctx)
	stop(nil)
	switch {
	case errors.Is(cause, errLost):
		r.log.WarnContext(outer, "a job was lost to another server", "server", r.name, "job", job.ID, "kind", job.Kind)
	case err == nil:
		c.end(outer, Succeeded, result, nil)
	case errors.Is(cause, errCancelled):
		c.end(outer, Cancelled, Payload{}, nil)
	case run.Err() != nil:
		c.giveBack(outer, 0)
	case fault.KindOf(err) == fault.Unavailable:
		r.log.WarnContext(outer, "a job is put back", "server", r.name, "job", job.ID, "kind", job.Kind, "error", err.Error())
		c.giveBack(outer, retryAfter)
	default:
		c.end(outer, Failed, Payload{}, err)
	}
}

// work calls the work of the job's kind; one that panics has failed.
func (c *claim) work(ctx context.Context) (result Payload, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log.ErrorContext(ctx, "the work of a job panicked", "job", c.job.ID, "kind", c.job.Kind, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "the work of job %s broke off because of a defect; the server's log tells where", c.job.ID)
		}
	}()
	return c.works[c.job.Kind](ctx, c.job, func(p Progress) { c.progress.Store(&p) })
}

// keep renews the lease until ctx ends, each time with the progress, and tells
// the work to stop when it was cancelled or is no longer ours.
func (c *claim) keep(ctx context.Context, stop context.CancelCauseFunc) {
	each := time.NewTicker(leaseRenew)
	defer each.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-each.C:
		}
		asked := time.Now()
		p := c.progress.Load()
		var rows []string
		attempt, cancel := context.WithDeadline(ctx, c.trusted)
		err := c.inTx(attempt, func(ctx context.Context, q *db.Queries) (err error) {
			rows, err = q.RenewJob(ctx, db.RenewJobParams{
				ID: c.job.ID, Term: c.job.term, Milliseconds: leaseLength.Milliseconds(), Done: p.Done, Total: p.Total, Unit: p.Unit,
			})
			return err
		})
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && len(rows) == 0, err != nil && time.Now().After(c.trusted):
			stop(errLost)
			return
		case err != nil:
			c.complain(ctx, "the lease of a job cannot be renewed", err)
			continue
		}
		c.trusted = asked.Add(leaseLength - leaseMargin)
		if rows[0] != "" {
			stop(errCancelled)
		}
	}
}

// end writes that the job has ended, unless another server has it by now. What
// cannot be written while the lease lasts, another server does again.
func (c *claim) end(ctx context.Context, state State, result Payload, failure error) {
	p := c.progress.Load()
	c.insist(ctx, "the end of a job cannot be written", func(ctx context.Context, q *db.Queries) error {
		_, err := q.EndJob(ctx, db.EndJobParams{
			ID: c.job.ID, Term: c.job.term, State: string(state), Done: p.Done, Total: p.Total, Unit: p.Unit,
			ResultType: result.Type, Result: result.Data, Error: encodeError(failure),
		})
		return err
	})
}

// giveBack lets another server, or this one, begin the job again after the time.
func (c *claim) giveBack(ctx context.Context, after time.Duration) {
	p := c.progress.Load()
	c.insist(ctx, "a job cannot be given back", func(ctx context.Context, q *db.Queries) error {
		_, err := q.GiveBackJob(ctx, db.GiveBackJobParams{
			ID: c.job.ID, Term: c.job.term, Milliseconds: after.Milliseconds(), Done: p.Done, Total: p.Total, Unit: p.Unit,
		})
		return err
	})
}

// insist tries again while the job is still ours.
func (c *claim) insist(ctx context.Context, what string, fn func(context.Context, *db.Queries) error) {
	ctx, cancel := context.WithDeadline(ctx, c.trusted.Add(leaseLength))
	defer cancel()
	for {
		err := c.inTx(ctx, fn)
		if err == nil {
			return
		}
		c.complain(ctx, what, err)
		if fault.KindOf(err) != fault.Unavailable {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEach):
		}
	}
}
