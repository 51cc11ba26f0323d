package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"fundledger/internal/fault"
	"fundledger/settlement/provider"
)

func (f fixture) match(t testing.TB, content string) (*provider.Match, error) {
	t.Helper()
	return f.Match(t.Context(), provider.MatchRequest{Treating: suzhou, Provider: hospital, Month: "2025-01", File: "h1.tsv",
		Content: strings.NewReader(content), Date: day("2025-02-03"), By: "wang"})
}

func TestAProviderIsReconciledRecordByRecord(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t,
		bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 100_00, acct: 20_00},
		bill{id: "B", insured: wuxi, on: "2025-01-06", pooled: 40_00},
		bill{id: "C", insured: shanghai, on: "2025-01-31", pooled: 8_00, civil: 2_00},
		bill{id: "R", insured: nanjing, on: "2025-01-20", pooled: -60_00, refundOf: "A"},
		bill{id: "D", insured: nanjing, on: "2025-02-01", pooled: 1_00},
		bill{id: "X", insured: nanjing, on: "2025-01-02", pooled: 5_00, provider: "H2"})
	f.load(t, bill{id: "N", insured: nanjing, on: "2025-01-09", pooled: 3_00}) // not reconciled yet
	const parts = "\ufeffmonth\tsetl_id\thifp_pay\tcvlserv_pay\tacct_pay\ttotal\r\n" +
		"2025-01\tA\t100.00\t\t20.00\t120.00\r\n2025-01\tA\t100\tnull\t20\t120\r\n2025-01\tC\t9.00\t1.00\t\t10.00\r\n2025-01\tR\t-60.00\t0\t0\t-60\r\n" +
		"2025-01\tX\t5.00\t\t\t5.00\r\n2025-01\tN\t3.00\t\t\t3.00\r\n2025-01\tZ\t7.00\t\t\t7.00\r\n2025-01\tW\t0\t\t\t0.00\r\n"
	m, err := f.match(t, parts)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "sums", fmt.Sprint(m.Theirs, m.Ours, m.Equal, m.Differences), "{7 85.00} {4 110.00} {3 60.00} map[amount_differs:1 missing_at_provider:1 missing_here:3]")
	page, err := f.Differences(t.Context(), provider.DifferenceQuery{Treating: suzhou, Provider: hospital, Month: "2025-01", PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := f.Differences(t.Context(), provider.DifferenceQuery{Treating: suzhou, Provider: hospital, Month: "2025-01", PageToken: page.NextPageToken})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, d := range append(page.Differences, rest.Differences...) {
		list = append(list, fmt.Sprint(d))
	}
	equal(t, "differences", strings.Join(list, "\n"), strings.Join([]string{
		"{B missing_at_provider 0.00 40.00 accepted here, settled on 2025-01-06}",
		"{C amount_differs 10.00 10.00 hifp_pay (provider 9.00, here 8.00), cvlserv_pay (provider 1.00, here 2.00)}",
		"{N missing_here 3.00 0.00 the three sides have not been compared}",
		"{X missing_here 5.00 0.00 accepted for provider H2 of 320500, settled on 2025-01-02}",
		"{Z missing_here 7.00 0.00 no file has it}"}, "\n"))

	again, err := f.match(t, parts)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "replayed", fmt.Sprint(again.Replayed, again.Number), "true 1")
	f.settle(t, bill{id: "N", insured: nanjing, on: "2025-01-09", pooled: 3_00})
	if again, err = f.match(t, parts); err != nil {
		t.Fatal(err)
	}
	equal(t, "after N is accepted", fmt.Sprint(again.Replayed, again.Number, again.Differences), "false 2 map[amount_differs:1 missing_at_provider:1 missing_here:2]")
	if again, err = f.match(t, "setl_id\tmonth\ttotal\nC\t2025-01\t10\nA\t2025-01\t120\nB\t2025-01\t40\nN\t2025-01\t3\nR\t2025-01\t-60\n"); err != nil {
		t.Fatal(err)
	}
	equal(t, "totals only", fmt.Sprint(again.Number, again.Theirs == again.Ours, again.Equal, again.Differences), "3 true {5 113.00} map[]")
}

func TestABadStatementFileIsRefusedWithEveryBadRow(t *testing.T) {
	t.Parallel()
	f := open(t)
	_, err := f.match(t, "setl_id\tmonth\thifp_pay\ttotal\nA\t2025-02\t1\t1\nB\t2025-01\t1.234\t1\nC\t2025-01\t1\t2\nD\t2025-01\t1\t1\nD\t2025-01\t2\t2\n\tx\t\t\nE\t2025-01\n")
	for _, want := range []string{
		`h1.tsv:2:month: the row is of "2025-02", the file of 2025-01`, `h1.tsv:3:hifp_pay: "1.234" is not an amount`, "h1.tsv:4:total: 2.00 is not the sum of the parts, 1.00",
		"h1.tsv:6:setl_id: line 5 says otherwise", "h1.tsv:7:setl_id: a settlement serial", "h1.tsv:8:setl_id: the row has 2 fields, the header 4", "6 bad rows"} {
		mustFail(t, err, fault.Invalid, want)
	}
	for content, want := range map[string]string{"": "is empty", "setl_id\ttotal\n": "h1.tsv:1:month: the header lacks", "setl_id\tmonth\n": "neither this column nor"} {
		_, err := f.match(t, content)
		mustFail(t, err, fault.Invalid, want)
	}
	_, err = f.Differences(t.Context(), provider.DifferenceQuery{Treating: suzhou, Provider: hospital, Month: "2025-01"})
	mustFail(t, err, fault.NotFound, "has not been reconciled")
}
