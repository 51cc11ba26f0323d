package rpc

import (
	"context"

	"fundledger/accounts"
	"fundledger/internal/fault"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement/provider"
)

var checkStates = map[provider.CheckState]settlementv1.FeeCheckState{
	provider.CheckAsked:    settlementv1.FeeCheckState_FEE_CHECK_STATE_ASKED,
	provider.CheckAnswered: settlementv1.FeeCheckState_FEE_CHECK_STATE_ANSWERED,
	provider.CheckDisputed: settlementv1.FeeCheckState_FEE_CHECK_STATE_DISPUTED,
	provider.CheckClosed:   settlementv1.FeeCheckState_FEE_CHECK_STATE_CLOSED,
}

var checkOutcomes = map[string]settlementv1.FeeCheckOutcome{
	provider.OutcomeConfirmed: settlementv1.FeeCheckOutcome_FEE_CHECK_OUTCOME_CONFIRMED,
	provider.OutcomeDiffers:   settlementv1.FeeCheckOutcome_FEE_CHECK_OUTCOME_DIFFERS,
}

func (s *providerService) AskFeeCheck(ctx context.Context, q *settlementv1.AskFeeCheckRequest) (*settlementv1.AskFeeCheckResponse, error) {
	var r reader
	asking := provider.Asking{ID: q.GetCheckId(), SetlID: q.GetSetlId(), Reason: q.GetReason(), Date: r.date("date", q.GetDate()), By: caller(ctx)}
	if r.err != nil {
		return nil, r.err
	}
	story, _, err := s.desks.Load().settlements.Settlement(ctx, q.GetSetlId(), 0)
	if err != nil {
		return nil, err
	}
	missing := notThere("settlement", q.GetSetlId())
	if err := s.hidden(ctx, missing, story.Regions()...); err != nil {
		return nil, err
	}
	for _, side := range story.Sides {
		if side.Content != nil {
			if err := s.acts(ctx, side.Content.Insured); err != nil {
				return nil, err
			}
		}
	}
	c, err := s.desk().Ask(ctx, asking)
	if err != nil {
		return nil, err
	}
	return &settlementv1.AskFeeCheckResponse{Check: feeCheck(c), Replayed: c.Replayed}, nil
}

// check returns a check that the caller may see.
func (s *providerService) check(ctx context.Context, id string) (*provider.FeeCheck, error) {
	c, err := s.desk().FeeCheck(ctx, id)
	if err == nil {
		err = s.hidden(ctx, notThere("fee check", id), c.Insured, c.Treating)
	}
	return c, err
}

// acts refuses who may see a check and does not act for the region.
func (s *providerService) acts(ctx context.Context, region string) error {
	if region = s.keeper(region); !callOf(ctx).regions.Has(region) {
		return fault.New(fault.Permission, "that is for region %s, in which you hold no role for this", region).With("region", region)
	}
	return nil
}

func (s *providerService) AnswerFeeCheck(ctx context.Context, q *settlementv1.AnswerFeeCheckRequest) (*settlementv1.AnswerFeeCheckResponse, error) {
	var r reader
	answer := provider.Answer{ID: q.GetCheckId(), Outcome: keyOf(checkOutcomes, q.GetOutcome()), Reason: q.GetReason(), Date: r.date("date", q.GetDate()), By: caller(ctx)}
	if q.GetDiffers() != "" {
		answer.Differs = parsed(&r, "differs", q.GetDiffers(), accounts.ParseYuan)
	}
	if r.err != nil {
		return nil, r.err
	}
	c, err := s.check(ctx, q.GetCheckId())
	if err != nil {
		return nil, err
	}
	if err := s.acts(ctx, c.Treating); err != nil {
		return nil, err
	}
	if c, err = s.desk().Answer(ctx, answer); err != nil {
		return nil, err
	}
	return &settlementv1.AnswerFeeCheckResponse{Check: feeCheck(c), Replayed: c.Replayed}, nil
}

func (s *providerService) ConfirmFeeCheck(ctx context.Context, q *settlementv1.ConfirmFeeCheckRequest) (*settlementv1.ConfirmFeeCheckResponse, error) {
	var r reader
	confirmation := provider.Confirmation{ID: q.GetCheckId(), Agreed: !q.GetDisputed(), Reason: q.GetReason(), Date: r.date("date", q.GetDate()), By: caller(ctx)}
	if r.err != nil {
		return nil, r.err
	}
	c, err := s.check(ctx, q.GetCheckId())
	if err != nil {
		return nil, err
	}
	if err := s.acts(ctx, c.Insured); err != nil {
		return nil, err
	}
	if c, err = s.desk().Confirm(ctx, confirmation); err != nil {
		return nil, err
	}
	return &settlementv1.ConfirmFeeCheckResponse{Check: feeCheck(c), Replayed: c.Replayed}, nil
}

func (s *providerService) GetFeeCheck(ctx context.Context, q *settlementv1.GetFeeCheckRequest) (*settlementv1.GetFeeCheckResponse, error) {
	position, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	c, err := s.check(ctx, q.GetCheckId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetFeeCheckResponse{Check: feeCheck(c), Position: position}, nil
}

func (s *providerService) ListFeeChecks(ctx context.Context, q *settlementv1.ListFeeChecksRequest) (*settlementv1.ListFeeChecksResponse, error) {
	var r reader
	asOf := r.date("as_of", q.GetAsOf())
	if r.err != nil {
		return nil, r.err
	}
	position, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	page, err := s.desk().FeeChecks(ctx, provider.CheckQuery{
		Region: q.GetRegion(), State: keyOf(checkStates, q.GetState()), AsOf: asOf, Overdue: q.GetOverdue(), Regions: visibleRegions(ctx),
		PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListFeeChecksResponse{NextPageToken: page.NextPageToken, Position: position}
	for _, c := range page.Checks {
		response.Checks = append(response.Checks, feeCheck(c))
	}
	return response, nil
}

func feeCheck(c *provider.FeeCheck) *settlementv1.FeeCheck {
	return &settlementv1.FeeCheck{
		CheckId: c.ID, SetlId: c.SetlID, Insured: c.Insured, Treating: c.Treating, Provider: c.Provider, Bill: c.Bill.String(), Reason: c.Reason,
		AskDate: dateOf(c.Asked), AnswerDueDate: dateOf(c.AnswerDue), State: checkStates[c.State], Outcome: checkOutcomes[c.Outcome],
		Differs: c.Differs.String(), AnswerDate: dateOf(c.Answered), ConfirmDueDate: dateOf(c.ConfirmDue), CloseDate: dateOf(c.Closed),
		Overdue: c.Overdue, Events: providerEvents(c.Events),
	}
}
