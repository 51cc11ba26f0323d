package settlement

import (
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Policy of stays over the year end (J44).
const (
	policyBenefitYear = "settlement.benefit_year." // and the insured region: whole or by_days
	policyInpatient   = "settlement.inpatient_types"
	whole             = "whole"
	byDays            = "by_days"
)

// yearParts is what a benefit year (待遇年度) has of a settlement.
type yearParts struct {
	year  int
	parts parts
}

// byYear divides a settlement by benefit year, in their order: a stay over the
// year end by its days where the insured region's policy says so, the remainder
// of each part to the year with the largest; all else is of the year of
// discharge. A refund is divided as its original was: what is refunded of it up
// to now is divided as a whole, less the same of before, so that when nothing
// is left each year has nothing.
func (r *rules) byYear(rec *record) ([]yearParts, error) {
	base := rec
	if rec.of != nil {
		base = rec.of
	}
	years, days, err := r.stay(base)
	if err != nil {
		return nil, err
	}
	if len(years) == 0 {
		return []yearParts{{rec.benefitYear(), rec.parts}}, nil
	}
	split := make([]yearParts, len(years))
	for i, year := range years {
		split[i].year = year
	}
	sign := accounts.Fen(1) // a refund is divided as a positive amount, as its original was
	if rec.of != nil {
		sign = -1
	}
	for part, amount := range rec.parts {
		before, err := accounts.Allocate(sign*rec.before[part], days)
		if err != nil {
			return nil, err
		}
		after, err := accounts.Allocate(sign*(rec.before[part]+amount), days)
		if err != nil {
			return nil, err
		}
		for i := range split {
			split[i].parts[part] = sign * (after[i] - before[i])
		}
	}
	return split, nil
}

// stay counts the days of a stay over the year end by year; none where the
// bill is of one year as a whole. The day of admission counts and the day of
// discharge does not, as days in hospital are counted.
func (r *rules) stay(rec *record) (years []int, days []accounts.Fen, err error) {
	if rec.begndate.Year >= rec.enddate.Year || r.regions[rec.insured] != accounts.City {
		return nil, nil, nil
	}
	on := rec.settledOn()
	policy, err := r.book.Policy.Find(policyBenefitYear+rec.insured, on)
	switch {
	case err != nil || policy.Value == whole:
		return nil, nil, err
	case policy.Value != byDays:
		return nil, nil, fault.New(fault.Invalid, "policy %s is %q: it must be %s or %s", policy.Key, policy.Value, whole, byDays)
	}
	if inpatient, err := Inpatient(r.book, rec.medType, on); err != nil || !inpatient {
		return nil, nil, err
	}
	for from := rec.begndate; from.Before(rec.enddate); {
		until := civil.Date{Year: from.Year + 1, Month: 1, Day: 1}
		if rec.enddate.Before(until) {
			until = rec.enddate
		}
		years, days = append(years, from.Year), append(days, accounts.Fen(until.DaysSince(from)))
		from = until
	}
	return years, days, nil
}

// Inpatient tells whether a medical category is a stay in hospital. NotFound
// when the policy does not say it for the date.
func Inpatient(book *accounts.Rulebook, medType string, on civil.Date) (bool, error) {
	types, err := book.Policy.Find(policyInpatient, on)
	return strings.Contains(","+types.Value+",", ","+medType+","), err
}
