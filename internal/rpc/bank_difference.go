package rpc

import (
	"context"

	banking "fundledger/clearing/bank"
	"fundledger/ledger"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

var pairings = map[banking.Pairing]clearingv1.Pairing{
	banking.AgencyFinance: clearingv1.Pairing_PAIRING_AGENCY_FINANCE, banking.InPrepayment: clearingv1.Pairing_PAIRING_IN_PROVINCE_PREPAYMENT,
	banking.CrossPrepayment: clearingv1.Pairing_PAIRING_CROSS_PROVINCE_PREPAYMENT, banking.Payable: clearingv1.Pairing_PAIRING_PAYABLE,
	banking.Receivable: clearingv1.Pairing_PAIRING_RECEIVABLE,
}

var provinceItems = map[banking.ProvinceItem]clearingv1.ProvinceItem{
	banking.OurPrepayment: clearingv1.ProvinceItem_PROVINCE_ITEM_OUR_PREPAYMENT, banking.TheirPrepayment: clearingv1.ProvinceItem_PROVINCE_ITEM_THEIR_PREPAYMENT,
	banking.WeOwe: clearingv1.ProvinceItem_PROVINCE_ITEM_WE_OWE, banking.TheyOwe: clearingv1.ProvinceItem_PROVINCE_ITEM_THEY_OWE,
}

func (s *bankService) ListBookDifferences(ctx context.Context, q *clearingv1.ListBookDifferencesRequest) (*clearingv1.ListBookDifferencesResponse, error) {
	day, err := bankDay(q.GetDay())
	if err != nil {
		return nil, err
	}
	regions := visibleRegions(ctx)
	if q.GetRegion() != "" {
		regions = []string{q.GetRegion()}
	}
	list, err := s.desk().Differences(ctx, day, regions, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	told, next, err := page(list.Differences, q.GetPageSize(), q.GetPageToken(), everyRow[banking.Difference], differenceOf)
	return &clearingv1.ListBookDifferencesResponse{Differences: told, NextPageToken: next, Compared: int32(list.Compared), Position: int64(list.Position)}, err
}

func differenceOf(d *banking.Difference) *clearingv1.BookDifference {
	place := func(p *banking.Place) *clearingv1.BookPlace {
		return &clearingv1.BookPlace{Book: string(p.Book), Subject: p.Subject, Counterparty: p.Counterparty, Balance: p.Balance.String()}
	}
	told := &clearingv1.BookDifference{Pairing: pairings[d.Pairing], Region: d.Region, RegionName: d.RegionName, Fund: d.Fund, First: place(&d.First),
		Second: place(&d.Second), Difference: d.Difference.String()}
	for _, e := range d.Entries {
		told.Entries = append(told.Entries, &clearingv1.ApartEntry{EntryId: e.Entry.String(), Position: int64(e.Position), Date: e.Date.String(), Kind: e.Kind,
			Summary: e.Summary, Source: e.Source, First: e.First.String(), Second: e.Second.String(), Difference: e.Difference.String(), Age: int32(e.Age)})
	}
	return told
}

func (s *bankService) CompareProvince(ctx context.Context, q *clearingv1.CompareProvinceRequest) (*clearingv1.CompareProvinceResponse, error) {
	statement, err := banking.ReadProvince(s.desks.Load().book, q.GetFileName(), q.GetContent())
	if err != nil {
		return nil, err
	}
	made, err := s.desk().CompareProvince(ctx, statement, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	told := &clearingv1.CompareProvinceResponse{Province: made.Province, ProvinceName: made.ProvinceName, From: made.From.String(), To: made.To.String(), Position: int64(made.Position)}
	for i := range made.Accounts {
		a := &made.Accounts[i]
		account := &clearingv1.ProvinceAccount{Item: provinceItems[a.Item], Fund: a.Fund, Account: a.Account.String(), OurOpening: a.OurOpening.String(),
			TheirOpening: a.TheirOpening.String(), OurClosing: a.OurClosing.String(), TheirClosing: a.TheirClosing.String(), Difference: a.Difference.String()}
		for _, d := range a.Differences {
			account.Differences = append(account.Differences, provinceDifferenceOf(d))
		}
		told.Accounts = append(told.Accounts, account)
	}
	return told, nil
}

func provinceDifferenceOf(d banking.ProvinceDifference) *clearingv1.ProvinceDifference {
	told := &clearingv1.ProvinceDifference{Amount: d.Amount.String(), Age: int32(d.Age)}
	if o := d.Ours; o != nil {
		told.Ours = &clearingv1.OurMovement{EntryId: o.Entry.String(), Position: int64(o.Position), Date: o.Date.String(), Kind: o.Kind, Summary: o.Summary,
			Source: o.Source, Amount: o.Amount.String()}
	}
	if t := d.Theirs; t != nil {
		told.Theirs = &clearingv1.TheirMovement{Line: int32(t.Line), Date: t.Date.String(), Reference: t.Reference, Amount: t.Amount.String(), Remark: t.Remark}
	}
	return told
}
