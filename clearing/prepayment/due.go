package prepayment

import (
	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

// schedule is by when a city acts upon a notice; zero means promptly (及时).
type schedule struct{ applies, pays civil.Date }

// workingDays counts the terms one after the other from the notice date, each
// in working days of the policy. A year without calendar is a NotFound error.
func (p *Prepayments) workingDays(issued civil.Date, keys ...string) (days []civil.Date, err error) {
	from := issued
	for _, key := range keys {
		term, err := p.book.Policy.Int(key, issued)
		if err != nil {
			return nil, err
		}
		if from, err = p.book.Calendar.AddWorkingDays(from, term); err != nil {
			return nil, err
		}
		days = append(days, from)
	}
	return days, nil
}

// cityTerms are the terms of a city that pays a prepayment (J30, J31一).
func (p *Prepayments) cityTerms(scheme Scheme, issued civil.Date) (schedule, error) {
	if scheme == InProvince {
		days, err := p.workingDays(issued, policyCityDays)
		if err != nil {
			return schedule{}, err
		}
		return schedule{pays: days[0]}, nil
	}
	days, err := p.workingDays(issued, policyAgencyDays, policyFinanceDays)
	if err != nil {
		return schedule{}, err
	}
	return schedule{applies: days[0], pays: days[1]}, nil
}

// topUpTerms are those of a city that pays its part of a top-up (J31二).
func (p *Prepayments) topUpTerms(issued civil.Date) (schedule, error) {
	days, err := p.workingDays(issued, policyTopUpAgency, policyTopUpFinance)
	if err != nil {
		return schedule{}, err
	}
	return schedule{applies: days[0], pays: days[1]}, nil
}

// forwardBy is the last day on which the other provinces get the year's money.
func (p *Prepayments) forwardBy(year int) (civil.Date, error) {
	first := civil.Date{Year: year, Month: 1, Day: 1}
	month, err := p.book.Policy.Int(policyForwardMonth, first)
	if err != nil {
		return civil.Date{}, err
	}
	return accounts.MonthOf(first).Add(month - 1).Last(), nil
}

// noticeDate is the given date, or the first working day of the month in which
// the year's notices go out.
func (p *Prepayments) noticeDate(year int, given civil.Date) (civil.Date, error) {
	if !given.IsZero() {
		return given, nil
	}
	first := civil.Date{Year: year, Month: 1, Day: 1}
	month, err := p.book.Policy.Int(policyNoticeMonth, first)
	if err != nil {
		return civil.Date{}, err
	}
	return p.book.Calendar.AddWorkingDays(accounts.MonthOf(first).Add(month-1).First().AddDays(-1), 1)
}
