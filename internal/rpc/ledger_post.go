package rpc

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

// ledgerService serves the journal.
type ledgerService struct {
	journal *ledger.Journal
	book    *accounts.Rulebook
	store   accounts.Store
}

// caller is the subject of the call, who prepares, finishes, closes.
func caller(ctx context.Context) string { return callOf(ctx).caller.Subject }

func (s *ledgerService) Post(ctx context.Context, request *ledgerv1.PostRequest) (*ledgerv1.PostResponse, error) {
	var r reader
	e := r.entry(request.GetEntry(), caller(ctx))
	if r.err != nil {
		return nil, r.err
	}
	results, err := s.journal.PostCalled(ctx, callOf(ctx).with, false, e)
	if err != nil {
		return nil, err
	}
	if results[0].Err != nil {
		return nil, results[0].Err
	}
	return &ledgerv1.PostResponse{EntryId: results[0].ID.String(), Replayed: results[0].Replayed}, nil
}

func (s *ledgerService) PostBatch(ctx context.Context, request *ledgerv1.PostBatchRequest) (*ledgerv1.PostBatchResponse, error) {
	var r reader
	entries := make([]ledger.Entry, len(request.GetEntries()))
	for i, given := range request.GetEntries() {
		entries[i] = r.entry(given, caller(ctx))
	}
	if r.err != nil {
		return nil, r.err
	}
	results, err := s.journal.PostCalled(ctx, callOf(ctx).with, request.GetAtomic(), entries...)
	if err != nil {
		return nil, err
	}
	return batchResponse(results), nil
}

func batchResponse(results []ledger.Result) *ledgerv1.PostBatchResponse {
	response := &ledgerv1.PostBatchResponse{Results: make([]*ledgerv1.PostResult, len(results)), Replayed: true}
	for i, result := range results {
		told := &ledgerv1.PostResult{EntryId: result.ID.String(), Replayed: result.Replayed}
		if result.Err != nil {
			told.Error = errorInfo(result.Err)
		}
		response.Results[i] = told
		response.Replayed = response.Replayed && result.Replayed && result.Err == nil
	}
	return response
}

func (s *ledgerService) Reverse(ctx context.Context, request *ledgerv1.ReverseRequest) (*ledgerv1.ReverseResponse, error) {
	var r reader
	reversal := ledger.Reversal{
		Key: request.GetIdempotencyKey(), Of: parsed(&r, "entry_id", request.GetEntryId(), uuid.Parse),
		Date: r.date("date", request.GetDate()), Period: r.month("period", request.GetPeriod()), Summary: request.GetSummary(),
		Source: request.GetSource(), Preparer: caller(ctx), Amounts: r.amounts("amounts", request.GetAmounts()),
	}
	if r.err != nil {
		return nil, r.err
	}
	original, err := s.journal.Entry(ctx, reversal.Of)
	if err != nil {
		return nil, err
	}
	if err := mayChange(ctx, booksOf(original.Postings), noEntry(reversal.Of)); err != nil {
		return nil, err
	}
	result, err := s.journal.Reverse(ctx, reversal)
	if err != nil {
		return nil, err
	}
	return &ledgerv1.ReverseResponse{EntryId: result.ID.String(), Replayed: result.Replayed}, nil
}

func (s *ledgerService) PostOpenings(ctx context.Context, request *ledgerv1.PostOpeningsRequest) (*ledgerv1.PostOpeningsResponse, error) {
	var r reader
	date := r.date("date", request.GetDate())
	openings := make([]ledger.Opening, len(request.GetOpenings()))
	for i, o := range request.GetOpenings() {
		openings[i] = ledger.Opening{
			File: "openings", Line: i + 1, Date: date, Account: parsed(&r, fmt.Sprintf("openings[%d].account", i), o.GetAccount(), accounts.ParseAccount),
			Side: sideOf(o.GetSide()), Amount: parsed(&r, fmt.Sprintf("openings[%d].amount", i), o.GetAmount(), accounts.ParseYuan),
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	opened, err := s.journal.Under(request.GetIdempotencyKey()).PostOpenings(ctx, openings)
	if err != nil {
		return nil, err
	}
	return &ledgerv1.PostOpeningsResponse{Posted: int32(opened.Posted), AlreadyPosted: int32(opened.Replayed), Replayed: opened.Posted == 0}, nil
}

func noEntry(id uuid.UUID) error {
	return fault.New(fault.NotFound, "the journal has no entry %s", id)
}
