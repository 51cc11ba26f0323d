package ledger

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"fundledger/internal/fault"
)

// SealerOptions say who seals and who is told.
type SealerOptions struct {
	// Name tells this process from others on the database, such as host and
	// process number.
	Name string
	Log  *slog.Logger // nil: silent
	// Meter, if given, gets gauges of what SealerStatus says, read from the
	// database whenever they are collected, whoever leads.
	Meter metric.Meter
}

// How a sealer waits. It rests between rounds because a round's lines of an
// account are one block of rows for ever: rounds of little work would make many
// short ones. In the rest others get at the head, and a reader who cannot wait
// catches up himself.
const (
	sealRest  = 100 * time.Millisecond
	sealPoll  = 250 * time.Millisecond // for what other processes, or callers' own transactions, have posted
	leadPoll  = time.Second            // for a lease that another holds: a release is noticed as soon
	sealDrain = 5 * time.Second        // for the last round when it is to stop
	sealRetry = 15 * time.Second       // at most, after failures in a row
)

// sealerLease is the row of the sealer's lease.
const sealerLease = "sealer"

// RunSealer gives what is posted its place in the sequence and projects it,
// until the context ends: CatchUp as a service, for servers that run long. Of
// several processes on one database one leads at a time, by a lease of a few
// seconds; the others wait to take over from one that stops or is lost. It is
// woken by Post in its own process and looks for other postings a few times a
// second. At the end the leader seals once more what waits, for at most a few
// seconds, and gives its lease up; RunSealer then returns nil. Failures of the
// database are logged and tried again; a leader that fails gives the lead up
// first. Errors: Invalid without a name, Precondition and Permission when the
// database is not set up for it.
func (j *Journal) RunSealer(ctx context.Context, options SealerOptions) error {
	if strings.TrimSpace(options.Name) == "" {
		return fault.New(fault.Invalid, "a sealer needs a name that tells its process from others")
	}
	s := &sealer{journal: j, log: options.Log, lease: newLease(j.store, sealerLease, options.Name)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("sealer", options.Name)
	if options.Meter != nil {
		gauges, err := j.observeSealer(options.Meter, options.Name, &s.leading)
		if err != nil {
			return err
		}
		defer gauges.Unregister()
	}
	for failures := 0; ctx.Err() == nil; {
		err := s.compete(ctx)
		pause := leadPoll
		switch kind := fault.KindOf(err); {
		case err == nil:
			failures = 0
		case ctx.Err() != nil:
		case kind == fault.Precondition || kind == fault.Permission:
			return err
		default:
			pause = min(leadPoll<<min(failures, 10), sealRetry)
			failures++
			s.log.ErrorContext(ctx, "sealing failed", "error", err, "failures", failures, "pause", pause)
		}
		rest(ctx, pause-rand.N(pause/5)) // so that those who wait do not all ask at once
	}
	return nil
}

// wakeSealer tells a sealer of this process that something was posted.
func (j *Journal) wakeSealer() {
	select {
	case j.posted <- struct{}{}:
	default: // it knows
	}
}

// sealer is one run of RunSealer.
type sealer struct {
	journal *Journal
	log     *slog.Logger
	lease   *lease
	leading atomic.Bool
}

var errLeaseLost = errors.New("the lease is lost")

// compete asks once for the lead and leads until it stops, fails or is deposed.
func (s *sealer) compete(ctx context.Context) error {
	taken, err := s.lease.take(ctx)
	if err != nil || !taken {
		return err
	}
	s.log.InfoContext(ctx, "leads", "term", s.lease.term)
	// Work outlives the context for the last round, and ends with the lease.
	work, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, func() {
		rest(work, sealDrain)
		end(context.Cause(ctx))
	})()
	s.leading.Store(true)
	var keeping sync.WaitGroup
	keeping.Go(func() { s.keep(work, end) })
	err = s.rounds(ctx, work)
	if deposed := context.Cause(work); deposed != nil {
		err = nil // it failed because it was stopped
		s.log.WarnContext(ctx, "stops in the middle", "cause", deposed)
	}
	end(nil)
	keeping.Wait()
	s.leading.Store(false)
	s.giveUp(ctx)
	return err
}

// keep renews the lease, and ends the work when it cannot any more.
func (s *sealer) keep(work context.Context, end context.CancelCauseFunc) {
	// A renewal that hangs, or a pause of the whole process, must not outlast
	// the lease.
	deadline := time.AfterFunc(time.Until(s.lease.trusted), func() { end(errLeaseLost) })
	defer deadline.Stop()
	for rest(work, leaseRenew) {
		kept, err := s.lease.renew(work)
		switch {
		case work.Err() != nil:
			return
		case err != nil: // there is time for more renewals before the deadline
			s.log.WarnContext(work, "the lease was not renewed", "error", err)
		case !kept:
			end(errLeaseLost)
			return
		default:
			deadline.Reset(time.Until(s.lease.trusted))
		}
	}
}

// rounds catches up again and again; the last round begins after the context
// has ended, so that nothing posted before is left.
func (s *sealer) rounds(ctx, work context.Context) error {
	for {
		last := ctx.Err() != nil
		if _, err := s.journal.CatchUp(work); err != nil || last || work.Err() != nil {
			return err
		}
		rest(ctx, sealRest)
		select {
		case <-s.journal.posted:
		case <-time.After(sealPoll):
		case <-ctx.Done():
		case <-work.Done():
		}
	}
}

// giveUp ends the lease so that others need not wait for its end.
func (s *sealer) giveUp(ctx context.Context) {
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseRenew)
	defer cancel()
	if err := s.lease.giveUp(soon); err != nil {
		s.log.WarnContext(ctx, "the lease was not given up and ends by itself", "error", err)
		return
	}
	s.log.InfoContext(ctx, "leads no more", "term", s.lease.term)
}

// rest waits; false when the context ended first.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
