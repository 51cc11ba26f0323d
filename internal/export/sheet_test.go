package export_test

import (
	"bytes"
	"fmt"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/xuri/excelize/v2"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/export"
)

func table() *clearing.BalanceTable {
	row := clearing.BalanceRow{City: "320100", CityName: "南京市", Fund: "310", FundName: "职工基本医疗保险",
		Payable: 19_852_51, Receivable: 193_565_46, Net: -173_712_95, Gets: 173_712_95}
	return &clearing.BalanceTable{Run: "2025-01/in-province", Month: "2025-01", NoticeDate: civil.Date{Year: 2025, Month: 2, Day: 28},
		Rows: []clearing.BalanceRow{row}, Funds: []clearing.BalanceRow{row}, Total: row}
}

func workbook(t *testing.T, sheets ...export.Sheet) (*excelize.File, []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := export.WriteXLSX(&b, sheets...); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, b.Bytes()
}

func TestMoneyIsANumberWithItsOwnDigits(t *testing.T) {
	sheet := export.Sheet{Name: "金额", Title: "金额", Columns: []export.Column{{Name: "金额", Width: 20}}}
	amounts := []accounts.Fen{0, 1, -1, 10, 123456789_01, -100_00, 9_999_999_999_999_99, 1_000_000_000_000_000}
	for _, a := range amounts {
		sheet.Rows = append(sheet.Rows, []any{a})
	}
	f, _ := workbook(t, sheet)
	for i, a := range amounts {
		cell := fmt.Sprintf("A%d", i+3)
		raw, err := f.GetCellValue("金额", cell, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		if raw != a.String() {
			t.Errorf("%s stands as %q", a, raw)
		}
		kind, err := f.GetCellType("金额", cell)
		if err != nil {
			t.Fatal(err)
		}
		if number := a < 1_000_000_000_000_000; number != (kind == excelize.CellTypeUnset || kind == excelize.CellTypeNumber) {
			t.Errorf("%s has cell type %v", a, kind)
		}
	}
	if shown, _ := f.GetCellValue("金额", "A7"); shown != "123,456,789.01" {
		t.Errorf("the number format shows %q", shown)
	}
}

func TestWorkbookIsTheSameEachTime(t *testing.T) {
	_, first := workbook(t, export.BalanceSheet("江苏省", table()))
	_, second := workbook(t, export.BalanceSheet("江苏省", table()))
	if !bytes.Equal(first, second) {
		t.Error("the same table gives other bytes")
	}
}

func TestBalanceSheetIsPrintedOnA4Landscape(t *testing.T) {
	f, _ := workbook(t, export.BalanceSheet("江苏省", table()))
	const name = "清算平衡总表"
	if title, _ := f.GetCellValue(name, "A1"); title != "江苏省异地就医医疗费用清算平衡总表" {
		t.Errorf("the title is %q", title)
	}
	merged, err := f.GetMergeCells(name)
	if err != nil || len(merged) == 0 || merged[0].GetStartAxis() != "A1" || merged[0].GetEndAxis() != "I1" {
		t.Errorf("the title is not merged over the table: %v %v", merged, err)
	}
	layout, err := f.GetPageLayout(name)
	if err != nil {
		t.Fatal(err)
	}
	if *layout.Size != 9 || *layout.Orientation != "landscape" || *layout.FitToWidth != 1 {
		t.Errorf("the page layout is %v %v %v", *layout.Size, *layout.Orientation, *layout.FitToWidth)
	}
	if net, _ := f.GetCellValue(name, "G4"); net != "-173,712.95" {
		t.Errorf("the net is shown as %q", net)
	}
}
