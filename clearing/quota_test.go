package clearing_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
)

const sampleMonth = "../internal/sample/2025-01/"

func jiangsu(t testing.TB) *accounts.Rulebook {
	t.Helper()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestQuotasAreThoseOfTheSample(t *testing.T) {
	book := jiangsu(t)
	bases, err := clearing.ReadBases(book, 2025, "bases", bytes.NewReader(read(t, sampleMonth+"prepayment_bases.tsv")))
	if err != nil {
		t.Fatal(err)
	}
	quotas, err := bases.Quotas(book)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(quotas)
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		InProvince    json.RawMessage `json:"quota_in_province"`
		CrossProvince json.RawMessage `json:"quota_cross_province"`
	}
	if err := json.Unmarshal(read(t, sampleMonth+"expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	expected, err := json.Marshal(want) // compact, in the same order
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, expected) {
		t.Errorf("the quotas differ\ngot  %s\nwant %s", got, expected)
	}
}

func TestBasesNameTheBadField(t *testing.T) {
	book := jiangsu(t)
	const header = "basis\tfund\tregion\tcounterparty\tperiod\tamount\n"
	for name, c := range map[string]struct{ content, want string }{
		"empty":                {"", "f.tsv:1:basis"},
		"no amount column":     {"basis\tfund\tregion\tcounterparty\tperiod\n", "f.tsv:1:amount"},
		"unknown basis":        {header + "payable\t310\t320100\tnull\t2024\t1.00\n", "f.tsv:2:basis"},
		"unknown fund":         {header + "in_province_payable\t999\t320100\tnull\t2024\t1.00\n", "f.tsv:2:fund"},
		"unknown city":         {header + "in_province_payable\t310\t329900\tnull\t2024\t1.00\n", "f.tsv:2:region"},
		"unknown province":     {header + "cross_province_settled\t310\tnull\t990000\t2024-10\t1.00\n", "f.tsv:2:counterparty"},
		"wrong year":           {header + "in_province_payable\t310\t320100\tnull\t2023\t1.00\n", "f.tsv:2:period"},
		"wrong month":          {header + "cross_province_settled\t310\tnull\t310000\t2024-09\t1.00\n", "f.tsv:2:period"},
		"a third decimal":      {header + "in_province_payable\t310\t320100\tnull\t2024\t1.001\n", "f.tsv:2:amount"},
		"a figure given twice": {header + strings.Repeat("in_province_payable\t310\t320100\tnull\t2024\t1.00\n", 2), "f.tsv:3:basis: this figure stands in line 2"},
		"a short row":          {header + "in_province_payable\t310\n", "f.tsv:2:basis: the row has 2 fields"},
	} {
		_, err := clearing.ReadBases(book, 2025, "f.tsv", strings.NewReader(c.content))
		if err == nil || fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}

func TestMissingBasesAreNamed(t *testing.T) {
	book := jiangsu(t)
	content := string(read(t, sampleMonth+"prepayment_bases.tsv"))
	var kept []string
	for line := range strings.Lines(content) {
		if !strings.Contains(line, "cross_province_settled\t390\t320000\t310000\t2024-11") && !strings.Contains(line, "in_province_receivable\t310\t320500\t") {
			kept = append(kept, line)
		}
	}
	bases, err := clearing.ReadBases(book, 2025, "f.tsv", strings.NewReader(strings.Join(kept, "")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = bases.Quotas(book)
	mention(t, err, fault.Invalid, "f.tsv lacks 2 figures", "cross_province_settled, fund 390, 310000, 2024-11", "in_province_receivable, fund 310, 320500, 2024")
}
