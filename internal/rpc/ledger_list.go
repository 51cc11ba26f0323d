package rpc

import (
	"context"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"fundledger/accounts"
	"fundledger/ledger"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

func (s *ledgerService) ListEntries(ctx context.Context, request *ledgerv1.ListEntriesRequest) (*ledgerv1.ListEntriesResponse, error) {
	var r reader
	regions := callOf(ctx).regions
	query := ledger.EntryQuery{
		Selection: ledger.Selection{
			Lines: filterOf(request), Run: request.GetRun(), Kind: request.GetKind(), Source: request.GetSource(), Period: r.month("period", request.GetPeriod()),
			From: r.date("from_date", request.GetFromDate()), To: r.date("to_date", request.GetToDate()), Regions: regions.filter(),
		},
		AsOf: r.asOf(request.GetAsOf(), request.GetAtLeastPosition()), PageSize: int(request.GetPageSize()), PageToken: request.GetPageToken(),
	}
	if r.err != nil {
		return nil, r.err
	}
	page, err := s.journal.Entries(ctx, query)
	if err != nil {
		return nil, err
	}
	return &ledgerv1.ListEntriesResponse{
		Entries: entriesOf(page.Entries, regions), NextPageToken: page.NextPageToken, Position: int64(page.Position),
	}, nil
}

// accountFilter is what requests have that select accounts.
type accountFilter interface {
	GetBook() string
	GetFund() string
	GetSubject() string
	GetCounterparty() string
}

func filterOf(f accountFilter) ledger.Filter {
	return ledger.Filter{Book: accounts.Book(f.GetBook()), Fund: f.GetFund(), Subject: f.GetSubject(), Counterparty: f.GetCounterparty()}
}

func entriesOf(records []*ledger.Record, regions Regions) []*ledgerv1.Entry {
	entries := make([]*ledgerv1.Entry, len(records))
	for i, r := range records {
		entries[i] = entryOf(r, regions)
	}
	return entries
}

func (s *ledgerService) WatchEntries(ctx context.Context, request *ledgerv1.WatchEntriesRequest, stream *connect.ServerStream[ledgerv1.WatchEntriesResponse]) error {
	regions := callOf(ctx).regions
	selection := ledger.Selection{
		Lines: ledger.Filter{Book: accounts.Book(request.GetBook()), Fund: request.GetFund()}, Kind: request.GetKind(), Regions: regions.filter(),
	}
	return s.journal.Follow(ctx, ledger.Position(request.GetAfterPosition()), selection, func(found ledger.Stretch) error {
		return sendStretch(found, regions, watchBytes, stream.Send)
	})
}

// watchBytes is about how large a message of a stream of entries becomes: gRPC
// clients take 4 MiB by default, and one entry has less than 2.
const watchBytes = 1 << 20

// sendStretch sends a stretch in messages of about so many bytes, each with the
// position that is reached with it.
func sendStretch(found ledger.Stretch, regions Regions, most int, send func(*ledgerv1.WatchEntriesResponse) error) error {
	message, size := &ledgerv1.WatchEntriesResponse{}, 0
	for _, r := range found.Entries {
		entry := entryOf(r, regions)
		bytes := proto.Size(entry)
		if size > 0 && size+bytes > most {
			if err := send(message); err != nil {
				return err
			}
			message, size = &ledgerv1.WatchEntriesResponse{}, 0
		}
		message.Entries = append(message.Entries, entry)
		message.Position, size = int64(r.Position), size+bytes
	}
	message.Position = int64(found.Position)
	return send(message)
}

func (s *ledgerService) ListPeriods(ctx context.Context, request *ledgerv1.ListPeriodsRequest) (*ledgerv1.ListPeriodsResponse, error) {
	var r reader
	query := ledger.PeriodQuery{
		Book: accounts.Book(request.GetBook()), Regions: callOf(ctx).regions.filter(),
		From: r.month("from_month", request.GetFromMonth()), To: r.month("to_month", request.GetToMonth()),
		AtLeast: ledger.Position(request.GetAtLeastPosition()), PageSize: int(request.GetPageSize()), PageToken: request.GetPageToken(),
	}
	if r.err != nil {
		return nil, r.err
	}
	for state, wanted := range periodStates {
		if wanted == request.GetState() {
			query.State = state
		}
	}
	page, err := s.journal.Periods(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.ListPeriodsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for i := range page.Periods {
		response.Periods = append(response.Periods, periodOf(&page.Periods[i]))
	}
	return response, nil
}
