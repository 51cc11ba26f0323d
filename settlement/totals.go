package settlement

import (
	"cmp"
	"slices"

	"fundledger/accounts"
)

// Total is what one side reports for a group of settlements.
type Total struct {
	Records int64        `json:"records"`
	Medfee  accounts.Fen `json:"medfee_sumamt"`
	FundPay accounts.Fen `json:"fund_pay_sumamt"`
	Account accounts.Fen `json:"acct_pay"`
}

// TotalDifference is what the sides say of a group (险种 × 清算类别 × pair of
// regions), mostly one in which they differ.
type TotalDifference struct {
	Insutype     string `json:"insutype"`
	ClearingType string `json:"clr_type"`
	Insured      string `json:"insured"`
	Treating     string `json:"treating"`
	CenterSide   Total  `json:"center_side"`
	TreatingSide Total  `json:"treating_side"`
	InsuredSide  Total  `json:"insured_side"`
}

// totalKey is a group of totals.
type totalKey struct{ insutype, clrType, insured, treating string }

// totals are the sides' totals by group, each in the order of Sides. They are
// gathered while the lines are read.
type totals map[totalKey]*[3]Total

// add counts a record for the sides.
func (t totals) add(r *record, sides ...int) {
	key := totalKey{r.insutype, r.clrType, r.insured, r.treating}
	if t[key] == nil {
		t[key] = &[3]Total{}
	}
	for _, side := range sides {
		s := &t[key][side]
		s.Records++
		s.Medfee, s.FundPay, s.Account = s.Medfee+r.medfee, s.FundPay+r.fundPay, s.Account+r.parts[pAcct]
	}
}

// merge adds the totals of a chunk.
func (t totals) merge(u totals) {
	for key, sums := range u {
		if t[key] == nil {
			t[key] = &[3]Total{}
		}
		for side, s := range sums {
			into := &t[key][side]
			into.Records += s.Records
			into.Medfee, into.FundPay, into.Account = into.Medfee+s.Medfee, into.FundPay+s.FundPay, into.Account+s.Account
		}
	}
}

// differences returns the groups in which the sides differ, in order.
func (t totals) differences() []TotalDifference {
	return slices.DeleteFunc(t.groups(), func(d TotalDifference) bool { return !d.differs() })
}

// groups returns all groups in order.
func (t totals) groups() []TotalDifference {
	groups := []TotalDifference{}
	for key, s := range t {
		d := TotalDifference{Insutype: key.insutype, ClearingType: key.clrType, Insured: key.insured, Treating: key.treating}
		for i, side := range Sides() {
			*d.side(side) = s[i]
		}
		groups = append(groups, d)
	}
	slices.SortFunc(groups, func(a, b TotalDifference) int {
		return cmp.Or(cmp.Compare(a.Insutype, b.Insutype), cmp.Compare(a.ClearingType, b.ClearingType),
			cmp.Compare(a.Insured, b.Insured), cmp.Compare(a.Treating, b.Treating))
	})
	return groups
}

func (t *TotalDifference) differs() bool {
	return t.CenterSide != t.TreatingSide || t.CenterSide != t.InsuredSide
}

func (t *TotalDifference) side(side Side) *Total {
	switch side {
	case Center:
		return &t.CenterSide
	case Treating:
		return &t.TreatingSide
	}
	return &t.InsuredSide
}
