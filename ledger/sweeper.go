package ledger

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"fundledger/internal/fault"
)

// SweeperOptions say how often is swept and who is told.
type SweeperOptions struct {
	Interval time.Duration // between sweeps, more or less
	Log      *slog.Logger  // nil: silent
	Meter    metric.Meter  // nil: nothing is measured
}

// RunSweeper releases pending entries whose time has passed, until the context
// ends: Expire as a service. Several processes may do it at once; what one has
// released another passes over. Failures are logged and counted, and the next
// sweep makes up for them. Errors: Invalid for an interval that is not positive.
func (j *Journal) RunSweeper(ctx context.Context, options SweeperOptions) error {
	if options.Interval <= 0 {
		return fault.New(fault.Invalid, "a sweeper needs an interval, not %s", options.Interval)
	}
	log, meter := options.Log, options.Meter
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if meter == nil {
		meter = noop.Meter{}
	}
	expired, err := meter.Int64Counter("fundledger.sweeper.expired", metric.WithUnit("{pending}"),
		metric.WithDescription("Pending entries whose time had passed and that this process has released."))
	if err != nil {
		return err
	}
	failures, err := meter.Int64Counter("fundledger.sweeper.failures", metric.WithUnit("{sweep}"),
		metric.WithDescription("Sweeps of this process that the database did not carry out."))
	if err != nil {
		return err
	}
	failures.Add(ctx, 0) // so that it is there before the first one
	// A random part, so that servers that were started together do not all sweep
	// at once.
	for rest(ctx, options.Interval-rand.N(options.Interval/5+1)) {
		n, err := j.sweep(ctx)
		expired.Add(ctx, int64(n))
		if n > 0 {
			log.InfoContext(ctx, "pending entries have expired", "pendings", n)
		}
		if err != nil && ctx.Err() == nil {
			failures.Add(ctx, 1)
			log.ErrorContext(ctx, "expired pending entries could not be released", "error", err)
		}
	}
	return nil
}

// sweep releases all that is due.
func (j *Journal) sweep(ctx context.Context) (all int, err error) {
	for {
		n, err := j.Expire(ctx, sweepBatch)
		if all += n; err != nil || n < sweepBatch {
			return all, err
		}
	}
}

// sweepBatch is how many are released in one transaction: it locks all the floors
// that they hold.
const sweepBatch = 200
