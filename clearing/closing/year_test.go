package closing_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/clearing/closing"
	"fundledger/clearing/statement"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// trade posts a small year of two cities and the province in three funds, red
// letters among it, and what is owed beside.
func (f *fixture) trade(t testing.TB, regions ...string) {
	t.Helper()
	for m := accounts.Month("2025-01"); m <= "2025-12"; m = m.Add(1) {
		for i, region := range regions {
			for k, fund := range []string{"310", "390", "320"} {
				size := accounts.Fen(1_000_00 * (i + 1) * (k + 2) * m.First().Day)
				f.event(t, "premium.received", region, fund, m.First(), 10*size+accounts.Fen(m.Sub("2025-01")))
				f.event(t, "subsidy.received", region, fund, m.First().AddDays(3), 2*size)
				f.event(t, "interest.fiscal", region, fund, m.First().AddDays(4), 7)
				f.event(t, "spending.funded", region, fund, m.First().AddDays(5), 3*size)
				f.event(t, "manual.reimbursed", region, fund, m.First().AddDays(6), 2*size)
				if m == "2025-06" {
					f.event(t, "manual.reimbursed", region, fund, m.First().AddDays(7), -size)
				}
			}
		}
	}
	at := func(month string) string { return "320100.agency/310/" + month }
	f.post(t, "adjustment", date("2025-08-01"), "2025-08", line(accounts.Debit, at("5001.05"), 123_45), line(accounts.Credit, at("1004"), 123_45))
	f.post(t, "adjustment", date("2025-08-02"), "2025-08",
		line(accounts.Debit, at("9992"), 77_00), line(accounts.Credit, at("9101.01/310000"), 77_00),
		line(accounts.Debit, "320000.agency/310/9201.01/320100", 77_00), line(accounts.Credit, "320000.agency/310/9202.01/310000", 77_00))
}

var small = []string{"320100", "320200", "320000"}

func booksOf(regions ...string) (books []accounts.Book) {
	for _, r := range regions {
		books = append(books, accounts.BookOf(r, accounts.Agency), accounts.BookOf(r, accounts.Finance))
	}
	return books
}

func (f *fixture) closeYear(t testing.TB, book accounts.Book) *closing.YearClosed {
	t.Helper()
	closed, err := f.CloseYear(t.Context(), closing.YearRequest{Book: book, Year: 2025, By: "clerk"})
	if err != nil {
		t.Fatal(err)
	}
	return closed
}

func TestTwelveMonthsAndAYearAreClosedAndTheNewYearOpens(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.trade(t, small...)
	books := booksOf(small...)
	f.closeUntil(t, "2025-11", books...)
	before := f.mustBeWhole(t)
	_, err := f.CloseMonth(t.Context(), month("2025-12", "clerk", books...))
	isRefused(t, "December by itself", err, fault.Precondition, "income and expense of fund 310 are not carried over")
	if got := opens(err); len(got) != len(books) {
		t.Errorf("%q", got)
	}
	over := month("2025-12", "chief", books...)
	over.Override = &closing.Override{Reason: "试验", Items: []string{"year_end"}}
	_, err = f.CloseMonth(t.Context(), over)
	isRefused(t, "December over income and expense", err, fault.Precondition, "are not carried over")
	for _, book := range books {
		closed := f.closeYear(t, book)
		if len(closed.Funds) != 3 || closed.Replayed || closed.Month.Period.State != ledger.PeriodShut {
			t.Errorf("%+v", closed)
		}
	}
	after := f.mustBeWhole(t)
	if want := before.Position + ledger.Position(3*len(books)); after.Position != want {
		t.Errorf("the journal is at %d, want %d", after.Position, want)
	}
	for _, book := range books {
		if again := f.closeYear(t, book); !again.Replayed || len(again.Funds) != 0 {
			t.Errorf("again: %+v", again)
		}
	}
	if again := f.mustBeWhole(t); again.Position != after.Position {
		t.Errorf("closing twice has posted %d entries", again.Position-after.Position)
	}
	for _, book := range books {
		for _, fund := range []string{"310", "390", "320"} {
			f.carriedOver(t, book, fund, before.Position)
		}
	}
	if got := f.balance(t, "320100.agency/310/3001.02"); got != 123_45 {
		t.Errorf("the individual accounts stand at %s", got)
	}
}

// carriedOver: the statements of the year tie, and the new one opens with the
// same assets, liabilities and obligations, and without income and expense.
func (f *fixture) carriedOver(t *testing.T, book accounts.Book, fund string, unclosed ledger.Position) {
	t.Helper()
	q := statement.Query{Book: book, Fund: fund}.YearOf("2025-01")
	income, err := f.statements.IncomeStatement(t.Context(), q)
	if err == nil {
		err = income.Err()
	}
	sheet, err2 := f.statements.BalanceSheet(t.Context(), q)
	if err2 == nil {
		err2 = sheet.Err()
	}
	trial, err3 := f.statements.TrialBalance(t.Context(), q, false)
	if err3 == nil {
		err3 = trial.Err()
	}
	if err != nil || err2 != nil || err3 != nil {
		t.Fatal(err, err2, err3)
	}
	then := q
	then.AsOf.Position = unclosed
	was, err := f.statements.IncomeStatement(t.Context(), then)
	if err != nil || !slices.Equal(was.Figures, income.Figures) {
		t.Errorf("%s %s: the income statement was %+v and is %+v, %v", book, fund, was, income, err)
	}
	sheetThen, err := f.statements.BalanceSheet(t.Context(), then)
	if err != nil || !slices.Equal(sheetThen.Figures, sheet.Figures) {
		t.Errorf("%s %s: the balance sheet was %+v and is %+v, %v", book, fund, sheetThen, sheet, err)
	}
	old, err := f.statements.TrialBalance(t.Context(), then, false)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := f.statements.TrialBalance(t.Context(), q.YearOf("2026-01"), false)
	if err == nil {
		err = opening.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	stood := map[string]accounts.Fen{}
	for _, row := range old.Rows {
		stood[row.Subject] = row.ClosingDebit - row.ClosingCredit
	}
	for _, row := range opening.Rows {
		want := stood[row.Subject]
		switch row.Subject[0] {
		case '3':
			continue
		case '4', '5':
			want = 0
		}
		if got := row.OpeningDebit - row.OpeningCredit; got != want || row.Debit != 0 || row.Credit != 0 {
			t.Errorf("%s %s: %s opens at %s, want %s", book, fund, row.Subject, got, want)
		}
	}
}

func TestAYearIsRefusedBeforeItsMonthsAndWithWhatNothingCloses(t *testing.T) {
	t.Parallel()
	f := open(t)
	year := func(r closing.YearRequest) error {
		_, err := f.CloseYear(t.Context(), r)
		return err
	}
	good := closing.YearRequest{Book: finance, Year: 2025, By: "clerk"}
	isRefused(t, "months are open", year(good), fault.Precondition, "close period 2025-01 of book 320100.finance first")
	isRefused(t, "no year", year(closing.YearRequest{Book: finance, By: "clerk"}), fault.Invalid, "0 is not a year")
	isRefused(t, "no book", year(closing.YearRequest{Book: "x", Year: 2025, By: "clerk"}), fault.NotFound, "there is no book x")
	f.closeUntil(t, "2025-11")
	f.plantDecember(t)
	err := year(closing.YearRequest{Book: agency, Year: 2025, By: "clerk"})
	isRefused(t, "the list", err, fault.Precondition, "missing_center")
	over := closing.YearRequest{Book: agency, Year: 2025, By: "clerk", Override: &closing.Override{Reason: "迟到", Items: []string{"exceptions"}}}
	isRefused(t, "overridden by who began", year(over), fault.Permission, "another person must override")
	if got := f.balance(t, "320100.agency/310/4001"); got == 0 {
		t.Error("a refused closing has posted")
	}
	over.By = "chief"
	if err := year(over); err != nil {
		t.Fatal(err)
	}
	if got := f.balance(t, "320100.agency/310/4001"); got != 0 {
		t.Errorf("income stands at %s", got)
	}
	f.mustBeWhole(t)
}

func (f *fixture) plantDecember(t testing.TB) {
	f.event(t, "premium.received", "320100", "310", date("2025-12-01"), 500)
	f.exec(t, `INSERT INTO exceptions (setl_id, service_month, kind, refund, detail) VALUES ('S1', '2025-12', 'missing_center', false, '')`)
}

func TestAReopenedYearCarriesOverWhatHasChangedAndItsEntriesAreReversedThenAlone(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.event(t, "premium.received", "320100", "310", date("2025-03-01"), 100_00)
	f.closeUntil(t, "2025-11")
	closed := f.closeYear(t, agency)
	f.closeYear(t, finance)
	if len(closed.Funds) != 1 || closed.Funds[0].Income != 100_00 {
		t.Fatalf("%+v", closed)
	}
	entry := closed.Funds[0].Entry
	reversal := ledger.Reversal{Key: "r", Of: entry, Date: date("2025-12-31"), Period: "2025-12", Summary: "反结账", Preparer: "clerk"}
	_, err := f.Reverse(t.Context(), reversal)
	isRefused(t, "closed", err, fault.PeriodClosed, "2025-12")
	later := reversal
	later.Date, later.Period = date("2026-01-05"), "2026-01"
	_, err = f.Reverse(t.Context(), later)
	isRefused(t, "in the new year", err, fault.Precondition, "counts in fiscal year 2025")
	if _, err := f.Reopen(t.Context(), agency, "2025-12", "clerk", "补记"); fault.KindOf(err) != fault.Permission {
		t.Errorf("who closed it reopens it: %v", err)
	}
	for _, book := range []accounts.Book{agency, finance} {
		if _, err := f.Reopen(t.Context(), book, "2025-12", "chief", "补记一笔退款"); err != nil {
			t.Fatal(err)
		}
	}
	f.event(t, "premium.received", "320100", "310", date("2025-12-20"), -30_00) // red
	if again := f.closeYear(t, agency); len(again.Funds) != 1 || again.Funds[0].Income != -30_00 {
		t.Errorf("%+v", again)
	}
	f.closeYear(t, finance)
	f.mustBeWhole(t)
	if got := f.balance(t, "320100.agency/310/3001.01"); got != -70_00 {
		t.Errorf("the surplus is %s", got)
	}
	// Reopened once more, the first entry may be taken back; closing carries it over anew.
	if _, err := f.Reopen(t.Context(), agency, "2025-12", "chief", "重做年结"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Reverse(t.Context(), reversal); err != nil {
		t.Fatal(err)
	}
	q := statement.Query{Book: agency, Fund: "310"}.YearOf("2025-01")
	if _, err := f.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	income, err := f.statements.IncomeStatement(t.Context(), q)
	if err != nil || income.Err() != nil || income.Figures[0].Amount != 70_00 {
		t.Errorf("%+v %v", income, err)
	}
	if again := f.closeYear(t, agency); len(again.Funds) != 1 || again.Funds[0].Income != 100_00 {
		t.Errorf("%+v", again)
	}
	if got := f.balance(t, "320100.agency/310/3001.01"); got != -70_00 {
		t.Errorf("the surplus is %s", got)
	}
	f.mustBeWhole(t)
}

func TestAYearClosedByTwoAtOnceOrByServersThatDieIsClosedOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.trade(t, "320100")
	f.closeUntil(t, "2025-11")
	var group sync.WaitGroup
	for i := range 3 {
		group.Go(func() {
			_, err := f.CloseYear(t.Context(), closing.YearRequest{Book: agency, Year: 2025, By: fmt.Sprint("clerk", i)})
			if err != nil && fault.KindOf(err) != fault.Precondition {
				t.Error(err)
			}
		})
	}
	group.Wait()
	attempts := 0
	for dead := true; dead; attempts++ {
		store := &failing{Store: f.db}
		store.left.Store(int64(attempts))
		journal := ledger.New(store, f.book)
		_, err := closing.New(store, journal, f.book, nil).CloseYear(t.Context(), closing.YearRequest{Key: "k", Book: finance, Year: 2025, By: "clerk"})
		if dead = err != nil; dead && fault.KindOf(err) != fault.Unavailable || attempts > 50 {
			t.Fatal(err)
		}
	}
	if attempts < 3 {
		t.Errorf("only %d attempts", attempts)
	}
	for _, book := range []accounts.Book{agency, finance} {
		for _, fund := range []string{"310", "390", "320"} {
			for n, want := range []fault.Kind{"", fault.NotFound} {
				_, err := f.Entry(t.Context(), ledger.EntryID(fmt.Sprintf("year_end/2025/%s/%s/%d", book, fund, n+1)))
				if got := fault.KindOf(err); (err == nil) != (want == "") || err != nil && got != want {
					t.Errorf("entry %d of %s, fund %s: %v", n+1, book, fund, err)
				}
			}
		}
	}
	f.mustBeWhole(t)
}

// Whatever stands on income and expense, red or not, closes to zero, into the
// part of the surplus that it belongs to.
func TestEveryIncomeAndExpenseClosesToZero(t *testing.T) {
	t.Parallel()
	f := open(t)
	year, count := 2024, 0
	surplus := map[string]accounts.Fen{}
	rapid.Check(t, func(r *rapid.T) {
		if count++; count > 6 {
			return
		}
		year++
		first := accounts.Month(fmt.Sprintf("%d-01", year))
		for range rapid.IntRange(1, 8).Draw(r, "entries") {
			fund := rapid.SampledFrom([]string{"310", "390", "320"}).Draw(r, "fund")
			subject := rapid.SampledFrom([]string{"4001", "4101", "4201", "4501", "5001.01", "5001.02", "5001.03", "5001.04", "5001.05", "5101", "5401"}).Draw(r, "subject")
			amount := accounts.Fen(rapid.IntRange(-900, 900).Filter(func(n int) bool { return n != 0 }).Draw(r, "amount"))
			at := "320100.agency/" + fund + "/"
			m := first.Add(rapid.IntRange(0, 11).Draw(r, "month"))
			f.post(t, "adjustment", m.First(), m, line(accounts.Debit, at+"1101.03/320200", amount), line(accounts.Credit, at+subject, amount))
			part := "3001"
			if fund != "320" {
				if part = "3001.01"; subject == "5001.05" {
					part = "3001.02"
				}
			}
			surplus[at+part] -= amount
		}
		for m := first; m <= first.Add(10); m = m.Add(1) {
			if _, err := f.BeginClose(t.Context(), agency, m, "clerk"); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Journal.Close(t.Context(), agency, m, "clerk"); err != nil {
				t.Fatal(err)
			}
		}
		over := &closing.Override{Reason: "试验", Items: []string{"checks"}} // 1101.03 has no 9991 here
		if _, err := f.BeginClose(t.Context(), agency, first.Add(11), "clerk"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.CloseYear(t.Context(), closing.YearRequest{Book: agency, Year: year, By: "chief", Override: over}); err != nil {
			t.Fatal(err)
		}
		balances, _, err := f.Balances(t.Context(), ledger.Filter{Book: agency}, ledger.AsOf{})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range balances {
			want := surplus[b.Account.String()]
			if class := b.Account.Subject[0]; class == '4' || class == '5' || class == '3' {
				if b.Balance != want {
					t.Fatalf("%s stands at %s, want %s", b.Account, b.Balance, want)
				}
			}
		}
	})
}
