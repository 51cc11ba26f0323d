package statement_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/clearing/statement"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

const book = accounts.Book("320100.agency")

var year = statement.Query{Book: book, Fund: "310"}.YearOf("2025-01")

// explained sums what the lines behind a figure add, in small pages.
func (f *fixture) explained(t testing.TB, e statement.Explanation) (sum accounts.Fen) {
	t.Helper()
	e.PageSize = 2
	for {
		page, err := f.Explain(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Lines {
			sum += l.Adds
		}
		if e.PageToken = page.NextPageToken; e.PageToken == "" {
			return sum
		}
	}
}

// mustExplain follows every figure of a statement to its lines.
func (f *fixture) mustExplain(t testing.TB, made *statement.Statement, q statement.Query) {
	t.Helper()
	if err := made.Err(); err != nil {
		t.Error(err)
	}
	for _, figure := range made.Figures {
		e := statement.Explanation{Query: q, Statement: made.Kind, Line: figure.Line}
		if got := f.explained(t, e); got != figure.Amount {
			t.Errorf("%s line %s %s is %s, its lines add %s", made.Kind, figure.Line, figure.Title, figure.Amount, got)
		}
	}
}

// Entries of any kind, period and sign: all statements tie and every figure is
// the sum of its lines; a year that was closed shows its income all the same.
func TestStatementsTieAndEveryFigureIsTheSumOfItsLines(t *testing.T) {
	t.Parallel()
	f := open(t, "2025-01")
	const at = "320100.agency/310/"
	f.opens(t, date("2025-01-01"), map[string]accounts.Fen{at + "1003": 100_000_00, at + "1101.03/320200": 50_00, at + "3001.01": -80_050_00, at + "3001.02": -20_000_00})
	accountsOf := []string{"4001", "4101", "4201", "4501", "5001.01", "5001.02", "5001.05", "5101", "5401", "1101.03/320200", "2001.05/320200"}
	count := 0
	rapid.Check(t, func(r *rapid.T) {
		if count++; count > 12 { // the journal grows from one to the next
			return
		}
		for range rapid.IntRange(1, 5).Draw(r, "entries") {
			month := accounts.Month("2025-01").Add(rapid.IntRange(0, 12).Draw(r, "month"))
			period := month
			if rapid.Bool().Draw(r, "shifted") {
				period = accounts.Month("2025-01").Add(rapid.IntRange(0, 12).Draw(r, "period"))
			}
			amount := accounts.Fen(rapid.IntRange(-500, 1500).Draw(r, "amount"))
			if amount == 0 {
				amount = 7
			}
			f.postIn(t, month.First(), period, "adjustment", at+"1003", at+rapid.SampledFrom(accountsOf).Draw(r, "account"), amount)
		}
		at := f.catchUp(t)
		q := year.MonthOf(accounts.Month("2025-01").Add(rapid.IntRange(0, 12).Draw(r, "of")))
		if rapid.Bool().Draw(r, "whole year") {
			q = year
		}
		if rapid.Bool().Draw(r, "past") {
			q.AsOf.Position = ledger.Position(rapid.IntRange(1, int(at)).Draw(r, "at"))
		}
		sheet, err := f.BalanceSheet(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		f.mustExplain(t, sheet, q)
		income, err := f.IncomeStatement(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		f.mustExplain(t, income, q)
		trial, err := f.TrialBalance(t.Context(), q, false)
		if err == nil {
			err = trial.Err()
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range trial.Rows {
			if got := f.explained(t, statement.Explanation{Query: q, Line: row.Subject}); got != row.Debit-row.Credit {
				t.Errorf("%s moved by %s, its lines add %s", row.Subject, row.Debit-row.Credit, got)
			}
		}
	})
}

func TestAClosedYearShowsItsIncomeAndTheNewOneOpensWithoutAny(t *testing.T) {
	t.Parallel()
	f := open(t, "2025-01")
	const at = "320100.agency/310/"
	f.post(t, date("2025-03-01"), "premium.received", at+"1003", at+"4001", 100_00)
	f.post(t, date("2025-05-01"), "adjustment", at+"5001.01", at+"1003", 30_00)
	before := f.catchUp(t)
	f.post(t, date("2025-12-31"), "year_end.agency.split", at+"4001", at+"3001.01", 100_00)
	f.post(t, date("2025-12-31"), "year_end.agency.split", at+"3001.01", at+"5001.01", 30_00)
	f.catchUp(t)
	income, err := f.IncomeStatement(t.Context(), year)
	if err != nil {
		t.Fatal(err)
	}
	f.mustExplain(t, income, year)
	figure := func(made *statement.Statement, line string) statement.Figure {
		for _, figure := range made.Figures {
			if figure.Line == line {
				return figure
			}
		}
		t.Fatalf("there is no line %s", line)
		return statement.Figure{}
	}
	for line, want := range map[string]accounts.Fen{"1": 100_00, "2": 30_00, "3": 70_00, "4": 0, "5": 70_00} {
		if got := figure(income, line).Amount; got != want {
			t.Errorf("line %s is %s, want %s", line, got, want)
		}
	}
	may, err := f.IncomeStatement(t.Context(), year.MonthOf("2025-05"))
	if err != nil || figure(may, "1").Amount != 0 || figure(may, "1").Other != 100_00 || figure(may, "4").Amount != 100_00 {
		t.Errorf("%+v %v", may, err)
	}
	next, err := f.IncomeStatement(t.Context(), year.YearOf("2026-01"))
	if err != nil || figure(next, "1").Amount != 0 || figure(next, "4").Amount != 70_00 {
		t.Errorf("%+v %v", next, err)
	}
	after, err := f.TrialBalance(t.Context(), year, false)
	if err != nil {
		t.Fatal(err)
	}
	unclosed, err := f.TrialBalance(t.Context(), year, true)
	if err != nil || after.Err() != nil || unclosed.Err() != nil {
		t.Fatal(err, after.Err(), unclosed.Err())
	}
	closing := func(trial *statement.TrialBalance, subject string) (debit, credit accounts.Fen) {
		for _, row := range trial.Rows {
			if row.Subject == subject {
				return row.ClosingDebit, row.ClosingCredit
			}
		}
		return 0, 0
	}
	if _, credit := closing(after, "4001"); credit != 0 {
		t.Errorf("4001 stands at %s after the closing", credit)
	}
	if _, credit := closing(unclosed, "4001"); credit != 100_00 {
		t.Errorf("4001 stands at %s before the closing", credit)
	}
	// As it was before the year was closed, whatever was posted since.
	then := year
	then.AsOf.Position = before
	was, err := f.TrialBalance(t.Context(), then, false)
	if err != nil || was.Position != before {
		t.Fatal(was, err)
	}
	if was.Position = unclosed.Position; !reflect.DeepEqual(was, unclosed) {
		t.Errorf("then %+v\nnow %+v", was, unclosed)
	}
	general, err := f.GeneralLedger(t.Context(), year, "1003", 0)
	if err != nil || len(general.Subjects) != 1 || len(general.Subjects[0].Months) != 10 {
		t.Fatalf("%+v %v", general, err)
	}
	last := general.Subjects[0].Months[9]
	if last != (statement.LedgerMonth{Month: "2025-12", YearDebit: 100_00, YearCredit: 30_00, Balance: 70_00}) {
		t.Errorf("%+v", last)
	}
}

func TestAStatementThatDoesNotTieSaysByHowMuch(t *testing.T) {
	t.Parallel()
	f := open(t, "2025-01")
	f.post(t, date("2025-03-01"), "adjustment", "320100.agency/310/1003", "320100.agency/310/3001.01", 12_34) // past income and expense
	f.catchUp(t)
	income, err := f.IncomeStatement(t.Context(), year)
	if err != nil {
		t.Fatal(err)
	}
	isRefused(t, "surplus from nowhere", income.Err(), fault.Precondition, "leaves a difference of -12.34")
	for name, q := range map[string]statement.Query{
		"book": {Book: "310000.agency", Fund: "310", From: "2025-01", To: "2025-01"}, "fund": {Book: book, Fund: "1", From: "2025-01", To: "2025-01"},
		"layout": {Book: book, Fund: "310", From: "2016-01", To: "2016-01"},
	} {
		_, err := f.BalanceSheet(t.Context(), q)
		isRefused(t, name, err, fault.NotFound, "there is no "+name)
	}
	_, err = f.BalanceSheet(t.Context(), statement.Query{Book: book, Fund: "310", To: "2025"})
	isRefused(t, "month", err, fault.Invalid, "is not a month")
	_, err = f.GeneralLedger(t.Context(), statement.Query{Book: book, Fund: "310", From: "2023-01", To: "2025-01"}, "", 1)
	isRefused(t, "too long", err, fault.Invalid, "at most 24 months")
	for _, e := range []statement.Explanation{{Query: year, Line: "9"}, {Query: year, Statement: accounts.BalanceSheet, Line: "99"}, {Query: year, Statement: accounts.IncomeStatement, Line: "tie"}} {
		_, err := f.Explain(t.Context(), e)
		isRefused(t, "line", err, fault.NotFound, "there is no line")
	}
}

func TestAgeingTakesOffWhatCameFirst(t *testing.T) {
	t.Parallel()
	f := open(t, "2025-01")
	const at = "320100.agency/310/"
	advance := func(day string, amount accounts.Fen) {
		f.post(t, date(day), "adjustment", at+"1101.03/320200", at+"3001.01", amount)
	}
	advance("2025-01-10", 100_00)
	advance("2025-03-01", 50_00)
	advance("2025-03-20", -20_00)                                                                                  // red: takes off January's
	f.post(t, date("2025-04-01"), "adjustment", at+"3001.01", at+"1101.03/320200", 30_00)                          // and so does this
	f.post(t, date("2025-04-01"), "adjustment", at+"3001.01", at+"2001.05/320300", 9_00)                           // received
	f.post(t, date("2025-04-02"), "adjustment", at+"2001.05/320300", at+"3001.01", 10_00)                          // more is taken off than there was
	f.post(t, date("2025-06-01"), "adjustment", at+"1101.03/320400", at+"3001.01", 5_00)                           // later
	f.post(t, date("2025-02-01"), "adjustment", "320100.finance/310/1101/320000", "320100.finance/310/3001", 5_00) // elsewhere
	at5 := f.catchUp(t)
	aged, err := f.Ageing(t.Context(), book, "310", date("2025-04-11"), ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	show := func(a *statement.Ageing) (lines []string) {
		for _, r := range a.Rows {
			lines = append(lines, fmt.Sprint(r.Account, r.Balance, r.Buckets, r.Oldest))
		}
		return append(lines, fmt.Sprint(a.Total, " ", a.BucketName(0), " ", a.BucketName(1), " ", a.BucketName(4)))
	}
	want := []string{
		"320100.agency/310/1101.03/320200 100.00 [0.00 50.00 50.00 0.00 0.00] 2025-01-10",
		"320100.agency/310/2001.05/320300 -1.00 [-1.00 0.00 0.00 0.00 0.00] 2025-04-02",
		"[1.00 50.00 50.00 0.00 0.00] 0–30 31–90 > 365",
	}
	if got := show(aged); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	early, err := f.Ageing(t.Context(), book, "310", date("2025-04-11"), ledger.AsOf{Position: 2})
	if err != nil || len(early.Rows) != 1 || early.Rows[0].Balance != 150_00 || early.Position != 2 {
		t.Errorf("%+v %v (now at %d)", early, err, at5)
	}
}
