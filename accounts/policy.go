package accounts

import (
	"strconv"

	"cloud.google.com/go/civil"
	"github.com/shopspring/decimal"

	"fundledger/internal/fault"
)

// Parameter is one value of the policy, such as the quota percentage.
type Parameter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Unit  string `json:"unit"` // "percent", "working days", "yuan", "day of month", …
	Title string `json:"title"`
	Effective
}

// Policy holds every version of every parameter.
type Policy []Parameter

// Find returns the parameter that holds on the date, or a NotFound error.
func (p Policy) Find(key string, on civil.Date) (Parameter, error) {
	for _, row := range p {
		if row.Key == key && row.On(on) {
			return row, nil
		}
	}
	return Parameter{}, fault.New(fault.NotFound, "the policy has no value of %s on %s", key, on)
}

// Int returns a whole number.
func (p Policy) Int(key string, on civil.Date) (int, error) {
	row, err := p.Find(key, on)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(row.Value)
	if err != nil {
		return 0, fault.New(fault.Invalid, "policy %s is %q, which is not a whole number", key, row.Value)
	}
	return n, nil
}

// Decimal returns a number.
func (p Policy) Decimal(key string, on civil.Date) (decimal.Decimal, error) {
	row, err := p.Find(key, on)
	if err != nil {
		return decimal.Decimal{}, err
	}
	d, err := decimal.NewFromString(row.Value)
	if err != nil {
		return decimal.Decimal{}, fault.New(fault.Invalid, "policy %s is %q, which is not a number", key, row.Value)
	}
	return d, nil
}
