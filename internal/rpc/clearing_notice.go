package rpc

import (
	"context"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
	"fundledger/ledger"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

var directions = map[clearing.Direction]clearingv1.Direction{
	clearing.Pay: clearingv1.Direction_DIRECTION_PAY, clearing.Receive: clearingv1.Direction_DIRECTION_RECEIVE,
}

func (s *clearingService) ListNotices(ctx context.Context, q *clearingv1.ListNoticesRequest) (*clearingv1.ListNoticesResponse, error) {
	var r reader
	query := clearing.NoticeQuery{
		Month: r.month("month", q.GetMonth()), Run: q.GetRun(), Kind: keyOf(runKinds, q.GetKind()), Party: q.GetParty(),
		Direction: keyOf(directions, q.GetDirection()), OpenOnly: q.GetOpenOnly(), DueUntil: r.date("due_until", q.GetDueUntil()),
		Regions: visibleRegions(ctx), AtLeast: ledger.Position(q.GetAtLeastPosition()), PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	}
	if r.err != nil {
		return nil, r.err
	}
	page, err := s.desks.Load().clearing.PageOfNotices(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &clearingv1.ListNoticesResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for i := range page.Notices {
		response.Notices = append(response.Notices, noticeOf(&page.Notices[i]))
	}
	return response, nil
}

func (s *clearingService) GetNotice(ctx context.Context, q *clearingv1.GetNoticeRequest) (*clearingv1.GetNoticeResponse, error) {
	n, position, err := s.visibleNotice(ctx, q.GetNotice(), q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	return &clearingv1.GetNoticeResponse{Notice: noticeOf(&n), Position: int64(position)}, nil
}

// visibleNotice is a notice that lies in the caller's regions.
func (s *clearingService) visibleNotice(ctx context.Context, id string, atLeast int64) (clearing.Notice, ledger.Position, error) {
	n, position, err := s.desks.Load().clearing.Notice(ctx, id, ledger.Position(atLeast))
	if err == nil && !s.desks.Load().clearing.Sees(visibleRegions(ctx), n.Party) {
		err = fault.New(fault.NotFound, "there is no notice %s: notices lists those there are", id)
	}
	return n, position, err
}

// dateOf is empty for no date.
func dateOf(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func noticeOf(n *clearing.Notice) *clearingv1.Notice {
	told := &clearingv1.Notice{
		Notice: n.ID, Run: n.Run, Month: string(n.Month), Party: n.Party, PartyName: n.PartyName, Direction: directions[n.Direction],
		Annex: n.Annex, Issued: dateOf(n.Issued), ApplyBy: dateOf(n.ApplyBy), Due: dateOf(n.Due), Amount: n.Amount.String(),
		Open: n.Open.String(), Closed: n.Closed(),
	}
	for _, l := range n.Lines {
		told.Lines = append(told.Lines, &clearingv1.NoticeLine{
			Fund: l.Fund, Amount: l.Amount.String(), Paid: l.Paid.String(), Open: l.Open.String(), Closed: l.Closed,
		})
	}
	for _, p := range n.Paid {
		told.Payments = append(told.Payments, &clearingv1.NoticePayment{Reference: p.Reference, Date: dateOf(p.Date), Amount: p.Amount.String()})
	}
	return told
}

func (s *clearingService) ListRemittances(ctx context.Context, q *clearingv1.ListRemittancesRequest) (*clearingv1.ListRemittancesResponse, error) {
	var r reader
	query := clearing.RemittanceQuery{
		Month: r.month("month", q.GetMonth()), Notice: q.GetNotice(), Party: q.GetParty(), Reference: q.GetReference(),
		From: r.date("from_date", q.GetFromDate()), To: r.date("to_date", q.GetToDate()), Regions: visibleRegions(ctx),
		AtLeast: ledger.Position(q.GetAtLeastPosition()), PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	}
	if r.err != nil {
		return nil, r.err
	}
	page, err := s.desks.Load().clearing.Remittances(ctx, query)
	if err != nil {
		return nil, err
	}
	return &clearingv1.ListRemittancesResponse{
		Remittances: remittancesOf(page.Remittances), NextPageToken: page.NextPageToken, Position: int64(page.Position),
	}, nil
}

func remittancesOf(list []*clearing.Remittance) (told []*clearingv1.Remittance) {
	for _, r := range list {
		told = append(told, remittanceOf(r))
	}
	return told
}

func remittanceOf(r *clearing.Remittance) *clearingv1.Remittance {
	told := &clearingv1.Remittance{Reference: r.Reference, Notice: r.Notice, Date: dateOf(r.Date), Counterparty: r.Counterparty}
	for _, l := range r.Lines {
		told.Lines = append(told.Lines, &clearingv1.PaymentLine{Fund: l.Fund, Amount: l.Amount.String()})
	}
	for _, id := range r.Entries {
		told.EntryIds = append(told.EntryIds, id.String())
	}
	return told
}

func (s *clearingService) Remit(ctx context.Context, q *clearingv1.RemitRequest) (*clearingv1.RemitResponse, error) {
	var r reader
	payment := clearing.Payment{Notice: q.GetNotice(), Counterparty: q.GetCounterparty(), Date: r.date("date", q.GetDate()), Reference: q.GetReference()}
	for _, l := range q.GetLines() {
		payment.Lines = append(payment.Lines, clearing.Line{Fund: l.GetFund(), Amount: parsed(&r, "amount", l.GetAmount(), accounts.ParseYuan)})
	}
	if r.err != nil {
		return nil, r.err
	}
	if _, _, err := s.visibleNotice(ctx, payment.Notice, 0); err != nil {
		return nil, err
	}
	remittance, err := s.desks.Load().clearing.Remit(ctx, payment)
	if err != nil {
		return nil, err
	}
	return &clearingv1.RemitResponse{Remittance: remittanceOf(remittance), Replayed: remittance.Replayed}, nil
}

func (s *clearingService) RemitAll(ctx context.Context, q *clearingv1.RemitAllRequest) (*clearingv1.RemitAllResponse, error) {
	var r reader
	month, date := r.month("month", q.GetMonth()), r.date("date", q.GetDate())
	if r.err != nil {
		return nil, r.err
	}
	before, err := s.desks.Load().clearing.RemittedUnder(ctx, month, date, q.GetReference())
	if err != nil {
		return nil, err
	}
	made, err := s.desks.Load().clearing.RemitAll(ctx, month, date, q.GetReference())
	response := &clearingv1.RemitAllResponse{}
	switch fault.KindOf(err) {
	case fault.Insufficient, fault.Precondition, fault.PeriodClosed: // what was made stands
		response.Refusal = errorInfo(err)
	default:
		if err != nil {
			return nil, err
		}
	}
	known := map[string]bool{}
	for _, remittance := range append(before, made...) {
		if !known[remittance.Reference] {
			known[remittance.Reference] = true
			response.Remittances = append(response.Remittances, remittanceOf(remittance))
		}
	}
	response.Replayed = len(before) > 0 && len(response.Remittances) == len(before)
	return response, nil
}
