package clearing

import (
	"cmp"
	"maps"
	"slices"

	"fundledger/accounts"
)

func (r *BalanceRow) add(payable, receivable accounts.Fen) {
	r.Payable += payable
	r.Receivable += receivable
	r.Net = r.Payable - r.Receivable
	r.Pays += max(payable-receivable, 0)
	r.Gets += max(receivable-payable, 0)
}

func (c *Clearing) balanceTable(run Run, shares []*Share) *BalanceTable {
	t := &BalanceTable{Run: run.ID, Month: string(run.Month), NoticeDate: run.NoticeDate, Rows: []BalanceRow{}, Funds: []BalanceRow{}}
	cities := map[totalKey]balance{}
	for _, s := range shares {
		owes := cities[totalKey{s.Insured, s.Fund}]
		owes.Payable += s.Amount
		cities[totalKey{s.Insured, s.Fund}] = owes
		owed := cities[totalKey{s.Treating, s.Fund}]
		owed.Receivable += s.Amount
		cities[totalKey{s.Treating, s.Fund}] = owed
	}
	funds := map[string]*BalanceRow{}
	for _, key := range totals(cities).keys() {
		of := cities[key]
		row := BalanceRow{City: key.party, CityName: c.regionName(key.party), Fund: key.fund, FundName: c.fundName(key.fund, run.NoticeDate)}
		row.add(of.Payable, of.Receivable)
		t.Rows = append(t.Rows, row)
		if funds[key.fund] == nil {
			funds[key.fund] = &BalanceRow{Fund: row.Fund, FundName: row.FundName}
		}
		funds[key.fund].add(of.Payable, of.Receivable)
		t.Total.add(of.Payable, of.Receivable)
	}
	for _, fund := range slices.Sorted(maps.Keys(funds)) {
		t.Funds = append(t.Funds, *funds[fund])
	}
	return t
}

func (c *Clearing) detailTable(run Run, shares []*Share) *DetailTable {
	t := &DetailTable{Run: run.ID, Kind: run.Kind, Month: string(run.Month), NoticeDate: run.NoticeDate, Rows: []DetailRow{}, Cities: []DetailRow{}}
	type rowKey struct{ city, province, fund string }
	rows, cities := map[rowKey]*DetailRow{}, map[rowKey]*DetailRow{}
	at := func(m map[rowKey]*DetailRow, key rowKey) *DetailRow {
		if m[key] == nil {
			m[key] = &DetailRow{City: key.city, CityName: c.regionName(key.city), Province: key.province,
				Fund: key.fund, FundName: c.fundName(key.fund, run.NoticeDate)}
			if key.province != "" {
				m[key].ProvinceName = c.regionName(key.province)
			}
		}
		return m[key]
	}
	for _, s := range shares {
		city, province := s.Insured, s.Treating
		if run.Kind == CrossIn {
			city, province = province, city
		}
		at(rows, rowKey{city, province, s.Fund}).add(s)
		at(cities, rowKey{city, "", s.Fund}).add(s)
	}
	order := func(a, b DetailRow) int {
		return cmp.Or(cmp.Compare(a.City, b.City), cmp.Compare(a.Province, b.Province), cmp.Compare(a.Fund, b.Fund))
	}
	for _, r := range rows {
		t.Rows = append(t.Rows, *r)
	}
	for _, r := range cities {
		t.Cities = append(t.Cities, *r)
		t.Total.Pooled += r.Pooled
		t.Total.Account += r.Account
		t.Total.Amount += r.Amount
	}
	slices.SortFunc(t.Rows, order)
	slices.SortFunc(t.Cities, order)
	return t
}

func (r *DetailRow) add(s *Share) {
	r.Amount += s.Amount
	if s.Part != "" {
		r.AccountRecords += s.Records
		r.Account += s.Amount
	} else {
		r.PooledRecords += s.Records
		r.Pooled += s.Amount
	}
}
