package rpc

import (
	"context"
	"maps"
	"slices"

	"fundledger/accounts"
	"fundledger/clearing/prepayment"
	"fundledger/ledger"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

var usageLevels = map[prepayment.Level]clearingv1.UsageLevel{
	prepayment.Green: clearingv1.UsageLevel_USAGE_LEVEL_GREEN, prepayment.Yellow: clearingv1.UsageLevel_USAGE_LEVEL_YELLOW, prepayment.Red: clearingv1.UsageLevel_USAGE_LEVEL_RED,
}

var topUpStates = map[prepayment.TopUpState]clearingv1.TopUpState{
	prepayment.Opened: clearingv1.TopUpState_TOP_UP_STATE_OPEN, prepayment.Proposed: clearingv1.TopUpState_TOP_UP_STATE_PROPOSED,
	prepayment.Approved: clearingv1.TopUpState_TOP_UP_STATE_APPROVED, prepayment.Notified: clearingv1.TopUpState_TOP_UP_STATE_NOTIFIED,
	prepayment.Closed: clearingv1.TopUpState_TOP_UP_STATE_CLOSED, prepayment.Declined: clearingv1.TopUpState_TOP_UP_STATE_DECLINED,
}

func usageOf(fund string, u prepayment.Usage) *clearingv1.Usage {
	return &clearingv1.Usage{Fund: fund, Cleared: u.Cleared.String(), Held: u.Held.String(), Percent: u.Percent, Level: usageLevels[u.Level]}
}

func (s *prepaymentService) GetUtilisation(ctx context.Context, q *clearingv1.GetUtilisationRequest) (*clearingv1.GetUtilisationResponse, error) {
	position, err := s.office().Seen(ctx, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	list, err := s.office().Utilisation(ctx, accounts.Month(q.GetMonth()))
	if err != nil {
		return nil, err
	}
	response := &clearingv1.GetUtilisationResponse{Position: int64(position)}
	for i := range list {
		u := &list[i]
		if !s.desks.Load().clearing.Sees(visibleRegions(ctx), u.Province) {
			continue
		}
		told := &clearingv1.ProvinceUsage{Province: u.Province, ProvinceName: u.ProvinceName, Total: usageOf("", u.Total), Level: usageLevels[u.Level()],
			Projected: u.Projected, MeasuredOn: dateOf(u.MeasuredOn), Run: u.Run, TopUp: u.TopUp}
		for _, fund := range slices.Sorted(maps.Keys(u.Funds)) {
			told.Funds = append(told.Funds, usageOf(fund, u.Funds[fund]))
		}
		response.Provinces = append(response.Provinces, told)
	}
	return response, nil
}

func (s *prepaymentService) ListTopUps(ctx context.Context, q *clearingv1.ListTopUpsRequest) (*clearingv1.ListTopUpsResponse, error) {
	var r reader
	query := prepayment.TopUpQuery{TopUp: q.GetTopUp(), Month: accounts.Month(q.GetMonth()), Province: q.GetProvince(), State: keyOf(topUpStates, q.GetState()),
		On: r.date("on", q.GetOn()), Regions: visibleRegions(ctx)}
	if r.err != nil {
		return nil, r.err
	}
	position, err := s.office().Seen(ctx, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	cases, err := s.office().TopUps(ctx, query)
	if err != nil {
		return nil, err
	}
	page, next, err := prepayment.Cut(cases, func(c *prepayment.TopUp) string { return c.ID }, int(q.GetPageSize()), q.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &clearingv1.ListTopUpsResponse{NextPageToken: next, Position: int64(position)}
	for i := range page {
		response.TopUps = append(response.TopUps, topUpOf(&page[i]))
	}
	return response, nil
}

func topUpOf(c *prepayment.TopUp) *clearingv1.TopUp {
	told := &clearingv1.TopUp{TopUp: c.ID, Month: string(c.Month), Province: c.Province, ProvinceName: c.ProvinceName, OpenedOn: dateOf(c.OpenedOn),
		State: topUpStates[c.State], Notices: prepaymentNoticesOf(c.Notices)}
	for _, f := range c.Funds {
		told.Funds = append(told.Funds, &clearingv1.TopUpFund{Fund: f.Fund, Cleared: f.Cleared.String(), Held: f.Held.String(), Proposed: f.Proposed.String(),
			Approved: f.Approved.String(), Collected: f.Collected.String(), Forwarded: f.Forwarded.String()})
	}
	for _, city := range c.Cities {
		told.Cities = append(told.Cities, &clearingv1.TopUpCity{Fund: city.Fund, City: city.City, CityName: city.CityName, Amount: city.Amount.String(),
			Collected: city.Collected.String(), Due: dateOf(city.Due), Late: city.Late})
	}
	for _, st := range c.Steps {
		told.Steps = append(told.Steps, &clearingv1.PrepaymentStep{Step: st.Name, Date: dateOf(st.Date), By: st.By, Document: st.Document, Reason: st.Reason})
	}
	return told
}

// stepRequest is what the steps of a case have in common.
type stepRequest interface {
	GetIdempotencyKey() string
	GetTopUp() string
	GetDate() string
}

// step takes a case one step on in the caller's name.
func (s *prepaymentService) step(ctx context.Context, q stepRequest, more prepayment.TopUpStep, lines []*clearingv1.PrepaymentLine,
	take func(*prepayment.Prepayments, context.Context, prepayment.TopUpStep) (*prepayment.TopUp, error)) (*clearingv1.TopUp, bool, error) {
	var r reader
	more.TopUp, more.Key, more.By = q.GetTopUp(), q.GetIdempotencyKey(), callOf(ctx).caller.Subject
	more.Date, more.Lines = r.date("date", q.GetDate()), r.prepaid(lines)
	if r.err != nil {
		return nil, false, r.err
	}
	after, err := take(s.office(), ctx, more)
	if err != nil {
		return nil, false, err
	}
	return topUpOf(after), after.Replayed, nil
}

func (s *prepaymentService) ProposeTopUp(ctx context.Context, q *clearingv1.ProposeTopUpRequest) (*clearingv1.ProposeTopUpResponse, error) {
	c, replayed, err := s.step(ctx, q, prepayment.TopUpStep{Reason: q.GetReason()}, q.GetLines(), (*prepayment.Prepayments).Propose)
	if err != nil {
		return nil, err
	}
	return &clearingv1.ProposeTopUpResponse{TopUp: c, Replayed: replayed}, nil
}

func (s *prepaymentService) ApproveTopUp(ctx context.Context, q *clearingv1.ApproveTopUpRequest) (*clearingv1.ApproveTopUpResponse, error) {
	c, replayed, err := s.step(ctx, q, prepayment.TopUpStep{Document: q.GetDocument()}, q.GetLines(), (*prepayment.Prepayments).Approve)
	if err != nil {
		return nil, err
	}
	return &clearingv1.ApproveTopUpResponse{TopUp: c, Replayed: replayed}, nil
}

func (s *prepaymentService) NotifyTopUp(ctx context.Context, q *clearingv1.NotifyTopUpRequest) (*clearingv1.NotifyTopUpResponse, error) {
	c, replayed, err := s.step(ctx, q, prepayment.TopUpStep{}, nil, (*prepayment.Prepayments).Notify)
	if err != nil {
		return nil, err
	}
	return &clearingv1.NotifyTopUpResponse{TopUp: c, Replayed: replayed}, nil
}

func (s *prepaymentService) DeclineTopUp(ctx context.Context, q *clearingv1.DeclineTopUpRequest) (*clearingv1.DeclineTopUpResponse, error) {
	c, replayed, err := s.step(ctx, q, prepayment.TopUpStep{Reason: q.GetReason()}, nil, (*prepayment.Prepayments).Decline)
	if err != nil {
		return nil, err
	}
	return &clearingv1.DeclineTopUpResponse{TopUp: c, Replayed: replayed}, nil
}
