package clearing

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
)

// ProvinceTotal is what a run clears with one other province in a fund.
type ProvinceTotal struct {
	Province string       `json:"province"`
	Fund     string       `json:"fund"`
	Amount   accounts.Fen `json:"amount"`
}

// ProvinceTotals sums a frozen run between provinces by province and fund: what
// we owe them (CrossOut) or they owe us (CrossIn). Errors: NotFound (no such
// run), Precondition (it is not frozen).
func (c *Clearing) ProvinceTotals(ctx context.Context, tx pgx.Tx, month accounts.Month, kind Kind) (Run, []ProvinceTotal, error) {
	q := db.New(tx)
	run, err := frozenRun(ctx, q, RunID(month, kind))
	if err != nil {
		return run, nil, err
	}
	shares, err := runShares(ctx, q, run.ID)
	if err != nil {
		return run, nil, err
	}
	sums := map[ProvinceTotal]accounts.Fen{}
	for _, s := range shares {
		province := s.Treating
		if kind == CrossIn {
			province = s.Insured
		}
		sums[ProvinceTotal{Province: province, Fund: s.Fund}] += s.Amount
	}
	totals := []ProvinceTotal{}
	for _, key := range slices.SortedFunc(maps.Keys(sums), func(a, b ProvinceTotal) int {
		return cmp.Or(cmp.Compare(a.Province, b.Province), cmp.Compare(a.Fund, b.Fund))
	}) {
		totals = append(totals, ProvinceTotal{key.Province, key.Fund, sums[key]})
	}
	return run, totals, nil
}
