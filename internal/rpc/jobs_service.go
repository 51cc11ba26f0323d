package rpc

import (
	"context"
	"slices"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/anypb"

	"fundledger/internal/fault"
	"fundledger/internal/jobs"
	accessv1 "fundledger/proto/gen/fundledger/access/v1"
	jobsv1 "fundledger/proto/gen/fundledger/jobs/v1"
)

// jobsService shows and cancels jobs.
type jobsService struct{ *Server }

var jobStates = map[jobs.State]jobsv1.JobState{
	jobs.Queued: jobsv1.JobState_JOB_STATE_QUEUED, jobs.Running: jobsv1.JobState_JOB_STATE_RUNNING,
	jobs.Succeeded: jobsv1.JobState_JOB_STATE_SUCCEEDED, jobs.Failed: jobsv1.JobState_JOB_STATE_FAILED,
	jobs.Cancelled: jobsv1.JobState_JOB_STATE_CANCELLED,
}

// reader is the caller, who sees the own jobs and those of the actions that the
// caller may do.
func (s *Server) reader(ctx context.Context) *jobs.Reader {
	who := callOf(ctx).caller
	reader := &jobs.Reader{Subject: who.Subject, Actions: []string{}}
	for _, m := range s.methods {
		regions, role := who.regions(rolesOf(s.deps.Book, m.access.GetAction()))
		if role != "" && (m.access.GetScope() != accessv1.Scope_SCOPE_PROVINCE || regions.All()) {
			reader.Actions = append(reader.Actions, m.access.GetAction())
		}
	}
	slices.Sort(reader.Actions)
	reader.Actions = slices.Compact(reader.Actions)
	return reader
}

// visibleJob is a job that the caller sees.
func (s *jobsService) visibleJob(ctx context.Context, text string) (jobs.Job, error) {
	var r reader
	id := parsed(&r, "job_id", text, uuid.Parse)
	if r.err != nil {
		return jobs.Job{}, r.err
	}
	job, err := s.work.Get(ctx, id)
	if err != nil {
		return jobs.Job{}, err
	}
	if who := s.reader(ctx); job.Subject != who.Subject && !slices.Contains(who.Actions, job.Action) {
		return jobs.Job{}, fault.New(fault.NotFound, "there is no job %s", id).With("job", id.String())
	}
	return job, nil
}

func (s *jobsService) GetJob(ctx context.Context, q *jobsv1.GetJobRequest) (*jobsv1.GetJobResponse, error) {
	job, err := s.visibleJob(ctx, q.GetJobId())
	if err != nil {
		return nil, err
	}
	return &jobsv1.GetJobResponse{Job: jobOf(&job)}, nil
}

func (s *jobsService) ListJobs(ctx context.Context, q *jobsv1.ListJobsRequest) (*jobsv1.ListJobsResponse, error) {
	query := jobs.Query{
		Action: q.GetAction(), Subject: q.GetSubject(), Reader: s.reader(ctx), PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
		State: keyOf(jobStates, q.GetState()),
	}
	if q.GetFromTime() != nil {
		query.From = q.GetFromTime().AsTime()
	}
	if q.GetUntilTime() != nil {
		query.Until = q.GetUntilTime().AsTime()
	}
	page, err := s.work.List(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &jobsv1.ListJobsResponse{NextPageToken: page.NextPageToken}
	for i := range page.Jobs {
		response.Jobs = append(response.Jobs, jobOf(&page.Jobs[i]))
	}
	return response, nil
}

func (s *jobsService) WatchJob(ctx context.Context, q *jobsv1.WatchJobRequest, stream *connect.ServerStream[jobsv1.WatchJobResponse]) error {
	seen, err := s.visibleJob(ctx, q.GetJobId())
	if err != nil {
		return err
	}
	for job, err := range s.work.Watch(ctx, seen.ID) {
		if err != nil {
			return err
		}
		if err := stream.Send(&jobsv1.WatchJobResponse{Job: jobOf(&job)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *jobsService) CancelJob(ctx context.Context, q *jobsv1.CancelJobRequest) (*jobsv1.CancelJobResponse, error) {
	seen, err := s.visibleJob(ctx, q.GetJobId())
	if err != nil {
		return nil, err
	}
	job, replayed, err := s.work.Cancel(ctx, jobs.Cancellation{ID: seen.ID, Key: q.GetIdempotencyKey(), Subject: caller(ctx)})
	if err != nil {
		return nil, err
	}
	return &jobsv1.CancelJobResponse{Job: jobOf(&job), Replayed: replayed}, nil
}

// keyOf is the value of the domain that an enum stands for; the zero one for an
// unspecified enum.
func keyOf[K, V comparable](m map[K]V, value V) (key K) {
	for k, v := range m {
		if v == value {
			return k
		}
	}
	return key
}

func jobOf(j *jobs.Job) *jobsv1.Job {
	told := &jobsv1.Job{
		JobId: j.ID.String(), Method: j.Kind, Action: j.Action, Subject: j.Subject, Request: anyOf(j.Request), State: jobStates[j.State],
		CreateTime: timestamp(j.Created), StartTime: timestamp(j.Started), EndTime: timestamp(j.Ended),
		Cancelling: j.CancelledBy != "" && !j.State.Ended(), CancelledBy: j.CancelledBy, Result: anyOf(j.Result),
	}
	if j.Progress != (jobs.Progress{}) {
		told.Progress = &jobsv1.Progress{Done: j.Progress.Done, Total: j.Progress.Total, Unit: j.Progress.Unit}
	}
	if j.Err != nil {
		told.Error = errorInfo(j.Err)
	}
	return told
}

func anyOf(p jobs.Payload) *anypb.Any {
	if p.Type == "" {
		return nil
	}
	return &anypb.Any{TypeUrl: "type.googleapis.com/" + p.Type, Value: p.Data}
}
