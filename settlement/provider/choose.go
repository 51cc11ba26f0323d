package provider

import (
	"slices"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// choice is what a list takes of what is open, and what it leaves.
type choice struct {
	lines       []Line
	taken, left []Item
}

// choose takes what is negative first, whatever its date, since it was paid
// too much before; then the oldest settlements up to the day, the last one
// partly. Without lines all funds are taken in full, except those in which the
// provider owes more than it is owed.
//
// Errors: Insufficient (more than is payable, with asked, payable and
// shortfall), Precondition (nothing is payable).
func (p *payables) choose(through civil.Date, lines []Line) (*choice, error) {
	c := &choice{}
	byFund := map[string][]Item{}
	var funds []string
	for _, i := range p.sorted(byAge) {
		if !i.assigned() || i.Amount > 0 && i.On.After(through) {
			c.left = append(c.left, i)
			continue
		}
		if byFund[i.Fund] == nil {
			funds = append(funds, i.Fund)
		}
		byFund[i.Fund] = append(byFund[i.Fund], i)
	}
	slices.Sort(funds)
	asked := map[string]accounts.Fen{}
	for _, l := range lines {
		asked[l.Fund] = l.Amount
		if byFund[l.Fund] == nil {
			return nil, short(l.Fund, l.Amount, 0)
		}
	}
	for _, fund := range funds {
		items := byFund[fund]
		var payable accounts.Fen
		for _, i := range items {
			payable += i.Amount
		}
		amount, named := asked[fund]
		switch {
		case named && amount > payable:
			return nil, short(fund, amount, payable)
		case len(lines) == 0 && payable >= 0:
			amount = payable
		case !named:
			c.left = append(c.left, items...)
			continue
		}
		c.lines = append(c.lines, Line{fund, amount})
		c.take(items, amount)
	}
	if len(c.lines) == 0 {
		return nil, fault.New(fault.Precondition, "nothing is payable up to %s: what the provider has been paid too much is set off against what it is owed later", through)
	}
	return c, nil
}

func short(fund string, asked, payable accounts.Fen) *fault.Error {
	return fault.New(fault.Insufficient, "fund %s: %s was asked and %s is payable: %s is more than is owed", fund, asked, payable, asked-payable).
		With("fund", fund).With("asked", asked.String()).With("payable", payable.String()).With("shortfall", (asked - payable).String())
}

// take takes the amount out of one fund's items, which are in order of age.
func (c *choice) take(items []Item, amount accounts.Fen) {
	for _, i := range items {
		if i.Amount < 0 {
			amount -= i.Amount
			c.taken = append(c.taken, i)
		}
	}
	for _, i := range items {
		if i.Amount < 0 {
			continue
		}
		cut := min(i.Amount, amount)
		amount -= cut
		rest := i
		if i.Amount, rest.Amount = cut, rest.Amount-cut; i.Amount != 0 {
			c.taken = append(c.taken, i)
		}
		if rest.Amount != 0 {
			c.left = append(c.left, rest)
		}
	}
}

// settlements counts those that the list has items of.
func (c *choice) settlements() (n int64) {
	slices.SortFunc(c.taken, bySettlement)
	for k, i := range c.taken {
		if k == 0 || c.taken[k-1].SetlID != i.SetlID {
			n++
		}
	}
	return n
}
