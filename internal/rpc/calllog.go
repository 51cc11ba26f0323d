package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"fundledger/internal/calls"
	"fundledger/internal/fault"
	"fundledger/ledger"
	jobsv1 "fundledger/proto/gen/fundledger/jobs/v1"
)

// RecordIn records calls in the log of the database.
func RecordIn(log *calls.Log) Calls { return callLog{log} }

type callLog struct{ log *calls.Log }

func (l callLog) Begin(ctx context.Context, c Call) (func(context.Context, proto.Message, error), error) {
	id, err := l.log.Begin(ctx, rowOf(c))
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, answer proto.Message, err error) {
		if !unsure(err) {
			l.log.End(id, endOf(answer, err))
		}
	}, nil
}

func (l callLog) Posting(c Call) (*ledger.Call, func(proto.Message, error), error) {
	named, err := calls.Named(rowOf(c))
	if err != nil {
		return nil, nil, err
	}
	with := &ledger.Call{
		ID: named.ID, RequestID: named.RequestID, Subject: named.Subject, Role: named.Role, Method: named.Method, Action: named.Action,
		Key: named.Key, Regions: named.Regions, RequestHash: named.RequestHash,
	}
	return with, func(answer proto.Message, err error) {
		switch {
		case with.Written():
		case unsure(err):
			l.log.After(named, nil)
		default:
			end := endOf(answer, err)
			l.log.After(named, &end)
		}
	}, nil
}

func (l callLog) Refused(c Call, err error) { l.log.Refused(rowOf(c), endOf(nil, err)) }

func rowOf(c Call) calls.Call {
	return calls.Call{
		RequestID: c.RequestID, Subject: c.Subject, Role: c.Role, Method: c.Method, Action: c.Action, Key: c.Key, Regions: c.Regions,
		RequestHash: c.RequestHash,
	}
}

// unsure tells whether a call was broken off, by its caller, by time or by the
// database: whether it was carried out is not known, and a record without an
// end says so.
func unsure(err error) bool {
	if wire, ok := errors.AsType[*connect.Error](err); ok {
		return wire.Code() == connect.CodeCanceled || wire.Code() == connect.CodeDeadlineExceeded || wire.Code() == connect.CodeUnavailable
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || fault.KindOf(err) == fault.Unavailable
}

// endOf is how a call ended with the answer, or with the error.
func endOf(answer proto.Message, err error) calls.End {
	if err != nil {
		told := recordedError(err)
		if told.Kind == fault.Permission || told.Kind == fault.Unauthenticated {
			return calls.End{Outcome: calls.Denied, Err: told}
		}
		return calls.End{Outcome: calls.Failed, Err: told}
	}
	end := calls.End{Outcome: calls.Succeeded}
	if a, ok := answer.(interface{ GetReplayed() bool }); ok && a.GetReplayed() {
		end.Outcome = calls.Replayed
	}
	if a, ok := answer.(interface{ GetJob() *jobsv1.Job }); ok {
		end.JobID = a.GetJob().GetJobId()
	}
	return end
}

// recordedError is an error as those may read it who look up calls.
func recordedError(err error) *fault.Error {
	if wire, ok := errors.AsType[*connect.Error](err); ok {
		return fault.New(kindOf(wire.Code()), "%s", wire.Message())
	}
	info := errorInfo(err)
	return fault.New(fault.Kind(info.Kind), "%s", info.Message)
}
