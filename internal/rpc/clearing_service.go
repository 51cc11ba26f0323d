package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/jobs"
	"fundledger/ledger"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	"fundledger/proto/gen/fundledger/clearing/v1/clearingv1connect"
)

// clearingService serves clearing.
type clearingService struct{ *Server }

var runKinds = map[clearing.Kind]clearingv1.RunKind{
	clearing.InProvince: clearingv1.RunKind_RUN_KIND_IN_PROVINCE, clearing.CrossOut: clearingv1.RunKind_RUN_KIND_CROSS_OUT,
	clearing.CrossIn: clearingv1.RunKind_RUN_KIND_CROSS_IN,
}

var runStates = map[clearing.State]clearingv1.RunState{
	clearing.Collecting: clearingv1.RunState_RUN_STATE_COLLECTING, clearing.Frozen: clearingv1.RunState_RUN_STATE_FROZEN,
}

// visibleRegions are the caller's for a query of the domain; nil is all.
func visibleRegions(ctx context.Context) []string {
	regions := callOf(ctx).regions
	if regions.All() {
		return nil
	}
	return append([]string{}, regions.List()...)
}

func (s *clearingService) Clear(ctx context.Context, q *clearingv1.ClearRequest) (*clearingv1.ClearResponse, error) {
	var r reader
	month, date := r.month("month", q.GetMonth()), r.date("notice_date", q.GetNoticeDate())
	if r.err != nil {
		return nil, r.err
	}
	if _, err := s.desks.Load().clearing.NoticeDate(month, date); err != nil {
		return nil, err
	}
	job, replayed, err := s.begin(ctx, clearingv1connect.ClearingServiceClearProcedure, q.GetIdempotencyKey(), q)
	if err != nil {
		return nil, err
	}
	return &clearingv1.ClearResponse{Job: jobOf(&job), Replayed: replayed}, nil
}

// clearWork is the job of Clear. Prepayments that the month has used to red open
// their top-ups with it.
func clearWork(ctx context.Context, desks *desks, q *clearingv1.ClearRequest, report func(jobs.Progress)) (proto.Message, error) {
	var r reader
	month, date := r.month("month", q.GetMonth()), r.date("notice_date", q.GetNoticeDate())
	if r.err != nil {
		return nil, r.err
	}
	runs, err := desks.clearing.Clear(ctx, month, date)
	if err != nil {
		return nil, err
	}
	if _, err := desks.prepayments.Watch(ctx, month); err != nil {
		return nil, err
	}
	notices, err := desks.clearing.Notices(ctx, month)
	if err != nil {
		return nil, err
	}
	report(jobs.Progress{Done: int64(len(runs)), Total: int64(len(runs)), Unit: "runs"})
	told := &clearingv1.ClearReport{Notices: int64(len(notices))}
	for i := range runs {
		told.Runs = append(told.Runs, runOf(&runs[i]))
	}
	return told, nil
}

func runOf(r *clearing.Run) *clearingv1.Run {
	told := &clearingv1.Run{Run: r.ID, Month: string(r.Month), Kind: runKinds[r.Kind], State: runStates[r.State], Period: string(r.Period)}
	if !r.NoticeDate.IsZero() {
		told.NoticeDate = r.NoticeDate.String()
	}
	return told
}

func (s *clearingService) ListRuns(ctx context.Context, q *clearingv1.ListRunsRequest) (*clearingv1.ListRunsResponse, error) {
	page, err := s.desks.Load().clearing.PageOfRuns(ctx, clearing.RunQuery{
		Month: accounts.Month(q.GetMonth()), Kind: keyOf(runKinds, q.GetKind()), State: keyOf(runStates, q.GetState()),
		AtLeast: ledger.Position(q.GetAtLeastPosition()), PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &clearingv1.ListRunsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for i := range page.Runs {
		response.Runs = append(response.Runs, runOf(&page.Runs[i]))
	}
	return response, nil
}

func (s *clearingService) GetRun(ctx context.Context, q *clearingv1.GetRunRequest) (*clearingv1.GetRunResponse, error) {
	regions := visibleRegions(ctx)
	t, position, err := s.desks.Load().clearing.RunTables(ctx, q.GetRun(), regions, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	response := &clearingv1.GetRunResponse{
		Run: runOf(&t.Run), Notices: t.Notices, CarriedOver: t.CarriedOver, Overdue: t.Overdue, Position: int64(position),
	}
	if t.Balance != nil {
		response.Balance = &clearingv1.BalanceTable{Rows: balanceRows(t.Balance.Rows), Funds: balanceRows(t.Balance.Funds)}
		if regions == nil {
			response.Balance.Total = balanceRows([]clearing.BalanceRow{t.Balance.Total})[0]
		}
	}
	if t.Detail != nil {
		response.Detail = &clearingv1.DetailTable{Rows: detailRows(t.Detail.Rows), Cities: detailRows(t.Detail.Cities)}
		if regions == nil {
			total := t.Detail.Total
			response.Detail.Total = &clearingv1.DetailTotal{Pooled: total.Pooled.String(), Account: total.Account.String(), Amount: total.Amount.String()}
		}
	}
	return response, nil
}

func balanceRows(rows []clearing.BalanceRow) (told []*clearingv1.BalanceRow) {
	for _, r := range rows {
		told = append(told, &clearingv1.BalanceRow{
			City: r.City, CityName: r.CityName, Fund: r.Fund, FundName: r.FundName, Payable: r.Payable.String(),
			Receivable: r.Receivable.String(), Net: r.Net.String(), Pays: r.Pays.String(), Gets: r.Gets.String(),
		})
	}
	return told
}

func detailRows(rows []clearing.DetailRow) (told []*clearingv1.DetailRow) {
	for _, r := range rows {
		told = append(told, &clearingv1.DetailRow{
			City: r.City, CityName: r.CityName, Province: r.Province, ProvinceName: r.ProvinceName, Fund: r.Fund, FundName: r.FundName,
			PooledRecords: r.PooledRecords, Pooled: r.Pooled.String(), AccountRecords: r.AccountRecords, Account: r.Account.String(),
			Amount: r.Amount.String(),
		})
	}
	return told
}

func (s *clearingService) ListCarriedOver(ctx context.Context, q *clearingv1.ListCarriedOverRequest) (*clearingv1.ListCarriedOverResponse, error) {
	page, err := s.desks.Load().clearing.CarriedOver(ctx, clearing.CarriedOverQuery{
		Run: q.GetRun(), OverdueOnly: q.GetOverdueOnly(), Regions: visibleRegions(ctx), AtLeast: ledger.Position(q.GetAtLeastPosition()),
		PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &clearingv1.ListCarriedOverResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for _, r := range page.Records {
		response.Records = append(response.Records, &clearingv1.CarriedOverRecord{SetlId: r.SetlID, ServiceMonth: string(r.ServiceMonth), Overdue: r.Overdue})
	}
	return response, nil
}
