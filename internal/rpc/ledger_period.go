package rpc

import (
	"context"
	"fmt"
	"slices"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

var periodStates = map[ledger.PeriodState]ledgerv1.PeriodState{
	ledger.PeriodOpen: ledgerv1.PeriodState_PERIOD_STATE_OPEN, ledger.PeriodClosing: ledgerv1.PeriodState_PERIOD_STATE_CLOSING,
	ledger.PeriodShut: ledgerv1.PeriodState_PERIOD_STATE_CLOSED, ledger.PeriodReopened: ledgerv1.PeriodState_PERIOD_STATE_REOPENED,
}

// knownBook refuses a book that no institution keeps.
func (s *ledgerService) knownBook(books ...string) error {
	known := s.book.Regions.Books()
	for _, book := range books {
		if !slices.Contains(known, accounts.Book(book)) {
			return fault.New(fault.NotFound, "there is no book %s", book).With("book", book)
		}
	}
	return nil
}

func (s *ledgerService) OpenBooks(ctx context.Context, request *ledgerv1.OpenBooksRequest) (*ledgerv1.OpenBooksResponse, error) {
	var r reader
	month := r.month("month", request.GetMonth())
	if r.err != nil {
		return nil, r.err
	}
	if err := s.knownBook(request.GetBooks()...); err != nil {
		return nil, err
	}
	response := &ledgerv1.OpenBooksResponse{Replayed: true}
	books := make([]accounts.Book, len(request.GetBooks()))
	for i, book := range request.GetBooks() {
		books[i] = accounts.Book(book)
		events, err := s.journal.PeriodHistory(ctx, books[i])
		if err != nil {
			return nil, err
		}
		response.Replayed = response.Replayed && len(events) > 0
	}
	return response, s.journal.OpenBooks(ctx, month, books...)
}

func (s *ledgerService) ListPeriodEvents(ctx context.Context, request *ledgerv1.ListPeriodEventsRequest) (*ledgerv1.ListPeriodEventsResponse, error) {
	if err := s.knownBook(request.GetBook()); err != nil {
		return nil, err
	}
	position, err := reached(ctx, s.journal, s.book, request.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	events, err := s.journal.PeriodHistory(ctx, accounts.Book(request.GetBook()))
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.ListPeriodEventsResponse{Position: position}
	for _, e := range events {
		if (request.GetMonth() != "" && string(e.Month) != request.GetMonth()) || eventToken(&e) <= request.GetPageToken() {
			continue
		}
		if len(response.Events) == pageSize(request.GetPageSize()) {
			last := response.Events[len(response.Events)-1]
			response.NextPageToken = eventToken(&ledger.PeriodEvent{Month: accounts.Month(last.GetMonth()), Number: last.GetNumber()})
			break
		}
		response.Events = append(response.Events, eventOf(&e))
	}
	return response, nil
}

// eventToken orders the changes of a book as texts.
func eventToken(e *ledger.PeriodEvent) string { return fmt.Sprintf("%s.%012d", e.Month, e.Number) }

func eventOf(e *ledger.PeriodEvent) *ledgerv1.PeriodEvent {
	return &ledgerv1.PeriodEvent{
		Book: string(e.Book), Month: string(e.Month), Number: e.Number, State: periodStates[e.State], ChangedBy: e.By, Reason: e.Reason,
		ChangeTime: timestamp(e.At), Position: int64(e.Position),
	}
}

func (s *ledgerService) BeginClosePeriod(ctx context.Context, request *ledgerv1.BeginClosePeriodRequest) (*ledgerv1.BeginClosePeriodResponse, error) {
	period, replayed, err := s.changePeriod(ctx, request.GetBook(), request.GetMonth(), ledger.PeriodClosing, "")
	return &ledgerv1.BeginClosePeriodResponse{Period: period, Replayed: replayed}, err
}

func (s *ledgerService) ClosePeriod(ctx context.Context, request *ledgerv1.ClosePeriodRequest) (*ledgerv1.ClosePeriodResponse, error) {
	period, replayed, err := s.changePeriod(ctx, request.GetBook(), request.GetMonth(), ledger.PeriodShut, "")
	return &ledgerv1.ClosePeriodResponse{Period: period, Replayed: replayed}, err
}

func (s *ledgerService) ReopenPeriod(ctx context.Context, request *ledgerv1.ReopenPeriodRequest) (*ledgerv1.ReopenPeriodResponse, error) {
	period, replayed, err := s.changePeriod(ctx, request.GetBook(), request.GetMonth(), ledger.PeriodReopened, request.GetReason())
	return &ledgerv1.ReopenPeriodResponse{Period: period, Replayed: replayed}, err
}

// changePeriod brings a month to the state. It is replayed when the caller had
// made this its last change already, which is what the journal goes by too.
func (s *ledgerService) changePeriod(ctx context.Context, book, month string, state ledger.PeriodState, reason string) (period *ledgerv1.Period, replayed bool, err error) {
	before, err := s.lastEvent(ctx, book, month)
	if err != nil {
		return nil, false, err
	}
	by := caller(ctx)
	b, m := accounts.Book(book), accounts.Month(month)
	switch state {
	case ledger.PeriodClosing:
		err = s.journal.BeginClose(ctx, b, m, by)
	case ledger.PeriodShut:
		err = s.journal.Close(ctx, b, m, by)
	default:
		err = s.journal.Reopen(ctx, b, m, by, reason)
	}
	if err != nil {
		return nil, false, err
	}
	after, err := s.lastEvent(ctx, book, month)
	if err != nil || after == nil {
		return nil, false, err
	}
	replayed = before != nil && before.State == state && before.By == by && before.Reason == reason
	return &ledgerv1.Period{Book: book, Month: month, State: periodStates[after.State], LastEvent: eventOf(after)}, replayed, nil
}

// lastEvent is the last change of a month, nil where there was none.
func (s *ledgerService) lastEvent(ctx context.Context, book, month string) (*ledger.PeriodEvent, error) {
	events, err := s.journal.PeriodHistory(ctx, accounts.Book(book))
	if err != nil {
		return nil, err
	}
	i := len(events) - 1
	for ; i >= 0 && string(events[i].Month) != month; i-- {
	}
	if i < 0 {
		return nil, nil
	}
	return &events[i], nil
}
