package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"fundledger/internal/config"
	"fundledger/internal/fault"
)

// telemetry measures a server: metrics for Prometheus, and traces for a
// collector where one is set.
type telemetry struct {
	registry *prometheus.Registry
	metrics  *sdkmetric.MeterProvider
	traces   trace.TracerProvider // without a collector none are made
	shutdown []func(context.Context) error
}

func newTelemetry(ctx context.Context, c config.Telemetry) (*telemetry, error) {
	name := resource.NewSchemaless(attribute.String("service.name", "fundledger"))
	t := &telemetry{registry: prometheus.NewRegistry()}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry))
	if err != nil {
		return nil, fault.New(fault.Internal, "metrics cannot start: %w", err)
	}
	t.metrics = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(name))
	t.traces, t.shutdown = tracenoop.NewTracerProvider(), []func(context.Context) error{t.metrics.Shutdown}
	if c.OTLPEndpoint == "" {
		return t, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(c.OTLPEndpoint))
	if err != nil {
		return nil, fault.New(fault.Invalid, "telemetry.otlp_endpoint: %w", err)
	}
	traces := sdktrace.NewTracerProvider(sdktrace.WithResource(name), sdktrace.WithBatcher(exporter))
	t.traces, t.shutdown = traces, append(t.shutdown, traces.Shutdown)
	return t, nil
}

// sql traces and measures statements, without their values.
func (t *telemetry) sql() *otelpgx.Tracer {
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(t.traces), otelpgx.WithMeterProvider(t.metrics), otelpgx.WithDisableConnectionDetailsInAttributes())
}

// pool measures the connections.
func (t *telemetry) pool(pool *pgxpool.Pool) error {
	if err := otelpgx.RecordStats(pool, otelpgx.WithStatsMeterProvider(t.metrics)); err != nil {
		return fault.New(fault.Internal, "connections cannot be measured: %w", err)
	}
	return nil
}

func (t *telemetry) handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{})
}

// flushPatience is for the last traces.
const flushPatience = 5 * time.Second

func (t *telemetry) close(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), flushPatience)
	defer cancel()
	for _, shutdown := range t.shutdown {
		if err := shutdown(ctx); err != nil {
			log.Warn("what was measured last is lost", "error", err.Error())
		}
	}
}
