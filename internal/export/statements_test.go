package export_test

import (
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing/statement"
	"fundledger/internal/export"
)

func TestStatementsAreLaidOutWithTheirPositionAndTies(t *testing.T) {
	trial := &statement.TrialBalance{Book: "320100.agency", Fund: "310", From: "2025-01", To: "2025-12", Position: 9,
		Rows:   []statement.TrialRow{{Subject: "1003", Name: "财政专户存款", Level: 1, Debit: 5_00, ClosingDebit: 5_00}, {Subject: "2001.05", Name: "暂收款", Level: 2}},
		Totals: []statement.TrialRow{{Name: "合计", Layer: accounts.Cash, Debit: 5_00, Credit: 5_00}}}
	sheet := &statement.Statement{Kind: accounts.BalanceSheet, Book: "320100.agency", Fund: "390", From: "2025-01", To: "2025-05", Position: 9,
		Figures: []statement.Figure{{Line: "2", Title: "财政专户存款", Amount: 391_902_812_24, Other: 1_00}}, Ties: []statement.TieResult{{Title: "资产 − 负债 = 净资产", Difference: 30_00}}}
	income := &statement.Statement{Kind: accounts.IncomeStatement, Book: "320100.agency", Fund: "390", From: "2025-01", To: "2025-01", Ties: []statement.TieResult{{Title: "结余"}}}
	general := &statement.GeneralLedger{Book: "320100.agency", Fund: "310", Subjects: []statement.LedgerSubject{{Subject: "2001", Name: "暂收款", Opening: -7_00,
		Months: []statement.LedgerMonth{{Month: "2025-01", Debit: 7_00}}}}}
	ageing := &statement.Ageing{Book: "320100.agency", Fund: "310", Date: civil.Date{Year: 2025, Month: 4, Day: 11}, Days: []int{30, 90},
		Rows:  []statement.AgeingRow{{Account: accounts.Account{Book: "320100.agency", Fund: "310", Subject: "1101.03", Counterparty: "320200"}, Balance: 8_00, Buckets: []accounts.Fen{1_00, 2_00, 5_00}}},
		Total: []accounts.Fen{1_00, 2_00, 5_00}}
	f, _ := workbook(t, export.TrialBalanceSheet(trial), export.StatementSheet(sheet), export.StatementSheet(income), export.GeneralLedgerSheet(general), export.AgeingSheet(ageing))
	for _, c := range []struct{ tab, cell, want string }{
		{"科目余额表", "A2", "账套：320100.agency　　险种：310　　期间：2025-01 至 2025-12　　账簿位置：9　　单位：元"},
		{"科目余额表", "G4", "5.00"}, {"科目余额表", "B5", "　暂收款"}, {"科目余额表", "B6", "合计（会计）"},
		{"资产负债表", "A1", "社会保险基金资产负债表"}, {"资产负债表", "C4", "391,902,812.24"}, {"资产负债表", "D3", "年初数"},
		{"资产负债表", "A5", "勾稽：资产 − 负债 = 净资产：不符，差额 30.00；0.00"}, {"收支表", "A4", "勾稽：结余：相符"},
		{"总账", "H4", "贷"}, {"总账", "I4", "7.00"}, {"总账", "H5", "平"},
		{"往来账龄", "E3", "0–30 天"}, {"往来账龄", "G4", "5.00"}, {"往来账龄", "D5", "8.00"},
	} {
		if got, err := f.GetCellValue(c.tab, c.cell); err != nil || got != c.want {
			t.Errorf("%s %s is %q, want %q (%v)", c.tab, c.cell, got, c.want, err)
		}
	}
}
