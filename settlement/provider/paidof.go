package provider

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/settlement/provider/internal/db"
)

// Paid is what a provider was paid of a settlement in one fund and part.
type Paid struct {
	Fund   string       `json:"fund"`
	Part   string       `json:"part,omitempty"` // "account" for 个人账户, else empty
	Amount accounts.Fen `json:"amount"`
}

// PaidOf tells, as the transaction sees it, how much of each settlement its
// provider was paid, by fund and part in order. A settlement of which nothing
// was paid is absent. Refunds and deductions that were set off against a payment
// are taken off from the settlement that they correct, so ask for originals, not
// for refunds. Money that came back by a clawback is not taken off: it did not
// come through a payment list. A list that is made and not paid counts nothing.
func PaidOf(ctx context.Context, tx pgx.Tx, setlIDs []string) (map[string][]Paid, error) {
	if len(setlIDs) == 0 {
		return nil, nil
	}
	rows, err := db.New(tx).PaidBlocks(ctx, setlIDs)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(setlIDs))
	for _, id := range setlIDs {
		wanted[id] = true
	}
	sums := map[itemKey]Item{}
	for _, data := range rows {
		items, err := decodeItems(data)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			if wanted[i.SetlID] {
				i.Amount += sums[i.key()].Amount
				sums[i.key()] = i
			}
		}
	}
	sorted := make([]Item, 0, len(sums))
	for _, i := range sums {
		sorted = append(sorted, i)
	}
	slices.SortFunc(sorted, bySettlement)
	paid := map[string][]Paid{}
	for _, i := range sorted {
		if i.Amount != 0 {
			paid[i.SetlID] = append(paid[i.SetlID], Paid{i.Fund, i.Part, i.Amount})
		}
	}
	return paid, nil
}
