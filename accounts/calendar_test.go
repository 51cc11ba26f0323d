package accounts_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

func TestWorkingDaysFollowTheNotices(t *testing.T) {
	calendar := jiangsu(t).Calendar
	for text, want := range map[string]bool{
		"2025-01-01": false,
		"2025-01-25": false, // Saturday
		"2025-01-26": true,  // Sunday worked for the Spring Festival
		"2025-01-27": true,
		"2025-01-28": false, // the eve, a Tuesday
		"2025-02-04": false,
		"2025-02-05": true,
		"2025-02-08": true, // Saturday worked
		"2025-02-09": false,
		"2025-10-08": false,
		"2023-04-05": false,
		"2023-04-06": true,
		"2024-02-09": true, // the eve of 2024 was no holiday
		"2026-02-23": false,
		"2026-02-28": true,
		"2026-12-31": true,
	} {
		if got, err := calendar.IsWorkingDay(day(text)); err != nil || got != want {
			t.Errorf("%s: working %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestTermsAreCountedFromTheDayAfter(t *testing.T) {
	calendar := jiangsu(t).Calendar
	for _, c := range []struct {
		from string
		days int
		want string
	}{
		{"2025-01-24", 1, "2025-01-26"},
		{"2025-01-24", 3, "2025-02-05"},
		{"2025-02-28", 10, "2025-03-14"},
		{"2025-04-28", 10, "2025-05-15"},
		{"2025-09-28", 5, "2025-10-11"},
		{"2025-02-28", 0, "2025-02-28"},
	} {
		if got, err := calendar.AddWorkingDays(day(c.from), c.days); err != nil || got != day(c.want) {
			t.Errorf("%s + %d working days = %s, %v; want %s", c.from, c.days, got, err, c.want)
		}
	}
}

func TestAnUnknownYearIsNeverGuessed(t *testing.T) {
	calendar := jiangsu(t).Calendar
	for _, text := range []string{"2022-12-31", "2027-01-01"} {
		if _, err := calendar.IsWorkingDay(day(text)); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := calendar.AddWorkingDays(day("2026-12-28"), 10)
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "no year 2027: enter the State Council notice") {
		t.Errorf("a term into 2027: %v", err)
	}
}

// The counts are those of the notices: days off (of the first in 2023 one falls
// in the year before) and weekend days worked.
func TestTheCalendarHasEveryDayOfTheNotices(t *testing.T) {
	off, worked, source := map[int]int{}, map[int]int{}, map[int]string{}
	for _, row := range jiangsu(t).Calendar.Days() {
		year, weekday := row.Date.Year, row.Date.Weekday()
		if row.Kind == accounts.Holiday {
			off[year]++
		} else {
			worked[year]++
			if weekday != time.Saturday && weekday != time.Sunday {
				t.Errorf("%s is worked anyway", row.Date)
			}
		}
		if source[year] == "" {
			source[year] = row.Source
		}
		if row.Source != source[year] {
			t.Errorf("%s comes from %s, other days of the year from %s", row.Date, row.Source, source[year])
		}
	}
	if want := map[int]int{2023: 26, 2024: 28, 2025: 28, 2026: 33}; !maps.Equal(off, want) {
		t.Errorf("days off %v, the notices have %v", off, want)
	}
	if want := map[int]int{2023: 7, 2024: 8, 2025: 5, 2026: 6}; !maps.Equal(worked, want) {
		t.Errorf("days worked %v, the notices have %v", worked, want)
	}
}
