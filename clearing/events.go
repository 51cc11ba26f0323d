package clearing

import (
	"maps"
	"slices"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/ledger"
)

// event is one event of the posting table with its amounts in one fund.
type event struct {
	name    string
	regions map[string]string
	amounts amounts
}

type amounts map[string][]ledger.Part

var kindName = map[Kind]string{InProvince: "省内异地就医", CrossOut: "跨省异地就医（我省参保）", CrossIn: "跨省异地就医（外省参保）"}

// draft adds the lines of one event in one fund to the entry.
func (c *Clearing) draft(e *ledger.Entry, run Run, fund, name string, date civil.Date, regions map[string]string, given amounts) error {
	lines, err := ledger.Draft(c.book, ledger.Facts{Event: name, Date: date, Fund: fund, Run: run.ID, Regions: regions, Amounts: given})
	if err != nil {
		return err
	}
	e.Postings = append(e.Postings, lines...)
	return nil
}

// partyRegions says which part the party of a notice plays in its payments.
func (c *Clearing) partyRegions(run Run, party string) map[string]string {
	regions := map[string]string{"P": c.book.Regions.Home().Code}
	switch {
	case !c.isCity(party):
		regions["X"] = party
	case run.Kind == CrossIn:
		regions["T"] = party
	case run.Kind == CrossOut:
		regions["I"] = party
	default:
		regions["I"], regions["T"] = party, party
	}
	return regions
}

// netAmounts are the amounts that all net events have: the cash that moves,
// and what it discharges of the city's debts and claims.
func netAmounts(cash accounts.Fen, payable, receivable []ledger.Part) amounts {
	return amounts{
		"cash": ledger.Total(cash), "payable": payable, "receivable": receivable,
		"payable_total": ledger.Total(partsTotal(payable)), "discharged_total": ledger.Total(partsTotal(payable)),
		"receivable_total": ledger.Total(partsTotal(receivable)), "received_total": ledger.Total(partsTotal(receivable)),
	}
}

func partsTotal(parts []ledger.Part) (sum accounts.Fen) {
	for _, p := range parts {
		sum += p.Amount
	}
	return sum
}

// byCounterparty adds the parts up, in the order of the counterparties.
func byCounterparty(parts []ledger.Part) []ledger.Part {
	sums := map[string]accounts.Fen{}
	for _, p := range parts {
		sums[p.Counterparty] += p.Amount
	}
	merged := []ledger.Part{}
	for _, counterparty := range slices.Sorted(maps.Keys(sums)) {
		merged = append(merged, ledger.Part{Counterparty: counterparty, Amount: sums[counterparty]})
	}
	return merged
}
