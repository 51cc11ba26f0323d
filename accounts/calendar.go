package accounts

import (
	"time"

	"cloud.google.com/go/civil"

	"fundledger/internal/fault"
)

// DayKind tells how a day departs from the week: a holiday, or a weekend day
// worked in exchange (调休).
type DayKind string

const (
	Holiday DayKind = "holiday"
	Workday DayKind = "workday"
)

// CalendarDay is one row of the State Council's yearly notice.
type CalendarDay struct {
	Date   civil.Date `json:"date"`
	Kind   DayKind    `json:"kind"`
	Name   string     `json:"name"` // the holiday, such as 春节
	Source string     `json:"source"`
}

// Calendar is the working-day calendar of the years that have rows.
type Calendar struct {
	rows  []CalendarDay
	days  map[civil.Date]DayKind
	years map[int]bool
}

// NewCalendar makes a calendar of the rows.
func NewCalendar(rows []CalendarDay) Calendar {
	c := Calendar{rows: rows, days: map[civil.Date]DayKind{}, years: map[int]bool{}}
	for _, r := range rows {
		c.days[r.Date] = r.Kind
		c.years[r.Date.Year] = true
	}
	return c
}

// Days returns all rows.
func (c Calendar) Days() []CalendarDay { return c.rows }

// IsWorkingDay tells whether the day is worked. A year without rows is a
// NotFound error, never a guess.
func (c Calendar) IsWorkingDay(d civil.Date) (bool, error) {
	if !c.years[d.Year] {
		return false, fault.New(fault.NotFound, "the working-day calendar has no year %d: enter the State Council notice of that year", d.Year)
	}
	switch c.days[d] {
	case Holiday:
		return false, nil
	case Workday:
		return true, nil
	}
	weekday := d.Weekday()
	return weekday != time.Saturday && weekday != time.Sunday, nil
}

// AddWorkingDays returns the nth working day after d; d itself does not count.
func (c Calendar) AddWorkingDays(d civil.Date, n int) (civil.Date, error) {
	for n > 0 {
		d = d.AddDays(1)
		working, err := c.IsWorkingDay(d)
		if err != nil {
			return civil.Date{}, err
		}
		if working {
			n--
		}
	}
	return d, nil
}
