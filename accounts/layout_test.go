package accounts

import (
	"strings"
	"testing"

	"cloud.google.com/go/civil"
)

// changed is the profile with other layouts.
func changed(t *testing.T, change func(*StatementLine)) error {
	t.Helper()
	book, err := Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	r := book.rows()
	var lines []StatementLine
	for _, l := range r.statements {
		if change(&l); l.Line != "" {
			lines = append(lines, l)
		}
	}
	r.statements = lines
	_, err = r.rulebook("jiangsu")
	return err
}

func TestEachSubjectIsInExactlyOneLine(t *testing.T) {
	t.Parallel()
	on := func(statement StatementKind, fund, line string, do func(*StatementLine)) func(*StatementLine) {
		return func(l *StatementLine) {
			if l.Statement == statement && l.Role == Agency && l.Fund == fund && l.Line == line {
				do(l)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*StatementLine)
		says   string
	}{
		"as it is":           {func(*StatementLine) {}, ""},
		"left out":           {on(BalanceSheet, "310", "1", func(l *StatementLine) { l.Subjects = "1003" }), "1002 收入户存款 is in no line of the balance sheet"},
		"in two lines":       {on(BalanceSheet, "310", "1", func(l *StatementLine) { l.Subjects = "1002,1003" }), "1003 stands in line 1 and in line 2"},
		"income nowhere net": {on(IncomeStatement, "390", "4.1", func(l *StatementLine) { l.Subjects = "3001,3001.01" }), "4001 社会保险费收入 is net assets of the balance sheet: true; opening, ending and income or expense of the income statement: false, true, true"},
		"twice income":       {on(IncomeStatement, "", "1.2", func(l *StatementLine) { l.Subjects = "4101,4001" }), "4001 stands in line 1.1 and in line 1.2"},
		"an asset as income": {on(IncomeStatement, "", "1.2", func(l *StatementLine) { l.Subjects = "4101,1101" }), "is net assets of the balance sheet: false"},
		"no such line":       {on(BalanceSheet, "", "6", func(l *StatementLine) { l.Formula = "1+2+99" }), "there is no line 99"},
		"in a circle":        {on(BalanceSheet, "", "8", func(l *StatementLine) { l.Formula = "11" }), "formulas go in a circle"},
		"both":               {on(BalanceSheet, "", "8", func(l *StatementLine) { l.Subjects = "2001" }), "a line of section sum has a formula and nothing else"},
		"without any":        {func(l *StatementLine) { l.Line = "" }, ""},
		"without a sheet": {func(l *StatementLine) {
			if l.Statement == BalanceSheet && l.Role == Finance {
				l.Line = ""
			}
		}, "statements of finance books, fund 310, on 2018-01-01: there is no balance sheet"},
	} {
		err := changed(t, c.change)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASubjectBelongsToTheLineOfTheLongestCode(t *testing.T) {
	t.Parallel()
	book, err := Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	on := civil.Date{Year: 2025, Month: 1, Day: 1}
	for _, c := range []struct{ fund, subject, want string }{
		{"310", "1004", "支出户存款"}, {"310", "1004.02", "异地就医结算户存款"}, {"310", "2001.04.02", "暂收款"}, {"310", "5001.01", "统筹基金结余"},
		{"310", "5001.05", "个人账户结余"}, {"390", "5001.05", "家庭账户结余"}, {"320", "5001.05", "基金结余"}, {"310", "3001.02", "个人账户结余"},
	} {
		line, ok := book.Statements.Layout(BalanceSheet, Agency, c.fund, on).Of(c.subject, Asset, Liability, NetAssets)
		if !ok || line.Title != c.want {
			t.Errorf("%s of fund %s is in %q, want %q", c.subject, c.fund, line.Title, c.want)
		}
	}
	income := book.Statements.Layout(IncomeStatement, Agency, "310", on)
	for subject, want := range map[string]bool{"3001": true, "3001.02": true, "4001": false, "5001.05": false, "1003": false} {
		if income.Surplus(subject) != want {
			t.Errorf("%s is surplus: %v", subject, !want)
		}
	}
	if book.Statements.Layout(IncomeStatement, Agency, "310", civil.Date{Year: 2017, Month: 1, Day: 1}) != nil {
		t.Error("there is a layout before the first one")
	}
	if terms := (StatementLine{Formula: "4+1-2.1-5"}).Terms(); len(terms) != 4 || terms[2] != (Term{"2.1", -1}) || terms[1] != (Term{"1", 1}) {
		t.Errorf("%+v", terms)
	}
}
