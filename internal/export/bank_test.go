package export_test

import (
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/xuri/excelize/v2"

	"fundledger/clearing/bank"
	"fundledger/internal/export"
)

func reconciliation() *bank.Table {
	return &bank.Table{
		Account: bank.Account{Number: "3201-0001", Bank: "中国银行", Holder: "南京市财政局", Book: "320100.finance"}, Day: civil.Date{Year: 2025, Month: 1, Day: 31},
		Position: 7, Book: 1340_00, Statement: 1305_00, BookIn: 70_00, BookOut: 30_00, BankIn: 9_00, BankOut: 4_00, AdjustedBook: 1345_00, AdjustedStatement: 1345_00,
		Items: []bank.Item{
			{Kind: bank.BookIn, Date: civil.Date{Year: 2025, Month: 1, Day: 30}, Amount: 70_00, Age: 1, Posting: &bank.PostingID{}, Text: "收入"},
			{Kind: bank.BankOut, Date: civil.Date{Year: 2025, Month: 1, Day: 20}, Amount: 4_00, Age: 11, Alert: true, Serial: "S5"},
		},
	}
}

func cells(t *testing.T, f *excelize.File, sheet string) (all []string) {
	t.Helper()
	rows, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		all = append(all, row...)
	}
	return all
}

func TestReconciliationIsLaidOutWithBothSides(t *testing.T) {
	table := reconciliation()
	f, _ := workbook(t, export.ReconciliationSheets(table)...)
	shown := cells(t, f, "余额调节表")
	for _, text := range []string{"企业账面存款余额", "1,340.00", "银行对账单存款余额", "1,305.00", "加：银行已收、企业未收", "减：企业已付、银行未付", "1,345.00", "调节后余额相符。"} {
		if !slices.Contains(shown, text) {
			t.Errorf("%q is not shown: %q", text, shown)
		}
	}
	if list := cells(t, f, "未达账项"); !slices.Contains(list, "逾期未说明") || !slices.Contains(list, "S5") {
		t.Errorf("%q", list)
	}
	table.Difference, table.Causes = 7_00, []bank.Cause{{Amount: 7_00, Text: "the begin"}}
	f, _ = workbook(t, export.ReconciliationSheets(table)...)
	if shown := cells(t, f, "余额调节表"); !slices.Contains(shown, "调节后余额不符，差额 7.00：") || !slices.Contains(shown, "7.00　the begin") {
		t.Errorf("%q", shown)
	}
	paths, err := export.WriteReconciliation(t.TempDir(), table)
	if err != nil || len(paths) != 2 {
		t.Errorf("%v %v", paths, err)
	}
}
