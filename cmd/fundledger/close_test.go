package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"fundledger/clearing/closing"
	"fundledger/clearing/statement"
	"fundledger/internal/devdb"
)

func TestMonthsAndAYearAreClosedAndShownByCommands(t *testing.T) {
	url := opened(t)
	const books, agency = "320100.agency 320100.finance", "320100.agency"
	must(t, url, "post", store(t, "in.json", entryJSON("in", bank, incomes, "100.00")))
	month := func(m string, more ...string) []string {
		return append(append([]string{"close", "month", m}, strings.Fields(books)...), more...)
	}
	refusedWith(t, url, "320100.agency, 账簿查验 Checks of the books: agency against finance", month("2025-01", "--by", "clerk")...)
	items := decoded[[]closing.Item](t, url, "close", "checklist", "2025-01", agency)
	if len(items) < 6 || items[1].Name != "checks" || items[1].State != closing.Open {
		t.Errorf("%+v", items)
	}
	if list := must(t, url, "close", "checklist", "2025-01", agency); !strings.Contains(list, "no bank account of the book is entered") {
		t.Errorf("%s", list)
	}
	refusedWith(t, url, "takes both --override REASON and --accept POINT", month("2025-01", "--by", "chief", "--override", "x")...)
	refusedWith(t, url, "another person must override its checklist", month("2025-01", "--by", "clerk", "--override", "财政补记", "--accept", "checks")...)
	must(t, url, month("2025-01", "--by", "chief", "--override", "财政补记", "--accept", "checks")...)
	if list := must(t, url, "period", "list", "--book", agency); !strings.Contains(list, "open: checks: agency against finance") {
		t.Errorf("%s", list)
	}
	finance := strings.NewReplacer("agency/310/1003", "finance/310/1001", "agency", "finance", "2025-01", "2025-02")
	must(t, url, "post", store(t, "finance.json", finance.Replace(entryJSON("finance", bank, incomes, "100.00"))))
	for m := 2; m <= 11; m++ {
		must(t, url, month(fmt.Sprintf("2025-%02d", m), "--by", "clerk")...)
	}
	refusedWith(t, url, "close the year 2025", month("2025-12", "--by", "clerk")...)
	year := append([]string{"close", "year", "2025", "--by", "clerk"}, strings.Fields(books)...)
	if out := must(t, url, year...); strings.Count(out, "100.00") != 4 || !strings.Contains(out, "2025 is closed in 2 books") {
		t.Errorf("%s", out)
	}
	if again := decoded[[]closing.YearClosed](t, url, year...); len(again) != 2 || !again[0].Replayed {
		t.Errorf("%+v", again)
	}
	of := func(command string, more ...string) []string {
		return append([]string{"report", command, "--book", agency, "--fund", "310"}, more...)
	}
	income := decoded[statement.Statement](t, url, of("income", "--year", "2025")...)
	if income.Figures[0].Amount != 100_00 || income.Position != 4 {
		t.Errorf("%+v", income)
	}
	if sheet := must(t, url, of("balance-sheet", "--month", "2025-12")...); !strings.Contains(sheet, "统筹基金结余") || !strings.Contains(sheet, "相符") {
		t.Errorf("%s", sheet)
	}
	if was := must(t, url, of("trial-balance", "--month", "2025-12", "--before-closing")...); !strings.Contains(was, "社会保险费收入") {
		t.Errorf("%s", was)
	}
	if out := must(t, url, of("ledger", "--from", "2025-01", "--to", "2025-03", "--subject", "1003")...); strings.Count(out, "借") < 4 {
		t.Errorf("%s", out)
	}
	if out := must(t, url, of("ageing", "--date", "2025-12-31")...); !strings.Contains(out, "> 365 天") {
		t.Errorf("%s", out)
	}
	if out := must(t, url, of("income", "--year", "2025", "--explain", "1")...); !strings.Contains(out, "1 lines add 100.00") {
		t.Errorf("%s", out)
	}
	if explained := decoded[statement.Explained](t, url, of("balance-sheet", "--month", "2025-12", "--explain", "6")...); len(explained.Lines) != 1 || explained.Lines[0].Adds != 100_00 {
		t.Errorf("%+v", explained)
	}
	refusedWith(t, url, `there is no line "77"`, of("trial-balance", "--year", "2025", "--explain", "77")...)
	refusedWith(t, url, "give --month, or --year, or --from and --to", of("income")...)
	workbook := filepath.Join(t.TempDir(), "trial.xlsx")
	must(t, url, of("trial-balance", "--year", "2025", "--out", workbook)...)
	f, err := excelize.OpenFile(workbook)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if title, err := f.GetCellValue("科目余额表", "A1"); err != nil || title != "科目余额表" {
		t.Errorf("%q %v", title, err)
	}
}

func TestPublishedTablesAreCheckedWithoutADatabase(t *testing.T) {
	const tables = "../../clearing/statement/testdata/"
	url := devdb.Test(t).Pool.Config().ConnString()
	must(t, url, "setup", "--profile", "jiangsu", "--open-from", "2025-01")
	for _, database := range []string{"", url} {
		if out := must(t, database, "report", "check", tables+"puyang-2021-05.tsv"); strings.Count(out, "520522011.38") < 4 {
			t.Errorf("%s", out)
		}
		r := refusedWith(t, database, "the difference is 30.00 万元", "report", "check", tables+"tacheng-2024.tsv", "--json")
		if !strings.Contains(r.stdout, `"difference": "30.00"`) {
			t.Errorf("%s", r.stdout)
		}
	}
	refusedWith(t, "", "the table cannot be opened", "report", "check", filepath.Join(os.TempDir(), "nothing"))
}
