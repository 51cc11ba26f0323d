package rpc

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"fundledger/internal/fault"
)

// refusals is what becomes known of calls that did not get past the gate: all
// are counted, and of those whose subject is known and that would change
// something a few are recorded, so that a flood fills no table.
type refusals struct {
	count    metric.Int64Counter
	recorded *limiter
}

// How many refusals at the gate are recorded of one subject.
const (
	recordedRefusals      = rate.Limit(1) // a second
	recordedRefusalsBurst = 10
)

func newRefusals(provider metric.MeterProvider) (*refusals, error) {
	count, err := provider.Meter("fundledger/rpc").Int64Counter("fundledger.calls.refused", metric.WithUnit("{call}"),
		metric.WithDescription("Calls refused for their credentials, or because their subject calls too often."))
	if err != nil {
		return nil, fault.New(fault.Internal, "refused calls cannot be counted: %w", err)
	}
	return &refusals{count, newLimiter(recordedRefusals, recordedRefusalsBurst)}, nil
}

// gate lets those in who say who they are and do not ask too often.
func (s *Server) gate(ctx context.Context, spec connect.Spec, _ connect.Peer, header http.Header) (context.Context, error) {
	c := callOf(ctx)
	caller, err := s.authenticate(ctx, header)
	if caller != nil {
		c.caller = caller
	}
	if err == nil && !s.limiter.allow(caller.Subject) {
		err = fault.New(fault.Exhausted, "you call too often: try again after a moment").With("retry_after", "1s")
	}
	if err != nil {
		return nil, s.refuse(ctx, spec.Procedure, err)
	}
	c.entered = true
	return ctx, nil
}

// refuse counts, records and logs a call that does not get past the gate, and
// maps its error.
func (s *Server) refuse(ctx context.Context, procedure string, err error) error {
	s.refusals.count.Add(ctx, 1, metric.WithAttributes(attribute.String("kind", string(fault.KindOf(err)))))
	if who := callOf(ctx).caller.Subject; who != "" && s.refusals.recorded.allow(who) {
		s.recordRefused(ctx, s.methods[procedure], nil, err)
	}
	err = connectError(ctx, err)
	s.log(ctx, procedure, time.Now(), err)
	return err
}

// followed looks after calls that came past the gate and not to the chain: the
// request was too large, badly compressed, or broken off.
func (s *Server) followed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		next.ServeHTTP(w, r)
		if c := callOf(r.Context()); c.entered && !c.reached {
			err := fault.New(fault.Invalid, "the request was not read: it was too large, badly compressed or broken off")
			s.recordRefused(r.Context(), s.methods[r.URL.Path], nil, err)
			s.log(r.Context(), r.URL.Path, begun, connectError(r.Context(), err))
		}
	})
}

// recordRefused records a call that would have changed something, and was
// refused before it was carried out. The message is nil where it was not read.
func (s *Server) recordRefused(ctx context.Context, m *method, message proto.Message, err error) {
	if m == nil || !m.changes {
		return
	}
	c := callOf(ctx)
	refused := Call{RequestID: c.id, Subject: c.caller.Subject, Role: c.caller.held(), Method: m.procedure, Action: m.access.GetAction()}
	if message != nil && unreadable(message) == nil {
		if read, err := m.recorded(ctx, refused.Role, message); err == nil {
			refused = read
		}
	}
	s.deps.Calls.Refused(refused, err)
}

// held are the roles of the principal, with commas between them.
func (p *Principal) held() string { return strings.Join(slices.Sorted(maps.Keys(p.Roles)), ",") }
