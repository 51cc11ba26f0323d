package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	"fundledger/accounts"
	"fundledger/internal/jobs"
	"fundledger/ledger"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/proto/gen/fundledger/settlement/v1/settlementv1connect"
	"fundledger/settlement"
)

func (s *settlementService) ReconcileDay(ctx context.Context, q *settlementv1.ReconcileDayRequest) (*settlementv1.ReconcileDayResponse, error) {
	var r reader
	day := r.date("day", q.GetDay())
	if r.err != nil {
		return nil, r.err
	}
	if err := s.desks.Load().settlements.HasMonth(ctx, accounts.MonthOf(day)); err != nil {
		return nil, err
	}
	job, replayed, err := s.begin(ctx, settlementv1connect.SettlementServiceReconcileDayProcedure, q.GetIdempotencyKey(), q)
	if err != nil {
		return nil, err
	}
	return &settlementv1.ReconcileDayResponse{Job: jobOf(&job), Replayed: replayed}, nil
}

// reconcileDay is the job of ReconcileDay.
func (s *Server) reconcileDay(ctx context.Context, q *settlementv1.ReconcileDayRequest, _ func(jobs.Progress)) (proto.Message, error) {
	var r reader
	day := r.date("day", q.GetDay())
	if r.err != nil {
		return nil, r.err
	}
	done, err := s.desks.Load().settlements.ReconcileDay(ctx, day)
	if err != nil {
		return nil, err
	}
	told := &settlementv1.DayReport{
		Day: dateOf(done.Day), Groups: int64(len(done.Totals)), Differ: int64(done.Differ), Settlements: done.Settlements, Matched: done.Matched,
		Posted: done.Posted, Resolved: done.Resolved, MoreDifferences: done.MoreDifferences, HalfLoadedFiles: done.HalfLoadedFiles,
		Totals: totalsOf(done.Totals),
	}
	for _, d := range done.Differences {
		told.Differences = append(told.Differences, &settlementv1.DayDifference{SetlId: d.SetlID, Kind: d.Kind, Detail: d.Detail})
	}
	return told, nil
}

var lateness = map[settlement.Lateness]settlementv1.Lateness{
	settlement.CarriedLate:     settlementv1.Lateness_LATENESS_CARRIED_OVER,
	settlement.OverdueDeferral: settlementv1.Lateness_LATENESS_OVERDUE_DEFERRAL,
	settlement.OverdueYear:     settlementv1.Lateness_LATENESS_OVERDUE_YEAR,
}

func (s *settlementService) ListLateRecords(ctx context.Context, q *settlementv1.ListLateRecordsRequest) (*settlementv1.ListLateRecordsResponse, error) {
	var r reader
	query := settlement.LateQuery{
		AsOf: r.date("as_of", q.GetAsOf()), Overdue: q.GetOverdue(), Region: q.GetRegion(), Regions: visibleRegions(ctx),
		PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(), AtLeast: ledger.Position(q.GetAtLeastPosition()),
	}
	if r.err != nil {
		return nil, r.err
	}
	page, err := s.desks.Load().settlements.LateRecords(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListLateRecordsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for _, l := range page.Records {
		response.Records = append(response.Records, &settlementv1.LateRecord{
			SetlId: l.SetlID, Month: string(l.Month), Kind: l.Kind, Insured: l.Insured, Treating: l.Treating, Lateness: lateness[l.Lateness],
			CutOffDate: dateOf(l.CutOff), DeferralDate: dateOf(l.Deferral), YearEndDate: dateOf(l.YearEnd),
		})
	}
	return response, nil
}

func (s *settlementService) GetBenefitYear(ctx context.Context, q *settlementv1.GetBenefitYearRequest) (*settlementv1.GetBenefitYearResponse, error) {
	totals, position, err := s.desks.Load().settlements.BenefitYears(ctx, int(q.GetYear()), q.GetInsured(), visibleRegions(ctx), ledger.Position(q.GetAtLeastPosition()))
	response := &settlementv1.GetBenefitYearResponse{Position: int64(position)}
	for _, t := range totals {
		response.Totals = append(response.Totals, &settlementv1.BenefitYearTotal{Insured: t.Insured, Fund: t.Fund, SettledIn: int32(t.SettledIn), Amount: t.Amount.String()})
	}
	return response, err
}
