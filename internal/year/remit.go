package year

import (
	"cmp"
	"fmt"
	"slices"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
)

// remit pays the notices of the run before the last one. Most debtors pay in
// time; creditors are paid promptly, out of the pool or the other province's
// prepayment where the money has not come; the largest debtors and the other
// provinces pay late and refill what was used.
func (r *run) remit(month accounts.Month) error {
	of := month.Add(-2)
	if len(r.bills[of]) == 0 {
		return nil
	}
	notices, err := r.clearing.Notices(r.ctx, of)
	if err != nil {
		return err
	}
	late := lateOf(notices)
	for _, n := range notices {
		if n.Direction == clearing.Pay && r.isCity(n.Party) && !late[n.ID] {
			if err := r.pay(&n, on(month, 8)); err != nil {
				return err
			}
		}
	}
	for _, n := range notices {
		if n.Direction == clearing.Receive && r.isCity(n.Party) {
			if err := r.pay(&n, on(month, 12)); err != nil {
				return err
			}
		}
	}
	for _, n := range notices {
		if late[n.ID] && !n.Due.IsZero() && n.Due.Before(on(month, 18)) {
			r.table.Late = append(r.table.Late, n.ID)
		}
	}
	_, err = r.clearing.RemitAll(r.ctx, of, on(month, 18), "REST-"+string(of))
	return err
}

// pay pays a notice in full, or leaves it where money is not there yet.
func (r *run) pay(n *clearing.Notice, day civil.Date) error {
	if n.Closed() {
		return nil
	}
	_, err := r.clearing.Remit(r.ctx, clearing.Payment{Notice: n.ID, Date: day, Reference: "BANK-" + n.ID})
	if fault.KindOf(err) == fault.Insufficient {
		r.table.Waited++
		return nil
	}
	return err
}

// lateOf are the two in-province notices of the largest debtors.
func lateOf(notices []clearing.Notice) map[string]bool {
	var debtors []clearing.Notice
	for _, n := range notices {
		if kind(n.Run) == clearing.InProvince && n.Direction == clearing.Pay {
			debtors = append(debtors, n)
		}
	}
	slices.SortStableFunc(debtors, func(a, b clearing.Notice) int { return cmp.Compare(b.Amount, a.Amount) })
	late := map[string]bool{}
	for _, n := range debtors[:min(2, len(debtors))] {
		late[n.ID] = true
	}
	return late
}

func (r *run) isCity(code string) bool {
	region, ok := r.book.Regions.Find(code)
	return ok && region.Kind == accounts.City
}

// kind is that of a run by its id, such as "2025-01/cross-in".
func kind(run string) clearing.Kind {
	for _, k := range clearing.Kinds() {
		if len(run) > 7 && run == clearing.RunID(accounts.Month(run[:7]), k) {
			return k
		}
	}
	panic(fmt.Sprintf("year: %q is no run", run))
}
