package settlement

import (
	"fundledger/accounts"
	"fundledger/settlement/internal/db"
)

// Total is what one side reports for a group of settlements.
type Total struct {
	Records int64        `json:"records"`
	Medfee  accounts.Fen `json:"medfee_sumamt"`
	FundPay accounts.Fen `json:"fund_pay_sumamt"`
	Account accounts.Fen `json:"acct_pay"`
}

// TotalDifference is a group (险种 × 清算类别 × pair of regions) in which the
// sides' totals differ.
type TotalDifference struct {
	Insutype     string `json:"insutype"`
	ClearingType string `json:"clr_type"`
	Insured      string `json:"insured"`
	Treating     string `json:"treating"`
	CenterSide   Total  `json:"center_side"`
	TreatingSide Total  `json:"treating_side"`
	InsuredSide  Total  `json:"insured_side"`
}

func (t *TotalDifference) sameGroup(r *db.SideTotalsRow) bool {
	return t.Insutype == r.Insutype && t.ClearingType == r.ClrType && t.Insured == r.Insured && t.Treating == r.Treating
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

// compareTotals counts the groups and returns those that differ. The rows come
// group by group.
func compareTotals(rows []db.SideTotalsRow) (groups int, differ []TotalDifference) {
	all := []TotalDifference{}
	for i := range rows {
		r := &rows[i]
		if n := len(all); n == 0 || !all[n-1].sameGroup(r) {
			all = append(all, TotalDifference{Insutype: r.Insutype, ClearingType: r.ClrType, Insured: r.Insured, Treating: r.Treating})
		}
		*all[len(all)-1].side(Side(r.Side)) = Total{Records: r.Records, Medfee: accounts.Fen(r.MedfeeFen),
			FundPay: accounts.Fen(r.FundPayFen), Account: accounts.Fen(r.AcctFen)}
	}
	differ = []TotalDifference{}
	for _, t := range all {
		if t.CenterSide != t.TreatingSide || t.CenterSide != t.InsuredSide {
			differ = append(differ, t)
		}
	}
	return len(all), differ
}
