package rpc

import (
	"context"
	"maps"
	"slices"
	"time"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

var pendingStates = map[ledger.PendingState]ledgerv1.PendingState{
	ledger.Open: ledgerv1.PendingState_PENDING_STATE_OPEN, ledger.Finished: ledgerv1.PendingState_PENDING_STATE_FINISHED,
	ledger.Voided: ledgerv1.PendingState_PENDING_STATE_VOIDED, ledger.Expired: ledgerv1.PendingState_PENDING_STATE_EXPIRED,
}

func (s *ledgerService) Pend(ctx context.Context, request *ledgerv1.PendRequest) (*ledgerv1.PendResponse, error) {
	var r reader
	e := r.entry(request.GetEntry(), caller(ctx))
	if r.err != nil {
		return nil, r.err
	}
	var expires time.Time
	if request.GetExpireTime() != nil {
		expires = request.GetExpireTime().AsTime()
	}
	p, err := s.journal.Pend(ctx, e, expires)
	if err != nil {
		return nil, err
	}
	return &ledgerv1.PendResponse{Pending: pendingOf(p, callOf(ctx).regions), Replayed: p.Replayed}, nil
}

// changeable refuses to change a pending entry of regions that are not the caller's.
func (s *ledgerService) changeable(ctx context.Context, key string) error {
	p, err := s.journal.Pending(ctx, key)
	if err != nil {
		return err
	}
	return mayChange(ctx, booksOf(p.Postings), noPending(key))
}

func noPending(key string) error {
	return fault.New(fault.NotFound, "there is no pending entry %q", key).With("key", key)
}

func (s *ledgerService) Finish(ctx context.Context, request *ledgerv1.FinishRequest) (*ledgerv1.FinishResponse, error) {
	var r reader
	finishing := ledger.Finishing{
		Key: request.GetPendingKey(), By: caller(ctx), Amounts: r.amounts("amounts", request.GetAmounts()),
		Date: r.date("date", request.GetDate()), Period: r.month("period", request.GetPeriod()),
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := s.changeable(ctx, finishing.Key); err != nil {
		return nil, err
	}
	result, err := s.journal.Finish(ctx, finishing)
	if err != nil {
		return nil, err
	}
	return &ledgerv1.FinishResponse{EntryId: result.ID.String(), Replayed: result.Replayed}, nil
}

func (s *ledgerService) Void(ctx context.Context, request *ledgerv1.VoidRequest) (*ledgerv1.VoidResponse, error) {
	if err := s.changeable(ctx, request.GetPendingKey()); err != nil {
		return nil, err
	}
	p, err := s.journal.Void(ctx, request.GetPendingKey(), caller(ctx), request.GetReason())
	if err != nil {
		return nil, err
	}
	return &ledgerv1.VoidResponse{Pending: pendingOf(p, callOf(ctx).regions), Replayed: p.Replayed}, nil
}

func (s *ledgerService) GetPending(ctx context.Context, request *ledgerv1.GetPendingRequest) (*ledgerv1.GetPendingResponse, error) {
	position, err := reached(ctx, s.journal, s.book, request.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	p, err := s.journal.Pending(ctx, request.GetPendingKey())
	if err != nil {
		return nil, err
	}
	regions := callOf(ctx).regions
	if !regions.HasAny(booksOf(p.Postings)) {
		return nil, noPending(request.GetPendingKey())
	}
	return &ledgerv1.GetPendingResponse{Pending: pendingOf(p, regions), Position: position}, nil
}

func (s *ledgerService) ListPendings(ctx context.Context, request *ledgerv1.ListPendingsRequest) (*ledgerv1.ListPendingsResponse, error) {
	regions := callOf(ctx).regions
	if floor := request.GetFloor(); floor != "" && !regions.Has(floor) { // else the list would tell what is held elsewhere
		return nil, foreign("ledger.read", regionOf(floor))
	}
	query := ledger.PendingQuery{
		Floor: request.GetFloor(), Book: accounts.Book(request.GetBook()), Regions: regions.filter(), AtLeast: ledger.Position(request.GetAtLeastPosition()),
		PageSize: int(request.GetPageSize()), PageToken: request.GetPageToken(),
	}
	for state, wanted := range pendingStates {
		if wanted == request.GetState() {
			query.State = state
		}
	}
	page, err := s.journal.ListPending(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.ListPendingsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for _, p := range page.Pendings {
		response.Pendings = append(response.Pendings, pendingOf(p, regions))
	}
	return response, nil
}

// pendingOf shows of a pending entry what lies in the regions.
func pendingOf(p *ledger.Pending, regions Regions) *ledgerv1.Pending {
	told := &ledgerv1.Pending{
		Entry: &ledgerv1.NewEntry{
			IdempotencyKey: p.Key, Date: p.Date.String(), Period: string(p.Period), Kind: p.Kind, Summary: p.Summary, Source: p.Source,
			Attachments: int32(p.Attachments), Postings: visible(p.Postings, regions),
		},
		State: pendingStates[p.State], Preparer: p.Preparer, ExpireTime: timestamp(p.Expires), CreateTime: timestamp(p.Made),
		DecideTime: timestamp(p.Decided), DecidedBy: p.By, Reason: p.Reason,
	}
	if p.Corrects.Valid {
		told.Entry.Corrects = p.Corrects.UUID.String()
	}
	if p.State == ledger.Finished {
		told.EntryId = ledger.FinishID(p.Key).String()
	}
	for _, floor := range slices.Sorted(maps.Keys(p.Holds)) {
		if regions.Has(floor) {
			told.Holds = append(told.Holds, &ledgerv1.Hold{Floor: floor, Amount: p.Holds[floor].String()})
		}
	}
	return told
}
