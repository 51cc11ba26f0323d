package year

import (
	"fmt"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
	"fundledger/settlement"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

// close ends the month in the table: what the holdings say at its end.
func (r *run) close(month accounts.Month) error {
	now, err := r.holdings(month.Year())
	if err != nil {
		return err
	}
	since := now.since(r.last)
	var f Figures
	f[Used], f[Refilled] = since.used, since.refilled
	for _, place := range []prepayment.Place{prepayment.CityInProvince, prepayment.CityCross, prepayment.OfProvince} {
		f[Prepaid] += since.paid[place] + since.toppedUp[place] - since.returned[place]
	}
	f[ToppedUp] = since.toppedUp[prepayment.AtProvince]
	f[PoolHeld], f[AtOthers], f[OfOthers] = now.balance[prepayment.CityInProvince], now.balance[prepayment.AtProvince], now.balance[prepayment.OfProvince]
	r.table.Reports, r.last = append(r.table.Reports, Row{month, f}), now
	return nil
}

// reports completes the table at the end of the year by what the reports of the
// domain say, and computes the other one from the journal.
func (r *run) reports() error {
	for _, do := range []func() error{r.reportMonths, r.reportRuns, r.reportRemittances, r.reportRecovery, r.reportProviders, r.books} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// add counts the amount in the row of its date.
func (r *run) add(day civil.Date, column Column, amount accounts.Fen) {
	r.table.Reports[accounts.MonthOf(day).Sub(opened)].Figures[column] += amount
}

func (r *run) reportMonths() error {
	for month, bills := range r.bills {
		if len(bills) == 0 {
			continue
		}
		report, err := r.settlements.MonthReport(r.ctx, month)
		if err != nil {
			return err
		}
		r.add(month.First(), Settled, report.MatchedAmount)
		for _, b := range bills {
			if !b.refund() {
				continue
			}
			s, _, err := r.settlements.Settlement(r.ctx, b.id(), 0)
			if err != nil {
				return err
			}
			if s.State == settlement.StatePosted {
				r.add(month.First(), Refunded, b.cleared())
				r.add(month.First(), Settled, -b.cleared())
			}
		}
	}
	b := r.chosen["withdrawn"]
	s, _, err := r.settlements.Settlement(r.ctx, b.id(), 0)
	if err != nil {
		return err
	}
	for _, reduction := range s.Reductions {
		r.add(reduction.Date, Withdrawn, -reduction.Amount)
	}
	return nil
}

func (r *run) reportRuns() error {
	for month, bills := range r.bills {
		if len(bills) == 0 {
			continue
		}
		for _, kind := range clearing.Kinds() {
			d, err := r.clearing.RunDocuments(r.ctx, clearing.RunID(month, kind))
			if err != nil {
				return err
			}
			amount := accounts.Fen(0)
			if d.Balance != nil {
				amount = d.Balance.Total.Payable
			} else {
				amount = d.Detail.Total.Amount
			}
			r.add(d.Run.NoticeDate, Cleared, amount)
		}
	}
	return nil
}

func (r *run) reportRemittances() error {
	parties := map[string]clearing.Notice{}
	notices, err := r.clearing.Notices(r.ctx, "")
	if err != nil {
		return err
	}
	for _, n := range notices {
		parties[n.ID] = n
		if !n.Closed() {
			return fault.New(fault.Internal, "notice %s is not paid at the end of the year", n.ID)
		}
	}
	query := clearing.RemittanceQuery{PageSize: 1000}
	for {
		page, err := r.clearing.Remittances(r.ctx, query)
		if err != nil {
			return err
		}
		for _, remittance := range page.Remittances {
			n := parties[remittance.Notice]
			column, sign := r.way(&n)
			for _, line := range remittance.Lines {
				r.add(remittance.Date, column, sign*line.Amount)
			}
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return nil
		}
	}
}

// way is whether money on the notice comes to the province or leaves it, and
// the sign: a total that refunds turned negative goes the other way.
func (r *run) way(n *clearing.Notice) (Column, accounts.Fen) {
	pays := n.Direction == clearing.Pay
	column := PaidOut
	switch k := kind(n.Run); {
	case k == clearing.InProvince && pays, k == clearing.CrossOut && r.isCity(n.Party), k == clearing.CrossIn && !r.isCity(n.Party):
		column = PaidIn
	}
	if pays == (column == PaidIn) {
		return column, 1
	}
	return column, -1
}

func (r *run) reportRecovery() error {
	deductions, _, err := r.recovery.Deductions(r.ctx, recovery.Query{Limit: 1000}, 0)
	if err != nil {
		return err
	}
	for _, d := range deductions {
		r.add(d.Date, Deducted, -d.Deducted)
	}
	cases, _, err := r.recovery.Cases(r.ctx, recovery.Query{Limit: 1000}, 0)
	if err != nil {
		return err
	}
	for _, c := range cases {
		for _, step := range c.Steps {
			switch step.Step {
			case string(recovery.Received), string(recovery.Arrived):
				r.add(step.Date, Recovered, step.Amount)
				if c.Mode == recovery.Offset {
					r.add(step.Date, Offset, -step.Amount)
				}
			case string(recovery.Home), "settled":
				r.add(step.Date, Home, step.Amount)
			}
		}
		if (c.State == recovery.Opened || c.State == recovery.Approved) && c.Total.Home != c.Total.Claimed {
			return fault.New(fault.Internal, "clawback %s is not home at the end of the year: %+v", c.ID, c.Total)
		}
	}
	return nil
}

func (r *run) reportProviders() error {
	lists, err := r.desk.Lists(r.ctx, provider.ListQuery{State: provider.ListPaid, PageSize: 1000}, 0)
	if err != nil {
		return err
	}
	for _, list := range lists.Lists {
		for _, line := range list.Lines {
			r.add(list.Paid, Providers, line.Amount)
		}
	}
	paid, err := r.desk.Reimbursements(r.ctx, provider.ReimbursementQuery{State: provider.ReimbursementPaid, AsOf: through.Last(), PageSize: 1000})
	if err != nil {
		return err
	}
	for _, one := range paid.Reimbursements {
		for _, share := range one.Shares {
			r.add(one.Paid, Reimbursed, share.Amount)
		}
	}
	for _, c := range r.credited {
		for _, line := range c.Lines {
			r.add(c.Date, Interest, line.Amount)
		}
	}
	if len(lists.Lists) == 0 {
		return fmt.Errorf("no provider was paid")
	}
	return nil
}
