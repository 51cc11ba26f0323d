package prepayment

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
)

type partyFund struct{ party, fund string }

// freeze sets what is held off against the quotas and keeps the plan.
func (p *Prepayments) freeze(ctx context.Context, tx pgx.Tx, draft *Plan, bases *clearing.Bases, made *step, validateOnly bool) (*Plan, error) {
	q := db.New(tx)
	plan := *draft
	last, err := latest(ctx, q)
	if err != nil {
		return nil, err
	}
	if later, ok := last[plan.Scheme]; ok && later.Year > int64(plan.Year) {
		return nil, fault.New(fault.Precondition, "plan %s stands already: what is held is set off there, so %s cannot be made any more", later.ID, plan.ID).With("plan", later.ID)
	}
	if plan.Scheme == CrossProvince {
		if err := p.takeNational(ctx, q, &plan); err != nil {
			return nil, err
		}
	}
	if plan.Positions, err = p.positions(ctx, tx, &plan); err != nil {
		return nil, err
	}
	if plan.Notices, err = p.planNotices(&plan); err != nil || validateOnly {
		return &plan, err
	}
	if err := insertPlan(ctx, q, &plan); err != nil {
		return nil, err
	}
	if err := insertNotices(ctx, q, plan.Year, plan.Notices); err != nil {
		return nil, err
	}
	return &plan, made.record(ctx, q)
}

// takeNational puts the accepted national quotas in the place of our own, split
// over the cities as ours are (J31一). A notice that nobody has accepted yet is a
// Precondition error.
func (p *Prepayments) takeNational(ctx context.Context, q *db.Queries, plan *Plan) error {
	list, national, err := inForce(ctx, q, QuotaNotice, strconv.Itoa(plan.Year))
	if err != nil || list == nil {
		return err
	}
	if list.State != "accepted" {
		return fault.New(fault.Precondition, "the national quota notice of %d (list %s) was imported and nobody has accepted it: compare it and have it accepted first", plan.Year, list.ID).With("list", list.ID)
	}
	weights := map[string]map[string]accounts.Fen{}
	for _, b := range plan.Bases {
		if b.Basis == clearing.CrossPayable {
			if weights[b.Fund] == nil {
				weights[b.Fund] = map[string]accounts.Fen{}
			}
			weights[b.Fund][b.Party] += b.Amount
		}
	}
	own := map[provinceFund]accounts.Fen{}
	for _, quota := range plan.Quotas {
		own[provinceFund{quota.Province, quota.Fund}] += quota.Amount
	}
	plan.Source += ", quotas by national list " + list.ID
	plan.Quotas = nil
	for _, key := range sortedKeys(national, own) {
		if ours := own[key]; ours != national[key] {
			plan.National = append(plan.National, Difference{Province: key.province, ProvinceName: p.name(key.province), Fund: key.fund, Figure: "quota",
				Ours: ours, National: national[key], Difference: national[key] - ours})
		}
		shares, err := p.share(key.fund, national[key], weights[key.fund])
		if err != nil {
			return err
		}
		for _, share := range shares {
			share.Province = key.province
			plan.Quotas = append(plan.Quotas, share)
		}
	}
	return nil
}

func sortedKeys(a, b map[provinceFund]accounts.Fen) []provinceFund {
	keys := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.SortFunc(keys, func(a, b provinceFund) int {
		return cmp.Or(cmp.Compare(a.province, b.province), cmp.Compare(a.fund, b.fund))
	})
	return slices.Compact(keys)
}

// positions are quota and balance of every party with either, by code and fund.
func (p *Prepayments) positions(ctx context.Context, tx pgx.Tx, plan *Plan) ([]Position, error) {
	funds, err := p.fundsOn(plan.Issued)
	if err != nil {
		return nil, err
	}
	quotas := map[partyFund]accounts.Fen{}
	for _, quota := range plan.Quotas {
		quotas[partyFund{quota.City, quota.Fund}] += quota.Amount
		if quota.Province != "" {
			quotas[partyFund{quota.Province, quota.Fund}] += quota.Amount
		}
	}
	for _, region := range p.book.Regions {
		for _, fund := range funds {
			if region.Kind != accounts.Province {
				quotas[partyFund{region.Code, fund}] += 0
			}
		}
	}
	var list []at
	for key := range quotas {
		switch city := p.isCity(key.party); {
		case city && plan.Scheme == InProvince:
			list = append(list, at{paidByCity, key.party, key.fund})
		case city:
			list = append(list, at{collected, key.party, key.fund})
		case plan.Scheme == CrossProvince:
			list = append(list, at{atProvince, key.party, key.fund})
		}
	}
	balances, err := p.held(ctx, tx, plan.Issued, list...)
	if err != nil {
		return nil, err
	}
	positions := []Position{}
	for of, held := range balances {
		quota := quotas[partyFund{of.party, of.fund}]
		if p.isCity(of.party) || quota != 0 || held != 0 {
			positions = append(positions, Position{Party: of.party, PartyName: p.name(of.party), Fund: of.fund, Quota: quota, Held: held, Adjustment: quota - held})
		}
	}
	slices.SortFunc(positions, func(a, b Position) int { return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.Fund, b.Fund)) })
	return positions, nil
}

// planNotices asks each party for its adjustment, or returns it.
func (p *Prepayments) planNotices(plan *Plan) ([]Notice, error) {
	terms, err := p.cityTerms(plan.Scheme, plan.Issued)
	if err != nil {
		return nil, err
	}
	forward, err := p.forwardBy(plan.Year)
	if err != nil {
		return nil, err
	}
	annex := map[Scheme]string{InProvince: "3", CrossProvince: "5"}[plan.Scheme]
	drafts := map[string]*Notice{}
	for _, at := range plan.Positions {
		city := p.isCity(at.Party)
		amount, direction := at.Adjustment, clearing.Pay
		if city != (amount > 0) {
			direction = clearing.Receive
		}
		if amount == 0 {
			continue
		}
		n := Notice{ID: plan.ID + "/" + at.Party + "/" + string(direction), Origin: plan.ID, Scheme: plan.Scheme, Party: at.Party, PartyName: at.PartyName,
			Direction: direction, Issued: plan.Issued}
		switch {
		case city && direction == clearing.Pay:
			n.Annex, n.ApplyBy, n.Due = annex, terms.applies, terms.pays
		case city:
			n.Annex = annex
		case direction == clearing.Receive:
			n.Due = forward
		}
		addLine(drafts, n, at.Fund, max(amount, -amount))
	}
	return inOrder(drafts), nil
}

// addLine adds an amount to the draft of the notice.
func addLine(drafts map[string]*Notice, n Notice, fund string, amount accounts.Fen) {
	if drafts[n.ID] == nil {
		drafts[n.ID] = &n
	}
	of := drafts[n.ID]
	of.Lines = append(of.Lines, NoticeLine{Fund: fund, Amount: amount, Open: amount})
	of.Amount += amount
	of.Open += amount
}

func inOrder(drafts map[string]*Notice) []Notice {
	notices := make([]Notice, 0, len(drafts))
	for _, id := range slices.Sorted(maps.Keys(drafts)) {
		notices = append(notices, *drafts[id])
	}
	return notices
}

func insertPlan(ctx context.Context, q *db.Queries, plan *Plan) error {
	if err := q.InsertPlan(ctx, db.InsertPlanParams{ID: plan.ID, Year: int64(plan.Year), Scheme: string(plan.Scheme), Issued: dateParam(plan.Issued),
		Source: plan.Source, MadeBy: plan.By}); err != nil {
		return err
	}
	b := db.InsertPlanBasesParams{Plan: plan.ID}
	for _, row := range plan.Bases {
		b.Bases, b.Funds, b.Parties = append(b.Bases, string(row.Basis)), append(b.Funds, row.Fund), append(b.Parties, row.Party)
		b.Periods, b.Amounts = append(b.Periods, row.Period), append(b.Amounts, int64(row.Amount))
	}
	if err := q.InsertPlanBases(ctx, b); err != nil {
		return err
	}
	u := db.InsertPlanQuotasParams{Plan: plan.ID}
	for _, row := range plan.Quotas {
		u.Funds, u.Cities = append(u.Funds, row.Fund), append(u.Cities, row.City)
		u.Provinces, u.Quotas = append(u.Provinces, row.Province), append(u.Quotas, int64(row.Amount))
	}
	if err := q.InsertPlanQuotas(ctx, u); err != nil {
		return err
	}
	at := db.InsertPlanPositionsParams{Plan: plan.ID}
	for _, row := range plan.Positions {
		at.Parties, at.Funds = append(at.Parties, row.Party), append(at.Funds, row.Fund)
		at.Quotas, at.Held = append(at.Quotas, int64(row.Quota)), append(at.Held, int64(row.Held))
	}
	return q.InsertPlanPositions(ctx, at)
}
