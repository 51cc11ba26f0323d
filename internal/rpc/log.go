package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"fundledger/internal/fault"
)

func (s *Server) logged(ctx context.Context, request connect.AnyRequest, next connect.UnaryFunc) (connect.AnyResponse, error) {
	begun := time.Now()
	answer, err := next(ctx, request)
	s.log(ctx, request.Spec().Procedure, begun, err)
	return answer, err
}

func (s *Server) loggedStream(ctx context.Context, conn connect.StreamingHandlerConn, next connect.StreamingHandlerFunc) error {
	begun := time.Now()
	err := next(ctx, conn)
	s.log(ctx, conn.Spec().Procedure, begun, err)
	return err
}

// log writes one line about a call. Messages of refusals name amounts and
// accounts, so only their code is logged; of an error of ours the whole is.
func (s *Server) log(ctx context.Context, procedure string, begun time.Time, err error) {
	c := callOf(ctx)
	attributes := []slog.Attr{
		slog.String("request_id", c.id), slog.String("method", procedure), slog.String("subject", c.caller.Subject),
		slog.Duration("took", time.Since(begun)),
	}
	level, code := slog.LevelInfo, "ok"
	if err != nil {
		code = connect.CodeOf(err).String()
		switch connect.CodeOf(err) {
		case connect.CodeInternal, connect.CodeUnknown:
			level = slog.LevelError
			attributes = append(attributes, slog.String("error", causeOf(err)))
		case connect.CodeUnavailable, connect.CodeDeadlineExceeded:
			level = slog.LevelWarn
		}
	}
	s.deps.Log.LogAttrs(ctx, level, "call", append(attributes, slog.String("code", code))...)
}

// causeOf is what the caller was not told.
func causeOf(err error) string {
	if inner, ok := errors.AsType[*hidden](err); ok {
		return inner.cause.Error()
	}
	return err.Error()
}

// refuse logs a call that does not get past the gate, and maps its error.
func (s *Server) refuse(ctx context.Context, procedure string, err error) error {
	err = connectError(ctx, err)
	s.log(ctx, procedure, time.Now(), err)
	return err
}

// gate lets those in who say who they are and do not ask too often.
func (s *Server) gate(ctx context.Context, spec connect.Spec, _ connect.Peer, header http.Header) (context.Context, error) {
	caller, err := s.authenticate(ctx, header)
	if err != nil {
		return nil, s.refuse(ctx, spec.Procedure, err)
	}
	ctx = withCall(ctx, &call{id: callOf(ctx).id, caller: caller})
	if !s.limiter.allow(caller.Subject) {
		return nil, s.refuse(ctx, spec.Procedure, fault.New(fault.Exhausted, "you call too often: try again after a moment").With("retry_after", "1s"))
	}
	return ctx, nil
}
