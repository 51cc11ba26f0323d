package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"fundledger/internal/calls"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
)

var outcomes = map[calls.Outcome]auditv1.CallOutcome{
	calls.Unknown: auditv1.CallOutcome_CALL_OUTCOME_UNKNOWN, calls.Succeeded: auditv1.CallOutcome_CALL_OUTCOME_SUCCEEDED,
	calls.Replayed: auditv1.CallOutcome_CALL_OUTCOME_REPLAYED, calls.Failed: auditv1.CallOutcome_CALL_OUTCOME_FAILED,
	calls.Denied: auditv1.CallOutcome_CALL_OUTCOME_DENIED,
}

// outcomeOf is "" for an unspecified one.
func outcomeOf(o auditv1.CallOutcome) calls.Outcome {
	for outcome, told := range outcomes {
		if told == o {
			return outcome
		}
	}
	return ""
}

func (s *auditService) ListCalls(ctx context.Context, q *auditv1.ListCallsRequest) (*auditv1.ListCallsResponse, error) {
	query := calls.Query{
		Subject: q.GetSubject(), Action: q.GetAction(), Method: q.GetMethod(), Key: q.GetKey(), RequestID: q.GetRequestId(), Region: q.GetRegion(),
		Outcome: outcomeOf(q.GetOutcome()), From: timeOf(q.GetFromTime()), Until: timeOf(q.GetUntilTime()),
		PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	}
	if regions := callOf(ctx).regions; !regions.All() {
		query.Visible = regions.List()
	}
	page, err := s.deps.CallLog.List(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &auditv1.ListCallsResponse{NextPageToken: page.NextPageToken}
	for _, c := range page.Calls {
		told := &auditv1.Call{
			RequestId: c.RequestID, Subject: c.Subject, Role: c.Role, Method: c.Method, Action: c.Action, Key: c.Key, Regions: c.Regions,
			RequestHash: c.RequestHash, Time: timestamp(c.Begun), Outcome: outcomes[c.End.Outcome], JobId: c.End.JobID,
		}
		if c.End.Err != nil {
			told.Error = errorInfo(c.End.Err)
		}
		response.Calls = append(response.Calls, told)
	}
	return response, nil
}

// timeOf is zero for no time.
func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
