package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/sample"
)

// offline is the program without a database.
func offline(t *testing.T, asJSON bool) (*app, *bytes.Buffer) {
	var out bytes.Buffer
	return &app{ctx: t.Context(), out: &out, errOut: &out, json: asJSON, env: func(string) string { return "" }}, &out
}

func TestRulesReadAsAPostingTable(t *testing.T) {
	app, out := offline(t, false)
	if err := (&rulesCmd{Section: "all", Profile: "jiangsu"}).Run(app); err != nil {
		t.Fatal(err)
	}
	squeezed := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"net.creditor_paid  省内清算：支付差进市 Net creditor paid  [J47 J30; 2023-01-01 –]",
		"  T agency   借 Dr 5001.xx 社会保险待遇支出（按医疗类别）                   payable\n",
		"  T finance  借 Dr 5001 社会保险待遇支出 红字                               cash\n",
		"      贷 Cr 9101.01 应付异地清算款—待清分 (T) *                  amount\n",
		"2001.04.02      暂收款—预付金占用—外省",
		"account, group received_prepayment each",
		"prepayment.in_province.percent",
		"2025 春节 01-28 – 02-04 8 d 01-26, 02-08 国办发明电〔2024〕12号",
		"med_type 14 门诊慢特病 5001.03",
		"ledger.close ✓ 结账 Close a month 2023-01-01 – C",
		"  J  《江苏省异地就医经办服务规程》",
	} {
		if !strings.Contains(out.String(), want) && !strings.Contains(squeezed, want) {
			t.Errorf("the rules lack %q", want)
		}
	}
}

func TestRulesOfADateInJSON(t *testing.T) {
	app, out := offline(t, true)
	if err := (&rulesCmd{Section: "policy", On: "2025-01-01", Profile: "jiangsu"}).Run(app); err != nil {
		t.Fatal(err)
	}
	var report rulesReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Policy) < 40 || report.Postings != nil || report.Policy[0].Source == "" {
		t.Errorf("%+v", report)
	}
	out.Reset()
	if err := (&rulesCmd{Section: "access", Profile: "jiangsu"}).Run(app); err != nil || !strings.Contains(out.String(), `"roles": "operator,approver"`) {
		t.Errorf("access: %s, %v", out, err)
	}
	out.Reset()
	if err := (&rulesCmd{Section: "statements", Profile: "jiangsu"}).Run(app); err != nil || !strings.Contains(out.String(), `"formula": "6-8-11"`) {
		t.Errorf("statements: %s, %v", out, err)
	}
	out.Reset()
	if err := (&rulesCmd{Section: "policy", On: "2010-01-01", Profile: "jiangsu"}).Run(app); err != nil || strings.Contains(out.String(), "policy") {
		t.Errorf("rules before the first row: %s, %v", out, err)
	}
	if err := (&rulesCmd{Section: "all", On: "1.1.2025", Profile: "jiangsu"}).Run(app); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func TestSetupOpensTheBooksOnce(t *testing.T) {
	db := devdb.Test(t)
	file := filepath.Join(t.TempDir(), "openings.tsv")
	content, err := sample.Files.ReadFile("openings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0 stood there already", "opening balances 期初余额: 0 posted"} {
		app, out := offline(t, false)
		app.databaseURL = db.URL
		if err := (&setupCmd{Profile: "jiangsu", Openings: file}).Run(app); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{want, "profile jiangsu, 28 books, open from 2025-01"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is missing:\n%s", want, out)
			}
		}
	}
	app, _ := offline(t, false)
	app.databaseURL = db.URL
	s, err := app.open()
	if err != nil {
		t.Fatal(err)
	}
	s.close()
}

func TestSetupWithoutOpeningsTakesThePolicysFirstPeriod(t *testing.T) {
	db := devdb.Test(t)
	app, out := offline(t, true)
	app.databaseURL = db.URL
	if err := (&setupCmd{Profile: "jiangsu"}).Run(app); err != nil {
		t.Fatal(err)
	}
	var report setupReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || report.OpenFrom != "2023-01" || report.Openings != nil || len(report.Rules) != 9 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestSetupNamesWhatIsWrong(t *testing.T) {
	for want, c := range map[string]*setupCmd{
		"\"2025\" is not a month":     {Profile: "jiangsu", OpenFrom: "2025"},
		"cannot be opened":            {Profile: "jiangsu", Openings: "no such file"},
		"no database is given":        {Profile: "jiangsu"},
		"there is no profile \"wei\"": {Profile: "wei"},
	} {
		app, _ := offline(t, false)
		if c.Profile == "wei" {
			app.databaseURL = devdb.Test(t).URL
		}
		if err := c.Run(app); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}
