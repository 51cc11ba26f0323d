package rpc

import (
	"context"
	"slices"

	"fundledger/accounts"
	"fundledger/clearing/closing"
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
	books := make([]accounts.Book, len(request.GetBooks()))
	for i, book := range request.GetBooks() {
		books[i] = accounts.Book(book)
	}
	opened, err := s.journal.Under(request.GetIdempotencyKey()).OpenBooks(ctx, month, caller(ctx), books...)
	if err != nil {
		return nil, err
	}
	return &ledgerv1.OpenBooksResponse{Replayed: len(opened) == 0}, nil
}

func (s *ledgerService) ListPeriodEvents(ctx context.Context, request *ledgerv1.ListPeriodEventsRequest) (*ledgerv1.ListPeriodEventsResponse, error) {
	var r reader
	query := ledger.PeriodEventQuery{
		Book: accounts.Book(request.GetBook()), Month: r.month("month", request.GetMonth()),
		AtLeast: ledger.Position(request.GetAtLeastPosition()), PageSize: int(request.GetPageSize()), PageToken: request.GetPageToken(),
	}
	if r.err != nil {
		return nil, r.err
	}
	page, err := s.journal.PeriodEvents(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.ListPeriodEventsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for i := range page.Events {
		response.Events = append(response.Events, eventOf(&page.Events[i]))
	}
	return response, nil
}

func eventOf(e *ledger.PeriodEvent) *ledgerv1.PeriodEvent {
	return &ledgerv1.PeriodEvent{
		Book: string(e.Book), Month: string(e.Month), Number: e.Number, State: periodStates[e.State], ChangedBy: e.By, Reason: e.Reason,
		ChangeTime: timestamp(e.At), Position: int64(e.Position),
	}
}

func (s *ledgerService) BeginClosePeriod(ctx context.Context, request *ledgerv1.BeginClosePeriodRequest) (*ledgerv1.BeginClosePeriodResponse, error) {
	period, replayed, err := s.changePeriod(ctx, request, ledger.PeriodClosing, "")
	return &ledgerv1.BeginClosePeriodResponse{Period: period, Replayed: replayed}, err
}

func (s *ledgerService) ClosePeriod(ctx context.Context, request *ledgerv1.ClosePeriodRequest) (*ledgerv1.ClosePeriodResponse, error) {
	period, replayed, err := s.changePeriod(ctx, request, ledger.PeriodShut, "")
	return &ledgerv1.ClosePeriodResponse{Period: period, Replayed: replayed}, err
}

func (s *ledgerService) ReopenPeriod(ctx context.Context, request *ledgerv1.ReopenPeriodRequest) (*ledgerv1.ReopenPeriodResponse, error) {
	period, replayed, err := s.changePeriod(ctx, request, ledger.PeriodReopened, request.GetReason())
	return &ledgerv1.ReopenPeriodResponse{Period: period, Replayed: replayed}, err
}

// changePeriod brings a month to the state.
func (s *ledgerService) changePeriod(ctx context.Context, request interface {
	GetIdempotencyKey() string
	GetBook() string
	GetMonth() string
}, state ledger.PeriodState, reason string) (*ledgerv1.Period, bool, error) {
	by, keyed := caller(ctx), s.journal.Under(request.GetIdempotencyKey())
	b, m := accounts.Book(request.GetBook()), accounts.Month(request.GetMonth())
	var result ledger.PeriodResult
	var err error
	switch state {
	case ledger.PeriodClosing:
		result, err = keyed.BeginClose(ctx, b, m, by)
	case ledger.PeriodShut:
		if err = closing.New(s.store, s.journal, s.book, nil).Ready(ctx, keyed, b, m, by); err == nil {
			result, err = keyed.Close(ctx, b, m, by)
		}
	default:
		result, err = keyed.Reopen(ctx, b, m, by, reason)
	}
	if err != nil {
		return nil, false, err
	}
	return periodOf(&result.Period), result.Replayed, nil
}

func periodOf(p *ledger.Period) *ledgerv1.Period {
	period := &ledgerv1.Period{Book: string(p.Book), Month: string(p.Month), State: periodStates[p.State]}
	if p.Last != nil {
		period.LastEvent = eventOf(p.Last)
	}
	return period
}
