package sample

import (
	"cmp"
	"slices"

	"fundledger/accounts"
)

// Expected is what reconciliation must report of a generated month. It is
// computed from what was planted, never from the files. Its JSON has the keys
// and the order of the month report.
type Expected struct {
	Month accounts.Month `json:"month"`
	// Records counts settlements, refunds not, rejected ones included.
	Records int `json:"records"`
	// MatchedRecords are equal on all three sides, refunds included.
	MatchedRecords   int                 `json:"matched_records"`
	MatchedAmount    accounts.Fen        `json:"matched_amount"` // of funds and individual accounts
	Exceptions       map[string]int      `json:"exceptions"`
	ExceptionIDs     map[string][]string `json:"exception_ids"`
	InProvince       []ExpectedPair      `json:"in_province"`
	CrossProvinceOut []ExpectedPair      `json:"cross_province_out"`
	CrossProvinceIn  []ExpectedPair      `json:"cross_province_in"`
	InProvinceNet    []ExpectedNet       `json:"in_province_net"`
}

// ExpectedPair is what one region owes another in a fund.
type ExpectedPair struct {
	Insured  string       `json:"insured"`
	Treating string       `json:"treating"`
	Fund     string       `json:"fund"`
	Count    int          `json:"count"` // records that touch the fund
	Amount   accounts.Fen `json:"amount"`
}

// ExpectedNet is a city's position inside the province in a fund.
type ExpectedNet struct {
	City       string       `json:"city"`
	Fund       string       `json:"fund"`
	Payable    accounts.Fen `json:"payable"`
	Receivable accounts.Fen `json:"receivable"`
	Net        accounts.Fen `json:"net"` // payable − receivable
}

// tally gathers what Expected tells.
type tally struct {
	result Expected
	pairs  map[pair]*ExpectedPair
}

type pair struct{ insured, treats, fund string }

func newTally(month accounts.Month) *tally {
	return &tally{
		result: Expected{
			Month: month, Exceptions: map[string]int{}, ExceptionIDs: map[string][]string{},
			InProvince: []ExpectedPair{}, CrossProvinceOut: []ExpectedPair{}, CrossProvinceIn: []ExpectedPair{},
			InProvinceNet: []ExpectedNet{},
		},
		pairs: map[pair]*ExpectedPair{},
	}
}

func (t *tally) add(r *record, kind faultKind) {
	if r.original == "" {
		t.result.Records++
	}
	if kind != none {
		t.result.Exceptions[string(kind)]++
	}
	if kind != none && kind != duplicateRow {
		t.result.ExceptionIDs[string(kind)] = append(t.result.ExceptionIDs[string(kind)], r.id)
		return
	}
	t.result.MatchedRecords++
	t.result.MatchedAmount += r.fund + r.account
	basic, account := r.pay[hifp], r.account
	for _, m := range []struct {
		fund  string
		parts [2]accounts.Fen
	}{
		{"310", [2]accounts.Fen{when(r.insurance == "310", basic), account}},
		{"390", [2]accounts.Fen{when(r.insurance == "390", basic)}},
		{"320", [2]accounts.Fen{r.pay[cvlserv]}},
		{"330", [2]accounts.Fen{r.pay[hifob]}},
		{"370", [2]accounts.Fen{r.pay[hifes]}},
		{"392", [2]accounts.Fen{r.pay[hifmi]}},
		{"399", [2]accounts.Fen{r.pay[oth]}},
		{"610", [2]accounts.Fen{r.pay[maf]}},
	} {
		if m.parts == [2]accounts.Fen{} {
			continue
		}
		key := pair{r.insured, r.treats, m.fund}
		p := t.pairs[key]
		if p == nil {
			p = &ExpectedPair{Insured: r.insured, Treating: r.treats, Fund: m.fund}
			t.pairs[key] = p
		}
		p.Count++
		p.Amount += m.parts[0] + m.parts[1]
	}
}

func when(condition bool, amount accounts.Fen) accounts.Fen {
	if condition {
		return amount
	}
	return 0
}

func (t *tally) expected() *Expected {
	e := &t.result
	for _, ids := range e.ExceptionIDs {
		slices.Sort(ids)
	}
	nets := map[[2]string]*ExpectedNet{}
	net := func(city, fund string) *ExpectedNet {
		n := nets[[2]string{city, fund}]
		if n == nil {
			n = &ExpectedNet{City: city, Fund: fund}
			nets[[2]string{city, fund}] = n
		}
		return n
	}
	for _, p := range t.pairs {
		switch {
		case !slices.Contains(cities, p.Treating):
			e.CrossProvinceOut = append(e.CrossProvinceOut, *p)
		case !slices.Contains(cities, p.Insured):
			e.CrossProvinceIn = append(e.CrossProvinceIn, *p)
		default:
			e.InProvince = append(e.InProvince, *p)
			net(p.Insured, p.Fund).Payable += p.Amount
			net(p.Treating, p.Fund).Receivable += p.Amount
		}
	}
	for _, n := range nets {
		n.Net = n.Payable - n.Receivable
		e.InProvinceNet = append(e.InProvinceNet, *n)
	}
	for _, list := range [][]ExpectedPair{e.InProvince, e.CrossProvinceOut, e.CrossProvinceIn} {
		slices.SortFunc(list, func(a, b ExpectedPair) int {
			return cmp.Or(cmp.Compare(a.Insured, b.Insured), cmp.Compare(a.Treating, b.Treating), cmp.Compare(a.Fund, b.Fund))
		})
	}
	slices.SortFunc(e.InProvinceNet, func(a, b ExpectedNet) int {
		return cmp.Or(cmp.Compare(a.City, b.City), cmp.Compare(a.Fund, b.Fund))
	})
	return e
}
