package rpc

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/otelconnect"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/protobuf/proto"

	"fundledger/internal/fault"
)

// options is what every call passes, in this order:
//
//	identify      the id of the request (HTTP, before anything else)
//	followed      logs and records what comes past the gate and no further (HTTP)
//	gate          who calls (authenticate), and not too often (limit);
//	              nothing of a message is read of somebody unknown
//	logged        one line a call
//	otelconnect   traces and metrics
//	faults        errors of the domain become errors of the wire, a panic one of ours
//	bounded       deadlines; the end of streams when the server stops
//	allowed       roles by the table, the rules of form that stand in the
//	              contract, regions; the call is recorded, refused or not
func (s *Server) options() ([]connect.HandlerOption, error) {
	telemetry, err := otelconnect.NewInterceptor(
		otelconnect.WithTracerProvider(s.deps.Traces), otelconnect.WithMeterProvider(s.deps.Metrics),
		otelconnect.WithPropagator(propagation.TraceContext{}),
	)
	if err != nil {
		return nil, fault.New(fault.Internal, "telemetry of calls cannot start: %w", err)
	}
	return []connect.HandlerOption{
		connect.WithRequestGate(s.gate),
		codecs(),
		connect.WithInterceptors(
			layer{s.logged, s.loggedStream},
			telemetry,
			layer{s.faults, s.faultsOfStream},
			layer{s.bounded, s.boundedStream},
			layer{s.allowed, s.allowedStream},
		),
		connect.WithReadMaxBytes(s.limits.MessageBytes),
		connect.WithCompressMinBytes(compressFrom),
	}, nil
}

// compressFrom is the size from which compression pays.
const compressFrom = 4 << 10

// layer is an interceptor of a server.
type layer struct {
	unary  func(context.Context, connect.AnyRequest, connect.UnaryFunc) (connect.AnyResponse, error)
	stream func(context.Context, connect.StreamingHandlerConn, connect.StreamingHandlerFunc) error
}

func (l layer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		return l.unary(ctx, request, next)
	}
}

func (l layer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return l.stream(ctx, conn, next)
	}
}

func (l layer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// checked looks at each message of a stream that comes in.
type checked struct {
	connect.StreamingHandlerConn
	check func(proto.Message) error
}

func (c *checked) Receive(message any) error {
	if err := c.StreamingHandlerConn.Receive(message); err != nil {
		return err
	}
	return c.check(message.(proto.Message))
}

func (s *Server) faults(ctx context.Context, request connect.AnyRequest, next connect.UnaryFunc) (answer connect.AnyResponse, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = connectError(ctx, panicked(r))
		}
	}()
	answer, err = next(ctx, request)
	return answer, connectError(ctx, err)
}

func (s *Server) faultsOfStream(ctx context.Context, conn connect.StreamingHandlerConn, next connect.StreamingHandlerFunc) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = connectError(ctx, panicked(r))
		}
	}()
	return connectError(ctx, next(ctx, conn))
}

func panicked(r any) error { return fault.New(fault.Internal, "panic: %v\n%s", r, debug.Stack()) }

func (s *Server) bounded(ctx context.Context, request connect.AnyRequest, next connect.UnaryFunc) (connect.AnyResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.RequestTime)
	defer cancel()
	answer, err := next(ctx, request)
	if err != nil && ctx.Err() != nil && fault.KindOf(err) == fault.Unavailable {
		err = ctx.Err()
	}
	return answer, err
}

func (s *Server) boundedStream(ctx context.Context, conn connect.StreamingHandlerConn, next connect.StreamingHandlerFunc) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.draining, func() { cancel(errDraining) })()
	err := next(ctx, &paced{conn, deadlinesOf(ctx), s.patience})
	if context.Cause(ctx) == error(errDraining) {
		return errDraining
	}
	return err
}

// paced gives a caller of a stream so long to take each message, and to send one
// where the server waits for it.
type paced struct {
	connect.StreamingHandlerConn
	connection *deadlines
	patience   time.Duration
}

func (p *paced) Send(message any) error {
	p.connection.write(time.Now().Add(p.patience))
	return p.StreamingHandlerConn.Send(message)
}

func (p *paced) Receive(message any) error {
	p.connection.read(time.Now().Add(p.patience))
	err := p.StreamingHandlerConn.Receive(message)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.New(fault.Unavailable, "nothing was sent for %s: call again, and go on where it ended", p.patience)
	}
	p.connection.read(time.Time{}) // a caller who listens need not send
	return err
}

// examine refuses a request that cannot be read, that breaks a rule of form, or
// that names a region in which the caller may not do the action.
func (s *Server) examine(ctx context.Context, m *method, message proto.Message) error {
	if err := unreadable(message); err != nil {
		return err
	}
	if !plain(message) {
		if err := s.rules.Validate(message); err != nil {
			return fault.New(fault.Invalid, "%w", err)
		}
	}
	return s.authorise(ctx, m, message)
}

func (s *Server) allowed(ctx context.Context, request connect.AnyRequest, next connect.UnaryFunc) (answer connect.AnyResponse, err error) {
	m, message := s.methods[request.Spec().Procedure], request.Any().(proto.Message)
	ctx, role, err := s.admit(ctx, m)
	if err == nil {
		err = s.examine(ctx, m, message)
	}
	if err != nil {
		s.recordRefused(ctx, m, message, err)
		return nil, err
	}
	end, err := s.record(ctx, m, role, message)
	if err != nil {
		return nil, err
	}
	defer func() { end(answer, err) }()
	err = errBroken // unless next returns
	answer, err = next(ctx, request)
	return answer, err
}

// errBroken is how a call is recorded that panics.
var errBroken = fault.New(fault.Internal, "the call broke off")

// allowedStream records a stream by its first message.
func (s *Server) allowedStream(ctx context.Context, conn connect.StreamingHandlerConn, next connect.StreamingHandlerFunc) (err error) {
	m := s.methods[conn.Spec().Procedure]
	var first proto.Message
	var end func(connect.AnyResponse, error)
	defer func() {
		switch {
		case end != nil:
			end(nil, err)
		case err != nil:
			s.recordRefused(ctx, m, first, err)
		}
	}()
	ctx, role, err := s.admit(ctx, m)
	if err != nil {
		return err
	}
	err = errBroken // unless next returns
	err = next(ctx, &checked{conn, func(message proto.Message) (err error) {
		if first == nil {
			first = message
		}
		if err = s.examine(ctx, m, message); err == nil && end == nil {
			end, err = s.record(ctx, m, role, message)
		}
		return err
	}})
	return err
}

// record records a call that changes something before it is carried out, or has
// it recorded with what it does.
func (s *Server) record(ctx context.Context, m *method, role string, message proto.Message) (func(connect.AnyResponse, error), error) {
	if !m.changes {
		return func(connect.AnyResponse, error) {}, nil
	}
	recorded, err := m.recorded(ctx, role, message)
	if err != nil {
		return nil, err
	}
	var end func(proto.Message, error)
	if m.posts {
		callOf(ctx).with, end, err = s.deps.Calls.Posting(recorded)
	} else {
		var ended func(context.Context, proto.Message, error)
		ended, err = s.deps.Calls.Begin(ctx, recorded)
		end = func(answer proto.Message, err error) { ended(context.WithoutCancel(ctx), answer, err) }
	}
	if err != nil {
		return nil, err
	}
	return func(answer connect.AnyResponse, err error) {
		var told proto.Message
		if answer != nil && err == nil {
			told, _ = answer.Any().(proto.Message)
		}
		end(told, err)
	}, nil
}
