package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// countOf is the value of a counter.
func countOf(t *testing.T, reader *sdkmetric.ManualReader, name string) (sum int64) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == name {
				for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
					sum += p.Value
				}
			}
		}
	}
	return sum
}

// TestTwoSweepersReleaseWhatHasExpiredOnce: more than one batch of it, which
// nobody posts against.
func TestTwoSweepersReleaseWhatHasExpiredOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 1000))
	const due = 230
	for i := range due {
		if _, err := f.Pend(t.Context(), spend(fmt.Sprint("due-", i), 2), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	f.pend(t, spend("stays", 7))
	if _, err := f.db.Pool.Exec(t.Context(), "UPDATE pendings SET expires_at = now() - interval '1 minute' WHERE key LIKE 'due-%'"); err != nil {
		t.Fatal(err)
	}
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	ctx, stop := context.WithCancel(t.Context())
	var sweepers sync.WaitGroup
	for range 2 {
		sweepers.Go(func() {
			j := ledger.New(f.db, f.book)
			if err := j.RunSweeper(ctx, ledger.SweeperOptions{Interval: 10 * time.Millisecond, Meter: meter}); err != nil {
				t.Error(err)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); countOf(t, reader, "fundledger.sweeper.expired") < due; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody sweeps")
		}
	}
	stop()
	sweepers.Wait()
	if n := countOf(t, reader, "fundledger.sweeper.expired"); n != due {
		t.Errorf("%d were released, %d were due", n, due)
	}
	page, err := f.ListPending(t.Context(), ledger.PendingQuery{State: ledger.Open})
	if err != nil || len(page.Pendings) != 1 || page.Pendings[0].Key != "stays" {
		t.Errorf("%+v %v", page, err)
	}
	f.mustBeWhole(t)
}

// offline is a store that does not answer.
type offline struct{ accounts.Store }

func (offline) InTx(context.Context, func(pgx.Tx) error) error {
	return fault.New(fault.Unavailable, "the database is away")
}

func TestASweepThatFailsIsLoggedAndCounted(t *testing.T) {
	t.Parallel()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	var log bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- ledger.New(offline{}, book).RunSweeper(ctx, ledger.SweeperOptions{
			Interval: time.Millisecond, Meter: meter, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
	}()
	for deadline := time.Now().Add(time.Minute); countOf(t, reader, "fundledger.sweeper.failures") < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not go on")
		}
	}
	stop()
	if err := <-ended; err != nil || !strings.Contains(log.String(), "the database is away") {
		t.Errorf("%v: %s", err, log.String())
	}
	err = ledger.New(offline{}, book).RunSweeper(t.Context(), ledger.SweeperOptions{})
	isRefused(t, "no interval", err, fault.Invalid, "needs an interval")
}
