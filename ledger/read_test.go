package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestASubjectCoversItsSubAccountsAndNoNeighbour(t *testing.T) {
	t.Parallel()
	f := open(t)
	const b = "320100.agency/310/"
	f.post(t, income("in", 1000),
		entry("x", debit(b+"5001.01", 10), credit(b+"1003", 10)),
		entry("y", debit(b+"5001.02", 20), credit(b+"1003", 20)),
		entry("z", debit(b+"5401", 30), credit(b+"1003", 30)))
	f.catchUp(t)
	balances, _, err := f.Balances(t.Context(), ledger.Filter{Subject: "5001"}, ledger.AsOf{})
	if err != nil || len(balances) != 2 || balances[0].Balance != 10 || balances[1].Balance != 20 {
		t.Error(balances, err)
	}
}

func TestStatementPagesStayStableUnderPosting(t *testing.T) {
	t.Parallel()
	f := open(t)
	batch := make([]ledger.Entry, 0, 450)
	for i := range 450 { // more than two blocks of one account
		batch = append(batch, income(fmt.Sprint("e", i), accounts.Fen(i+1)))
	}
	f.post(t, batch...)
	f.catchUp(t)
	account, _ := accounts.ParseAccount("320100.agency/310/1003")
	first, err := f.Statement(t.Context(), account, ledger.StatementQuery{PageSize: 300})
	if err != nil || len(first.Lines) != 300 || first.NextPageToken == "" {
		t.Fatal(len(first.Lines), err)
	}
	f.post(t, spend("later", 5))
	f.catchUp(t)
	second, err := f.Statement(t.Context(), account, ledger.StatementQuery{PageSize: 300, PageToken: first.NextPageToken})
	if err != nil || len(second.Lines) != 151 || second.NextPageToken != "" {
		t.Fatal(len(second.Lines), err)
	}
	if l := second.Lines[0]; l.Position != 301 || l.Balance != 301*302/2 {
		t.Errorf("%+v", l)
	}
	if l := second.Lines[150]; l.Summary != "试验 later" || l.Amount != 5 || l.Side != accounts.Credit {
		t.Errorf("%+v", l)
	}
	until, err := f.Statement(t.Context(), account, ledger.StatementQuery{Until: 7})
	if err != nil || len(until.Lines) != 7 {
		t.Error(until, err)
	}
}

// Dates need not follow the journal: what a day's lines are is known from where
// they stand, and a page begins there.
func TestAStatementBetweenDatesHasTheirLinesOnly(t *testing.T) {
	t.Parallel()
	f := open(t)
	for round := range 3 {
		var batch []ledger.Entry
		for i := range 250 {
			e := income(fmt.Sprintf("%d/%d", round, i), accounts.Fen(i+1))
			e.Date = civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(20*round + (i*7)%31)
			e.Period = accounts.MonthOf(e.Date)
			batch = append(batch, e)
		}
		f.post(t, batch...)
		f.catchUp(t)
	}
	account, _ := accounts.ParseAccount("320100.agency/310/1003")
	read := func(query ledger.StatementQuery) (lines []ledger.Line) {
		query.PageSize = 97
		for {
			page, err := f.Statement(t.Context(), account, query)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, page.Lines...)
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return lines
			}
		}
	}
	all := read(ledger.StatementQuery{})
	if len(all) != 750 {
		t.Fatalf("%d lines", len(all))
	}
	day := func(n int) civil.Date { return civil.Date{Year: 2024, Month: 12, Day: 31}.AddDays(n) }
	for _, c := range []ledger.StatementQuery{
		{From: day(1)}, {To: day(100)}, {From: day(40)}, {To: day(12)}, {From: day(25), To: day(25)}, {From: day(70)}, {From: day(90)}, {To: day(0)},
		{From: day(30), To: day(45), Until: 400},
	} {
		var want []ledger.Line
		for _, l := range all {
			if (c.From.IsZero() || !l.Date.Before(c.From)) && (c.To.IsZero() || !l.Date.After(c.To)) && (c.Until == 0 || l.Position <= c.Until) {
				want = append(want, l)
			}
		}
		if got := read(c); !slices.Equal(got, want) {
			t.Errorf("%+v: %d lines, want %d", c, len(got), len(want))
		}
	}
	f.mustBeWhole(t)
}

func TestBalancesAtATimeOfPostingShowWhatWasPostedByThen(t *testing.T) {
	t.Parallel()
	f := open(t)
	var times []time.Time
	now := func() {
		var at time.Time
		if err := f.db.Pool.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&at); err != nil {
			t.Fatal(err)
		}
		times = append(times, at)
	}
	now()
	for i := range 9 {
		f.post(t, income(fmt.Sprint("a", i), 100), accepted(fmt.Sprint("o", i), "H1", 1))
		if i%3 == 1 {
			f.catchUp(t)
		}
		now()
	}
	f.catchUp(t)
	account, _ := accounts.ParseAccount("320100.agency/310/1003")
	for i, at := range times {
		balances, position, err := f.Balances(t.Context(), ledger.Filter(account), ledger.AsOf{PostedAt: at})
		if err != nil || position != ledger.Position(2*i) || (i > 0 && balances[0].Balance != accounts.Fen(100*i)) || (i == 0 && len(balances) != 0) {
			t.Errorf("after %d: %+v at position %d, %v", i, balances, position, err)
		}
		s, err := f.Statement(t.Context(), account, ledger.StatementQuery{PostedAt: at})
		if err != nil || len(s.Lines) != i {
			t.Errorf("after %d: a statement of %d lines, %v", i, len(s.Lines), err)
		}
	}
	_, err := f.Statement(t.Context(), account, ledger.StatementQuery{PostedAt: times[0], Until: 1})
	isRefused(t, "two states", err, fault.Invalid, "not two of them")
}

func TestBalancesRollUpByTheHierarchyOfSubjects(t *testing.T) {
	t.Parallel()
	f := open(t)
	const b, p = "320100.agency/310/", "320000.agency/310/"
	f.post(t, income("in", 1000),
		entry("x", debit(b+"5001.01", 10), credit(b+"1003", 10)),
		entry("y", debit(b+"5001.02", 20), credit(b+"1003", 20)),
		entry("pool", debit(p+"1004.02", 1000), credit(p+"2001.01.01/320100", 600), credit(p+"2001.01.02/320200", 400)))
	f.pend(t, spend("p", 300))
	f.catchUp(t)
	for _, c := range []struct {
		filter  ledger.Filter
		options ledger.RollupOptions
		want    string
	}{
		{ledger.Filter{Book: "320100.agency"}, ledger.RollupOptions{},
			"320100.agency/310/1003 9.70 (3.00) 320100.agency/310/4001 -10.00 320100.agency/310/5001 0.30 320100.agency/310/5001.01 0.10 320100.agency/310/5001.02 0.20"},
		{ledger.Filter{Subject: "2001"}, ledger.RollupOptions{Levels: 2},
			"320000.agency/310/2001 -10.00 320000.agency/310/2001.01 -10.00"},
		{ledger.Filter{Subject: "2001"}, ledger.RollupOptions{ByCounterparty: true, Levels: 1},
			"320000.agency/310/2001/320100 -6.00 320000.agency/310/2001/320200 -4.00"},
		{ledger.Filter{Counterparty: "320200"}, ledger.RollupOptions{},
			"320000.agency/310/2001 -4.00 320000.agency/310/2001.01 -4.00 320000.agency/310/2001.01.02 -4.00"},
	} {
		sums, position, err := f.Rollup(t.Context(), c.filter, ledger.AsOf{}, c.options)
		if err != nil || position != 4 {
			t.Fatal(position, err)
		}
		var got []string
		for _, s := range sums {
			got = append(got, s.Account.String(), s.Balance.String())
			if s.Reserved != 0 {
				got = append(got, "("+s.Reserved.String()+")")
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v %+v:\n%s\nwant\n%s", c.filter, c.options, strings.Join(got, " "), c.want)
		}
	}
	early, _, err := f.Rollup(t.Context(), ledger.Filter{Subject: "5001"}, ledger.AsOf{Position: 2}, ledger.RollupOptions{Levels: 1})
	if err != nil || len(early) != 1 || early[0].Balance != 10 {
		t.Error("as of a position:", early, err)
	}
}

func TestQuestionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 1))
	f.catchUp(t)
	account, _ := accounts.ParseAccount("320100.agency/310/1003")
	_, _, both := f.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{Date: civil.Date{Year: 2025, Month: 1, Day: 1}, Position: 1})
	_, _, three := f.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{PostedAt: time.Now(), Position: 1})
	_, _, beyond := f.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{Position: 2})
	_, _, pattern := f.Balances(t.Context(), ledger.Filter{Subject: "10%"}, ledger.AsOf{})
	_, token := f.Statement(t.Context(), account, ledger.StatementQuery{PageToken: "x"})
	_, size := f.Statement(t.Context(), account, ledger.StatementQuery{PageSize: 1001})
	_, none := f.Entry(t.Context(), ledger.EntryID("none"))
	for _, c := range []struct {
		err     error
		kind    fault.Kind
		message string
	}{
		{both, fault.Invalid, "give a date, a position or a time of posting, not two of them"},
		{three, fault.Invalid, "give a date, a position or a time of posting, not two of them"},
		{beyond, fault.NotFound, "the journal is at position 1, 2 was asked"},
		{pattern, fault.Invalid, `subject "10%" has characters that a code may not have`},
		{token, fault.Invalid, `page token "x" was not given out by a statement`},
		{size, fault.Invalid, "a page has 1 to 1000 lines, 1001 were asked"},
		{none, fault.NotFound, "the journal has no entry"},
	} {
		if fault.KindOf(c.err) != c.kind || !strings.Contains(fmt.Sprint(c.err), c.message) {
			t.Errorf("got %v, want %s", c.err, c.message)
		}
	}
}

func TestAnEntryKnowsItsPlaceAndVouchers(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 100), accepted("o", "H1", 5), spend("b", 40))
	f.catchUp(t)
	r, err := f.Entry(t.Context(), ledger.EntryID("b"))
	if err != nil || r.Position != 3 || len(r.Vouchers) != 1 || r.Vouchers[0] != (ledger.Voucher{Book: "320100.agency", Period: "2025-01", Number: 2}) {
		t.Errorf("%+v %v", r, err)
	}
	obligation, err := f.Entry(t.Context(), ledger.EntryID("o"))
	if err != nil || obligation.Position != 2 || len(obligation.Vouchers) != 0 {
		t.Errorf("obligation entries have no voucher: %+v %v", obligation, err)
	}
}

func TestPostingsAndLinesCanBeReadInPlainSQL(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 12345))
	f.catchUp(t)
	for _, view := range []string{"postings", "lines"} {
		var amount string
		err := f.db.Pool.QueryRow(t.Context(), "SELECT amount::text FROM "+view+" WHERE account = '320100.agency/310/1003' AND side = 'D'").Scan(&amount)
		if err != nil || amount != "123.45" {
			t.Error(view, amount, err)
		}
	}
}

func TestABalanceOfOneAccountIsThatOfTheList(t *testing.T) {
	t.Parallel()
	f := open(t)
	for i := range 40 {
		a, b, c := income(fmt.Sprint("a", i), accounts.Fen(100+i)), spend(fmt.Sprint("s", i), 7), accepted(fmt.Sprint("o", i), "H1", 1)
		for _, e := range []*ledger.Entry{&a, &b, &c} {
			e.Date = civil.Date{Year: 2025, Month: 1 + time.Month(i/10), Day: 1 + i%28}
		}
		f.post(t, a, b, c)
		if i%7 == 0 {
			f.catchUp(t)
		}
	}
	f.pend(t, spend("held", 5))
	end := f.catchUp(t)
	states := []ledger.AsOf{{}, {PostedAt: time.Now().Add(time.Hour)}, {PostedAt: time.Now().Add(-time.Hour)}}
	for p := range end {
		states = append(states, ledger.AsOf{Position: p + 1})
	}
	for _, on := range []string{"2024-12-31", "2025-01-01", "2025-01-05", "2025-01-31", "2025-02-12", "2025-04-30", "2026-01-01"} {
		date, err := accounts.ParseDate(on)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, ledger.AsOf{Date: date})
	}
	for _, name := range []string{"320100.agency/310/1003", "320100.agency/310/4001", "320500.agency/310/9002/H1", "320500.agency/310/9002/H2"} {
		account, err := accounts.ParseAccount(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, as := range states {
			list, seen, err := f.Balances(t.Context(), ledger.Filter(account), as)
			if err != nil {
				t.Fatal(err)
			}
			want := ledger.Balance{Account: account}
			if len(list) > 0 {
				want = list[0]
			}
			if got, at, err := f.Balance(t.Context(), account, as); err != nil || got != want || at != seen {
				t.Errorf("%s %+v: %+v at %d, %v; the list has %+v at %d", name, as, got, at, err, want, seen)
			}
		}
	}
	account := accounts.Account{Book: "320100.agency", Fund: "310", Subject: "1003"}
	_, _, err := f.Balance(t.Context(), account, ledger.AsOf{Position: end + 1})
	isRefused(t, "a position not reached", err, fault.NotFound, "position")
	_, _, err = f.Balance(t.Context(), accounts.Account{Book: "320100.agency"}, ledger.AsOf{})
	isRefused(t, "half an account", err, fault.Invalid, "lacks")
	_, _, err = f.Balance(t.Context(), account, ledger.AsOf{Position: 1, PostedAt: time.Now()})
	isRefused(t, "two states", err, fault.Invalid, "not two")
}
