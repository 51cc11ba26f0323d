package settlement

import (
	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// accountFund is the fund that individual accounts (个人账户) are part of, by
// the chart of funds of domain rule "acct_pay belongs to 310".
const accountFund = "310"

// fieldByInsutype is the field that belongs to the fund of the record's insutype.
const fieldByInsutype = "hifp_pay"

// rules answers what the rulebook says of settlements.
type rules struct {
	book    *accounts.Rulebook
	regions map[string]accounts.RegionKind
	byField map[string][]accounts.Fund
	home    string
	cities  []string
}

func newRules(book *accounts.Rulebook) *rules {
	r := &rules{book: book, regions: map[string]accounts.RegionKind{}, byField: map[string][]accounts.Fund{}, home: book.Regions.Home().Code}
	for _, region := range book.Regions {
		r.regions[region.Code] = region.Kind
		if region.Kind == accounts.City {
			r.cities = append(r.cities, region.Code)
		}
	}
	for _, f := range book.Funds {
		r.byField[f.Field] = append(r.byField[f.Field], f)
	}
	return r
}

// fundOf returns the fund that a part of a settlement belongs to.
func (r *rules) fundOf(part int, insutype string, on civil.Date) (string, error) {
	field := partField(part)
	switch {
	case part == pAcct:
		return accountFund, nil
	case field == fieldByInsutype:
		return insutype, nil
	}
	for _, f := range r.byField[field] {
		if f.On(on) {
			return f.Code, nil
		}
	}
	return "", fault.New(fault.NotFound, "no fund pays %s on %s: see fundledger rules", field, on).With("field", field)
}

// kindOf tells what a pair of regions is to us, or that it is no business of ours.
func (r *rules) kindOf(insured, treating string) (RunKind, bool) {
	of, at := r.regions[insured], r.regions[treating]
	switch {
	case of == accounts.City && at == accounts.City:
		return InProvince, true
	case of == accounts.City && at == accounts.Counterparty:
		return CrossOut, true
	case of == accounts.Counterparty && at == accounts.City:
		return CrossIn, true
	}
	return "", false
}

func (r *rules) known(list accounts.CodeList, code string, on civil.Date) bool {
	_, ok := r.book.Codes.Find(list, code, on)
	return ok
}
