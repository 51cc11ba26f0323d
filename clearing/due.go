package clearing

import (
	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

// schedule is by when the notices of one kind of run are to be acted upon. A
// zero date means promptly (及时): the rule names no term.
type schedule struct {
	cityApplies civil.Date // the city's agency applies to its finance department
	cityPays    civil.Date // the city's money has arrived
	provinces   civil.Date // money between the provinces has arrived
}

// scheduleOf counts by the policy and the working-day calendar of the notice
// date (J47, J48). A year without calendar is a NotFound error.
func (c *Clearing) scheduleOf(kind Kind, issued civil.Date) (s schedule, err error) {
	add := func(from civil.Date, key string) civil.Date {
		if err != nil {
			return civil.Date{}
		}
		var days int
		if days, err = c.book.Policy.Int(key, issued); err != nil {
			return civil.Date{}
		}
		var due civil.Date
		due, err = c.book.Calendar.AddWorkingDays(from, days)
		return due
	}
	if kind == InProvince {
		s.cityPays = add(issued, policyDebtorDays)
		return s, err
	}
	s.cityApplies = add(issued, policyAgencyDays)
	s.cityPays = add(s.cityApplies, policyFinanceDays)
	if err != nil {
		return s, err
	}
	day, err := c.book.Policy.Int(policyProvinceDay, issued)
	if err != nil {
		return s, err
	}
	s.provinces = accounts.MonthOf(issued).Add(1).First().AddDays(day - 1)
	return s, nil
}
