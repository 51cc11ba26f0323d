package accounts_test

import (
	"slices"
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

func TestTheProfileHasTheInstitutionsAndFundsOfTheRules(t *testing.T) {
	book := jiangsu(t)
	if n := len(book.Regions.Books()); n != 28 {
		t.Errorf("%d books, want agency and finance of 13 cities and the province", n)
	}
	if book.Regions.Home().Code != "320000" || len(book.Regions.Of(accounts.Counterparty)) != 31 {
		t.Errorf("home %s, %d counterparties", book.Regions.Home().Code, len(book.Regions.Of(accounts.Counterparty)))
	}
	fields := map[string][]string{}
	for _, f := range book.Funds {
		fields[f.Field] = append(fields[f.Field], f.Code)
	}
	for field, want := range map[string]string{"hifp_pay": "310 390", "cvlserv_pay": "320", "hifob_pay": "330", "hifes_pay": "370", "hifmi_pay": "392", "oth_pay": "399", "maf_pay": "610"} {
		if got := strings.Join(fields[field], " "); got != want {
			t.Errorf("%s belongs to %s, want %s", field, got, want)
		}
	}
}

// Invariant 6 names the accounts that never cross zero.
func TestExactlyTheAccountsOfTheInvariantHaveAFloor(t *testing.T) {
	want := []string{
		"agency 1002", "agency 1003", "agency 1004", "agency 1004.02", "agency 1101.01", "agency 1101.02",
		"agency 2001.01.01", "agency 2001.01.02", "agency 2001.01.03", "agency 2001.02.01", "agency 2001.02.02",
		"finance 1001", "finance 2001.01.02", "finance 2001.01.03", "finance 2001.02",
	}
	var floors []string
	groups := map[string][]string{}
	for _, s := range jiangsu(t).Chart.Subjects() {
		if s.Floor {
			floors = append(floors, string(s.Role)+" "+s.Code)
		}
		if s.Group != "" {
			groups[s.Group] = append(groups[s.Group], string(s.Role)+" "+s.Code)
		}
		if s.Floor && s.Layer != accounts.Cash {
			t.Errorf("%s has a floor in the %s layer", s.Code, s.Layer)
		}
	}
	if !slices.Equal(floors, want) {
		t.Errorf("floors %q, want %q", floors, want)
	}
	if got := strings.Join(groups["in_province_pool"], ", "); got != "agency 2001.01.01, agency 2001.04.01" {
		t.Errorf("in_province_pool is %s", got)
	}
	if got := strings.Join(groups["received_prepayment"], ", "); got != "agency 2001.01.03, agency 2001.04.02, finance 2001.01.03, finance 2001.04" {
		t.Errorf("received_prepayment is %s", got)
	}
}

func TestARowHoldsFromItsFirstDayToTheDayBeforeItsEnd(t *testing.T) {
	policy := accounts.Policy{
		{Key: "percent", Value: "20", Effective: accounts.Effective{From: day("2023-01-01"), To: day("2026-01-01")}},
		{Key: "percent", Value: "25.5", Effective: accounts.Effective{From: day("2026-01-01")}},
	}
	for on, want := range map[string]string{"2023-01-01": "20", "2025-12-31": "20", "2026-01-01": "25.5", "2099-01-01": "25.5"} {
		if d, err := policy.Decimal("percent", day(on)); err != nil || d.String() != want {
			t.Errorf("on %s: %s, %v; want %s", on, d, err, want)
		}
	}
	if _, err := policy.Int("percent", day("2022-12-31")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("before the first row: %v", err)
	}
	if _, err := policy.Int("percent", day("2026-01-01")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("25.5 as a whole number: %v", err)
	}
	if n, err := policy.Int("percent", day("2025-01-01")); err != nil || n != 20 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestThePolicyHasEveryTermOfTheRules(t *testing.T) {
	book, on := jiangsu(t), day("2025-03-28")
	for key, want := range map[string]int{
		"clearing.in_province.debtor_days": 10, "clearing.cross.agency_days": 5, "clearing.cross.finance_days": 5,
		"clearing.cross.province_day": 25, "clearing.cutoff_day": 20, "clearing.notice_day": 28, "clearing.deferral_months": 2,
		"clearing.year_end_month": 3, "prepayment.in_province.percent": 20, "prepayment.cross.months": 2,
		"topup.red_percent": 90, "topup.yellow_percent": 70, "reconciliation.squared_day": 3, "fee_check.answer_day": 26,
	} {
		if got, err := book.Policy.Int(key, on); err != nil || got != want {
			t.Errorf("%s = %d, %v; want %d", key, got, err, want)
		}
	}
	for _, city := range book.Regions.Of(accounts.City) {
		if p, err := book.Policy.Find("settlement.benefit_year."+city.Code, on); err != nil || p.Value != "whole" {
			t.Errorf("%s: %+v, %v", city.Name, p, err)
		}
	}
	marks := map[string]bool{}
	for _, c := range book.Codes {
		if c.List == accounts.SourceMark {
			marks[c.Code] = true
		}
	}
	for _, p := range book.Policy {
		if !marks[p.Source[:1]] {
			t.Errorf("%s: nobody knows the source %s", p.Key, p.Source)
		}
	}
}
