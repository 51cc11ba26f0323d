package clearing

import (
	"context"

	"fundledger/accounts"
	"fundledger/ledger"
)

// Group floors of the chart that clearing takes advances from.
const (
	poolInProvince = "in_province_pool"
	poolReceived   = "received_prepayment"
)

// payLine works out one line of a payment: what it discharges and whose money
// it is. The shares and holdings of the desk change with it.
func (d *desk) payLine(ctx context.Context, line *payLine) ([]event, error) {
	city := d.clearing.isCity(d.notice.Party)
	switch {
	case d.run.Kind == InProvince:
		return d.payNet(ctx, line)
	case d.run.Kind == CrossOut && city:
		return d.payCityOut(line)
	case d.run.Kind == CrossOut:
		return d.payProvinceOut(line)
	case city:
		return d.payCityIn(ctx, line)
	}
	return d.payProvinceIn(line)
}

// event names an event of this payment.
func (d *desk) event(name string, given amounts) event {
	return event{name, d.clearing.partyRegions(d.run, d.notice.Party), given}
}

// dischargeBoth discharges both sides of a city up to the given totals.
func dischargeBoth(shares []*Share, city totalKey, payable, receivable accounts.Fen) (owes, owed []ledger.Part, err error) {
	own := insuredSide.of(shares, city.party, city.fund)
	others := treatingSide.of(shares, city.party, city.fund)
	if owes, err = insuredSide.discharge(own, payable-insuredSide.paidOf(own)); err != nil {
		return nil, nil, err
	}
	owed, err = treatingSide.discharge(others, receivable-treatingSide.paidOf(others))
	return owes, owed, err
}

// payNet: a net debtor's money goes to the run's holdings, after the run's own
// use of the pool is refilled; a net creditor is paid from the holdings and,
// where they do not reach, from the pool (J30二, J47).
func (d *desk) payNet(ctx context.Context, line *payLine) ([]event, error) {
	if err := d.settle(line, line.Open, line.Closed); err != nil {
		return nil, err
	}
	city := totalKey{d.notice.Party, line.Fund}
	own, others := insuredSide.of(d.shares, city.party, city.fund), treatingSide.of(d.shares, city.party, city.fund)
	payable, receivable := netDischarge(insuredSide.total(own), treatingSide.total(others), line.Paid)
	owes, owed, err := dischargeBoth(d.shares, city, payable, receivable)
	if err != nil {
		return nil, err
	}
	line.Closed = line.Paid == line.Amount
	given := netAmounts(line.asked, owes, owed)
	if d.notice.Direction == Pay {
		events := []event{d.event("net.debtor_paid", given)}
		return d.take(events, "pool.refilled.in_province", line.Fund, city.party, "", line.asked), nil
	}
	from, missing := d.draw(line.Fund, line.asked)
	var pool accounts.Fen
	if missing > 0 {
		agency := accounts.BookOf(d.clearing.book.Regions.Home().Code, accounts.Agency)
		if pool, err = d.clearing.journal.GroupBalance(ctx, d.tx, agency, line.Fund, poolInProvince, ""); err != nil {
			return nil, err
		}
		if missing > pool {
			return nil, d.short(line, line.asked-missing, pool, missing-pool)
		}
		d.holding(line.Fund, "").used += missing
	}
	given["from_debtors"], given["from_pool"] = from, ledger.Total(missing)
	return []event{d.event("net.creditor_paid", given)}, nil
}

// take puts money that came from the counterparty into the holdings; what the
// run has used of the pool is refilled first.
func (d *desk) take(events []event, refill, fund, counterparty, pool string, amount accounts.Fen) []event {
	used := d.holding(fund, pool)
	back := min(amount, used.used)
	used.used -= back
	d.holding(fund, counterparty).held += amount - back
	if back == 0 {
		return events
	}
	return append(events, d.event(refill, amounts{"amount": {{Counterparty: counterparty, Amount: back}}}))
}

// draw takes the amount from the run's holdings in the fund, whoever sent
// them, in order of code, and returns what is missing.
func (d *desk) draw(fund string, amount accounts.Fen) (from []ledger.Part, missing accounts.Fen) {
	from = []ledger.Part{}
	for _, h := range d.held {
		if h.fund != fund || h.held <= 0 || amount == 0 {
			continue
		}
		cut := min(h.held, amount)
		h.held -= cut
		h.touched = true
		amount -= cut
		from = append(from, ledger.Part{Counterparty: h.counterparty, Amount: cut})
	}
	return from, amount
}

// payCityOut: a city pays what it owes other provinces, or is paid back where
// refunds exceed it.
func (d *desk) payCityOut(line *payLine) ([]event, error) {
	if err := d.settle(line, line.Open, line.Closed); err != nil {
		return nil, err
	}
	shares := insuredSide.of(d.shares, d.notice.Party, line.Fund)
	amount := line.asked
	if d.notice.Direction == Receive {
		amount = -amount
	}
	payable, err := insuredSide.discharge(shares, amount)
	if err != nil {
		return nil, err
	}
	line.Closed = insuredSide.settled(shares)
	given := amounts{"cash": ledger.Total(amount), "payable": payable}
	if d.notice.Direction == Pay {
		d.holding(line.Fund, d.notice.Party).held += amount
		return []event{d.event("out.city_paid", given)}, nil
	}
	from, missing := d.draw(line.Fund, line.asked)
	if missing > 0 {
		return nil, d.short(line, line.asked-missing, 0, missing)
	}
	given["from_held"] = from
	return []event{d.event("out.city_refunded", given)}, nil
}

// payProvinceOut: another province is paid out of what the cities sent, or
// pays back.
func (d *desk) payProvinceOut(line *payLine) ([]event, error) {
	if err := d.settle(line, line.Open, line.Closed); err != nil {
		return nil, err
	}
	line.Closed = line.Paid == line.Amount
	if d.notice.Direction == Pay {
		d.holding(line.Fund, d.notice.Party).held += line.asked
		return []event{d.event("out.province_refunded", amounts{"cash": ledger.Total(line.asked)})}, nil
	}
	from, missing := d.draw(line.Fund, line.asked)
	if missing > 0 {
		return nil, d.short(line, line.asked-missing, 0, missing)
	}
	return []event{d.event("out.province_paid", amounts{"cash": ledger.Total(line.asked), "from_held": from})}, nil
}

// payProvinceIn: another province pays for its patients, or is paid back out
// of its own money in the run.
func (d *desk) payProvinceIn(line *payLine) ([]event, error) {
	if err := d.settle(line, line.Open, line.Closed); err != nil {
		return nil, err
	}
	line.Closed = line.Paid == line.Amount
	province := d.notice.Party
	if d.notice.Direction == Pay {
		events := []event{d.event("in.province_received", amounts{"cash": ledger.Total(line.asked)})}
		return d.take(events, "pool.refilled.in", line.Fund, province, province, line.asked), nil
	}
	own := d.holding(line.Fund, province)
	if own.held < line.asked {
		return nil, d.short(line, own.held, 0, line.asked-own.held)
	}
	own.held -= line.asked
	return []event{d.event("in.province_received", amounts{"cash": ledger.Total(-line.asked)})}, nil
}

// payCityIn: a city gets what other provinces owe it, each province's share
// out of its own money in the run and then out of its prepayment (J31三). What
// refunds turn negative stays here as that province's money.
func (d *desk) payCityIn(ctx context.Context, line *payLine) ([]event, error) {
	shares := treatingSide.of(d.shares, d.notice.Party, line.Fund)
	chosen := shares
	if d.counterparty != "" {
		chosen = nil
		for _, s := range shares {
			if s.Insured == d.counterparty {
				chosen = append(chosen, s)
			}
		}
	}
	sign := accounts.Fen(1)
	if d.notice.Direction == Pay {
		sign = -1
	}
	if err := d.settle(line, sign*treatingSide.open(chosen), treatingSide.settled(chosen)); err != nil {
		return nil, err
	}
	parts, err := treatingSide.discharge(chosen, sign*line.asked)
	if err != nil {
		return nil, err
	}
	line.Closed = treatingSide.settled(shares)
	receivable := byCounterparty(parts)
	fromHeld, fromPool := []ledger.Part{}, []ledger.Part{}
	for _, part := range receivable {
		own := d.holding(line.Fund, part.Counterparty)
		held := min(own.held, part.Amount)
		if part.Amount < 0 { // refills what was used before it is held
			held = min(part.Amount+own.used, 0)
		}
		pooled := part.Amount - held
		if pooled > 0 {
			agency := accounts.BookOf(d.clearing.book.Regions.Home().Code, accounts.Agency)
			pool, err := d.clearing.journal.GroupBalance(ctx, d.tx, agency, line.Fund, poolReceived, part.Counterparty)
			if err != nil {
				return nil, err
			}
			if pooled > pool {
				return nil, d.short(line, held, pool, pooled-pool).With("counterparty", part.Counterparty)
			}
		}
		own.held -= held
		own.used += pooled
		fromHeld = append(fromHeld, ledger.Part{Counterparty: part.Counterparty, Amount: held})
		fromPool = append(fromPool, ledger.Part{Counterparty: part.Counterparty, Amount: pooled})
	}
	given := amounts{"cash": ledger.Total(sign * line.asked), "receivable": receivable, "from_held": fromHeld, "from_prepayment": fromPool}
	return []event{d.event("in.city_paid", given)}, nil
}
