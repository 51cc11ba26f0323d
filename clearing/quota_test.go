package clearing_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

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

// Whatever last year was, and in whatever order its figures stand: each city's
// shares sum to the quota and lie within a fen of the exact share, and a city that
// gets more than it pays prepays nothing.
func TestSharesOfQuotasAreExactInAnyOrder(t *testing.T) {
	book := jiangsu(t)
	cities := book.Regions.Of(accounts.City)
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Map(rapid.Int64Range(0, 50_000_000_00), func(n int64) accounts.Fen { return accounts.Fen(n) })
		payable, receivable, weights := map[string]accounts.Fen{}, map[string]accounts.Fen{}, map[string]accounts.Fen{}
		var rows []string
		var settled, whole accounts.Fen
		row := func(basis, fund, city, province, period string, amount accounts.Fen) {
			rows = append(rows, strings.Join([]string{basis, fund, city, province, period, amount.String()}, "\t"))
		}
		for _, fund := range []string{"310", "390"} {
			for _, city := range cities {
				pays, gets, owes := amount.Draw(t, "payable"), amount.Draw(t, "receivable"), amount.Draw(t, "cross")+1
				row("in_province_payable", fund, city.Code, "null", "2024", pays)
				row("in_province_receivable", fund, city.Code, "null", "2024", gets)
				row("cross_province_payable", fund, city.Code, "null", "2024", owes)
				if fund == "310" {
					payable[city.Code], receivable[city.Code], weights[city.Code] = pays, gets, owes
					whole += owes
				}
			}
			for _, month := range []string{"2024-10", "2024-11", "2024-12"} {
				of := amount.Draw(t, "settled")
				row("cross_province_settled", fund, "null", "310000", month, of)
				if fund == "310" {
					settled += of
				}
			}
		}
		quotas := func(rows []string) *clearing.Quotas {
			file := "basis\tfund\tregion\tcounterparty\tperiod\tamount\n" + strings.Join(rows, "\n") + "\n"
			bases, err := clearing.ReadBases(book, 2025, "f.tsv", strings.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			quotas, err := bases.Quotas(book)
			if err != nil {
				t.Fatal(err)
			}
			return quotas
		}
		q := quotas(rows)
		before, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		after, err := json.Marshal(quotas(rapid.Permutation(rows).Draw(t, "order")))
		if err != nil || !bytes.Equal(before, after) {
			t.Fatalf("the order of rows changes the quotas: %v\n%s\n%s", err, before, after)
		}
		funds, _ := q.CrossProvince.Get("310000")
		cross, _ := funds.Get("310")
		var sum accounts.Fen
		for _, city := range cross.Cities {
			sum += city.Value
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(int64(cross.Total)), big.NewInt(int64(weights[city.Key]))), big.NewInt(int64(whole)))
			off := exact.Sub(exact, new(big.Rat).SetInt64(int64(city.Value)))
			if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Errorf("%s has %s, off by %s fen", city.Key, city.Value, off.FloatString(3))
			}
		}
		if sum != cross.Total || 3*cross.Total-2*settled > 1 || 2*settled-3*cross.Total > 1 {
			t.Errorf("shares sum to %s of %s, twice the mean of %s", sum, cross.Total, settled)
		}
		for _, city := range q.InProvince {
			quota, _ := city.Value.Get("310")
			net := max(payable[city.Key]-receivable[city.Key], 0)
			if 10*quota-2*net > 5 || 2*net-10*quota > 5 {
				t.Errorf("%s with an outflow of %s prepays %s", city.Key, net, quota)
			}
		}
	})
}
