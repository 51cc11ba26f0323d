package accounts_test

import (
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

func TestMonthsKnowTheirDays(t *testing.T) {
	month, err := accounts.ParseMonth("2024-02")
	if err != nil {
		t.Fatal(err)
	}
	if month.First() != day("2024-02-01") || month.Last() != day("2024-02-29") || month.Year() != 2024 {
		t.Errorf("%s is %s to %s", month, month.First(), month.Last())
	}
	if got := month.Add(11); got != "2025-01" || got.Sub(month) != 11 || month.Sub(got) != -11 {
		t.Errorf("%s + 11 = %s", month, got)
	}
	if got := accounts.MonthOf(day("2024-12-31")); got != "2024-12" {
		t.Errorf("MonthOf = %s", got)
	}
	for _, text := range []string{"", "2024", "2024-13", "2024-2", "2024-02-01", "0001-01"} {
		if _, err := accounts.ParseMonth(text); fault.KindOf(err) != fault.Invalid {
			t.Errorf("ParseMonth(%q): %v", text, err)
		}
	}
	for _, text := range []string{"", "2025-02-29", "20250201", "2025-1-1", "0001-01-01"} {
		if _, err := accounts.ParseDate(text); fault.KindOf(err) != fault.Invalid {
			t.Errorf("ParseDate(%q): %v", text, err)
		}
	}
}

func TestAccountsAreWrittenAsTheyAreRead(t *testing.T) {
	for _, text := range []string{"320100.agency/310/9101.01/320200", "320000.finance/390/1001"} {
		a, err := accounts.ParseAccount(text)
		if err != nil || a.String() != text {
			t.Errorf("%q was read as %s, %v", text, a, err)
		}
	}
	a, _ := accounts.ParseAccount("320100.finance/310/1101/320000")
	if a.Book.Region() != "320100" || a.Book.Role() != accounts.Finance || a.Counterparty != "320000" {
		t.Errorf("parts of %s: %+v", a, a)
	}
	for _, text := range []string{"", "320100.agency/310", "a/b/c/d/e", "a//c", "a/b/c/"} {
		if _, err := accounts.ParseAccount(text); fault.KindOf(err) != fault.Invalid {
			t.Errorf("ParseAccount(%q): %v", text, err)
		}
	}
}

func TestDatesAreAppendedAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := civil.Date{Year: rapid.IntRange(-1, 10001).Draw(t, "year"), Month: time.Month(rapid.IntRange(1, 12).Draw(t, "month")), Day: rapid.IntRange(1, 31).Draw(t, "day")}
		if got, want := string(accounts.AppendDate([]byte("on "), d)), "on "+d.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
