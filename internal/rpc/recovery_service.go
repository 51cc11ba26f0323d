package rpc

import (
	"context"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement/recovery"
)

// recoveryService serves deductions, clawbacks and withdrawals.
type recoveryService struct{ *Server }

// Actions whose region the handler looks up.
const (
	actionDeduct  = "recovery.deduct"
	actionOpen    = "recovery.open"
	actionApprove = "recovery.approve"
	actionCancel  = "recovery.cancel"
	actionMove    = "recovery.move"
)

func (s *recoveryService) desk() *recovery.Recovery { return s.desks.Load().recovery }

// decision reads what a document decides, if the caller may decide on all of it.
func (s *recoveryService) decision(ctx context.Context, document, reason, date string, mode settlementv1.RecoveryMode, lines []*settlementv1.RecoveryLine) (d recovery.Decision, err error) {
	var r reader
	d = recovery.Decision{Date: r.date("date", date), By: callOf(ctx).caller.Subject, Mode: keyOf(recoveryModes, mode)}
	ids := make([]string, len(lines))
	for i, l := range lines {
		ids[i] = l.GetSetlId()
		d.Lines = append(d.Lines, recovery.Line{SetlID: l.GetSetlId(), Part: l.GetPart(), Document: document, Reason: reason,
			Amount: parsed(&r, "amount", l.GetAmount(), accounts.ParseYuan)})
	}
	if r.err != nil {
		return d, r.err
	}
	deciders, err := s.desk().Deciders(ctx, ids)
	for _, id := range ids {
		if region := deciders[id]; err == nil && !callOf(ctx).regions.Has(region) {
			return d, fault.New(fault.NotFound, "settlement %s is not posted, or is a refund itself", id).With("setl_id", id)
		}
	}
	return d, err
}

func (s *recoveryService) Deduct(ctx context.Context, q *settlementv1.DeductRequest) (*settlementv1.DeductResponse, error) {
	d, err := s.decision(ctx, q.GetDocument(), q.GetReason(), q.GetDate(), q.GetMode(), q.GetLines())
	if err != nil {
		return nil, err
	}
	made, err := s.desk().Deduct(ctx, d)
	if err != nil {
		return nil, err
	}
	response := &settlementv1.DeductResponse{Deductions: deductionsOf(made), Replayed: true}
	for _, one := range made {
		response.Replayed = response.Replayed && one.Replayed
	}
	return response, nil
}

func (s *recoveryService) OpenClawbacks(ctx context.Context, q *settlementv1.OpenClawbacksRequest) (*settlementv1.OpenClawbacksResponse, error) {
	d, err := s.decision(ctx, q.GetDocument(), q.GetReason(), q.GetDate(), q.GetMode(), q.GetLines())
	if err != nil {
		return nil, err
	}
	cases, err := s.desk().OpenClawbacks(ctx, d)
	if err != nil {
		return nil, err
	}
	response := &settlementv1.OpenClawbacksResponse{Clawbacks: clawbacksOf(cases), Replayed: true}
	for _, c := range cases {
		response.Replayed = response.Replayed && c.Replayed
	}
	return response, nil
}

// visibleCase is a clawback that lies in the caller's regions.
func (s *recoveryService) visibleCase(ctx context.Context, id string, atLeast int64) (*recovery.Case, ledger.Position, error) {
	c, position, err := s.desk().Case(ctx, id, ledger.Position(atLeast))
	if err != nil {
		return nil, 0, err
	}
	if !callOf(ctx).regions.HasAny([]string{c.Insured, c.Treating, s.home()}) {
		return nil, 0, fault.New(fault.NotFound, "there is no clawback %q", id).With("case", id)
	}
	return c, position, nil
}

func (s *recoveryService) home() string { return s.desks.Load().book.Regions.Home().Code }

// mayDecide refuses a caller who may see the clawback and not decide on it.
func (s *recoveryService) mayDecide(ctx context.Context, action, id string) error {
	c, _, err := s.visibleCase(ctx, id, 0)
	if err == nil && !callOf(ctx).regions.Has(c.Decider()) {
		err = foreign(action, c.Decider())
	}
	return err
}

func (s *recoveryService) ruling(ctx context.Context, action, id, date, document, reason string) (ruling recovery.Ruling, err error) {
	var r reader
	ruling = recovery.Ruling{Case: id, Date: r.date("date", date), By: callOf(ctx).caller.Subject, Document: document, Reason: reason}
	if r.err != nil {
		return ruling, r.err
	}
	return ruling, s.mayDecide(ctx, action, id)
}

func (s *recoveryService) ApproveClawback(ctx context.Context, q *settlementv1.ApproveClawbackRequest) (*settlementv1.ApproveClawbackResponse, error) {
	ruling, err := s.ruling(ctx, actionApprove, q.GetClawback(), q.GetDate(), q.GetDocument(), q.GetReason())
	if err != nil {
		return nil, err
	}
	c, err := s.desk().Approve(ctx, ruling)
	if err != nil {
		return nil, err
	}
	return &settlementv1.ApproveClawbackResponse{Clawback: clawbackOf(c), Replayed: c.Replayed}, nil
}

func (s *recoveryService) DeclineClawback(ctx context.Context, q *settlementv1.DeclineClawbackRequest) (*settlementv1.DeclineClawbackResponse, error) {
	ruling, err := s.ruling(ctx, actionApprove, q.GetClawback(), q.GetDate(), q.GetDocument(), q.GetReason())
	if err != nil {
		return nil, err
	}
	c, err := s.desk().Decline(ctx, ruling)
	if err != nil {
		return nil, err
	}
	return &settlementv1.DeclineClawbackResponse{Clawback: clawbackOf(c), Replayed: c.Replayed}, nil
}

func (s *recoveryService) CancelClawback(ctx context.Context, q *settlementv1.CancelClawbackRequest) (*settlementv1.CancelClawbackResponse, error) {
	ruling, err := s.ruling(ctx, actionCancel, q.GetClawback(), q.GetDate(), q.GetDocument(), q.GetReason())
	if err != nil {
		return nil, err
	}
	c, err := s.desk().Cancel(ctx, ruling)
	if err != nil {
		return nil, err
	}
	return &settlementv1.CancelClawbackResponse{Clawback: clawbackOf(c), Replayed: c.Replayed}, nil
}

func (s *recoveryService) MoveClawback(ctx context.Context, q *settlementv1.MoveClawbackRequest) (*settlementv1.MoveClawbackResponse, error) {
	var r reader
	m := recovery.Movement{Case: q.GetClawback(), Station: keyOf(stations, q.GetStation()), Date: r.date("date", q.GetDate()),
		By: callOf(ctx).caller.Subject, Reference: q.GetReference()}
	for _, a := range q.GetAmounts() {
		m.Amounts = append(m.Amounts, recovery.Amount{Part: a.GetPart(), Amount: parsed(&r, "amount", a.GetAmount(), accounts.ParseYuan)})
	}
	if r.err != nil {
		return nil, r.err
	}
	c, _, err := s.visibleCase(ctx, m.Case, 0)
	if err != nil {
		return nil, err
	}
	region := c.Treating
	if m.Station == recovery.Arrived || m.Station == recovery.Home {
		region = s.home()
	}
	if !callOf(ctx).regions.Has(region) {
		return nil, foreign(actionMove, region)
	}
	if c, err = s.desk().Move(ctx, m); err != nil {
		return nil, err
	}
	return &settlementv1.MoveClawbackResponse{Clawback: clawbackOf(c), Replayed: c.Replayed}, nil
}

func (s *recoveryService) RecordPenalty(ctx context.Context, q *settlementv1.RecordPenaltyRequest) (*settlementv1.RecordPenaltyResponse, error) {
	var r reader
	p := recovery.Penalty{Case: q.GetClawback(), Amount: parsed(&r, "amount", q.GetAmount(), accounts.ParseYuan), Document: q.GetDocument(),
		Date: r.date("date", q.GetDate()), By: callOf(ctx).caller.Subject}
	if r.err != nil {
		return nil, r.err
	}
	if err := s.mayDecide(ctx, actionMove, p.Case); err != nil {
		return nil, err
	}
	c, err := s.desk().RecordPenalty(ctx, p)
	if err != nil {
		return nil, err
	}
	return &settlementv1.RecordPenaltyResponse{Clawback: clawbackOf(c), Replayed: c.Replayed}, nil
}

func (s *recoveryService) GetClawback(ctx context.Context, q *settlementv1.GetClawbackRequest) (*settlementv1.GetClawbackResponse, error) {
	c, position, err := s.visibleCase(ctx, q.GetClawback(), q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetClawbackResponse{Clawback: clawbackOf(c), Position: int64(position)}, nil
}

// recoveryQuery selects a page and one more, by which the last page is known.
func (s *recoveryService) recoveryQuery(ctx context.Context, setlID, region, token string, size int32) recovery.Query {
	q := recovery.Query{SetlID: setlID, After: token, Limit: int(size) + 1, Regions: callOf(ctx).regions.filter()}
	if size == 0 {
		q.Limit = 101
	}
	if callOf(ctx).regions.Has(s.home()) { // the province has a part in every clawback
		q.Regions = nil
	}
	if region != "" { // which authorise has looked at
		q.Regions = []string{region}
	}
	return q
}

func (s *recoveryService) ListClawbacks(ctx context.Context, q *settlementv1.ListClawbacksRequest) (*settlementv1.ListClawbacksResponse, error) {
	query := s.recoveryQuery(ctx, q.GetSetlId(), q.GetRegion(), q.GetPageToken(), q.GetPageSize())
	query.State = keyOf(clawbackStates, q.GetState())
	cases, position, err := s.desk().Cases(ctx, query, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListClawbacksResponse{Position: int64(position)}
	if len(cases) == query.Limit {
		cases = cases[:query.Limit-1]
		response.NextPageToken = cases[len(cases)-1].ID
	}
	response.Clawbacks = clawbacksOf(cases)
	return response, nil
}

func (s *recoveryService) ListDeductions(ctx context.Context, q *settlementv1.ListDeductionsRequest) (*settlementv1.ListDeductionsResponse, error) {
	query := s.recoveryQuery(ctx, q.GetSetlId(), q.GetRegion(), q.GetPageToken(), q.GetPageSize())
	list, position, err := s.desk().Deductions(ctx, query, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListDeductionsResponse{Position: int64(position)}
	if len(list) == query.Limit {
		list = list[:query.Limit-1]
		response.NextPageToken = list[len(list)-1].ID
	}
	response.Deductions = deductionsOf(list)
	return response, nil
}

func (s *recoveryService) WithdrawSettlements(ctx context.Context, q *settlementv1.WithdrawSettlementsRequest) (*settlementv1.WithdrawSettlementsResponse, error) {
	report, err := s.desks.Load().settlements.Withdraw(ctx, keyOf(fileSides, q.GetSide()), q.GetFileName(), q.GetContent())
	if err != nil {
		return nil, err
	}
	response := &settlementv1.WithdrawSettlementsResponse{Replayed: report.AlreadyLoaded}
	for i := range report.Withdrawals {
		response.Withdrawals = append(response.Withdrawals, withdrawalOf(&report.Withdrawals[i]))
	}
	return response, nil
}
