package sample

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"fundledger/accounts"
)

func generate(t *testing.T, options Options) ([3]string, *Expected) {
	t.Helper()
	var out [3]bytes.Buffer
	expected, err := Generate(options, &out[0], &out[1], &out[2])
	if err != nil {
		t.Fatal(err)
	}
	return [3]string{out[0].String(), out[1].String(), out[2].String()}, expected
}

func TestTheSameOptionsMakeTheSameBytes(t *testing.T) {
	options := Options{Month: "2025-02", Settlements: 3000, Seed: 7}
	first, a := generate(t, options)
	second, b := generate(t, options)
	if first != second {
		t.Error("the files differ")
	}
	if x, y := mustJSON(t, a), mustJSON(t, b); x != y {
		t.Errorf("the expectations differ:\n%s\n%s", x, y)
	}
	options.Seed = 8
	if other, _ := generate(t, options); other == first {
		t.Error("another seed makes the same files")
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// amounts are the columns from medfee_sumamt to psn_cash_pay.
const firstAmount, lastAmount = 12, 22

func parseAmounts(t *testing.T, fields []string) []accounts.Fen {
	t.Helper()
	var list []accounts.Fen
	for _, f := range fields[firstAmount : lastAmount+1] {
		amount, err := accounts.ParseYuan(f)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, amount)
	}
	return list
}

func sums(t *testing.T, fields []string) bool {
	a := parseAmounts(t, fields)
	fund := accounts.Fen(0)
	for _, p := range a[2:9] {
		fund += p
	}
	return fund == a[1] && a[0] == a[1]+a[9]+a[10]
}

// unknown tells which sort of code the row has that nobody knows.
func unknown(fields []string) string {
	switch slices.Index(fields, nowhere) {
	case -1:
		return ""
	case 4, 5:
		return "unknown_region"
	}
	return "unknown_code"
}

// naive reconciles in memory, the simplest way there is.
func naive(t *testing.T, files [3]string) (matched int, amount accounts.Fen, exceptions map[string]map[string]bool) {
	exceptions = map[string]map[string]bool{}
	note := func(kind, id string) {
		if exceptions[kind] == nil {
			exceptions[kind] = map[string]bool{}
		}
		exceptions[kind][id] = true
	}
	var sides [3]map[string]string
	ids, bad := map[string]bool{}, map[string]bool{}
	for i, text := range files {
		sides[i] = map[string]string{}
		for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n")[1:] {
			fields := strings.Split(line, "\t")
			if len(fields) != 25 {
				t.Fatalf("%d columns: %s", len(fields), line)
			}
			id := fields[0]
			ids[id] = true
			before, seen := sides[i][id]
			sides[i][id] = line
			reason := ""
			switch {
			case !sums(t, fields):
				reason = "components_do_not_sum"
			case unknown(fields) != "":
				reason = unknown(fields)
			case seen && before == line:
				note("duplicate_row_ignored", id)
			case seen:
				reason = "conflicting_row"
			}
			if reason != "" {
				note(reason, id)
				bad[id] = true
			}
		}
	}
	for id := range ids {
		a, inA := sides[0][id]
		b, inB := sides[1][id]
		c, inC := sides[2][id]
		switch {
		case bad[id]:
		case !inA:
			note("missing_treating", id)
		case !inB:
			note("missing_center", id)
		case !inC:
			note("missing_insured", id)
		case a == b && b == c:
			matched++
			x := parseAmounts(t, strings.Split(a, "\t"))
			amount += x[1] + x[9]
		default:
			kind := "fields_differ"
			x, y, z := parseAmounts(t, strings.Split(a, "\t")), parseAmounts(t, strings.Split(b, "\t")), parseAmounts(t, strings.Split(c, "\t"))
			if !slices.Equal(x, y) || !slices.Equal(y, z) {
				kind = "amount_differs"
			}
			note(kind, id)
		}
	}
	return matched, amount, exceptions
}

func TestExpectedIsWhatTheFilesHold(t *testing.T) {
	for seed := range uint64(20) {
		options := Options{Month: "2024-02", Settlements: 1000, Seed: seed, RefundFaults: seed%2 == 1}
		if seed%3 == 0 {
			options.Faults = &Faults{5, 6, 7, 40, 40, 30, 40, 20, 10, 12}
		}
		files, expected := generate(t, options)
		matched, amount, exceptions := naive(t, files)
		if matched != expected.MatchedRecords || amount != expected.MatchedAmount {
			t.Errorf("seed %d: %d records of %s match, want %d of %s", seed, matched, amount, expected.MatchedRecords, expected.MatchedAmount)
		}
		if expected.Records != options.Settlements {
			t.Errorf("seed %d: %d records, want %d", seed, expected.Records, options.Settlements)
		}
		if len(exceptions) != len(expected.Exceptions) {
			t.Errorf("seed %d: kinds %v, want %v", seed, slices.Collect(maps.Keys(exceptions)), expected.Exceptions)
		}
		for kind, ids := range exceptions {
			sorted := slices.Sorted(maps.Keys(ids))
			if len(ids) != expected.Exceptions[kind] || kind != string(duplicateRow) && !slices.Equal(sorted, expected.ExceptionIDs[kind]) {
				t.Errorf("seed %d: %s of %v, want %v", seed, kind, sorted, expected.ExceptionIDs[kind])
			}
		}
		var total, net accounts.Fen
		for _, list := range [][]ExpectedPair{expected.InProvince, expected.CrossProvinceIn, expected.CrossProvinceOut} {
			for _, p := range list {
				total += p.Amount
			}
		}
		for _, n := range expected.InProvinceNet {
			net += n.Net
		}
		if total != expected.MatchedAmount || net != 0 {
			t.Errorf("seed %d: pairs sum to %s of %s, nets to %s", seed, total, expected.MatchedAmount, net)
		}
	}
}

func TestAskedForFaultsComeExactly(t *testing.T) {
	_, expected := generate(t, Options{Month: "2025-12", Settlements: 55, Seed: 3, Faults: &Faults{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}})
	for i, kind := range allFaults {
		if expected.Exceptions[string(kind)] != i+1 {
			t.Errorf("%d of %s, want %d", expected.Exceptions[string(kind)], kind, i+1)
		}
	}
	if expected.MatchedRecords != 10 {
		t.Errorf("%d records match, want the 10 duplicates", expected.MatchedRecords)
	}
}

func TestRefundsNeverExceedTheirOriginal(t *testing.T) {
	files, _ := generate(t, Options{Month: "2025-04", Settlements: 20000, Seed: 1, Faults: &Faults{}})
	left := map[string][]accounts.Fen{}
	full, partial := 0, 0
	for _, line := range strings.Split(strings.TrimSuffix(files[0], "\n"), "\n")[1:] {
		fields := strings.Split(line, "\t")
		a := parseAmounts(t, fields)
		if fields[11][:7] != "2025-04" {
			t.Errorf("%s is settled in %s", fields[0], fields[11])
		}
		if fields[23] == "0" {
			left[fields[0]] = a
			continue
		}
		rest := left[fields[24]]
		if rest == nil {
			t.Fatalf("%s comes before %s", fields[0], fields[24])
		}
		all := true
		for i := range a {
			rest[i] += a[i]
			all = all && rest[i] == 0
			if a[i] > 0 || rest[i] < 0 {
				t.Errorf("%s refunds %s of column %d, %s are left", fields[0], -a[i], firstAmount+i, rest[i])
			}
		}
		if all {
			full++
		} else {
			partial++
		}
	}
	if full < 100 || partial < 20 {
		t.Errorf("%d full and %d partial refunds in 20,000 settlements", full, partial)
	}
}

func TestImpossibleOptionsAreRefused(t *testing.T) {
	for _, options := range []Options{
		{Month: "2025-13", Settlements: 10},
		{Month: "2025-01", Settlements: 0},
		{Month: "2025-01", Settlements: 10_000_000},
		{Month: "2025-01", Settlements: 2, Faults: &Faults{MissingCenter: 3}},
		{Month: "2025-01", Settlements: 2, Faults: &Faults{MissingCenter: -1}},
	} {
		if _, err := Generate(options, new(bytes.Buffer), new(bytes.Buffer), new(bytes.Buffer)); err == nil {
			t.Errorf("%+v was made", options)
		}
	}
}
