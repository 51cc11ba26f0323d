package rpc

import (
	"bytes"
	"cmp"
	"context"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
	"fundledger/ledger"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

// prepaymentService serves prepayments.
type prepaymentService struct{ *Server }

var schemes = map[prepayment.Scheme]clearingv1.PrepaymentScheme{
	prepayment.InProvince:    clearingv1.PrepaymentScheme_PREPAYMENT_SCHEME_IN_PROVINCE,
	prepayment.CrossProvince: clearingv1.PrepaymentScheme_PREPAYMENT_SCHEME_CROSS_PROVINCE,
}

var deposits = map[prepayment.Deposit]clearingv1.Deposit{
	prepayment.FiscalAccount: clearingv1.Deposit_DEPOSIT_FISCAL, prepayment.SettlementAccount: clearingv1.Deposit_DEPOSIT_SETTLEMENT,
}

func (s *prepaymentService) office() *prepayment.Prepayments { return s.desks.Load().prepayments }

// prepaid reads amounts by fund.
func (r *reader) prepaid(given []*clearingv1.PrepaymentLine) (lines []clearing.Line) {
	for _, l := range given {
		lines = append(lines, clearing.Line{Fund: l.GetFund(), Amount: parsed(r, "amount", l.GetAmount(), accounts.ParseYuan)})
	}
	return lines
}

func prepaidOf(lines []clearing.Line) (told []*clearingv1.PrepaymentLine) {
	for _, l := range lines {
		told = append(told, &clearingv1.PrepaymentLine{Fund: l.Fund, Amount: l.Amount.String()})
	}
	return told
}

func (s *prepaymentService) MakePlan(ctx context.Context, q *clearingv1.MakePlanRequest) (*clearingv1.MakePlanResponse, error) {
	var r reader
	request := prepayment.PlanRequest{
		Year: int(q.GetYear()), Scheme: keyOf(schemes, q.GetScheme()), Issued: r.date("issued", q.GetIssued()),
		By: callOf(ctx).caller.Subject, Key: q.GetIdempotencyKey(), ValidateOnly: q.GetValidateOnly(),
	}
	if r.err != nil {
		return nil, r.err
	}
	if len(q.GetBases()) > 0 {
		var err error
		if request.File, err = clearing.ReadBases(s.desks.Load().book, request.Year, cmp.Or(q.GetFileName(), "bases"), bytes.NewReader(q.GetBases())); err != nil {
			return nil, err
		}
	}
	plan, err := s.office().MakePlan(ctx, request)
	if err != nil {
		return nil, err
	}
	told := &clearingv1.MakePlanResponse{Plan: planOf(plan), NationalDifferences: differencesOf(plan.National), Replayed: plan.Replayed}
	for _, d := range plan.Differences {
		told.Differences = append(told.Differences, &clearingv1.BasisDifference{
			Basis: string(d.Basis), Fund: d.Fund, Party: d.Party, Period: d.Period, Journal: d.Amount.String(), File: d.Other.String(),
		})
	}
	return told, nil
}

func (s *prepaymentService) GetPlan(ctx context.Context, q *clearingv1.GetPlanRequest) (*clearingv1.GetPlanResponse, error) {
	position, err := s.office().Seen(ctx, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	plan, err := s.office().Plan(ctx, int(q.GetYear()), keyOf(schemes, q.GetScheme()), visibleRegions(ctx))
	if err != nil {
		return nil, err
	}
	return &clearingv1.GetPlanResponse{Plan: planOf(plan), Position: int64(position)}, nil
}

func planOf(p *prepayment.Plan) *clearingv1.PrepaymentPlan {
	told := &clearingv1.PrepaymentPlan{Plan: p.ID, Year: int32(p.Year), Scheme: schemes[p.Scheme], Issued: dateOf(p.Issued), Source: p.Source, MadeBy: p.By,
		Notices: prepaymentNoticesOf(p.Notices)}
	for _, q := range p.Quotas {
		told.Quotas = append(told.Quotas, &clearingv1.PlannedQuota{Province: q.Province, Fund: q.Fund, City: q.City, Amount: q.Amount.String()})
	}
	for _, at := range p.Positions {
		told.Positions = append(told.Positions, &clearingv1.PrepaymentPosition{
			Party: at.Party, PartyName: at.PartyName, Fund: at.Fund, Quota: at.Quota.String(), Held: at.Held.String(), Adjustment: at.Adjustment.String(),
		})
	}
	return told
}

func prepaymentNoticesOf(notices []prepayment.Notice) (told []*clearingv1.PrepaymentNotice) {
	for _, n := range notices {
		t := &clearingv1.PrepaymentNotice{
			Notice: n.ID, Origin: n.Origin, Scheme: schemes[n.Scheme], Party: n.Party, PartyName: n.PartyName, Direction: directions[n.Direction], Annex: n.Annex,
			Issued: dateOf(n.Issued), ApplyBy: dateOf(n.ApplyBy), Due: dateOf(n.Due), Amount: n.Amount.String(), Open: n.Open.String(), SupersededBy: n.Superseded,
		}
		for _, l := range n.Lines {
			t.Lines = append(t.Lines, &clearingv1.PrepaymentNoticeLine{Fund: l.Fund, Amount: l.Amount.String(), Moved: l.Moved.String(), Open: l.Open.String()})
		}
		for i := range n.Moves {
			t.Moves = append(t.Moves, moveOf(&n.Moves[i]))
		}
		told = append(told, t)
	}
	return told
}

func moveOf(m *prepayment.Moved) *clearingv1.PrepaymentMove {
	return &clearingv1.PrepaymentMove{
		Reference: m.Reference, Notice: m.Notice, Party: m.Party, Direction: directions[m.Direction], Event: m.Event, Date: dateOf(m.Date),
		Document: m.Document, Lines: prepaidOf(m.Lines), EntryId: m.Entry.String(), By: m.By,
	}
}

func (s *prepaymentService) ListPrepaymentNotices(ctx context.Context, q *clearingv1.ListPrepaymentNoticesRequest) (*clearingv1.ListPrepaymentNoticesResponse, error) {
	var r reader
	query := prepayment.NoticeQuery{Notice: q.GetNotice(), Origin: q.GetOrigin(), Party: q.GetParty(), Year: int(q.GetYear()), OpenOnly: q.GetOpenOnly(),
		LateOn: r.date("late_on", q.GetLateOn()), Regions: visibleRegions(ctx)}
	if r.err != nil {
		return nil, r.err
	}
	position, err := s.office().Seen(ctx, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	notices, err := s.office().Notices(ctx, query)
	if err != nil {
		return nil, err
	}
	page, next, err := prepayment.Cut(notices, func(n *prepayment.Notice) string { return n.ID }, int(q.GetPageSize()), q.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &clearingv1.ListPrepaymentNoticesResponse{Notices: prepaymentNoticesOf(page), NextPageToken: next, Position: int64(position)}, nil
}

func (s *prepaymentService) RecordMove(ctx context.Context, q *clearingv1.RecordMoveRequest) (*clearingv1.RecordMoveResponse, error) {
	var r reader
	move := prepayment.Move{
		Notice: q.GetNotice(), Lines: r.prepaid(q.GetLines()), Date: r.date("date", q.GetDate()), Reference: q.GetReference(), By: callOf(ctx).caller.Subject,
		Province: q.GetProvince(), Direction: keyOf(directions, q.GetDirection()), Document: q.GetDocument(),
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := s.mayMove(ctx, move); err != nil {
		return nil, err
	}
	moved, err := s.office().Record(ctx, move)
	if err != nil {
		return nil, err
	}
	return &clearingv1.RecordMoveResponse{Move: moveOf(moved), Replayed: moved.Replayed}, nil
}

// mayMove tells whether the caller sees whose money it is: that of a notice, or,
// of another province's, the home province.
func (s *prepaymentService) mayMove(ctx context.Context, move prepayment.Move) error {
	if move.Notice == "" {
		if !s.desks.Load().clearing.Sees(visibleRegions(ctx), move.Province) {
			return fault.New(fault.NotFound, "there is no prepayment of %s in your regions", move.Province)
		}
		return nil
	}
	seen, err := s.office().Notices(ctx, prepayment.NoticeQuery{Notice: move.Notice, Regions: visibleRegions(ctx)})
	if err == nil && len(seen) == 0 {
		err = fault.New(fault.NotFound, "there is no prepayment notice %s", move.Notice).With("notice", move.Notice)
	}
	return err
}

// charge reads what a bank has paid or taken.
func charge(ctx context.Context, q *clearingv1.BankCharge) (prepayment.Charge, error) {
	var r reader
	c := prepayment.Charge{Holder: q.GetHolder(), Deposit: keyOf(deposits, q.GetDeposit()), Lines: r.prepaid(q.GetLines()), Date: r.date("date", q.GetDate()),
		Reference: q.GetReference(), By: callOf(ctx).caller.Subject}
	return c, r.err
}

func (s *prepaymentService) PostInterest(ctx context.Context, q *clearingv1.PostInterestRequest) (*clearingv1.PostInterestResponse, error) {
	c, err := charge(ctx, q.GetCharge())
	if err != nil {
		return nil, err
	}
	credited, err := s.office().Interest(ctx, c)
	if err != nil {
		return nil, err
	}
	return &clearingv1.PostInterestResponse{EntryId: credited.Entry.String(), Replayed: credited.Replayed}, nil
}

func (s *prepaymentService) ChargeBankFee(ctx context.Context, q *clearingv1.ChargeBankFeeRequest) (*clearingv1.ChargeBankFeeResponse, error) {
	c, err := charge(ctx, q.GetCharge())
	if err != nil {
		return nil, err
	}
	return nil, s.office().BankFee(ctx, c)
}
