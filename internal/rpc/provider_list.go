package rpc

import (
	"context"

	"fundledger/ledger"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement/provider"
)

var listStates = map[provider.ListState]settlementv1.PaymentListState{
	provider.ListMade:      settlementv1.PaymentListState_PAYMENT_LIST_STATE_MADE,
	provider.ListPaid:      settlementv1.PaymentListState_PAYMENT_LIST_STATE_PAID,
	provider.ListCancelled: settlementv1.PaymentListState_PAYMENT_LIST_STATE_CANCELLED,
	provider.ListReturned:  settlementv1.PaymentListState_PAYMENT_LIST_STATE_RETURNED,
}

func (s *providerService) MakePaymentList(ctx context.Context, q *settlementv1.MakePaymentListRequest) (*settlementv1.MakePaymentListResponse, error) {
	var r reader
	request := provider.ListRequest{
		ID: q.GetListId(), Treating: q.GetTreating(), Provider: q.GetProvider(), Through: r.date("through", q.GetThrough()),
		Lines: r.fundLines(q.GetLines()), Date: r.date("date", q.GetDate()), By: caller(ctx),
	}
	if r.err != nil {
		return nil, r.err
	}
	l, err := s.desk().MakeList(ctx, request)
	if err != nil {
		return nil, err
	}
	return &settlementv1.MakePaymentListResponse{List: paymentList(l), Replayed: l.Replayed}, nil
}

// list returns a list that the caller may see.
func (s *providerService) list(ctx context.Context, id string) (*provider.List, error) {
	l, err := s.desk().List(ctx, id)
	if err == nil {
		err = s.hidden(ctx, notThere("payment list", id), l.Treating)
	}
	return l, err
}

func (s *providerService) PayList(ctx context.Context, q *settlementv1.PayListRequest) (*settlementv1.PayListResponse, error) {
	var r reader
	payment := provider.Payment{List: q.GetListId(), Date: r.date("date", q.GetDate()), Reference: q.GetReference(), By: caller(ctx)}
	if r.err != nil {
		return nil, r.err
	}
	if _, err := s.list(ctx, q.GetListId()); err != nil {
		return nil, err
	}
	l, err := s.desk().Pay(ctx, payment)
	if err != nil {
		return nil, err
	}
	return &settlementv1.PayListResponse{List: paymentList(l), Replayed: l.Replayed}, nil
}

// undoing is what giving a list up asks for.
func (s *providerService) undoing(ctx context.Context, id, date, reason, document string) (provider.Undoing, error) {
	var r reader
	u := provider.Undoing{List: id, Date: r.date("date", date), Reason: reason, Document: document, By: caller(ctx)}
	if r.err != nil {
		return u, r.err
	}
	_, err := s.list(ctx, id)
	return u, err
}

func (s *providerService) CancelList(ctx context.Context, q *settlementv1.CancelListRequest) (*settlementv1.CancelListResponse, error) {
	u, err := s.undoing(ctx, q.GetListId(), q.GetDate(), q.GetReason(), q.GetDocument())
	if err != nil {
		return nil, err
	}
	l, err := s.desk().CancelList(ctx, u)
	if err != nil {
		return nil, err
	}
	return &settlementv1.CancelListResponse{List: paymentList(l), Replayed: l.Replayed}, nil
}

func (s *providerService) ReturnPayment(ctx context.Context, q *settlementv1.ReturnPaymentRequest) (*settlementv1.ReturnPaymentResponse, error) {
	u, err := s.undoing(ctx, q.GetListId(), q.GetDate(), q.GetReason(), q.GetDocument())
	if err != nil {
		return nil, err
	}
	l, err := s.desk().ReturnPayment(ctx, u)
	if err != nil {
		return nil, err
	}
	return &settlementv1.ReturnPaymentResponse{List: paymentList(l), Replayed: l.Replayed}, nil
}

func (s *providerService) GetPaymentList(ctx context.Context, q *settlementv1.GetPaymentListRequest) (*settlementv1.GetPaymentListResponse, error) {
	position, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	l, err := s.list(ctx, q.GetListId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetPaymentListResponse{List: paymentList(l), Position: position}, nil
}

func (s *providerService) ListPaymentLists(ctx context.Context, q *settlementv1.ListPaymentListsRequest) (*settlementv1.ListPaymentListsResponse, error) {
	page, err := s.desk().Lists(ctx, provider.ListQuery{
		Treating: q.GetTreating(), Provider: q.GetProvider(), State: keyOf(listStates, q.GetState()), Regions: visibleRegions(ctx),
		PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	}, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListPaymentListsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for _, l := range page.Lists {
		response.Lists = append(response.Lists, paymentList(l))
	}
	return response, nil
}

func (s *providerService) ListPaymentItems(ctx context.Context, q *settlementv1.ListPaymentItemsRequest) (*settlementv1.ListPaymentItemsResponse, error) {
	position, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	if _, err := s.list(ctx, q.GetListId()); err != nil {
		return nil, err
	}
	page, err := s.desk().ListItems(ctx, q.GetListId(), int(q.GetPageSize()), q.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListPaymentItemsResponse{NextPageToken: page.NextPageToken, Position: position}
	for _, i := range page.Items {
		response.Items = append(response.Items, &settlementv1.PaymentItem{
			SetlId: i.SetlID, Fund: i.Fund, Part: i.Part, Insured: i.Insured, Date: dateOf(i.On), Amount: i.Amount.String(),
		})
	}
	return response, nil
}

func paymentList(l *provider.List) *settlementv1.PaymentList {
	told := &settlementv1.PaymentList{
		ListId: l.ID, Treating: l.Treating, Provider: l.Provider, Through: dateOf(l.Through), State: listStates[l.State], Settlements: l.Settlements,
		MakeDate: dateOf(l.Made), PayDate: dateOf(l.Paid), Reference: l.Reference, EntryId: optionalID(l.Entry), Events: providerEvents(l.Events),
	}
	for _, line := range l.Lines {
		told.Lines = append(told.Lines, &settlementv1.FundAmount{Fund: line.Fund, Amount: line.Amount.String()})
	}
	return told
}
