package export_test

import (
	"path/filepath"
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/xuri/excelize/v2"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/export"
)

func TestPlanAndTopUpAreWrittenAsXLSXAndJSON(t *testing.T) {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	date := civil.Date{Year: 2025, Month: 2, Day: 5}
	pay := prepayment.Notice{ID: "2025/cross-province/320100/pay", Scheme: prepayment.CrossProvince, Party: "320100", PartyName: "南京市", Direction: clearing.Pay, Annex: "5",
		Issued: date, ApplyBy: date.AddDays(7), Due: date.AddDays(14), Lines: []prepayment.NoticeLine{{Fund: "310", Amount: 70_00, Open: 70_00}}, Amount: 70_00, Open: 70_00}
	plan := &prepayment.Plan{ID: "2025/cross-province", Year: 2025, Scheme: prepayment.CrossProvince, Issued: date, Notices: []prepayment.Notice{pay},
		Quotas:    []prepayment.Quota{{Province: "310000", Fund: "310", City: "320100", Amount: 90_00}},
		Positions: []prepayment.Position{{Party: "320100", PartyName: "南京市", Fund: "310", Quota: 90_00, Held: 20_00, Adjustment: 70_00}}}
	dir := t.TempDir()
	paths, err := export.WritePlan(dir, plan, book)
	if err != nil || len(paths) != 4 || !slices.Contains(paths, filepath.Join(dir, "cross-province/notice-320100-pay.json")) {
		t.Fatal(paths, err)
	}
	cell := func(path, sheet, at, want string) {
		t.Helper()
		file, err := excelize.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if got, err := file.GetCellValue(sheet, at); err != nil || got != want {
			t.Errorf("%s %s %s is %q, want %q (%v)", filepath.Base(path), sheet, at, got, want, err)
		}
	}
	table := filepath.Join(dir, "cross-province/detail.xlsx")
	cell(table, "各市", "A1", "江苏省跨省异地就医费用预付金明细表")
	cell(table, "各市", "G4", "70.00")
	cell(table, "分省分市额度", "A4", "上海市")
	cell(filepath.Join(dir, "cross-province/notice-320100-pay.xlsx"), "通知书", "A1", "南京市跨省异地就医预付金额度调整付款通知书")

	pay.Annex = "6"
	paths, err = export.WriteTopUp(dir, &prepayment.TopUp{Month: "2025-02", ProvinceName: "上海市", Notices: []prepayment.Notice{pay}}, book)
	if err != nil || len(paths) != 2 {
		t.Fatal(paths, err)
	}
	cell(paths[0], "通知书", "A1", "南京市跨省异地就医预付金额度紧急调增通知书")
}
