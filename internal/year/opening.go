package year

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/sample"
	"fundledger/ledger"
)

// open posts the opening balances: money in every city and fund, and the
// prepayments of the year before, of which most are less and some more than the
// quotas of this year.
func (r *run) open() error {
	bases, err := r.bases()
	if err != nil {
		return err
	}
	quotas, err := bases.Quotas(r.book)
	if err != nil {
		return err
	}
	o := openings{at: map[string]accounts.Fen{}}
	fmt.Fprintf(&o.text, "#date %s\nbook\tfund\tsubject\tcounterparty\tside\tamount\n", opened.First())
	for _, fund := range r.book.Funds {
		for i, city := range r.book.Regions.Of(accounts.City) {
			var within, cross accounts.Fen
			quota, _ := quotas.InProvince.Get(city.Code)
			if amount, ok := quota.Get(fund.Code); ok {
				within = carried(amount, i%5 == 4)
			}
			for j, province := range quotas.CrossProvince {
				if quota, ok := province.Value.Get(fund.Code); ok {
					share, _ := quota.Cities.Get(city.Code)
					share = carried(share, j == 2)
					cross += share
					o.at[province.Key+" "+fund.Code] += share
				}
			}
			o.city(r.home, city.Code, fund.Code, within, cross)
		}
		for _, province := range quotas.CrossProvince {
			key := province.Key + " " + fund.Code
			o.province(r.home, province.Key, fund.Code, o.at[key], o.at[key]/2)
		}
	}
	read, err := ledger.ReadOpenings(strings.NewReader(o.text.String()), "openings")
	if err != nil {
		return err
	}
	done, err := r.journal.PostOpenings(r.ctx, read)
	if err == nil {
		r.say("the books open with balances of %d books and funds", done.Posted)
	}
	return err
}

// carried is what the year before has left of a quota.
func carried(quota accounts.Fen, more bool) accounts.Fen {
	if more {
		return quota * 5 / 4
	}
	return quota * 3 / 4
}

const (
	cityDeposit  accounts.Fen = 20_000_000_00 // 财政专户 of a city, per fund
	citySpending accounts.Fen = 500_000_00    // 支出户
)

// openings writes the file of the opening balances.
type openings struct {
	text bytes.Buffer
	at   map[string]accounts.Fen // what lies at another province, by province and fund
}

func (o *openings) line(book, fund, subject, counterparty, side string, amount accounts.Fen) {
	if amount != 0 {
		fmt.Fprintf(&o.text, "%s\t%s\t%s\t%s\t%s\t%s\n", book, fund, subject, counterparty, side, amount)
	}
}

func (o *openings) city(home, city, fund string, within, cross accounts.Fen) {
	agency, finance, surplus := city+".agency", city+".finance", "3001"
	if fund == "310" || fund == "390" {
		surplus = "3001.01"
	}
	o.line(agency, fund, "1003", "", "D", cityDeposit)
	o.line(agency, fund, "1004", "", "D", citySpending)
	o.line(agency, fund, "1101.01", "", "D", within)
	o.line(agency, fund, "1101.02", home, "D", cross)
	o.line(agency, fund, surplus, "", "C", cityDeposit+citySpending+within+cross)
	o.line(finance, fund, "1001", "", "D", cityDeposit)
	o.line(finance, fund, "1101", home, "D", within+cross)
	o.line(finance, fund, "3001", "", "C", cityDeposit+within+cross)
	o.line(home+".agency", fund, "1004.02", "", "D", within)
	o.line(home+".agency", fund, "2001.01.01", city, "C", within)
	o.line(home+".agency", fund, "2001.01.02", city, "C", cross)
	o.line(home+".finance", fund, "2001.01.02", city, "C", cross)
}

// province opens what we have at another province, and what it has here.
func (o *openings) province(home, other, fund string, ours, theirs accounts.Fen) {
	o.line(home+".agency", fund, "1101.02", other, "D", ours)
	o.line(home+".finance", fund, "1101", other, "D", ours)
	o.line(home+".agency", fund, "1003", "", "D", theirs)
	o.line(home+".finance", fund, "1001", "", "D", theirs)
	o.line(home+".agency", fund, "2001.01.03", other, "C", theirs)
	o.line(home+".finance", fund, "2001.01.03", other, "C", theirs)
}

// bases are those of the year before: what its months, generated like those of
// this year, would have come to.
func (r *run) bases() (*clearing.Bases, error) {
	sums := map[string]accounts.Fen{} // by all columns but the amount
	add := func(basis, fund, region, counterparty, period string, amount accounts.Fen) {
		sums[strings.Join([]string{basis, fund, region, counterparty, period}, "\t")] += amount
	}
	const before = Year - 1
	year := fmt.Sprint(before)
	provinces := map[string]bool{}
	funds := []string{"310", "390"}
	for n := range 12 {
		month := accounts.Month(fmt.Sprintf("%d-%02d", before, n+1))
		e, err := sample.Generate(sample.Options{Month: month, Settlements: r.Settlements, Seed: r.Seed, Faults: &sample.Faults{}}, io.Discard, io.Discard, io.Discard)
		if err != nil {
			return nil, err
		}
		for _, p := range e.InProvince {
			add("in_province_payable", p.Fund, p.Insured, "null", year, p.Amount)
			add("in_province_receivable", p.Fund, p.Treating, "null", year, p.Amount)
		}
		for _, p := range e.CrossProvinceOut {
			add("cross_province_payable", p.Fund, p.Insured, "null", year, p.Amount)
			provinces[p.Treating] = true
			if n >= 9 {
				add("cross_province_settled", p.Fund, "null", p.Treating, string(month), p.Amount)
			}
		}
	}
	for _, fund := range funds { // figures that are 0.00 are figures too
		for _, city := range r.book.Regions.Of(accounts.City) {
			for _, basis := range []string{"in_province_payable", "in_province_receivable", "cross_province_payable"} {
				add(basis, fund, city.Code, "null", year, 0)
			}
		}
		for province := range provinces {
			for n := 10; n <= 12; n++ {
				add("cross_province_settled", fund, "null", province, fmt.Sprintf("%s-%02d", year, n), 0)
			}
		}
	}
	var file bytes.Buffer
	fmt.Fprintln(&file, "basis\tfund\tregion\tcounterparty\tperiod\tamount")
	for key, amount := range sums {
		if fund := strings.Split(key, "\t")[1]; fund == funds[0] || fund == funds[1] {
			fmt.Fprintf(&file, "%s\t%s\n", key, amount)
		}
	}
	return clearing.ReadBases(r.book, Year, "bases-"+year, &file)
}
