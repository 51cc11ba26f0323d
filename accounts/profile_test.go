package accounts

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"fundledger/internal/fault"
)

// profileWith is the Jiangsu profile with one file changed.
func profileWith(t *testing.T, name, before, after string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	entries, err := os.ReadDir("profiles/jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile("profiles/jiangsu/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		if e.Name() == name {
			if !strings.Contains(text, before) {
				t.Fatalf("%s has no %q", name, before)
			}
			text = strings.Replace(text, before, after, 1)
		}
		files[e.Name()] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestMistakesInAProfileAreNamed(t *testing.T) {
	for _, c := range []struct{ file, before, after, want string }{
		{"regions.tsv", "320100\t南京市\tcity", "3201\t南京市\ttown", "regions.tsv:13:kind: \"town\" is none of"},
		{"regions.tsv", "320100\t南京市\tcity", "3201\t南京市\tcity", "regions.tsv:13:code: \"3201\" is not a 行政区划 code"},
		{"regions.tsv", "320000\t江苏省\tprovince", "320000\t江苏省\tcity", "0 rows of kind province, there must be one"},
		{"regions.tsv", "code\tname\tkind", "code\tname", "regions.tsv:2: the header has code, name, it must have code, name, kind"},
		{"regions.tsv", "南京市\t", "", "regions.tsv:13: 2 fields, the header has 3"},
		{"funds.tsv", "\t2018-01-01\t", "\t2018-1-1\t", "funds.tsv:4:from: \"2018-1-1\" is not a date"},
		{"chart.tsv", "1002\t收入户存款", "1002\t", "chart.tsv:6:name: is missing"},
		{"chart.tsv", "暂收款—追回资金过渡", "暂收款—追回资金过渡\t", "fields, the header has 13"},
		{"chart.tsv", "agency\t1101\t暂付款\tcash\tD\t\t", "agency\t1101\t暂付款\tcash\tD\t\tregion", "a heading takes no postings"},
		{"chart.tsv", "agency\t9002\t", "agency\t9003\t", "settlement.in_province step 2: the chart of agency books has no 9002"},
		{"chart.tsv", "agency\t9101\t", "agency\t9109\t", "chart, agency 9101.01: there is no heading 9101"},
		{"postings.tsv", "\t2\tT\tagency\tC\t\t9002\tprovider", "\tx\tQ\tagency\tC\tno\t9002\tprovider", "postings.tsv:9:step: \"x\" is not a whole number\npostings.tsv:9:region: \"Q\" is none of [\"I\" \"T\" \"P\" \"H\"]\npostings.tsv:9:red: \"no\" is none of"},
		{"postings.tsv", "\t2\tT\tagency\tC\t\t9002\tprovider", "\t2\tT\tagency\tC\t\t9002\t", "step 2: the counterparty of 9002 应付定点机构款 is \"provider\" in the chart and \"\" here"},
		{"postings.tsv", "\t9991\t", "\t9101\t", "9101 应付异地清算款 is a heading"},
		{"policy.tsv", "\t2023-01-01\t\tJ43", "\t2023-01-01\t2022-01-01\tJ43", "to: 2022-01-01 is not after 2023-01-01"},
		{"policy.tsv", "clearing.cutoff_day", "reconciliation.squared_day", "policy, reconciliation.squared_day: two rows hold from 2023-01-01 on"},
		{"calendar.tsv", "2023-01-02\tholiday", "2023-01-01\tholiday", "calendar, 2023-01-01: two rows hold"},
		{"codes.tsv", "5001.05", "5001", "codes, part account: expense 5001 is no account that takes postings"},
		{"codes.tsv", "insutype\t390", "insutype\t391", "codes, insutype 391: there is no fund of this code"},
		{"access.tsv", "ledger.post\toperator\t", "ledger.post\toperator,chief\t", "access, ledger.post: there is no role \"chief\""},
		{"access.tsv", "ledger.post\toperator\t", "ledger.post\toperator,operator\t", "access, ledger.post: the role operator stands there twice"},
		{"access.tsv", "ledger.post\t", "ledger.pend\t", "access, ledger.pend: two rows hold from 2023-01-01 on"},
		{"access.tsv", "ledger.post\toperator\t", "ledger.post\t\t", "access.tsv:8:roles: is missing"},
		{"chart.tsv", "应付定点机构款\tobligation\tC\tyes\tprovider\t\t\t\t2018-01-01\t", "应付定点机构款\tobligation\tC\tyes\tprovider\t\t\t\t2018-01-01\t2030-01-01", "step 2: the chart of agency books has no 9002 on 2030-01-01"},
	} {
		_, err := readProfile("jiangsu", profileWith(t, c.file, c.before, c.after))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: got %v\nwant %s", c.file, c.after, err, c.want)
		}
	}
}

func TestAProfileWithoutAFileIsRefused(t *testing.T) {
	files := profileWith(t, "codes.tsv", "", "")
	delete(files, "codes.tsv")
	if _, err := readProfile("jiangsu", files); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "the profile lacks codes.tsv") {
		t.Error(err)
	}
	if _, err := Profile("atlantis"); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "choose one of jiangsu") {
		t.Error(err)
	}
}

func TestAFileMayHaveAByteOrderMarkAndCRLF(t *testing.T) {
	files := profileWith(t, "regions.tsv", "", "")
	text := strings.ReplaceAll(string(files["regions.tsv"].Data), "\n", "\r\n")
	files["regions.tsv"].Data = []byte("\ufeff" + text)
	book, err := readProfile("jiangsu", files)
	if err != nil || len(book.Regions.Of(City)) != 13 || book.Regions.Home().Name != "江苏省" {
		t.Errorf("%d cities, %v", len(book.Regions.Of(City)), err)
	}
}
