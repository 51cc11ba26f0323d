package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"buf.build/go/protovalidate"

	"fundledger/internal/fault"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// errDraining ends streams when the server stops.
var errDraining = fault.New(fault.Unavailable, "the server is being stopped: call again, a stream behind the last position")

// codes of the kinds, as type/v1/error.proto lists them.
var codes = map[fault.Kind]connect.Code{
	fault.Invalid: connect.CodeInvalidArgument, fault.NotFound: connect.CodeNotFound, fault.AlreadyExists: connect.CodeAlreadyExists,
	fault.Precondition: connect.CodeFailedPrecondition, fault.Insufficient: connect.CodeFailedPrecondition,
	fault.PeriodClosed: connect.CodeFailedPrecondition, fault.Exhausted: connect.CodeResourceExhausted,
	fault.Unauthenticated: connect.CodeUnauthenticated, fault.Permission: connect.CodePermissionDenied,
	fault.Unavailable: connect.CodeUnavailable, fault.Internal: connect.CodeInternal,
}

// hidden is an error of ours of which the caller hears only the id. Unwrap is
// for the log.
type hidden struct{ id, cause error }

func (h *hidden) Error() string { return h.id.Error() }
func (h *hidden) Unwrap() error { return h.cause }

// connectError turns an error of the domain into one of the wire, with the kind,
// the facts and the id of the request for programs.
func connectError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause == error(errDraining) && errors.Is(err, context.Canceled) {
		err = cause
	}
	id := callOf(ctx).id
	if wire, ok := errors.AsType[*connect.Error](err); ok {
		if len(wire.Details()) == 0 {
			attach(wire, &typev1.ErrorInfo{Kind: string(kindOf(wire.Code())), Message: wire.Message(), RequestId: id})
		}
		return wire
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ended(connect.CodeDeadlineExceeded, "the call took longer than it may: a call that changes something may have done it, send it again with the same key", id)
	case errors.Is(err, context.Canceled):
		return ended(connect.CodeCanceled, "the call was given up", id)
	}
	info := errorInfo(err)
	info.RequestId = id
	shown := errors.New(info.Message)
	if fault.Kind(info.Kind) == fault.Internal {
		info.Message = "internal error; the log of the server tells more of request " + id
		shown = errors.New(info.Message)
	}
	wire := connect.NewError(codes[fault.Kind(info.Kind)], &hidden{shown, err})
	attach(wire, info)
	if invalid, ok := errors.AsType[*protovalidate.ValidationError](err); ok {
		if detail, err := connect.NewErrorDetail(invalid.ToProto()); err == nil {
			wire.AddDetail(detail)
		}
	}
	return wire
}

// ended is a call that time or the caller has ended.
func ended(code connect.Code, message, id string) error {
	wire := connect.NewError(code, errors.New(message))
	attach(wire, &typev1.ErrorInfo{Kind: string(fault.Unavailable), Message: message, RequestId: id})
	return wire
}

func attach(wire *connect.Error, info *typev1.ErrorInfo) {
	if detail, err := connect.NewErrorDetail(info); err == nil {
		wire.AddDetail(detail)
	}
}

// kindOf is the kind of an error that the wire itself has found, such as a
// message that is too large.
func kindOf(code connect.Code) fault.Kind {
	for _, kind := range []fault.Kind{fault.Invalid, fault.NotFound, fault.Exhausted, fault.Unauthenticated, fault.Permission, fault.Unavailable} {
		if codes[kind] == code {
			return kind
		}
	}
	return fault.Internal
}

// errorInfo is an error as an answer tells of it among others; of one of ours
// it tells nothing.
func errorInfo(err error) *typev1.ErrorInfo {
	known, ok := errors.AsType[*fault.Error](err)
	if !ok || known.Kind == fault.Internal {
		return &typev1.ErrorInfo{Kind: string(fault.Internal), Message: "internal error"}
	}
	info := &typev1.ErrorInfo{Kind: string(known.Kind), Message: known.Message}
	for _, d := range known.Details {
		info.Details = append(info.Details, &typev1.ErrorDetail{Name: d.Name, Value: d.Value})
	}
	return info
}
