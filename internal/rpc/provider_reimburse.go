package rpc

import (
	"context"

	"fundledger/accounts"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement/provider"
)

var reimbursementStates = map[provider.ReimbursementState]settlementv1.ReimbursementState{
	provider.ReimbursementReceived: settlementv1.ReimbursementState_REIMBURSEMENT_STATE_RECEIVED,
	provider.ReimbursementApproved: settlementv1.ReimbursementState_REIMBURSEMENT_STATE_APPROVED,
	provider.ReimbursementPaid:     settlementv1.ReimbursementState_REIMBURSEMENT_STATE_PAID,
	provider.ReimbursementDeclined: settlementv1.ReimbursementState_REIMBURSEMENT_STATE_DECLINED,
}

func (s *providerService) ReceiveReimbursement(ctx context.Context, q *settlementv1.ReceiveReimbursementRequest) (*settlementv1.ReceiveReimbursementResponse, error) {
	var r reader
	a := provider.Application{
		Region: q.GetRegion(), Document: q.GetDocument(), PsnNo: q.GetPsnNo(), Category: q.GetMedType(),
		Bill: parsed(&r, "bill", q.GetBill(), accounts.ParseYuan), Received: r.date("receive_date", q.GetReceiveDate()), By: caller(ctx),
	}
	for _, share := range q.GetShares() {
		a.Shares = append(a.Shares, provider.Share{Fund: share.GetFund(), Part: share.GetPart(), Amount: parsed(&r, "amount", share.GetAmount(), accounts.ParseYuan)})
	}
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.desk().Receive(ctx, a)
	if err != nil {
		return nil, err
	}
	return &settlementv1.ReceiveReimbursementResponse{Reimbursement: reimbursementOf(made), Replayed: made.Replayed}, nil
}

// step is one of an application that the caller takes.
func (s *providerService) step(ctx context.Context, region, document, date string) (provider.ReimbursementStep, error) {
	var r reader
	return provider.ReimbursementStep{Region: region, Document: document, Date: r.date("date", date), By: caller(ctx)}, r.err
}

func (s *providerService) ApproveReimbursement(ctx context.Context, q *settlementv1.ApproveReimbursementRequest) (*settlementv1.ApproveReimbursementResponse, error) {
	step, err := s.step(ctx, q.GetRegion(), q.GetDocument(), q.GetDate())
	if err != nil {
		return nil, err
	}
	made, err := s.desk().Approve(ctx, step)
	if err != nil {
		return nil, err
	}
	return &settlementv1.ApproveReimbursementResponse{Reimbursement: reimbursementOf(made), Replayed: made.Replayed}, nil
}

func (s *providerService) DeclineReimbursement(ctx context.Context, q *settlementv1.DeclineReimbursementRequest) (*settlementv1.DeclineReimbursementResponse, error) {
	step, err := s.step(ctx, q.GetRegion(), q.GetDocument(), q.GetDate())
	if err != nil {
		return nil, err
	}
	step.Reason = q.GetReason()
	made, err := s.desk().Decline(ctx, step)
	if err != nil {
		return nil, err
	}
	return &settlementv1.DeclineReimbursementResponse{Reimbursement: reimbursementOf(made), Replayed: made.Replayed}, nil
}

func (s *providerService) ExtendReimbursement(ctx context.Context, q *settlementv1.ExtendReimbursementRequest) (*settlementv1.ExtendReimbursementResponse, error) {
	step, err := s.step(ctx, q.GetRegion(), q.GetDocument(), q.GetDate())
	if err != nil {
		return nil, err
	}
	step.Reason = q.GetReason()
	made, err := s.desk().Extend(ctx, step)
	if err != nil {
		return nil, err
	}
	return &settlementv1.ExtendReimbursementResponse{Reimbursement: reimbursementOf(made), Replayed: made.Replayed}, nil
}

func (s *providerService) PayReimbursement(ctx context.Context, q *settlementv1.PayReimbursementRequest) (*settlementv1.PayReimbursementResponse, error) {
	step, err := s.step(ctx, q.GetRegion(), q.GetDocument(), q.GetDate())
	if err != nil {
		return nil, err
	}
	step.Reference = q.GetReference()
	made, err := s.desk().Reimburse(ctx, step)
	if err != nil {
		return nil, err
	}
	return &settlementv1.PayReimbursementResponse{Reimbursement: reimbursementOf(made), Replayed: made.Replayed}, nil
}

func (s *providerService) GetReimbursement(ctx context.Context, q *settlementv1.GetReimbursementRequest) (*settlementv1.GetReimbursementResponse, error) {
	position, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	made, err := s.desk().Reimbursement(ctx, q.GetRegion(), q.GetDocument())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetReimbursementResponse{Reimbursement: reimbursementOf(made), Position: position}, nil
}

func (s *providerService) ListReimbursements(ctx context.Context, q *settlementv1.ListReimbursementsRequest) (*settlementv1.ListReimbursementsResponse, error) {
	var r reader
	asOf := r.date("as_of", q.GetAsOf())
	if r.err != nil {
		return nil, r.err
	}
	position, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	page, err := s.desk().Reimbursements(ctx, provider.ReimbursementQuery{
		Region: q.GetRegion(), State: keyOf(reimbursementStates, q.GetState()), AsOf: asOf, Overdue: q.GetOverdue(), Regions: visibleRegions(ctx),
		PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListReimbursementsResponse{NextPageToken: page.NextPageToken, Position: position}
	for _, made := range page.Reimbursements {
		response.Reimbursements = append(response.Reimbursements, reimbursementOf(made))
	}
	return response, nil
}

func reimbursementOf(r *provider.Reimbursement) *settlementv1.Reimbursement {
	told := &settlementv1.Reimbursement{
		Region: r.Region, Document: r.Document, PsnNo: r.PsnNo, MedType: r.Category, Bill: r.Bill.String(), ReceiveDate: dateOf(r.Received),
		Receiver: r.ReceivedBy, DueDate: dateOf(r.Due), LongestDate: dateOf(r.Longest), State: reimbursementStates[r.State], PayDate: dateOf(r.Paid),
		Reference: r.Reference, EntryId: optionalID(r.Entry), Overdue: r.Overdue, Events: providerEvents(r.Events),
	}
	for _, share := range r.Shares {
		told.Shares = append(told.Shares, &settlementv1.ReimbursementShare{Fund: share.Fund, Part: share.Part, Amount: share.Amount.String()})
	}
	return told
}
