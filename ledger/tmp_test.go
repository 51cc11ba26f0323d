package ledger_test

import (
	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

func tmpBook() *accounts.Rulebook {
	from := accounts.Effective{From: civil.Date{Year: 2020, Month: 1, Day: 1}}
	s := func(code string, layer accounts.Layer, n accounts.Side, cp string, post, floor bool, group string) accounts.Subject {
		return accounts.Subject{Role: accounts.Agency, Code: code, Name: code, Layer: layer, Normal: n, Postable: post, Counterparty: cp, Floor: floor, Group: group, Effective: from}
	}
	D, C := accounts.Debit, accounts.Credit
	return &accounts.Rulebook{
		Regions: accounts.Regions{{"310000", "上海", accounts.Counterparty}, {"320000", "江苏", accounts.Province}, {"320100", "南京", accounts.City}, {"320200", "", accounts.City}, {"320500", "", accounts.City}},
		Funds:   []accounts.Fund{{Code: "310"}, {Code: "390"}},
		Chart: accounts.NewChart([]accounts.Subject{
			s("1003", "cash", D, "", true, true, ""), s("1004.02", "cash", D, "", true, true, ""), s("4001", "cash", C, "", true, false, ""), s("4201", "cash", C, "", true, false, ""),
			s("5001", "cash", D, "", false, false, ""), s("5001.01", "cash", D, "", true, false, ""), s("5001.02", "cash", D, "", true, false, ""), s("5401", "cash", D, "", true, false, ""),
			s("2001.01.01", "cash", C, "region", true, true, "in_province_pool"), s("2001.04.01", "cash", C, "", true, false, "in_province_pool"),
			s("9001.01", "obligation", D, "region", true, false, ""), s("9002", "obligation", C, "provider", true, false, ""), s("9991", "obligation", C, "", true, false, ""),
		}),
	}
}
