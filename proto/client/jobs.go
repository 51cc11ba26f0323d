package client

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	jobsv1 "fundledger/proto/gen/fundledger/jobs/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// errLeft ends a stream whose reader has left.
var errLeft = errors.New("the reader has left")

// WatchJob gives a job whenever it has changed, and ends with it; it goes on by
// itself after a lost connection, or when a server is stopped. An error ends it.
func (c *Client) WatchJob(ctx context.Context, id string) iter.Seq2[*jobsv1.Job, error] {
	return func(yield func(*jobsv1.Job, error) bool) {
		var told *jobsv1.Job
		err := c.repeat(ctx, func(ctx context.Context, t *try) error {
			stream, err := c.Jobs.WatchJob(ctx, &jobsv1.WatchJobRequest{JobId: id})
			if err != nil {
				return err
			}
			defer stream.Close()
			for {
				var more bool
				if t.receive(func() { more = stream.Receive() }); !more {
					break
				}
				t.progress = true
				job := stream.Msg().GetJob()
				if proto.Equal(job, told) {
					continue // as the first message of a repeated stream tells it again
				}
				if told = job; !yield(job, nil) {
					return errLeft
				}
			}
			if err := stream.Err(); err != nil {
				return err
			}
			if !ended(told) {
				return connect.NewError(connect.CodeUnavailable, fmt.Errorf("the server has left job %s", id))
			}
			return nil
		})
		if err != nil && err != errLeft {
			yield(nil, err)
		}
	}
}

func ended(job *jobsv1.Job) bool {
	switch job.GetState() {
	case jobsv1.JobState_JOB_STATE_SUCCEEDED, jobsv1.JobState_JOB_STATE_FAILED, jobsv1.JobState_JOB_STATE_CANCELLED:
		return true
	}
	return false
}

// JobError is a job that has ended without a result: it failed, or was cancelled.
type JobError struct{ Job *jobsv1.Job }

func (e *JobError) Error() string {
	if e.Job.GetState() == jobsv1.JobState_JOB_STATE_CANCELLED {
		return fmt.Sprintf("job %s was cancelled by %s", e.Job.GetJobId(), e.Job.GetCancelledBy())
	}
	return fmt.Sprintf("job %s failed: %s", e.Job.GetJobId(), e.Job.GetError().GetMessage())
}

// Unwrap gives why a job failed as an error of the service.
func (e *JobError) Unwrap() error {
	if e.Job.GetError() == nil {
		return nil
	}
	return errorOf(e.Job.GetError())
}

// Await waits for the end of a job and gives its result, which is a message of
// the type that the method's comment names:
//
//	begun, err := c.Settlements.Reconcile(ctx, request)
//	report, err := client.Await[*settlementv1.ReconcileReport](ctx, c, begun.GetJob(), nil)
//
// Each change of the job is told to progress, unless that is nil. The error is a
// *JobError when the job itself has failed or was cancelled.
func Await[R proto.Message](ctx context.Context, c *Client, job *jobsv1.Job, progress func(*jobsv1.Job)) (result R, err error) {
	var last *jobsv1.Job
	for state, err := range c.WatchJob(ctx, job.GetJobId()) {
		if err != nil {
			return result, err
		}
		if last = state; progress != nil {
			progress(state)
		}
	}
	if last.GetState() != jobsv1.JobState_JOB_STATE_SUCCEEDED {
		return result, &JobError{last}
	}
	result = result.ProtoReflect().New().Interface().(R)
	if err := last.GetResult().UnmarshalTo(result); err != nil {
		return result, fmt.Errorf("the result of job %s: %w", last.GetJobId(), err)
	}
	return result, nil
}

// codes of the kinds, as type/v1/error.proto lists them.
var codes = map[string]connect.Code{
	"invalid": connect.CodeInvalidArgument, "not_found": connect.CodeNotFound, "already_exists": connect.CodeAlreadyExists,
	"precondition": connect.CodeFailedPrecondition, "insufficient_funds": connect.CodeFailedPrecondition,
	"period_closed": connect.CodeFailedPrecondition, "exhausted": connect.CodeResourceExhausted,
	"unauthenticated": connect.CodeUnauthenticated, "permission": connect.CodePermissionDenied,
	"unavailable": connect.CodeUnavailable, "internal": connect.CodeInternal,
}

// errorOf makes an error of what an answer tells about one.
func errorOf(info *typev1.ErrorInfo) error {
	code, ok := codes[info.GetKind()]
	if !ok {
		code = connect.CodeUnknown
	}
	wire := connect.NewWireError(code, errors.New(info.GetMessage()))
	if detail, err := connect.NewErrorDetail(info); err == nil {
		wire.AddDetail(detail)
	}
	return wire
}
