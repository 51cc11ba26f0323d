package statement_test

import (
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/clearing/statement"
	"fundledger/internal/fault"
)

// agrees compares every line that was published with the statement.
func agrees(t *testing.T, got *statement.Statement, want *statement.Published) {
	t.Helper()
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	found := 0
	for _, f := range got.Figures {
		if _, ok := want.Lines[f.Line]; !ok {
			continue
		}
		found++
		if f.Amount != want.Fen(f.Line) {
			t.Errorf("line %s %s is %s, published %s", f.Line, f.Title, f.Amount, want.Fen(f.Line))
		}
	}
	if found != len(want.Lines) {
		t.Errorf("%d of %d published lines are in the statement", found, len(want.Lines))
	}
}

func TestPublishedBalanceSheetOf濮阳县ComesOutToTheFen(t *testing.T) {
	t.Parallel()
	f := open(t, "2021-01")
	want := published(t, "puyang-2021-05.tsv")
	const at = "320100.agency/390/" // a book of ours stands for theirs
	// At the beginning of the year, and what moved until May in summary entries.
	f.opens(t, date("2021-01-01"), map[string]accounts.Fen{
		at + "1003": 300_000_000_00, at + "1004": 7_152_467_88, at + "1101.03/310000": 121_466_731_26, at + "2001.05/310000": -9_803_701_44,
		at + "3001.01": -343_654_177_33, at + "3001.02": -75_161_320_37,
	})
	f.post(t, date("2021-05-20"), "premium.received", at+"1003", at+"4001", 150_000_000_00)
	f.post(t, date("2021-05-21"), "adjustment", at+"5001.01", at+"1003", 58_097_187_76)
	f.post(t, date("2021-05-22"), "adjustment", at+"5001.05", at+"1003", -3_000_000_00) // red: family accounts were credited
	f.post(t, date("2021-05-22"), "adjustment", at+"5001.01", at+"1003", 3_000_000_00)
	f.post(t, date("2021-06-01"), "premium.received", at+"1003", at+"4001", 5_00) // later
	f.catchUp(t)
	sheet, err := f.BalanceSheet(t.Context(), statement.Query{Book: "320100.agency", Fund: "390", To: "2021-05"}.MonthOf("2021-05"))
	if err != nil {
		t.Fatal(err)
	}
	agrees(t, sheet, want)
	if ties, err := f.CheckPublished(want); err != nil || len(ties) != 5 {
		t.Errorf("%+v %v", ties, err)
	}
}

func TestPublishedIncomeStatementOf兴化市ComesOutToTheFen(t *testing.T) {
	t.Parallel()
	f := open(t, "2018-01")
	want := published(t, "xinghua-2016.tsv")
	const at = "320100.agency/310/"
	f.opens(t, date("2018-01-01"), map[string]accounts.Fen{at + "1003": want.Fen("4"), at + "3001.01": -want.Fen("4")})
	for line, account := range map[string]string{"1.1": "4001", "1.2": "4101", "1.3": "4201", "1.4": "4501"} {
		f.post(t, date("2018-06-30"), "adjustment", at+"1003", at+account, want.Fen(line))
	}
	f.post(t, date("2018-12-31"), "adjustment", at+"5001.01", at+"1003", want.Fen("2"))
	f.catchUp(t)
	income, err := f.IncomeStatement(t.Context(), statement.Query{Book: "320100.agency", Fund: "310"}.YearOf("2018-01"))
	if err != nil {
		t.Fatal(err)
	}
	agrees(t, income, want)
	if ties, err := f.CheckPublished(want); err != nil || len(ties) != 3 {
		t.Errorf("%+v %v", ties, err)
	}
}

func TestPublishedTableOf塔城市IsRefusedWithItsDifference(t *testing.T) {
	t.Parallel()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	ties, err := statement.New(nil, book).CheckPublished(published(t, "tacheng-2024.tsv"))
	isRefused(t, "塔城市", err, fault.Precondition, "line 5 (五、期末累计结余) is printed as 996.84, 4+1-2 comes to 966.84: the difference is 30.00 万元")
	if len(ties) != 1 || ties[0].Difference != 30_00 {
		t.Errorf("%+v", ties)
	}
}

func TestPublishedTablesSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	s := statement.New(nil, book)
	head := "#statement income\n#fund 310\n#date 2024-12-31\n"
	for text, says := range map[string]string{
		"line\tamount\n1\t1.00\n":                                          "write #statement, #fund and #date",
		head + "#unit 亿元\nline\tamount\n1\t1.00\n":                         `t.tsv:4:unit: "亿元" is neither 元 nor 万元`,
		head + "line\tamount\n1\t1.005\n":                                  "t.tsv:5:amount:",
		head + "line\tamount\n1\t1.00\n1\t2.00\n":                          "line 1 stands in row 5 already",
		head + "line\n1\n":                                                 "the columns line and amount are wanted",
		head + "line\tamount\n1\n":                                         "1 fields, the header has 2",
		head + "line\tamount\n9.9\t1.00\n":                                 "the layout has no line 9.9",
		head + "line\tamount\n1.1\t1.00\n":                                 "nothing can be checked",
		"#statement x\n#role y\n#fund 310\n#date 1\nline\tamount\n":        `"x" is neither balance_sheet nor income`,
		"#statement income\n#fund 310\n#date 2001-01-01\nline\tamount\n":   "there is no layout",
		head + "line\tamount\n1\t3.00\n2\t1.00\n3\t2.00\n":                 "",
		head + "line\tamount\n1\t3.00\n2\t1.00\n3\t2.01\n4\t1.00\n5\t1.00": "line 3 (三、本期收支结余) is printed as 2.01, 1-2 comes to 2.00: the difference is 0.01 元",
	} {
		p, err := statement.ReadPublished(strings.NewReader(text), "t.tsv")
		if err == nil {
			_, err = s.CheckPublished(p)
		}
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
