package ledger_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"fundledger/ledger"
)

// gauges collects all gauges of the reader by name; attributes are returned
// for those that have some.
func gauges(t *testing.T, reader *metric.ManualReader) (values map[string]float64, attributes map[string]*attribute.Set) {
	t.Helper()
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	values, attributes = map[string]float64{}, map[string]*attribute.Set{}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					values[m.Name], attributes[m.Name] = float64(p.Value), &p.Attributes
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					values[m.Name], attributes[m.Name] = p.Value, &p.Attributes
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	return values, attributes
}

func TestGaugesTellTheLagWhoeverLeads(t *testing.T) {
	t.Parallel()
	f := open(t)
	// A leader that is dead and whose lease runs on.
	if _, err := f.db.Pool.Exec(t.Context(), "UPDATE leases SET leader = 'dead', term = 7, taken_at = now(), expires_at = now() + INTERVAL '1 hour'"); err != nil {
		t.Fatal(err)
	}
	f.post(t, income("a", 100), accepted("o", "H1", 1))
	f.post(t, spend("b", 40))
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	stop := runSealer(t, f.Journal, ledger.SealerOptions{Name: "a", Meter: provider.Meter("test")})
	const p = "fundledger.sealer."
	var values map[string]float64
	var attributes map[string]*attribute.Set
	for deadline := time.Now().Add(time.Minute); len(values) == 0 && time.Now().Before(deadline); {
		values, attributes = gauges(t, reader)
	}
	for name, want := range map[string]float64{
		"waiting.batches": 2, "waiting.entries": 3, "sealed.position": 0, "projected.position": 0, "lease.term": 7, "leading": 0,
	} {
		if got, ok := values[p+name]; !ok || got != want {
			t.Errorf("behind: %s is %v (%v), want %v", name, got, ok, want)
		}
	}
	if values[p+"waiting.age"] <= 0 || values[p+"lease.remaining"] < 3000 || values[p+"lease.remaining"] > 3600 {
		t.Errorf("behind: %v", values)
	}
	if leader, _ := attributes[p+"lease.remaining"].Value("leader"); leader.AsString() != "dead" {
		t.Errorf("the leader is %q", leader.AsString())
	}
	if process, _ := attributes[p+"leading"].Value("process"); process.AsString() != "a" {
		t.Errorf("the process is %q", process.AsString())
	}

	if _, err := f.db.Pool.Exec(t.Context(), "UPDATE leases SET expires_at = now()"); err != nil {
		t.Fatal(err)
	}
	f.untilSealed(t, 3)
	values, _ = gauges(t, reader)
	for name, want := range map[string]float64{
		"waiting.batches": 0, "waiting.entries": 0, "waiting.age": 0, "sealed.position": 3, "projected.position": 3, "lease.term": 8, "leading": 1,
	} {
		if got, ok := values[p+name]; !ok || got != want {
			t.Errorf("caught up: %s is %v (%v), want %v", name, got, ok, want)
		}
	}
	stop()
	if left, _ := gauges(t, reader); len(left) > 0 {
		t.Errorf("gauges of a sealer that has stopped: %v", left)
	}
}
