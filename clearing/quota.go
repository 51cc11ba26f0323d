package clearing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/shopspring/decimal"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Quotas (预付金额度) are the yearly prepayment quotas (J30, J31).
type Quotas struct {
	// InProvince: by city, then by fund; 0.00 for a city that is no net debtor.
	InProvince ordered[ordered[accounts.Fen]] `json:"quota_in_province"`
	// CrossProvince: by counterparty province in the order of the bases, then by fund.
	CrossProvince ordered[ordered[CrossQuota]] `json:"quota_cross_province"`
}

// CrossQuota is what lies at one other province in one fund, and each city's
// share of it.
type CrossQuota struct {
	Total  accounts.Fen          `json:"total"`
	Cities ordered[accounts.Fen] `json:"cities"`
}

// ordered is a JSON object whose members keep their order.
type ordered[V any] []member[V]

type member[V any] struct {
	Key   string
	Value V
}

// MarshalJSON writes the members in their order.
func (o ordered[V]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(m.Value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", m.Key, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Get returns the value of the key.
func (o ordered[V]) Get(key string) (value V, ok bool) {
	for _, m := range o {
		if m.Key == key {
			return m.Value, true
		}
	}
	return value, false
}

// quotaRules are the policy's values on the first day of the quota year.
type quotaRules struct {
	inProvince decimal.Decimal // share of the net outflow
	means      decimal.Decimal // how many monthly means
	months     []string        // of last year, that the mean is of
	funds      []string
}

func readQuotaRules(book *accounts.Rulebook, year int) (r quotaRules, err error) {
	on := civil.Date{Year: year, Month: 1, Day: 1}
	percent, err := book.Policy.Decimal(policyQuotaPercent, on)
	if err != nil {
		return r, err
	}
	r.inProvince = percent.Shift(-2)
	if r.means, err = book.Policy.Decimal(policyQuotaMonths, on); err != nil {
		return r, err
	}
	funds, err := book.Policy.Find(policyQuotaFunds, on)
	if err != nil {
		return r, err
	}
	r.funds = strings.Split(funds.Value, ",")
	months, err := book.Policy.Find(policyBaseMonths, on)
	if err != nil {
		return r, err
	}
	for _, number := range strings.Split(months.Value, ",") {
		month, err := accounts.ParseMonth(fmt.Sprintf("%d-%s", year-1, number))
		if err != nil {
			return r, fault.New(fault.Invalid, "policy %s is %q, which is not a list of months such as 10,11,12", policyBaseMonths, months.Value)
		}
		r.months = append(r.months, string(month))
	}
	return r, nil
}

// Quotas works the quotas of the year out of the bases: in the province a
// share of each net debtor's outflow, per fund; per other province so many
// times the monthly mean of the last quarter, split over our cities by what
// they owed other provinces, largest remainder, ties to the smaller code.
// A figure that is missing is an Invalid error that names it.
func (b *Bases) Quotas(book *accounts.Rulebook) (*Quotas, error) {
	rules := b.rules
	if err := b.complete(book); err != nil {
		return nil, err
	}
	year := fmt.Sprint(b.year - 1)
	cities := book.Regions.Of(accounts.City)
	q := &Quotas{InProvince: ordered[ordered[accounts.Fen]]{}, CrossProvince: ordered[ordered[CrossQuota]]{}}
	for _, city := range cities {
		var quotas ordered[accounts.Fen]
		for _, fund := range rules.funds {
			outflow := b.amounts[baseKey{InProvincePayable, fund, city.Code, year}] - b.amounts[baseKey{InProvinceReceivable, fund, city.Code, year}]
			quotas = append(quotas, member[accounts.Fen]{fund, accounts.RoundYuan(max(outflow, 0).Decimal().Mul(rules.inProvince))})
		}
		q.InProvince = append(q.InProvince, member[ordered[accounts.Fen]]{city.Code, quotas})
	}
	for _, province := range b.counterparties {
		var quotas ordered[CrossQuota]
		for _, fund := range rules.funds {
			quota, err := b.cross(province, fund, cities)
			if err != nil {
				return nil, err
			}
			quotas = append(quotas, member[CrossQuota]{fund, quota})
		}
		q.CrossProvince = append(q.CrossProvince, member[ordered[CrossQuota]]{province, quotas})
	}
	return q, nil
}

func (b *Bases) cross(province, fund string, cities accounts.Regions) (CrossQuota, error) {
	var settled accounts.Fen
	for _, month := range b.rules.months {
		settled += b.amounts[baseKey{CrossSettled, fund, province, month}]
	}
	// Multiplied before it is divided, so that one rounding to the fen is the only one.
	fen := decimal.NewFromInt(int64(max(settled, 0))).Mul(b.rules.means).DivRound(decimal.NewFromInt(int64(len(b.rules.months))), 12).Round(0)
	quota := CrossQuota{Total: accounts.Fen(fen.IntPart())}
	weights := make([]accounts.Fen, len(cities))
	for i, city := range cities {
		weights[i] = b.amounts[baseKey{CrossPayable, fund, city.Code, fmt.Sprint(b.year - 1)}]
	}
	parts, err := accounts.Allocate(quota.Total, weights)
	if err != nil {
		return CrossQuota{}, fault.New(fault.Invalid, "%s: the quota of %s in fund %s cannot be split: no city owed other provinces anything: %w", b.file, province, fund, err)
	}
	for i, city := range cities {
		quota.Cities = append(quota.Cities, member[accounts.Fen]{city.Code, parts[i]})
	}
	return quota, nil
}

// complete lists the figures that the bases lack.
func (b *Bases) complete(book *accounts.Rulebook) error {
	var missing []string
	need := func(basis Basis, fund, party, period string) {
		if _, ok := b.amounts[baseKey{basis, fund, party, period}]; !ok {
			missing = append(missing, fmt.Sprintf("%s, fund %s, %s, %s", basis, fund, party, period))
		}
	}
	for _, fund := range b.rules.funds {
		for _, city := range book.Regions.Of(accounts.City) {
			for _, basis := range []Basis{InProvincePayable, InProvinceReceivable, CrossPayable} {
				need(basis, fund, city.Code, fmt.Sprint(b.year-1))
			}
		}
		for _, province := range b.counterparties {
			for _, month := range b.rules.months {
				need(CrossSettled, fund, province, month)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s lacks %d figures for the quotas of %d:\n%s", b.file, len(missing), b.year,
		strings.Join(missing[:min(len(missing), maxBaseErrors)], "\n"))
}
