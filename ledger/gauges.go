package ledger

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// gaugePatience bounds the reading of the status for one collection, so that a
// database that hangs does not hang the metrics of the whole process.
const gaugePatience = 5 * time.Second

// observeSealer registers gauges of the sealer's status. Each process reports
// all of them, so that the lag is seen when nobody leads; "leading" alone is
// the process's own.
func (j *Journal) observeSealer(meter metric.Meter, name string, leading *atomic.Bool) (metric.Registration, error) {
	var failed error
	count := func(name, unit, help string) metric.Int64ObservableGauge {
		gauge, err := meter.Int64ObservableGauge("fundledger.sealer."+name, metric.WithUnit(unit), metric.WithDescription(help))
		if err != nil {
			failed = err
		}
		return gauge
	}
	seconds := func(name, help string) metric.Float64ObservableGauge {
		gauge, err := meter.Float64ObservableGauge("fundledger.sealer."+name, metric.WithUnit("s"), metric.WithDescription(help))
		if err != nil {
			failed = err
		}
		return gauge
	}
	batches := count("waiting.batches", "{batch}", "Committed batches without a place in the sequence.")
	entries := count("waiting.entries", "{entry}", "Entries in waiting batches.")
	age := seconds("waiting.age", "How long the oldest waiting batch waits.")
	sealed := count("sealed.position", "{entry}", "Length of the sequence.")
	projected := count("projected.position", "{entry}", "Up to where account lines and balances follow the sequence.")
	term := count("lease.term", "{term}", "How often the lead was taken.")
	lease := seconds("lease.remaining", "How long the leader's lease lasts unless renewed; absent when nobody leads.")
	leads := count("leading", "1", "1 when this process leads, else 0.")
	if failed != nil {
		return nil, failed
	}
	process := metric.WithAttributes(attribute.String("process", name))
	return meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		own := int64(0)
		if leading.Load() {
			own = 1
		}
		o.ObserveInt64(leads, own, process)
		ctx, cancel := context.WithTimeout(ctx, gaugePatience)
		defer cancel()
		s, err := j.SealerStatus(ctx)
		if err != nil {
			return err
		}
		o.ObserveInt64(batches, s.WaitingBatches)
		o.ObserveInt64(entries, s.WaitingEntries)
		o.ObserveFloat64(age, s.Age().Seconds())
		o.ObserveInt64(sealed, int64(s.Sealed))
		o.ObserveInt64(projected, int64(s.Projected))
		o.ObserveInt64(term, s.Term)
		if s.Leader != "" {
			o.ObserveFloat64(lease, s.Until.Sub(s.At).Seconds(), metric.WithAttributes(attribute.String("leader", s.Leader)))
		}
		return nil
	}, batches, entries, age, sealed, projected, term, lease, leads)
}
