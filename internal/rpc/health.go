package rpc

import (
	"context"
	"net/http"
	"slices"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"

	"fundledger/internal/fault"
)

// readyPatience bounds the look at the database.
const readyPatience = 3 * time.Second

// ready tells why the service cannot do its work now, or nil.
func (s *Server) ready(ctx context.Context) error {
	if s.draining.Err() != nil {
		return errDraining
	}
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	if err := s.deps.Ready(ctx); err != nil {
		return fault.New(fault.Unavailable, "the database does not answer: %w", err)
	}
	return nil
}

// health answers grpc.health.v1: the process and each service serve while the
// database does.
type health struct {
	server   *Server
	services []string
}

func (h health) Check(ctx context.Context, request *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if request.Service != "" && !slices.Contains(h.services, request.Service) {
		return nil, connect.NewError(connect.CodeNotFound, fault.New(fault.NotFound, "there is no service %q", request.Service))
	}
	if h.server.ready(ctx) != nil {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
}

// mountHealth adds grpc.health.v1, /healthz (the process lives) and /readyz (it
// can do its work). They need no credentials and tell nothing.
func (s *Server) mountHealth(mux *http.ServeMux, services []string) {
	mux.Handle(grpchealth.NewHandler(health{s, services}, connect.WithReadMaxBytes(healthBytes)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if s.ready(r.Context()) != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
}

// healthBytes is more than the name of a service is long.
const healthBytes = 4 << 10

// AdminHandler serves the given metrics at /metrics, with /healthz and /readyz,
// for an address that only operators reach.
func (s *Server) AdminHandler(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	s.mountHealth(mux, nil)
	mux.Handle("GET /metrics", metrics)
	return mux
}
