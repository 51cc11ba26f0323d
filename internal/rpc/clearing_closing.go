package rpc

import (
	"context"

	"fundledger/accounts"
	"fundledger/clearing/closing"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

// closingService serves the closing of months and years.
type closingService struct{ *Server }

func (s *closingService) office() *closing.Closing {
	return closing.New(s.deps.Store, s.deps.Journal, s.desks.Load().book, nil)
}

var itemStates = map[closing.ItemState]clearingv1.ChecklistState{
	closing.Clear: clearingv1.ChecklistState_CHECKLIST_STATE_CLEAR, closing.Open: clearingv1.ChecklistState_CHECKLIST_STATE_OPEN,
	closing.NotKept: clearingv1.ChecklistState_CHECKLIST_STATE_NOT_KEPT,
}

func itemsOf(items []closing.Item) (told []*clearingv1.ChecklistItem) {
	for _, i := range items {
		told = append(told, &clearingv1.ChecklistItem{Name: i.Name, Title: i.Title, State: itemStates[i.State], Details: i.Details})
	}
	return told
}

func overrideOf(o *clearingv1.CloseOverride) *closing.Override {
	if o == nil {
		return nil
	}
	return &closing.Override{Reason: o.GetReason(), Items: o.GetItems()}
}

func bookClosedOf(b *closing.BookClosed) *clearingv1.BookClosed {
	return &clearingv1.BookClosed{Period: periodOf(&b.Period.Period), Items: itemsOf(b.Items)}
}

func (s *closingService) GetChecklist(ctx context.Context, q *clearingv1.GetChecklistRequest) (*clearingv1.GetChecklistResponse, error) {
	position, err := reached(ctx, s.deps.Journal, s.desks.Load().book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	items, err := s.office().Checklist(ctx, accounts.Book(q.GetBook()), accounts.Month(q.GetMonth()))
	if err != nil {
		return nil, err
	}
	return &clearingv1.GetChecklistResponse{Items: itemsOf(items), Position: position}, nil
}

func (s *closingService) CloseMonth(ctx context.Context, q *clearingv1.CloseMonthRequest) (*clearingv1.CloseMonthResponse, error) {
	request := closing.MonthRequest{
		Key: q.GetIdempotencyKey(), Month: accounts.Month(q.GetMonth()), By: caller(ctx), Override: overrideOf(q.GetOverride()),
	}
	for _, book := range q.GetBooks() {
		request.Books = append(request.Books, accounts.Book(book))
	}
	closed, err := s.office().CloseMonth(ctx, request)
	if err != nil {
		return nil, err
	}
	response := &clearingv1.CloseMonthResponse{Replayed: true}
	for i := range closed {
		response.Books = append(response.Books, bookClosedOf(&closed[i]))
		response.Replayed = response.Replayed && closed[i].Replayed
	}
	return response, nil
}

func (s *closingService) CloseYear(ctx context.Context, q *clearingv1.CloseYearRequest) (*clearingv1.CloseYearResponse, error) {
	closed, err := s.office().CloseYear(ctx, closing.YearRequest{
		Key: q.GetIdempotencyKey(), Book: accounts.Book(q.GetBook()), Year: int(q.GetYear()), By: caller(ctx), Override: overrideOf(q.GetOverride()),
	})
	if err != nil {
		return nil, err
	}
	response := &clearingv1.CloseYearResponse{Month: bookClosedOf(&closed.Month), Replayed: closed.Replayed}
	for _, f := range closed.Funds {
		response.Funds = append(response.Funds, &clearingv1.FundClosed{
			Fund: f.Fund, Income: f.Income.String(), Expense: f.Expense.String(), EntryId: f.Entry.String(),
		})
	}
	return response, nil
}
