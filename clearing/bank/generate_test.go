package bank_test

import (
	"fmt"
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/clearing/bank"
	"fundledger/ledger"
)

// planned is a month of a bank account: what is posted, what the bank's statement
// says of it, and the differences that are planted between.
type planned struct {
	entries []ledger.Entry
	lines   []line
	want    []string // as items writes them
}

// draw makes a month: receipts and payments of which each stands on the statement
// as one line, as several, together with others of its reference, or not at all, and
// lines that the bank alone has.
func (f fixture) draw(t *rapid.T, prefix, region string, funds []string) planned {
	var p planned
	last := 0
	pay := func(reference string, on int, amount accounts.Fen) {
		event := "premium.received"
		if amount < 0 {
			event = "spending.funded"
		}
		last++
		e := ledger.Entry{Key: fmt.Sprint(prefix, "/", last), Date: day(on), Period: "2025-01", Kind: event, Summary: event, Source: "凭证 " + reference, Preparer: "test"}
		var err error
		e.Postings, err = ledger.Draft(f.book, ledger.Facts{Event: event, Date: e.Date, Fund: rapid.SampledFrom(funds).Draw(t, "fund"),
			Regions: map[string]string{"H": region}, Amounts: map[string][]ledger.Part{"amount": ledger.Total(max(amount, -amount))}})
		if err != nil {
			t.Fatal(err)
		}
		p.entries = append(p.entries, e)
	}
	shows := func(reference string, on int, amount accounts.Fen) {
		p.lines = append(p.lines, line{fmt.Sprintf("S%03d", len(p.lines)), day(on), amount, reference})
	}
	plant := func(in, out bank.Kind, amount accounts.Fen) {
		kind := in
		if amount < 0 {
			kind = out
		}
		p.want = append(p.want, fmt.Sprintf("%s %s", kind, max(amount, -amount)))
	}
	for i := range rapid.IntRange(0, 8).Draw(t, "events") {
		reference := fmt.Sprintf("R%d", i)
		amount := accounts.Fen(rapid.Int64Range(10, 60).Draw(t, "fen"))
		if rapid.Bool().Draw(t, "out") {
			amount = -amount
		}
		on := rapid.IntRange(2, 20).Draw(t, "day")
		later := func() int { return on + rapid.IntRange(0, 10).Draw(t, "later") }
		parts := rapid.IntRange(2, 4).Draw(t, "parts")
		switch rapid.SampledFrom([]string{"one", "split", "joined", "books alone", "bank alone"}).Draw(t, "fate") {
		case "one":
			pay(reference, on, amount)
			shows(reference, later(), amount)
		case "split":
			pay(reference, on, amount)
			for n := range parts - 1 {
				shows(reference, later(), amount/accounts.Fen(parts)+accounts.Fen(n)-1)
			}
			rest := amount
			for _, l := range p.lines[len(p.lines)-parts+1:] {
				rest -= l.amount
			}
			shows(reference, later(), rest)
		case "joined":
			for range parts {
				pay(reference, on, amount)
			}
			shows(reference, later(), amount*accounts.Fen(parts))
		case "books alone":
			pay(reference, on, amount)
			plant(bank.BookIn, bank.BookOut, amount)
		default:
			shows(reference, on, amount)
			plant(bank.BankIn, bank.BankOut, amount)
		}
	}
	return p
}

// TestAnySetOfPlantedDifferencesComesOutExactly: whatever one side alone has, and
// whatever was split or joined, the table lists what was planted and nothing else,
// and it ties on every day.
func TestAnySetOfPlantedDifferencesComesOutExactly(t *testing.T) {
	t.Parallel()
	f := open(t)
	pairs := [][]string{{"310", "390"}, {"320", "330"}, {"370", "392"}, {"399", "610"}}
	cities := f.book.Regions.Of(accounts.City)[1:]
	months := 0
	rapid.Check(t, func(r *rapid.T) {
		if months == len(pairs)*len(cities) { // all accounts of money are used
			f, months = open(t), 0
		}
		city, funds := cities[months%len(cities)].Code, pairs[months/len(cities)]
		months++
		prefix := city + "-" + funds[0]
		own := account(prefix, funds[0]+"/1001", funds[1]+"/1001")
		own.Book = accounts.BookOf(city, accounts.Finance)
		f.enter(t, own)
		p := f.draw(r, prefix, city, funds)
		for _, fund := range funds { // money to pay from
			lines, err := ledger.Draft(f.book, ledger.Facts{Event: "premium.received", Date: day(1), Fund: fund, Regions: map[string]string{"H": city},
				Amounts: map[string][]ledger.Part{"amount": ledger.Total(1000_00)}})
			if err != nil {
				r.Fatal(err)
			}
			f.post(t, ledger.Entry{Key: prefix + fund, Date: day(1), Period: "2025-01", Kind: "premium.received", Summary: "收入", Source: "M" + fund, Preparer: "test", Postings: lines})
			p.lines = append(p.lines, line{"M" + fund, day(1), 1000_00, ""})
		}
		if len(p.entries) > 0 {
			results, err := f.journal.Post(t.Context(), p.entries...)
			if err != nil {
				r.Fatal(err)
			}
			for _, result := range results {
				if result.Err != nil {
					r.Fatal(result.Err)
				}
			}
		}
		if _, err := f.Import(t.Context(), bank.ImportRequest{By: "clerk", File: "s.tsv", Content: []byte(paperOf(prefix, 0, day(1), day(31), p.lines...))}); err != nil {
			r.Fatal(err)
		}
		if _, err := f.MatchAutomatically(t.Context(), bank.MatchRequest{By: "clerk", Account: prefix, Day: day(31)}); err != nil {
			r.Fatal(err)
		}
		end := day(31)
		for _, on := range []civil.Date{end, day(rapid.IntRange(1, 30).Draw(r, "on"))} {
			table, err := f.Reconcile(t.Context(), prefix, on, 0)
			if err != nil {
				r.Fatal(err)
			}
			if !table.Ties() || table.AdjustedBook != table.AdjustedStatement {
				r.Fatalf("on %s: %+v", on, table)
			}
			if slices.Sort(p.want); on == end && !slices.Equal(items(table), p.want) {
				r.Fatalf("the table lists %q, planted were %q", items(table), p.want)
			}
		}
	})
	f.whole(t)
}
