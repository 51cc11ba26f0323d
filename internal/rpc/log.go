package rpc

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"connectrpc.com/connect"
)

func (s *Server) logged(ctx context.Context, request connect.AnyRequest, next connect.UnaryFunc) (connect.AnyResponse, error) {
	begun := begins(ctx)
	answer, err := next(ctx, request)
	s.log(ctx, request.Spec().Procedure, begun, err)
	return answer, err
}

func (s *Server) loggedStream(ctx context.Context, conn connect.StreamingHandlerConn, next connect.StreamingHandlerFunc) error {
	begun := begins(ctx)
	err := next(ctx, conn)
	s.log(ctx, conn.Spec().Procedure, begun, err)
	return err
}

// begins notes that a call has come to the chain, and when.
func begins(ctx context.Context) time.Time {
	callOf(ctx).reached = true
	return time.Now()
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
