package accounts

import (
	"time"

	"cloud.google.com/go/civil"

	"fundledger/internal/fault"
)

// Month is a calendar month "YYYY-MM": an accounting period or a service
// month. Months compare as strings.
type Month string

// ParseMonth reads "YYYY-MM".
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 1900 {
		return "", fault.New(fault.Invalid, "%q is not a month: write YYYY-MM", s)
	}
	return Month(s), nil
}

// MonthOf returns the month that the date lies in.
func MonthOf(d civil.Date) Month {
	var b [len("2006-01-02")]byte
	return Month(AppendDate(b[:0], d)[:7])
}

// AppendDate appends the date as "YYYY-MM-DD", as its String writes it, which
// takes longer.
func AppendDate(b []byte, d civil.Date) []byte {
	if d.Year < 0 || d.Year > 9999 {
		return append(b, d.String()...)
	}
	digits := func(n int) { b = append(b, byte('0'+n/10%10), byte('0'+n%10)) }
	digits(d.Year / 100)
	digits(d.Year)
	b = append(b, '-')
	digits(int(d.Month))
	b = append(b, '-')
	digits(d.Day)
	return b
}

// First returns the first day of the month.
func (m Month) First() civil.Date {
	d, err := civil.ParseDate(string(m) + "-01")
	if err != nil {
		panic("accounts: month " + string(m) + " was not parsed")
	}
	return d
}

// Last returns the last day of the month.
func (m Month) Last() civil.Date { return m.Add(1).First().AddDays(-1) }

// Add returns the month n months later.
func (m Month) Add(n int) Month { return MonthOf(m.First().AddMonths(n)) }

// Year returns the calendar year, which is the fiscal year.
func (m Month) Year() int { return m.First().Year }

// Sub returns the number of months from other to m.
func (m Month) Sub(other Month) int {
	a, b := m.First(), other.First()
	return (a.Year-b.Year)*12 + int(a.Month-b.Month)
}

// ParseDate reads "YYYY-MM-DD".
func ParseDate(s string) (civil.Date, error) {
	d, err := civil.ParseDate(s)
	if err != nil || d.Year < 1900 {
		return civil.Date{}, fault.New(fault.Invalid, "%q is not a date: write YYYY-MM-DD", s)
	}
	return d, nil
}
