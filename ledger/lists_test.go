package ledger_test

import (
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"golang.org/x/mod/sumdb/note"

	"fundledger/accounts"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// balancePages reads all pages and posts in between; all are of one position.
func balancePages(t testing.TB, f fixture, query ledger.BalanceQuery, between func()) (list []ledger.Balance, at ledger.Position) {
	t.Helper()
	for n := 0; ; n++ {
		page, err := f.PageOfBalances(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && page.Position != at {
			t.Fatalf("page %d is at position %d, not %d", n, page.Position, at)
		}
		list, at = append(list, page.Balances...), page.Position
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return list, at
		}
		between()
	}
}

func TestPagesOfBalancesShowTheStateOfTheFirst(t *testing.T) {
	t.Parallel()
	f := open(t)
	varied(t, f, "e", 40)
	f.post(t, entry("zero", debit("320100.agency/310/5001.02", 9), credit("320100.agency/310/5001.02", 9)))
	f.catchUp(t)
	extra := 0
	between := func() { // an old date, so that balances of a date change too, and a new account
		extra++
		e := entry(fmt.Sprint("later", extra), debit("320100.agency/310/1003", 50), credit("320100.agency/310/4001", 50),
			debit(fmt.Sprintf("320500.agency/310/9001.01/3201%02d", extra), 5), credit(fmt.Sprintf("320500.agency/310/9002/N%d", extra), 5))
		e.Date = civil.Date{Year: 2025, Month: 1, Day: 2}
		f.post(t, e)
		f.catchUp(t)
	}
	date := civil.Date{Year: 2025, Month: 2, Day: 10}
	for _, c := range []struct {
		name string
		as   ledger.AsOf
		roll *ledger.RollupOptions
		only ledger.Filter
		zero bool
	}{
		{name: "now"},
		{name: "now with zeros", zero: true},
		{name: "a subject", only: ledger.Filter{Subject: "9002"}},
		{name: "a position", as: ledger.AsOf{Position: 20}, zero: true},
		{name: "a date", as: ledger.AsOf{Date: date}, zero: true},
		{name: "sums", roll: &ledger.RollupOptions{}, zero: true},
		{name: "sums at a date", roll: &ledger.RollupOptions{Levels: 1}, as: ledger.AsOf{Date: date}},
	} {
		want, at, err := f.Balances(t.Context(), c.only, c.as)
		if c.roll != nil {
			want, at, err = f.Rollup(t.Context(), c.only, c.as, *c.roll)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !c.zero {
			want = slices.DeleteFunc(want, func(b ledger.Balance) bool { return b.Balance == 0 })
		}
		if len(want) < 3 {
			t.Errorf("%s: only %d balances", c.name, len(want))
		}
		query := ledger.BalanceQuery{Filter: c.only, AsOf: c.as, RollUp: c.roll, IncludeZero: c.zero, PageSize: 3}
		if got, seen := balancePages(t, f, query, between); !slices.Equal(got, want) || seen != at {
			t.Errorf("%s at %d:\n%+v\nwant at %d\n%+v", c.name, seen, got, at, want)
		}
	}
	f.mustBeWhole(t)
}

func TestBalancesShowOnlyRegionsThatMayBeSeenAndWhatIsReservedNow(t *testing.T) {
	t.Parallel()
	f := open(t)
	varied(t, f, "e", 20)
	f.pend(t, spend("held", 30))
	f.catchUp(t)
	list, at := balancePages(t, f, ledger.BalanceQuery{Regions: []string{"320200"}, PageSize: 1}, func() {})
	for _, b := range list {
		if b.Account.Book.Region() != "320200" {
			t.Error(b.Account)
		}
	}
	if len(list) != 2 || at != 20 {
		t.Error(len(list), at)
	}
	purse := ledger.BalanceQuery{Filter: ledger.Filter{Book: "320100.agency", Subject: "1003"}}
	if list, _ = balancePages(t, f, purse, nil); len(list) != 1 || list[0].Reserved != 30 {
		t.Errorf("%+v", list)
	}
	purse.AsOf = ledger.AsOf{Position: at}
	if list, _ = balancePages(t, f, purse, nil); len(list) != 1 || list[0].Reserved != 0 {
		t.Errorf("reserved is of now, not of a position: %+v", list)
	}
	if list, at = balancePages(t, f, ledger.BalanceQuery{AsOf: ledger.AsOf{PostedAt: time.Now().Add(-time.Hour)}}, nil); len(list) != 0 || at != 0 {
		t.Error(list, at)
	}
	_, err := f.PageOfBalances(t.Context(), ledger.BalanceQuery{Filter: ledger.Filter{Book: "310000.agency"}})
	isRefused(t, "book", err, fault.NotFound, "there is no book 310000.agency")
	for _, token := range []string{"x", "5", "0:a", "5:"} {
		_, err = f.PageOfBalances(t.Context(), ledger.BalanceQuery{PageToken: token})
		isRefused(t, token, err, fault.Invalid, "was not given out by a list of balances")
	}
	_, err = f.PageOfBalances(t.Context(), ledger.BalanceQuery{AsOf: ledger.AsOf{Position: 99}})
	isRefused(t, "beyond", err, fault.NotFound, "99 was asked")
}

func TestPeriodsAreListedByBookAndMonthWithTheirLastChange(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 100))
	late := accepted("o", "H1", 5)
	late.Date, late.Period = civil.Date{Year: 2025, Month: 3, Day: 5}, "2025-03"
	f.post(t, late)
	f.beginClose(t, "2025-01")
	f.closePeriod(t, "2025-01")
	f.beginClose(t, "2025-02")
	f.catchUp(t)
	all := func(query ledger.PeriodQuery) (got []string) {
		t.Helper()
		for query.PageSize = 2; ; {
			page, err := f.Periods(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Periods {
				by := ""
				if p.Last != nil {
					by = p.Last.By
				}
				got = append(got, fmt.Sprint(p.Book, " ", p.Month, " ", p.State, " ", by))
			}
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				return got
			}
		}
	}
	for _, c := range []struct {
		query ledger.PeriodQuery
		want  string
	}{
		{ledger.PeriodQuery{Book: agency}, "[320100.agency 2025-01 closed closer 320100.agency 2025-02 closing closer]"},
		{ledger.PeriodQuery{Book: agency, From: "2025-02", To: "2025-04"}, "[320100.agency 2025-02 closing closer 320100.agency 2025-03 open  320100.agency 2025-04 open ]"},
		{ledger.PeriodQuery{State: ledger.PeriodShut, To: "2999-01"}, "[320100.agency 2025-01 closed closer]"},
		{ledger.PeriodQuery{Regions: []string{"320500"}}, "[320500.agency 2025-01 open setup 320500.agency 2025-02 open  320500.agency 2025-03 open  320500.finance 2025-01 open setup]"},
		{ledger.PeriodQuery{Regions: []string{}}, "[]"},
		{ledger.PeriodQuery{Book: agency, Regions: []string{"320500"}}, "[]"},
	} {
		if got := fmt.Sprint(all(c.query)); got != c.want {
			t.Errorf("%+v:\n%s\nwant\n%s", c.query, got, c.want)
		}
	}
	if got := all(ledger.PeriodQuery{}); len(got) != len(f.book.Regions.Books())+3 {
		t.Error(len(got), got)
	}
	_, err := f.Periods(t.Context(), ledger.PeriodQuery{Book: "310000.agency"})
	isRefused(t, "book", err, fault.NotFound, "there is no book 310000.agency")
	var events []ledger.PeriodEvent
	query := ledger.PeriodEventQuery{Book: agency, PageSize: 1}
	for {
		page, err := f.PeriodEvents(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, page.Events...)
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	history, err := f.PeriodHistory(t.Context(), agency)
	if err != nil || len(events) != 4 || !slices.Equal(events, history) {
		t.Errorf("%+v\nwant %+v, %v", events, history, err)
	}
	_, err = f.PeriodEvents(t.Context(), ledger.PeriodEventQuery{Book: agency, PageToken: "x:2025-01"})
	isRefused(t, "token", err, fault.Invalid, "was not given out")
}

func TestWhatIsAskedAgainIsToldAsAReplay(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	f.post(t, income("in", 100))
	for i, want := range []bool{false, true} {
		p, err := f.Pend(ctx, spend("p", 10), time.Time{})
		if err != nil || p.Replayed != want {
			t.Errorf("pend %d: %+v %v", i, p, err)
		}
	}
	for i, want := range []bool{false, true} {
		p, err := f.Void(ctx, "p", "boss", "no need")
		if err != nil || p.Replayed != want || p.State != ledger.Voided || p.By != "boss" || p.Decided.IsZero() {
			t.Errorf("void %d: %+v %v", i, p, err)
		}
	}
	for i, want := range []bool{false, true} {
		begun, err := f.BeginClose(ctx, agency, "2025-01", "closer")
		if err != nil || begun.Replayed != want || begun.State != ledger.PeriodClosing || begun.Last.Number != 2 || begun.Last.At.IsZero() {
			t.Errorf("begin %d: %+v %v", i, begun, err)
		}
	}
	for i, want := range []bool{false, true} {
		closed, err := f.Close(ctx, agency, "2025-01", "closer")
		if err != nil || closed.Replayed != want || closed.State != ledger.PeriodShut || closed.Last.Position != 1 {
			t.Errorf("close %d: %+v %v", i, closed, err)
		}
	}
	for i, want := range []bool{false, true} {
		reopened, err := f.Reopen(ctx, agency, "2025-01", "chief", "late")
		if err != nil || reopened.Replayed != want || reopened.Last.Reason != "late" || reopened.Last.Number != 4 {
			t.Errorf("reopen %d: %+v %v", i, reopened, err)
		}
	}
	fresh := ledger.New(devdb.Test(t), f.book)
	for i, want := range [][]accounts.Book{{agency}, nil, {"320200.agency"}} {
		books := []accounts.Book{agency, "320200.agency"}
		opened, err := fresh.OpenBooks(ctx, "2025-02", "admin", books[:1+i/2]...)
		if err != nil || !slices.Equal(opened, want) {
			t.Errorf("open %d: %v %v", i, opened, err)
		}
	}
	history, err := fresh.PeriodHistory(ctx, "320200.agency")
	if err != nil || len(history) != 1 || history[0].By != "admin" || history[0].Month != "2025-02" {
		t.Errorf("%+v %v", history, err)
	}
	_, err = f.OpenBooks(ctx, "2025-02", "admin", "310000.agency")
	isRefused(t, "book", err, fault.NotFound, "there is no book 310000.agency")
	_, err = f.OpenBooks(ctx, "2025-02", " ", agency)
	isRefused(t, "nobody", err, fault.Invalid, "say who opens the books")
}

func TestPendingEntriesAreListedByBookAndRegion(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("in", 100))
	f.pend(t, spend("a", 10))
	f.pend(t, accepted("b", "H1", 5))
	f.pend(t, entry("c", debit("320200.agency/390/5001.01", 0+7), credit("320200.agency/390/4001", 7), debit("320100.agency/310/5001.01", 3), credit("320100.agency/310/1003", 3)))
	for _, c := range []struct {
		query ledger.PendingQuery
		want  string
	}{
		{ledger.PendingQuery{}, "[a b c]"},
		{ledger.PendingQuery{Book: "320500.agency"}, "[b]"},
		{ledger.PendingQuery{Regions: []string{"320100"}}, "[a c]"},
		{ledger.PendingQuery{Regions: []string{"320200", "320500"}}, "[b c]"},
		{ledger.PendingQuery{Regions: []string{"320200"}, Book: "320100.agency"}, "[]"},
		{ledger.PendingQuery{Regions: []string{}}, "[]"},
	} {
		got := []string{}
		for c.query.PageSize = 1; ; {
			page, err := f.ListPending(t.Context(), c.query)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Pendings {
				got = append(got, p.Key)
			}
			if c.query.PageToken = page.NextPageToken; c.query.PageToken == "" {
				break
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%+v: %v, want %s", c.query, got, c.want)
		}
	}
	page, err := f.ListPending(t.Context(), ledger.PendingQuery{AtLeast: 1})
	if err != nil || page.Position != 1 {
		t.Errorf("%+v %v", page, err)
	}
	_, err = f.ListPending(t.Context(), ledger.PendingQuery{AtLeast: 2})
	isRefused(t, "beyond", err, fault.NotFound, "the journal is at position 1, 2 was asked")
}

func TestCheckpointsAreListedLastFirstWithAllSignatures(t *testing.T) {
	t.Parallel()
	f := open(t)
	var signers []note.Signer
	for _, name := range []string{"centre", "auditor"} {
		secret, _, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := note.NewSigner(secret)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, s)
	}
	for i := range 5 {
		f.post(t, income(fmt.Sprint(i), 1))
		f.catchUp(t)
		if _, err := f.Sign(t.Context(), signers[:1+i%2]...); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ signer, want string }{
		{"", "[5[centre] 4[auditor centre] 3[centre] 2[auditor centre] 1[centre]]"},
		{"auditor", "[4[auditor centre] 2[auditor centre]]"},
		{"nobody", "[]"},
	} {
		got := []string{}
		query := ledger.CheckpointQuery{Signer: c.signer, PageSize: 2}
		for {
			page, err := f.Checkpoints(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.Checkpoints {
				got = append(got, fmt.Sprintf("%d%v", s.Position, s.Signers))
				signed, err := f.Checkpoint(t.Context(), s.Position)
				if err != nil || string(signed) != string(s.Note) {
					t.Errorf("%s\nwant %s %v", s.Note, signed, err)
				}
			}
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				break
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%q: %v, want %s", c.signer, got, c.want)
		}
	}
	_, err := ledger.ReadCheckpoint([]byte("no\nnote"))
	isRefused(t, "no note", err, fault.Invalid, "not a signed checkpoint")
	_, err = f.Checkpoints(t.Context(), ledger.CheckpointQuery{PageToken: "x"})
	isRefused(t, "token", err, fault.Invalid, "was not given out by a list of checkpoints")
}
