package ledger_test

import (
	"context"
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

// pages reads all pages of a list and checks that each moves on.
func pages(t testing.TB, f fixture, query ledger.EntryQuery, between func()) (list []*ledger.Record) {
	t.Helper()
	for {
		page, err := f.Entries(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if list = append(list, page.Entries...); page.NextPageToken == "" {
			return list
		}
		if page.NextPageToken == query.PageToken {
			t.Fatalf("page %q leads to itself", query.PageToken)
		}
		query.PageToken = page.NextPageToken
		between()
	}
}

func keysOf(records []*ledger.Record) []string {
	list := make([]string, len(records))
	for i, r := range records {
		list[i] = r.Key
	}
	return list
}

// varied posts entries of several books, kinds, months and dates in batches of
// several sizes, and seals some of them at a time.
func varied(t testing.TB, f fixture, prefix string, n int) {
	t.Helper()
	var batch []ledger.Entry
	for i := range n {
		e := income(fmt.Sprint(prefix, i), accounts.Fen(100+i))
		switch i % 4 {
		case 1:
			e = accepted(e.Key, fmt.Sprint("H", i%3), 5)
			e.Postings[0].Run, e.Postings[1].Category = "2025-01/in-province", "11"
		case 2:
			e = entry(e.Key, debit("320200.agency/390/5001.01", 7), credit("320200.agency/390/4001", 7),
				debit("320100.agency/310/1003", 3), credit("320100.agency/310/4001", 3))
		}
		e.Kind = []string{"manual", "adjustment", "premium.received"}[i%3]
		e.Source = fmt.Sprint("voucher ", i%5)
		e.Date = civil.Date{Year: 2025, Month: 1 + time.Month(i/2%3), Day: 1 + i%28}
		e.Period = accounts.MonthOf(e.Date)
		if batch = append(batch, e); len(batch) > i%7 {
			f.post(t, batch...)
			batch = nil
			if i%3 == 0 {
				f.catchUp(t)
			}
		}
	}
	f.post(t, batch...)
	f.catchUp(t)
}

// oracle says anew which entries are selected.
func oracle(s ledger.Selection, e ledger.Entry) bool {
	line := func(p ledger.Posting) bool {
		a, l := p.Account, s.Lines
		return (l.Book == "" || a.Book == l.Book) && (l.Fund == "" || a.Fund == l.Fund) && (l.Counterparty == "" || a.Counterparty == l.Counterparty) &&
			(l.Subject == "" || strings.HasPrefix(a.Subject+".", l.Subject+".")) && (s.Run == "" || p.Run == s.Run) &&
			(s.Regions == nil || slices.Contains(s.Regions, a.Book.Region()))
	}
	return slices.ContainsFunc(e.Postings, line) && (s.Kind == "" || e.Kind == s.Kind) && (s.Source == "" || e.Source == s.Source) &&
		(s.Period == "" || e.Period == s.Period) && (s.From.IsZero() || !e.Date.Before(s.From)) && (s.To.IsZero() || !e.Date.After(s.To))
}

func TestPagesOfEntriesHoldWhatIsSelectedWhateverIsPostedInBetween(t *testing.T) {
	t.Parallel()
	f := open(t)
	varied(t, f, "e", 150)
	extra := 0
	for i, s := range []ledger.Selection{
		{},
		{Lines: ledger.Filter{Book: "320100.agency"}},
		{Lines: ledger.Filter{Book: "320100.agency", Fund: "390"}}, // lines of two, none of both
		{Lines: ledger.Filter{Subject: "5001"}},
		{Lines: ledger.Filter{Subject: "500"}},
		{Lines: ledger.Filter{Counterparty: "H1"}},
		{Run: "2025-01/in-province"},
		{Run: "2025-01/in-province", Lines: ledger.Filter{Subject: "9002"}}, // the run stands on the other line
		{Kind: "adjustment", Source: "voucher 3"},
		{Period: "2025-02", From: civil.Date{Year: 2025, Month: 2, Day: 5}, To: civil.Date{Year: 2025, Month: 2, Day: 20}},
		{Regions: []string{"320200"}},
		{Regions: []string{"320200"}, Lines: ledger.Filter{Book: "320100.agency"}},
		{Regions: []string{}},
	} {
		var want []string
		end := ledger.Position(0)
		if err := f.Walk(t.Context(), func(r *ledger.Record) error {
			end = r.Position
			if oracle(s, r.Entry) {
				want = append(want, r.Key)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 7, 1000} {
			got := pages(t, f, ledger.EntryQuery{Selection: s, AsOf: ledger.AsOf{Position: end}, PageSize: size}, func() {
				if extra++; extra%40 == 0 { // now and then, and sealed
					f.post(t, income(fmt.Sprint("later", extra), 1))
					f.catchUp(t)
				}
			})
			if !slices.Equal(keysOf(got), want) {
				t.Errorf("selection %d in pages of %d: %d entries, want %d", i, size, len(got), len(want))
			}
			for _, r := range got {
				for _, p := range r.Postings {
					if s.Regions != nil && !slices.Contains(s.Regions, p.Account.Book.Region()) {
						t.Errorf("entry %s shows a line of %s", r.Key, p.Account)
					}
				}
			}
		}
	}
	f.mustBeWhole(t)
}

func TestAListOfEntriesIsAsOfADateOrATimeToo(t *testing.T) {
	t.Parallel()
	f := open(t)
	varied(t, f, "e", 30)
	date := civil.Date{Year: 2025, Month: 2, Day: 10}
	for _, r := range pages(t, f, ledger.EntryQuery{AsOf: ledger.AsOf{Date: date}}, func() {}) {
		if r.Date.After(date) {
			t.Error(r.Key, r.Date)
		}
	}
	var now time.Time
	if err := f.db.Pool.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&now); err != nil {
		t.Fatal(err)
	}
	f.post(t, income("after", 1))
	f.catchUp(t)
	if got := pages(t, f, ledger.EntryQuery{AsOf: ledger.AsOf{PostedAt: now}}, func() {}); len(got) != 30 {
		t.Errorf("%d entries, want 30", len(got))
	}
	if got := pages(t, f, ledger.EntryQuery{AsOf: ledger.AsOf{PostedAt: now.Add(-time.Hour)}}, func() {}); len(got) != 0 {
		t.Errorf("%d entries before there were any", len(got))
	}
	f.post(t, income("unsealed", 1))
	page, err := f.Entries(t.Context(), ledger.EntryQuery{AsOf: ledger.AsOf{AtLeast: 32}, Selection: ledger.Selection{Source: "test"}})
	if err != nil || page.Position != 32 || len(page.Entries) != 2 {
		t.Errorf("a position that waits to be sealed: %+v %v", page, err)
	}
	for name, query := range map[string]ledger.EntryQuery{
		"beyond":  {AsOf: ledger.AsOf{Position: 33}},
		"atleast": {AsOf: ledger.AsOf{AtLeast: 33}},
		"token":   {PageToken: "33"},
	} {
		_, err := f.Entries(t.Context(), query)
		isRefused(t, name, err, fault.NotFound, "the journal is at position 32, 33 was asked")
	}
	for message, query := range map[string]ledger.EntryQuery{
		`page token "x"`:                    {PageToken: "x"},
		"a page has 1 to 1000 entries":      {PageSize: 1001},
		`fund "%" has characters`:           {Selection: ledger.Selection{Lines: ledger.Filter{Fund: "%"}}},
		`"2025" is not a month`:             {Selection: ledger.Selection{Period: "2025"}},
		"give a date, a position or a time": {AsOf: ledger.AsOf{Date: date, Position: 1}},
	} {
		_, err := f.Entries(t.Context(), query)
		isRefused(t, message, err, fault.Invalid, message)
	}
}

// A batch larger than what one statement reads is listed whole.
func TestALargeBatchIsListedWhole(t *testing.T) {
	t.Parallel()
	f := open(t)
	var batch []ledger.Entry
	for i, key := range keys("b", 2300) {
		batch = append(batch, accepted(key, "H1", accounts.Fen(i+1)))
	}
	f.post(t, batch...)
	f.catchUp(t)
	list := pages(t, f, ledger.EntryQuery{PageSize: 990}, func() {})
	for i, r := range list {
		if r.Position != ledger.Position(i+1) || r.Postings[0].Amount != accounts.Fen(i+1) {
			t.Fatalf("place %d holds %s at position %d", i+1, r.Key, r.Position)
		}
	}
	if len(list) != 2300 {
		t.Error(len(list))
	}
}

// Two servers post and seal while followers read, one of them breaking off
// again and again.
func TestAFollowerNeitherMissesNorRepeatsAnEntry(t *testing.T) {
	t.Parallel()
	f := open(t)
	other := ledger.New(f.db, f.book)
	const entries = 120
	follow := func(after ledger.Position, s ledger.Selection, breakAfter, wanted int) (seen []ledger.Position, at ledger.Position) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		at = after
		err := f.Follow(ctx, after, s, func(stretch ledger.Stretch) error {
			if stretch.Position < at {
				t.Errorf("went back from %d to %d", at, stretch.Position)
			}
			at = stretch.Position
			for _, r := range stretch.Entries {
				seen = append(seen, r.Position)
			}
			if len(seen) >= breakAfter || int(at) >= wanted {
				cancel()
			}
			return nil
		})
		if err != context.Canceled {
			t.Error(err)
		}
		return seen, at
	}
	done := make(chan []ledger.Position, 3)
	go func() {
		seen, _ := follow(0, ledger.Selection{}, entries, entries)
		done <- seen
	}()
	go func() {
		var seen []ledger.Position
		for at := ledger.Position(0); len(seen) < entries; {
			var more []ledger.Position
			more, at = follow(at, ledger.Selection{}, 7, entries)
			seen = append(seen, more...)
		}
		done <- seen
	}()
	go func() {
		seen, _ := follow(0, ledger.Selection{Lines: ledger.Filter{Book: "320500.agency"}}, entries, entries)
		done <- seen
	}()
	for i := range entries {
		j := []*ledger.Journal{f.Journal, other}[i%2]
		e := income(fmt.Sprint(i), 1)
		if i%5 == 0 {
			e = accepted(e.Key, "H1", 1)
		}
		if _, err := j.Post(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if i%4 == 3 {
			if err := j.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.catchUp(t)
	for range 3 {
		seen := <-done
		if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) || (len(seen) != entries && len(seen) != entries/5) {
			t.Errorf("%d entries, %v", len(seen), seen)
		}
	}
}

func TestFollowingEndsWithItsReceiverAndSaysWhy(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 1), income("b", 1))
	f.catchUp(t)
	nothing := func(ledger.Stretch) error { return nil }
	isRefused(t, "beyond", f.Follow(t.Context(), 3, ledger.Selection{}, nothing), fault.NotFound, "the journal is at position 2, 3 was asked")
	isRefused(t, "filter", f.Follow(t.Context(), 0, ledger.Selection{Lines: ledger.Filter{Fund: "%"}}, nothing), fault.Invalid, "characters")
	gone := fault.New(fault.Unavailable, "the receiver is gone")
	isRefused(t, "receiver", f.Follow(t.Context(), 0, ledger.Selection{}, func(s ledger.Stretch) error {
		if len(s.Entries) != 2 || s.Position != 2 {
			t.Errorf("%+v", s)
		}
		return gone
	}), fault.Unavailable, "the receiver is gone")
	ctx, end := context.WithCancelCause(t.Context())
	drained := fault.New(fault.Unavailable, "the server is being stopped")
	time.AfterFunc(50*time.Millisecond, func() { end(drained) })
	isRefused(t, "drained", f.Follow(ctx, 2, ledger.Selection{}, nothing), fault.Unavailable, "the server is being stopped")
	none := ledger.Selection{Kind: "none"}
	isRefused(t, "in vain", f.Follow(t.Context(), 0, none, func(s ledger.Stretch) error {
		if len(s.Entries) != 0 || s.Position != 2 {
			t.Errorf("what does not pass is told as passed over: %+v", s)
		}
		return gone
	}), fault.Unavailable, "gone")
}
