package export_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/xuri/excelize/v2"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/export"
	"fundledger/internal/fault"
)

func documents() []clearing.Documents {
	date := civil.Date{Year: 2025, Month: 2, Day: 28}
	notice := clearing.Notice{ID: "2025-01/cross-out/320100/pay", Run: "2025-01/cross-out", Party: "320100", PartyName: "南京市", Direction: clearing.Pay,
		Annex: "12", Issued: date, ApplyBy: date.AddDays(7), Due: date.AddDays(14), Month: "2025-01",
		Lines: []clearing.NoticeLine{{Fund: "310", Amount: 70_00, Open: 70_00}}, Amount: 70_00, Open: 70_00}
	row := clearing.DetailRow{City: "320100", CityName: "南京市", Province: "310000", ProvinceName: "上海市", Fund: "310", FundName: "职工基本医疗保险",
		PooledRecords: 1, Pooled: 70_00, Amount: 70_00}
	return []clearing.Documents{
		{Run: clearing.Run{ID: "2025-01/in-province", Month: "2025-01", Kind: clearing.InProvince, NoticeDate: date}, Balance: table()},
		{Run: clearing.Run{ID: notice.Run, Month: "2025-01", Kind: clearing.CrossOut, NoticeDate: date}, Notices: []clearing.Notice{notice},
			Detail: &clearing.DetailTable{Run: notice.Run, Kind: clearing.CrossOut, Month: "2025-01", NoticeDate: date,
				Rows: []clearing.DetailRow{row}, Cities: []clearing.DetailRow{row}, Total: clearing.DetailTotal{Pooled: 70_00, Amount: 70_00}}},
	}
}

func TestEachDocumentIsWrittenAsXLSXAndJSON(t *testing.T) {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	paths, err := export.WriteDocuments(dir, documents(), book)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"in-province/balance", "in-province/carried-over", "cross-out/detail", "cross-out/notice-320100-pay", "cross-out/carried-over"} {
		for _, kind := range []string{".xlsx", ".json"} {
			if !slices.Contains(paths, filepath.Join(dir, name+kind)) {
				t.Errorf("%s%s is not among %v", name, kind, paths)
			}
		}
	}
	var notice clearing.Notice
	content, err := os.ReadFile(filepath.Join(dir, "cross-out/notice-320100-pay.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &notice); err != nil || notice.Amount != 70_00 || notice.Due.String() != "2025-03-14" {
		t.Errorf("the notice reads %+v, %v", notice, err)
	}
	f, err := excelize.OpenFile(filepath.Join(dir, "cross-out/notice-320100-pay.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for cell, want := range map[string]string{"A1": "南京市跨省异地就医清算费用付款通知书", "C5": "职工基本医疗保险", "D5": "70.00", "D6": "70.00",
		"A3": "南京市：2025-01 跨省异地就医（我省参保人员省外就医）清算费用如下。请于2025年3月7日前向同级财政部门申请拨款，财政部门于2025年3月14日前上划至省级财政专户。"} {
		if got, _ := f.GetCellValue("通知书", cell); got != want {
			t.Errorf("%s is %q, want %q", cell, got, want)
		}
	}
}

func TestUnwritableDirectoryIsNamed(t *testing.T) {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := export.WriteDocuments(file, documents(), book); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestDocumentsOfARunAreTablesThenNotices(t *testing.T) {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	runs := documents()
	list := export.Documents(&runs[1], book)
	var names []string
	for _, d := range list {
		names = append(names, d.Name+" "+d.Notice)
		if d.Title == "" {
			t.Errorf("%s has no title", d.Name)
		}
	}
	if want := []string{"detail ", "carried-over ", "notice-320100-pay 2025-01/cross-out/320100/pay"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	var workbook, text bytes.Buffer
	if err := errors.Join(list[2].XLSX(&workbook), list[2].JSON(&text)); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&workbook)
	if err != nil {
		t.Fatal(err)
	}
	if title, err := f.GetCellValue("通知书", "A1"); err != nil || title != list[2].Title {
		t.Errorf("the workbook's title is %q, %v", title, err)
	}
	var notice clearing.Notice
	if err := json.Unmarshal(text.Bytes(), &notice); err != nil || notice.ID != list[2].Notice {
		t.Errorf("%+v %v", notice, err)
	}
}
