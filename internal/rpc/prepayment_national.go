package rpc

import (
	"cmp"
	"context"

	"fundledger/clearing/prepayment"
	"fundledger/ledger"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

var nationalKinds = map[prepayment.NationalKind]clearingv1.NationalKind{
	prepayment.ClearingList: clearingv1.NationalKind_NATIONAL_KIND_CLEARING, prepayment.QuotaNotice: clearingv1.NationalKind_NATIONAL_KIND_QUOTA,
	prepayment.ApprovedTopUps: clearingv1.NationalKind_NATIONAL_KIND_TOP_UP,
}

func (s *prepaymentService) ImportNational(ctx context.Context, q *clearingv1.ImportNationalRequest) (*clearingv1.ImportNationalResponse, error) {
	var r reader
	request := prepayment.NationalImport{Kind: keyOf(nationalKinds, q.GetKind()), File: cmp.Or(q.GetFileName(), "list"), Content: q.GetContent(),
		Date: r.date("date", q.GetDate()), By: callOf(ctx).caller.Subject, Key: q.GetIdempotencyKey()}
	if r.err != nil {
		return nil, r.err
	}
	list, err := s.office().ImportNational(ctx, request)
	if err != nil {
		return nil, err
	}
	return &clearingv1.ImportNationalResponse{List: nationalOf(list), Replayed: list.Replayed}, nil
}

func (s *prepaymentService) AcceptNational(ctx context.Context, q *clearingv1.AcceptNationalRequest) (*clearingv1.AcceptNationalResponse, error) {
	var r reader
	request := prepayment.NationalAcceptance{List: q.GetList(), Date: r.date("date", q.GetDate()), By: callOf(ctx).caller.Subject, Reason: q.GetReason(), Key: q.GetIdempotencyKey()}
	if r.err != nil {
		return nil, r.err
	}
	list, err := s.office().AcceptNational(ctx, request)
	if err != nil {
		return nil, err
	}
	return &clearingv1.AcceptNationalResponse{List: nationalOf(list), Replayed: list.Replayed}, nil
}

func (s *prepaymentService) ListNationals(ctx context.Context, q *clearingv1.ListNationalsRequest) (*clearingv1.ListNationalsResponse, error) {
	position, err := s.office().Seen(ctx, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	lists, err := s.office().Nationals(ctx, prepayment.NationalQuery{List: q.GetList(), Kind: keyOf(nationalKinds, q.GetKind()), Period: q.GetPeriod()})
	if err != nil {
		return nil, err
	}
	page, next, err := prepayment.Cut(lists, func(l *prepayment.NationalList) string { return l.ID }, int(q.GetPageSize()), q.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &clearingv1.ListNationalsResponse{NextPageToken: next, Position: int64(position)}
	for i := range page {
		response.Lists = append(response.Lists, nationalOf(&page[i]))
	}
	return response, nil
}

func nationalOf(l *prepayment.NationalList) *clearingv1.NationalList {
	return &clearingv1.NationalList{
		List: l.ID, Kind: nationalKinds[l.Kind], Period: l.Period, FileName: l.File, ImportedBy: l.ImportedBy, ImportedOn: dateOf(l.ImportedOn),
		Accepted: l.Accepted, InForce: l.InForce, Records: int32(l.Records), Differences: differencesOf(l.Comparison), NotCompared: l.Uncomparing,
	}
}

func differencesOf(list []prepayment.Difference) (told []*clearingv1.NationalDifference) {
	for _, d := range list {
		told = append(told, &clearingv1.NationalDifference{Province: d.Province, ProvinceName: d.ProvinceName, Fund: d.Fund, Figure: d.Figure, Line: int32(d.Line),
			Ours: d.Ours.String(), National: d.National.String(), Difference: d.Difference.String()})
	}
	return told
}

var holdingPlaces = map[prepayment.Place]clearingv1.HoldingPlace{
	prepayment.CityInProvince: clearingv1.HoldingPlace_HOLDING_PLACE_CITY_IN_PROVINCE, prepayment.CityCross: clearingv1.HoldingPlace_HOLDING_PLACE_CITY_CROSS_PROVINCE,
	prepayment.AtProvince: clearingv1.HoldingPlace_HOLDING_PLACE_AT_PROVINCE, prepayment.OfProvince: clearingv1.HoldingPlace_HOLDING_PLACE_OF_PROVINCE,
	prepayment.Pool: clearingv1.HoldingPlace_HOLDING_PLACE_POOL,
}

func (s *prepaymentService) GetHoldings(ctx context.Context, q *clearingv1.GetHoldingsRequest) (*clearingv1.GetHoldingsResponse, error) {
	if _, err := s.office().Seen(ctx, ledger.Position(q.GetAtLeastPosition())); err != nil {
		return nil, err
	}
	holdings, position, err := s.office().Holdings(ctx, prepayment.HoldingQuery{Year: int(q.GetYear()), Party: q.GetParty(), Regions: visibleRegions(ctx)})
	if err != nil {
		return nil, err
	}
	response := &clearingv1.GetHoldingsResponse{Position: int64(position)}
	for i := range holdings {
		response.Holdings = append(response.Holdings, holdingOf(&holdings[i]))
	}
	return response, nil
}

func holdingOf(h *prepayment.Holding) *clearingv1.Holding {
	told := &clearingv1.Holding{
		Place: holdingPlaces[h.Place], Party: h.Party, PartyName: h.PartyName, Fund: h.Fund, Account: h.Account.String(), Quota: h.Quota.String(),
		CarriedOver: h.CarriedOver.Amount.String(), OpeningEntryIds: figureOf(h.CarriedOver).GetEntryIds(), Paid: figureOf(h.Paid), ToppedUp: figureOf(h.ToppedUp), Returned: figureOf(h.Returned), Other: figureOf(h.Other),
		Balance: h.Balance.String(), Used: figureOf(h.Used), Refilled: figureOf(h.Refilled), Advanced: h.Advanced.String(),
	}
	for _, m := range h.Months {
		told.Months = append(told.Months, &clearingv1.MonthUsage{Month: string(m.Month), Run: m.Run, Usage: usageOf(h.Fund, m.Usage)})
	}
	return told
}

func figureOf(f prepayment.Figure) *clearingv1.Figure {
	told := &clearingv1.Figure{Amount: f.Amount.String()}
	for _, id := range f.Entries {
		told.EntryIds = append(told.EntryIds, id.String())
	}
	return told
}
