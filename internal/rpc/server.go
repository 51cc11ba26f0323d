package rpc

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/time/rate"

	"fundledger/accounts"
	"fundledger/clearing"
	banking "fundledger/clearing/bank"
	"fundledger/clearing/prepayment"
	"fundledger/internal/calls"
	"fundledger/internal/config"
	"fundledger/internal/fault"
	"fundledger/internal/jobs"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

// Deps are what the service works on.
type Deps struct {
	Journal *ledger.Journal
	Book    *accounts.Rulebook // says too which roles may do what
	Store   accounts.Store     // of the journal and the rules
	// Ready tells whether the database answers.
	Ready func(ctx context.Context) error
	Calls Calls // nil: calls are recorded in CallLog
	// CallLog holds what calls were made; nil: neither recorded nor shown.
	CallLog *calls.Log
	Log     *slog.Logger
	// Traces and Metrics take what is measured; nil: nothing is.
	Traces  trace.TracerProvider
	Metrics metric.MeterProvider
}

// desks are where settlements and clearing are worked on, by the rules that
// they were made with. Jobs look for them when they begin.
type desks struct {
	settlements *settlement.Settlements
	clearing    *clearing.Clearing
	recovery    *recovery.Recovery
	prepayments *prepayment.Prepayments
	provider    *provider.Desk
	bank        *banking.Desk
	book        *accounts.Rulebook
}

func newDesks(deps Deps) *desks {
	office := clearing.New(deps.Store, deps.Journal, deps.Book)
	return &desks{settlement.New(deps.Store, deps.Journal, deps.Book), office,
		recovery.New(deps.Store, deps.Journal, deps.Book, provider.PaidOf, office),
		prepayment.New(deps.Store, deps.Journal, deps.Book), provider.New(deps.Store, deps.Journal, deps.Book),
		banking.New(deps.Store, deps.Journal, deps.Book), deps.Book}
}

// Server serves all services.
type Server struct {
	deps     Deps
	limits   config.Limits
	patience time.Duration // for a client of a stream to take a message
	dev      bool
	tls      config.TLS
	rules    protovalidate.Validator
	methods  map[string]*method // by procedure
	tokens   *tokens
	jobs     map[string]*Principal // by subject of the certificate
	limiter  *limiter
	refusals *refusals
	handler  http.Handler
	current  *atomic.Pointer[http.ServeMux] // takes calls by the rules of now

	desks *atomic.Pointer[desks] // by the rules of now
	work  *jobs.Jobs

	draining context.Context // ended by drain
	drain    context.CancelFunc
}

// New assembles the service. Errors: Invalid for keys or certificates that
// cannot be read.
func New(deps Deps, c *config.Config) (*Server, error) {
	switch {
	case deps.Calls != nil:
	case deps.CallLog != nil:
		deps.Calls = RecordIn(deps.CallLog)
	default:
		deps.Calls = noCalls{}
	}
	if deps.Traces == nil {
		deps.Traces = tracenoop.NewTracerProvider()
	}
	if deps.Metrics == nil {
		deps.Metrics = metricnoop.NewMeterProvider()
	}
	s := &Server{
		deps: deps, limits: c.Limits, patience: sendPatience, dev: c.Dev, tls: c.TLS, jobs: jobsOf(c.Auth.Jobs),
		limiter: newLimiter(rate.Limit(c.Limits.RequestsPerSecond), c.Limits.Burst),
	}
	s.draining, s.drain = context.WithCancel(context.Background())
	s.desks = new(atomic.Pointer[desks])
	s.desks.Store(newDesks(deps))
	s.work = jobs.New(deps.Store, s.works())
	var err error
	if s.refusals, err = newRefusals(deps.Metrics); err != nil {
		return nil, err
	}
	if s.rules, err = protovalidate.New(); err != nil {
		return nil, fault.New(fault.Internal, "the rules of the contracts cannot be read: %w", err)
	}
	if s.tokens, err = newTokens(c.Auth); err != nil {
		return nil, err
	}
	s.current = new(atomic.Pointer[http.ServeMux])
	if err := s.mount(); err != nil {
		return nil, err
	}
	s.handler = identify(s.followed(withCertificate(s.timed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.current.Load().ServeHTTP(w, r)
	})))))
	if s.dev {
		s.handler = localOnly(s.handler)
	}
	return s, nil
}

// mount makes what takes calls from now on.
func (s *Server) mount() error {
	options, err := s.options()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	s.methods = map[string]*method{}
	var names []string
	for _, service := range s.services() {
		mux.Handle(service.mount(options))
		maps.Copy(s.methods, methodsOf(service.descriptor))
		names = append(names, string(service.descriptor.FullName()))
	}
	s.mountHealth(mux, names)
	reflector := grpcreflect.NewStaticReflector(names...)
	mux.Handle(grpcreflect.NewHandlerV1(reflector, connect.WithReadMaxBytes(reflectionBytes)))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector, connect.WithReadMaxBytes(reflectionBytes)))
	s.current.Store(mux)
	return nil
}

// reflectionBytes is more than any question of the reflection is long.
const reflectionBytes = 64 << 10

// Serve serves until the context ends, then drains: calls under way are
// finished, streams end with unavailable, new calls are refused. It closes the
// listener. Errors: Invalid (an address that --dev may not listen on, files of
// TLS), Unavailable (calls that did not finish in time).
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	defer listener.Close()
	defer s.tokens.close()
	if s.dev {
		if address, err := netip.ParseAddrPort(listener.Addr().String()); err != nil || !address.Addr().IsLoopback() {
			return fault.New(fault.Invalid, "--dev runs open and listens on a loopback address only, not on %s", listener.Addr())
		}
		s.deps.Log.Warn("RUNS OPEN (--dev): everybody on this machine may do everything", "address", listener.Addr().String())
	}
	server := &http.Server{
		Handler: s.handler, Protocols: new(http.Protocols), ReadHeaderTimeout: s.limits.ReadTime, IdleTimeout: s.limits.IdleTime,
		HTTP2:    &http.HTTP2Config{SendPingTimeout: pingAfter, WriteByteTimeout: sendPatience},
		ErrorLog: slog.NewLogLogger(s.deps.Log.Handler(), slog.LevelWarn),
	}
	server.Protocols.SetHTTP1(true)
	serve := server.Serve
	if s.tls.Certificate == "" {
		server.Protocols.SetUnencryptedHTTP2(true)
	} else {
		server.Protocols.SetHTTP2(true)
		var err error
		if server.TLSConfig, err = tlsConfig(s.tls); err != nil {
			return err
		}
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(listener) }()
	select {
	case err := <-ended:
		return fault.New(fault.Unavailable, "the service cannot be served: %w", err)
	case <-ctx.Done():
	}
	s.deps.Log.Info("drains", "patience", s.limits.DrainTime)
	s.drain()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.DrainTime)
	defer cancel()
	err := server.Shutdown(patience)
	if err != nil {
		server.Close()
		err = fault.New(fault.Unavailable, "calls were still under way after %s and were broken off: %w", s.limits.DrainTime, err)
	}
	if served := <-ended; err == nil && !errors.Is(served, http.ErrServerClosed) {
		err = fault.New(fault.Internal, "the service ended by itself: %w", served)
	}
	return err
}

const (
	pingAfter    = 30 * time.Second // without a frame, to find out that a client has vanished
	sendPatience = 30 * time.Second // for a client to take something of what is sent
)

// localOnly refuses names of other machines: a page of the web could have one
// of its own point here.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		ip, err := netip.ParseAddr(host)
		if host != "localhost" && (err != nil || !ip.IsLoopback()) {
			http.Error(w, "a server with --dev is called by localhost or its loopback address", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
