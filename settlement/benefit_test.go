package settlement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/settlement"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

// openByDays is open, with Nanjing dividing stays by days.
func openByDays(t testing.TB) fixture {
	t.Helper()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	book.Policy = slices.Clone(book.Policy)
	for i := range book.Policy {
		if book.Policy[i].Key == "settlement.benefit_year.320100" {
			book.Policy[i].Value = "by_days"
		}
	}
	return openOn(t, devdb.Test(t), book)
}

// stay is a bill of Nanjing over the year end.
func stay(id, from, to string, changes ...string) map[string]string {
	return bill(id, append([]string{"clr_type", "21", "med_type", "21", "begndate", from, "enddate", to, "setl_time", to + "T09:00:00+08:00"}, changes...)...)
}

// shares writes the benefit years of a settlement as "year fund/part=amount".
func (f fixture) shares(t testing.TB, id string) string {
	t.Helper()
	story, _, err := f.Settlement(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, s := range story.BenefitYears {
		list = append(list, fmt.Sprintf("%d %s/%s=%s", s.BenefitYear, s.Fund, s.Part, s.Amount))
	}
	return strings.Join(list, " ")
}

func TestAStayOverTheYearEndIsDividedByDaysWhereTheRegionSaysSo(t *testing.T) {
	t.Parallel()
	f := openByDays(t)
	f.loadAll(t, "jan.tsv",
		stay("A", "2024-12-29", "2025-01-03"), // 3 days of 5: 55.00, 5.00 and 30.00
		stay("B", "2024-12-29", "2025-01-01"), // no day of the new year
		stay("C", "2023-12-31", "2025-01-02"), // 1, 366 and 1 days
		stay("D", "2025-01-02", "2025-01-05"),
		stay("E", "2024-12-29", "2025-01-03", "insu_admdvs", "320200"),
		stay("G", "2024-12-29", "2025-01-03", "clr_type", "11", "med_type", "14"), // no stay
		stay("X", "2024-12-29", "2025-01-03", "insu_admdvs", "310000"))
	f.reconcile(t, "2025-01")
	for id, want := range map[string]string{
		"A": "2024 310/=33.00 2024 310/account=18.00 2024 320/=3.00 2025 310/=22.00 2025 310/account=12.00 2025 320/=2.00",
		"B": "2024 310/=55.00 2024 310/account=30.00 2024 320/=5.00",
		"C": "2023 310/=0.15 2023 310/account=0.08 2023 320/=0.02 2024 310/=54.70 2024 310/account=29.84 2024 320/=4.97 2025 310/=0.15 2025 310/account=0.08 2025 320/=0.01",
		"D": "2025 310/=55.00 2025 310/account=30.00 2025 320/=5.00",
		"E": "2025 310/=55.00 2025 310/account=30.00 2025 320/=5.00",
		"G": "2025 310/=55.00 2025 310/account=30.00 2025 320/=5.00",
		"X": "",
	} {
		equal(t, id, f.shares(t, id), want)
	}
	report, err := f.MonthReport(t.Context(), "2025-01")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "records", report.MatchedRecords, 7)
	for _, p := range report.InProvince {
		if p.Insured == "320100" {
			equal(t, "records of Nanjing in "+p.Fund, p.Count, 5)
			equal(t, "amount of Nanjing in "+p.Fund, p.Amount, map[string]accounts.Fen{"310": 425_00, "320": 25_00}[p.Fund])
		}
	}
	totals, _, err := f.BenefitYears(t.Context(), 2024, "320100", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "benefit year 2024", fmt.Sprint(totals), "[{320100 310 2024 2025 220.54} {320100 320 2024 2025 12.97}]")
	hidden, _, err := f.BenefitYears(t.Context(), 2024, "", []string{"320500"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "of a region that may not be seen", len(hidden), 0)
	if _, err := clearing.New(f.db, f.journal, f.book).Clear(t.Context(), "2025-01", civil.Date{}); err != nil {
		t.Fatal(err)
	}
	checked, err := clearing.Check(t.Context(), f.journal, f.db, f.book)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range checked.Findings {
		t.Errorf("check: %+v", finding)
	}
}

func TestRefundsOfADividedStayLeaveNothingInAnyYear(t *testing.T) {
	t.Parallel()
	f := openByDays(t)
	f.loadAll(t, "jan.tsv", stay("A", "2024-12-28", "2025-01-04", "setl_time", "2025-01-04T09:00:00+08:00"))
	f.loadAll(t, "refunds.tsv",
		refund("R1", "A", "0.01", "setl_time", "2025-03-01T09:00:00+08:00"),
		refund("R2", "A", "20.03", "setl_time", "2025-03-02T09:00:00+08:00", "begndate", "2025-03-02", "enddate", "2025-03-02"),
		refund("R3", "A", "34.96", "setl_time", "2025-04-03T09:00:00+08:00", "cvlserv_pay", "-5.00", "acct_pay", "-30.00", "fund_pay_sumamt", "-39.96", "medfee_sumamt", "-69.96"))
	f.reconcile(t, "2025-01")
	f.reconcile(t, "2025-03")
	equal(t, "R1", f.shares(t, "R1"), "2024 310/=-0.01")
	equal(t, "R2", f.shares(t, "R2"), "2024 310/=-11.44 2025 310/=-8.59")
	f.reconcile(t, "2025-04")
	equal(t, "R3", f.shares(t, "R3"), "2024 310/=-19.98 2024 310/account=-17.14 2024 320/=-2.86 2025 310/=-14.98 2025 310/account=-12.86 2025 320/=-2.14")
	totals, _, err := f.BenefitYears(t.Context(), 2024, "", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, total := range totals {
		equal(t, "what is left of "+total.Fund, total.Amount, 0)
	}
	f.mustBeWhole(t)
}

func TestAPolicyOfBenefitYearsThatMeansNothingIsRefused(t *testing.T) {
	t.Parallel()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	book.Policy = slices.Clone(book.Policy)
	for i := range book.Policy {
		if book.Policy[i].Key == "settlement.benefit_year.320100" {
			book.Policy[i].Value = "half"
		}
	}
	f := openOn(t, devdb.Test(t), book)
	f.loadAll(t, "jan.tsv", stay("A", "2024-12-29", "2025-01-03"))
	_, err = f.Reconcile(t.Context(), "2025-01", settlement.ReconcileOptions{})
	mustFail(t, err, fault.Invalid, `settlement.benefit_year.320100 is "half"`)
}

func TestWhatIsTakenBackOfADividedStayLeavesNothingInAnyYear(t *testing.T) {
	t.Parallel()
	f := openByDays(t)
	f.loadAll(t, "jan.tsv", stay("A", "2024-12-28", "2025-01-04", "setl_time", "2025-01-04T09:00:00+08:00"))
	f.reconcile(t, "2025-01")
	desk := recovery.New(f.db, f.journal, f.book, provider.PaidOf, clearing.New(f.db, f.journal, f.book))
	for _, document := range []string{"审1号", "审2号", "审3号"} { // each by itself would be of the year with more days
		line := recovery.Line{SetlID: "A", Part: "hifp_pay", Amount: 1, Reason: "r", Document: document}
		_, err := desk.Deduct(t.Context(), recovery.Decision{Lines: []recovery.Line{line}, Date: civil.Date{Year: 2025, Month: 2, Day: 1}, By: "auditor"})
		if err != nil {
			t.Fatal(err)
		}
	}
	f.loadAll(t, "refunds.tsv", refund("R1", "A", "20.03", "setl_time", "2025-03-02T09:00:00+08:00"))
	f.reconcile(t, "2025-03")
	for _, side := range settlement.Sides() {
		f.withdraw(t, side, "w.tsv", "A")
	}
	rows, err := f.db.Pool.Query(t.Context(), `SELECT benefit_year, split_part(account, '/', 2), sum(amount)::text FROM postings
		WHERE account LIKE '320100.agency/%/9101.01/%' GROUP BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	groups := 0
	for ; rows.Next(); groups++ {
		var year int64
		var fund, left string
		if err := rows.Scan(&year, &fund, &left); err != nil || left != "0.00" {
			t.Errorf("%s is left in %d of fund %s: %v", left, year, fund, err)
		}
	}
	equal(t, "years and funds", groups, 4)
	f.mustBeWhole(t)
}
