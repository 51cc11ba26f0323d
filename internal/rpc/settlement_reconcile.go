package rpc

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"fundledger/accounts"
	"fundledger/internal/jobs"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/proto/gen/fundledger/settlement/v1/settlementv1connect"
	"fundledger/settlement"
)

func (s *settlementService) Reconcile(ctx context.Context, q *settlementv1.ReconcileRequest) (*settlementv1.ReconcileResponse, error) {
	var r reader
	month := r.month("month", q.GetMonth())
	if r.err != nil {
		return nil, r.err
	}
	if err := s.desks.Load().settlements.HasMonth(ctx, month); err != nil {
		return nil, err
	}
	job, replayed, err := s.begin(ctx, settlementv1connect.SettlementServiceReconcileProcedure, q.GetIdempotencyKey(), q)
	if err != nil {
		return nil, err
	}
	return &settlementv1.ReconcileResponse{Job: jobOf(&job), Replayed: replayed}, nil
}

// mostDifferences is how many groups of totals a report lists.
const mostDifferences = 1000

// reconcileWork is the job of Reconcile.
func reconcileWork(ctx context.Context, store accounts.Store, settlements *settlement.Settlements, q *settlementv1.ReconcileRequest, report func(jobs.Progress)) (proto.Message, error) {
	done, err := settlements.Reconcile(ctx, accounts.Month(q.GetMonth()), settlement.ReconcileOptions{
		Progress: func(n int64) { report(jobs.Progress{Done: n, Unit: "settlements"}) },
	})
	if err != nil {
		return nil, err
	}
	told := &settlementv1.ReconcileReport{
		Month: string(done.Month), Compared: done.Compared, Groups: int64(done.Groups), Posted: done.Posted, Matched: done.Matched,
		Waiting: done.Waiting, Resolved: done.Resolved, Exceptions: countsOf(done.Month, done.Exceptions), HalfLoadedFiles: done.HalfLoadedFiles,
	}
	told.TotalsDiffer = totalsOf(done.TotalsDiffer)
	// The report lists so many of the refunds that wait; here they are counted.
	err = store.Snapshot(ctx, func(tx pgx.Tx) error {
		told.WaitingRefunds = 0
		open, err := settlement.OpenExceptions(ctx, tx)
		for _, e := range open {
			if e.Kind == settlement.KindRefundWaiting {
				told.WaitingRefunds += e.Count
			}
		}
		return err
	})
	return told, err
}

// totalsOf are as many groups of totals as a report lists.
func totalsOf(groups []settlement.TotalDifference) (told []*settlementv1.TotalDifference) {
	for _, d := range groups[:min(len(groups), mostDifferences)] {
		told = append(told, &settlementv1.TotalDifference{
			Insutype: d.Insutype, ClrType: d.ClearingType, Insured: d.Insured, Treating: d.Treating,
			TreatingSide: sideTotal(d.TreatingSide), CenterSide: sideTotal(d.CenterSide), InsuredSide: sideTotal(d.InsuredSide),
		})
	}
	return told
}

func sideTotal(t settlement.Total) *settlementv1.SideTotal {
	return &settlementv1.SideTotal{Records: t.Records, MedfeeSumamt: t.Medfee.String(), FundPaySumamt: t.FundPay.String(), AcctPay: t.Account.String()}
}

// countsOf are the counts by kind, in order.
func countsOf(month accounts.Month, counts map[string]int64) (told []*settlementv1.ExceptionCount) {
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		told = append(told, &settlementv1.ExceptionCount{Month: string(month), Kind: kind, Count: counts[kind]})
	}
	return told
}
