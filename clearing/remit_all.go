package clearing

import (
	"context"
	"maps"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
)

// RemitAll pays every open notice of the service month in full: who pays the
// province first, then whom the province pays. Each remittance has the
// reference with the notice's id behind it, so that a repeated call goes on
// where the first one stopped. A payment that must wait for the money of
// another one, or for a national figure to be accepted, is tried again after the
// others; when none can move any more, the refusal of the first is returned with
// the remittances made so far.
func (c *Clearing) RemitAll(ctx context.Context, month accounts.Month, date civil.Date, reference string) ([]*Remittance, error) {
	if reference == "" {
		return nil, fault.New(fault.Invalid, "a reference is needed: each notice's remittance gets it with the notice's id").With("field", "reference")
	}
	notices, err := c.Notices(ctx, month)
	if err != nil {
		return nil, err
	}
	notices = slices.DeleteFunc(notices, func(n Notice) bool { return n.Closed() })
	slices.SortStableFunc(notices, func(a, b Notice) int { return rank(a) - rank(b) })
	var made []*Remittance
	for len(notices) > 0 {
		var waiting []Notice
		var refusal error
		for _, n := range notices {
			r, err := c.Remit(ctx, Payment{Notice: n.ID, Date: date, Reference: reference + ":" + n.ID})
			switch {
			case err == nil:
				made = append(made, r)
			case fault.KindOf(err) != fault.Insufficient && fault.KindOf(err) != fault.Precondition:
				return made, err
			default:
				waiting = append(waiting, n)
				if refusal == nil {
					refusal = err
				}
			}
		}
		if len(waiting) == len(notices) {
			loosened, err := c.loosen(ctx, waiting, date, reference)
			made = append(made, loosened...)
			if err != nil {
				return made, err
			}
			if len(loosened) == 0 {
				return made, refusal
			}
		}
		notices = waiting
	}
	return made, nil
}

func rank(n Notice) int {
	if n.Direction == Pay {
		return 0
	}
	return 1
}

// loosen breaks a ring of cities that each wait for money that refunds at
// another one set free: what refunds turned negative is paid on its own.
func (c *Clearing) loosen(ctx context.Context, waiting []Notice, date civil.Date, reference string) ([]*Remittance, error) {
	var made []*Remittance
	for _, n := range waiting {
		if n.Run != RunID(n.Month, CrossIn) || !c.isCity(n.Party) {
			continue
		}
		refunds, err := c.refundsOf(ctx, n)
		if err != nil {
			return made, err
		}
		for _, province := range slices.Sorted(maps.Keys(refunds)) {
			r, err := c.Remit(ctx, Payment{Notice: n.ID, Lines: refunds[province], Counterparty: province, Date: date, Reference: reference + ":" + n.ID + ":" + province})
			if err != nil {
				return made, err
			}
			made = append(made, r)
		}
	}
	return made, nil
}

// refundsOf returns what of the notice the city owes back, by province.
func (c *Clearing) refundsOf(ctx context.Context, n Notice) (map[string][]Line, error) {
	refunds := map[string][]Line{}
	err := c.store.Snapshot(ctx, func(tx pgx.Tx) error {
		clear(refunds)
		shares, err := runShares(ctx, db.New(tx), n.Run)
		if err != nil {
			return err
		}
		for _, line := range n.Lines {
			open := map[string]accounts.Fen{}
			for _, s := range treatingSide.of(shares, n.Party, line.Fund) {
				open[s.Insured] += s.Amount - s.PaidTreating
			}
			for province, amount := range open {
				if amount >= 0 {
					continue
				}
				if n.Direction == Pay {
					amount = -amount
				}
				refunds[province] = append(refunds[province], Line{Fund: line.Fund, Amount: amount})
			}
		}
		return nil
	})
	return refunds, err
}
