package prepayment

import (
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
)

// Plan returns the plan of the year with what has moved on its notices. Of its
// rows it has those that may be seen, nil for all. NotFound when there is none.
func (p *Prepayments) Plan(ctx context.Context, year int, scheme Scheme, regions []string) (plan *Plan, err error) {
	err = p.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		plan, err = p.readPlan(ctx, db.New(tx), PlanID(year, scheme))
		return err
	})
	if err != nil {
		return nil, err
	}
	if regions != nil {
		plan.Quotas = slices.DeleteFunc(plan.Quotas, func(q Quota) bool { return !slices.Contains(regions, q.City) })
		plan.Positions = slices.DeleteFunc(plan.Positions, func(at Position) bool { return !p.clearing.Sees(regions, at.Party) })
		plan.Notices = slices.DeleteFunc(plan.Notices, func(n Notice) bool { return !p.clearing.Sees(regions, n.Party) })
		plan.Bases = slices.DeleteFunc(plan.Bases, func(b clearing.BasisRow) bool { return !p.clearing.Sees(regions, b.Party) })
	}
	return plan, nil
}

func (p *Prepayments) readPlan(ctx context.Context, q *db.Queries, id string) (*Plan, error) {
	row, err := q.GetPlan(ctx, id)
	if err == pgx.ErrNoRows {
		return nil, fault.New(fault.NotFound, "there is no plan %s: make it with prepayment plan", id).With("plan", id)
	}
	if err != nil {
		return nil, err
	}
	plan := &Plan{ID: id, Year: int(row.Year), Scheme: Scheme(row.Scheme), Issued: civil.DateOf(row.Issued), Source: row.Source, By: row.MadeBy}
	quotas, err := q.PlanQuotas(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, r := range quotas {
		plan.Quotas = append(plan.Quotas, Quota{Province: r.Province, Fund: r.Fund, City: r.City, Amount: accounts.Fen(r.QuotaFen)})
	}
	positions, err := q.PlanPositions(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, r := range positions {
		plan.Positions = append(plan.Positions, Position{Party: r.Party, PartyName: p.name(r.Party), Fund: r.Fund, Quota: accounts.Fen(r.QuotaFen),
			Held: accounts.Fen(r.HeldFen), Adjustment: accounts.Fen(r.QuotaFen - r.HeldFen)})
	}
	bases, err := q.PlanBases(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, r := range bases {
		plan.Bases = append(plan.Bases, clearing.BasisRow{Basis: clearing.Basis(r.Basis), Fund: r.Fund, Party: r.Party, Period: r.Period, Amount: accounts.Fen(r.AmountFen)})
	}
	plan.Notices, err = p.notices(ctx, q, NoticeQuery{Origin: id})
	return plan, err
}

// split divides a total of the fund over our cities as the plan for other
// provinces that held on the date does: by what each owed them the year before.
func (p *Prepayments) split(ctx context.Context, q *db.Queries, fund string, total accounts.Fen, on civil.Date) ([]Quota, error) {
	plans, err := q.ListPlans(ctx, db.ListPlansParams{Scheme: string(CrossProvince)})
	if err != nil {
		return nil, err
	}
	plans = slices.DeleteFunc(plans, func(plan db.PrepaymentPlan) bool { return civil.DateOf(plan.Issued).After(on) })
	if len(plans) == 0 {
		return nil, fault.New(fault.Precondition, "there is no plan for other provinces on %s, so nothing says how the cities share: make it with prepayment plan", on)
	}
	plan := plans[len(plans)-1] // in order of year
	bases, err := q.PlanBases(ctx, plan.ID)
	if err != nil {
		return nil, err
	}
	weight := map[string]accounts.Fen{}
	for _, b := range bases {
		if clearing.Basis(b.Basis) == clearing.CrossPayable && b.Fund == fund {
			weight[b.Party] += accounts.Fen(b.AmountFen)
		}
	}
	return p.share(fund, total, weight)
}

// share splits by largest remainder, ties to the smaller code.
func (p *Prepayments) share(fund string, total accounts.Fen, weight map[string]accounts.Fen) ([]Quota, error) {
	cities := p.book.Regions.Of(accounts.City)
	weights := make([]accounts.Fen, len(cities))
	for i, city := range cities {
		weights[i] = weight[city.Code]
	}
	parts, err := accounts.Allocate(total, weights)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s of fund %s cannot be split: no city owed other provinces anything last year: %w", total, fund, err).With("fund", fund)
	}
	shares := make([]Quota, len(cities))
	for i, city := range cities {
		shares[i] = Quota{Fund: fund, City: city.Code, Amount: parts[i]}
	}
	return shares, nil
}
