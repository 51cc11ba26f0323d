package year

import (
	"fmt"
	"maps"
	"slices"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
)

// The people of the scenario. Whoever makes something does not confirm it.
const (
	clerk   = "clerk"
	head    = "head"
	auditor = "auditor"
	cashier = "cashier"
)

// quotas makes the plans of the year in February: of the first from the file
// of the year before, of the next one from the journal, which sets off what was
// carried over.
func (r *run) quotas(month accounts.Month) error {
	if month.First().Month != 2 {
		return nil
	}
	for _, scheme := range prepayment.Schemes() {
		request := prepayment.PlanRequest{Year: month.Year(), Scheme: scheme, By: clerk}
		if month.Year() == Year {
			bases, err := r.bases()
			if err != nil {
				return err
			}
			request.File = bases
		}
		plan, err := r.prepayments.MakePlan(r.ctx, request)
		if err != nil {
			return err
		}
		r.say("%s: the quotas %s come with %d notices, by the bases of %s", month, plan.ID, len(plan.Notices), plan.Source)
		r.table.Plans = append(r.table.Plans, plan)
	}
	if month.Year() > Year {
		return nil
	}
	for i, province := range []string{"310000", "340000"} { // other provinces bring theirs up to the quota
		m := prepayment.Move{Province: province, Direction: clearing.Pay, Document: "对方预付金通知〔2025〕1号", Date: on(month, 20), By: clerk,
			Reference: fmt.Sprintf("THEIRS-%d", i), Lines: []clearing.Line{{Fund: "310", Amount: 30_000_00}, {Fund: "390", Amount: 20_000_00}}}
		if _, err := r.prepayments.Record(r.ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// latePayer always pays its prepayments after the term.
const latePayer = "320300"

// movePrepayments moves the money of the notices of plans and top-ups: in time
// what cities pay, the late payer a month later; then what goes on to other
// provinces and back to the cities, as far as the money has come.
func (r *run) movePrepayments(month accounts.Month) error {
	notices, err := r.prepayments.Notices(r.ctx, prepayment.NoticeQuery{OpenOnly: true})
	if err != nil {
		return err
	}
	for _, n := range notices {
		if n.Party == latePayer && n.Direction == clearing.Pay && !n.Due.IsZero() && n.Due.Before(month.First()) {
			r.table.Late = append(r.table.Late, n.ID)
		}
	}
	for _, turn := range []struct {
		day int
		who func(*prepayment.Notice) bool
	}{
		{14, func(n *prepayment.Notice) bool { return n.Direction == clearing.Pay && n.Party != latePayer }},
		{20, func(n *prepayment.Notice) bool { return n.Direction == clearing.Receive }},
		{24, func(n *prepayment.Notice) bool { return n.Direction == clearing.Pay && n.Issued.Before(month.First()) }},
		{26, func(n *prepayment.Notice) bool {
			return n.Direction == clearing.Receive && n.Issued.Before(month.First())
		}},
	} {
		for i := range notices {
			if n := &notices[i]; n.Superseded == "" && turn.who(n) && n.Issued.Before(on(month, turn.day)) {
				if err := r.move(n, on(month, turn.day)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// move moves what is open on the notice, or leaves it where the money has not
// come yet.
func (r *run) move(n *prepayment.Notice, day civil.Date) error {
	if n.Open == 0 {
		return nil
	}
	_, err := r.prepayments.Record(r.ctx, prepayment.Move{Notice: n.ID, Date: day, Reference: "PREPAY-" + n.ID, By: clerk})
	switch fault.KindOf(err) {
	case "":
		n.Open = 0
	case fault.Insufficient:
		r.table.Waited++
	default:
		return err
	}
	return nil
}

// clear freezes the runs of the month before.
func (r *run) clear(month accounts.Month) error {
	if before := month.Add(-1); len(r.bills[before]) > 0 {
		_, err := r.clearing.Clear(r.ctx, before, civil.Date{})
		return err
	}
	return nil
}

// topUps takes the case of every province whose prepayment is used to red: it
// is topped up where more was cleared than lies there, else declined.
func (r *run) topUps(month accounts.Month) error {
	before := month.Add(-1)
	if len(r.bills[before]) == 0 {
		return nil
	}
	if _, err := r.prepayments.Watch(r.ctx, before); err != nil {
		return err
	}
	cases, err := r.prepayments.TopUps(r.ctx, prepayment.TopUpQuery{Month: before, State: prepayment.Opened})
	if err != nil {
		return err
	}
	for i := range cases {
		lines := shortfall(&cases[i])
		at := func(step, by string) prepayment.TopUpStep {
			return prepayment.TopUpStep{TopUp: cases[i].ID, Lines: lines, Date: on(month, 28), By: by, Key: cases[i].ID + " " + step,
				Document: "国家医保局核定〔2025〕" + string(before), Reason: "月度清算额超过预付金"}
		}
		if len(lines) == 0 {
			decline := at("decline", head)
			decline.Reason = "清算额未超过预付金，下月回落"
			if _, err := r.prepayments.Decline(r.ctx, decline); err != nil {
				return err
			}
			r.table.Declined++
			continue
		}
		if _, err := r.prepayments.Propose(r.ctx, at("propose", clerk)); err != nil {
			return err
		}
		if _, err := r.prepayments.Approve(r.ctx, at("approve", clerk)); fault.KindOf(err) != fault.Permission {
			return fmt.Errorf("top-up %s was approved by who proposed it: %v", cases[i].ID, err)
		}
		if _, err := r.prepayments.Approve(r.ctx, at("approve", head)); err != nil {
			return err
		}
		notify := at("notify", clerk)
		notify.Lines, notify.Document, notify.Reason = nil, "", ""
		if _, err := r.prepayments.Notify(r.ctx, notify); err != nil {
			return err
		}
		r.table.Approved++
	}
	return nil
}

// shortfall is by how much the month's clearing is more than what is held.
func shortfall(c *prepayment.TopUp) (lines []clearing.Line) {
	for _, f := range c.Funds {
		if f.Cleared > f.Held {
			lines = append(lines, clearing.Line{Fund: f.Fund, Amount: f.Cleared - f.Held})
		}
	}
	return lines
}

// interest comes each quarter, to whoever holds the account; a bank's fee is
// refused.
func (r *run) interest(month accounts.Month) error {
	if month.First().Month%3 != 0 {
		return nil
	}
	day := on(month, 21)
	for i, c := range []prepayment.Charge{
		{Holder: r.home, Deposit: prepayment.FiscalAccount, Lines: []clearing.Line{{Fund: "310", Amount: 812_35}, {Fund: "390", Amount: 401_07}}},
		{Holder: r.home, Deposit: prepayment.SettlementAccount, Lines: []clearing.Line{{Fund: "310", Amount: 96_20}}},
		{Holder: "320500", Deposit: prepayment.FiscalAccount, Lines: []clearing.Line{{Fund: "310", Amount: 15_204_11}}},
	} {
		c.Date, c.By, c.Reference = day, clerk, fmt.Sprintf("INTEREST-%s-%d", month, i)
		if _, err := r.prepayments.Interest(r.ctx, c); err != nil {
			return err
		}
		r.credited = append(r.credited, c)
	}
	fee := prepayment.Charge{Holder: r.home, Deposit: prepayment.FiscalAccount, Lines: []clearing.Line{{Fund: "310", Amount: 10_00}}, Date: day, By: clerk, Reference: "FEE-" + string(month)}
	if err := r.prepayments.BankFee(r.ctx, fee); fault.KindOf(err) != fault.Precondition {
		return fmt.Errorf("a bank's fee against a fund was not refused: %v", err)
	}
	return nil
}

// held are the sums of the holdings of a year at some moment.
type held struct {
	year                              int
	balance, paid, toppedUp, returned map[prepayment.Place]accounts.Fen
	used, refilled                    accounts.Fen
}

func (r *run) holdings(year int) (held, error) {
	h := held{year: year, balance: map[prepayment.Place]accounts.Fen{}, paid: map[prepayment.Place]accounts.Fen{},
		toppedUp: map[prepayment.Place]accounts.Fen{}, returned: map[prepayment.Place]accounts.Fen{}}
	list, _, err := r.prepayments.Holdings(r.ctx, prepayment.HoldingQuery{Year: year})
	for _, one := range list {
		h.balance[one.Place] += one.Balance
		h.paid[one.Place] += one.Paid.Amount
		h.toppedUp[one.Place] += one.ToppedUp.Amount
		h.returned[one.Place] += one.Returned.Amount
		h.used += one.Used.Amount
		h.refilled += one.Refilled.Amount
	}
	return h, err
}

// since is what has come to the figures since the earlier moment, of the same
// year or its end.
func (h held) since(before held) held {
	if before.year != h.year {
		return h
	}
	less := func(now, then map[prepayment.Place]accounts.Fen) map[prepayment.Place]accounts.Fen {
		now = maps.Clone(now)
		for _, place := range slices.Collect(maps.Keys(then)) {
			now[place] -= then[place]
		}
		return now
	}
	h.paid, h.toppedUp, h.returned = less(h.paid, before.paid), less(h.toppedUp, before.toppedUp), less(h.returned, before.returned)
	h.used, h.refilled = h.used-before.used, h.refilled-before.refilled
	return h
}
