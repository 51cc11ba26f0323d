package clearing

import (
	"cmp"
	"maps"
	"slices"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// balance is what one region owes and is owed in a run, in one fund.
type balance struct {
	Payable, Receivable accounts.Fen
	// pairs: with a total of zero there still are regions at the other end
	// with whom something is open, one way and the other.
	pairs bool
}

type totalKey struct{ party, fund string }

type totals map[totalKey]balance

func (t totals) keys() []totalKey {
	return slices.SortedFunc(maps.Keys(t), func(a, b totalKey) int {
		return cmp.Or(cmp.Compare(a.party, b.party), cmp.Compare(a.fund, b.fund))
	})
}

// sum adds up the shares of a run. Its control totals must agree: per fund,
// what is payable is what is receivable.
func sum(run Run, shares []*Share) (totals, error) {
	t := totals{}
	type pairKey struct{ insured, treating, fund string }
	pairs := map[pairKey]accounts.Fen{}
	for _, s := range shares {
		owes := t[totalKey{s.Insured, s.Fund}]
		owes.Payable += s.Amount
		t[totalKey{s.Insured, s.Fund}] = owes
		owed := t[totalKey{s.Treating, s.Fund}]
		owed.Receivable += s.Amount
		t[totalKey{s.Treating, s.Fund}] = owed
		pairs[pairKey{s.Insured, s.Treating, s.Fund}] += s.Amount
	}
	for pair, amount := range pairs {
		if amount != 0 {
			key := totalKey{pair.treating, pair.fund}
			of := t[key]
			of.pairs = true
			t[key] = of
		}
	}
	control := map[string]balance{}
	for key, of := range t {
		c := control[key.fund]
		c.Payable += of.Payable
		c.Receivable += of.Receivable
		control[key.fund] = c
	}
	for _, fund := range slices.Sorted(maps.Keys(control)) {
		if c := control[fund]; c.Payable != c.Receivable {
			return nil, fault.New(fault.Internal, "run %s, fund %s: payable %s and receivable %s differ", run.ID, fund, c.Payable, c.Receivable)
		}
	}
	return t, nil
}
