package ledger_test

import (
	"fmt"
	"testing"

	"cloud.google.com/go/civil"
	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// brute is what a walk of the entries says of an account's turnover.
func brute(entries []ledger.Entry, account string, from, to accounts.Month) (t ledger.Turnover) {
	for i := range entries {
		for _, p := range entries[i].Postings {
			period := entries[i].Period
			if p.Account.String() != account || period > to {
				continue
			}
			debit, credit := &t.Debit, &t.Credit
			if period < from {
				debit, credit = &t.OpeningDebit, &t.OpeningCredit
			}
			if p.Side == accounts.Debit {
				*debit += p.Amount
			} else {
				*credit += p.Amount
			}
		}
	}
	return t
}

// Entries of any date count in any period, red ones among them, and the
// turnover of any periods at any position is what a walk of the entries says.
func TestTurnoverOfPeriodsIsThatOfTheEntriesAtEveryPosition(t *testing.T) {
	t.Parallel()
	f := open(t)
	names := []string{"320500.agency/310/9001.01/320100", "320500.agency/310/9002/H1", "320500.agency/310/9002/H2"}
	var posted []ledger.Entry
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 2).Draw(t, "batches") {
			var batch []ledger.Entry
			for range rapid.IntRange(1, 4).Draw(t, "entries") {
				amount := accounts.Fen(rapid.IntRange(-50, 50).Draw(t, "amount"))
				if amount == 0 {
					amount = 1
				}
				e := accepted(fmt.Sprint("e", len(posted)+len(batch)), rapid.SampledFrom([]string{"H1", "H2"}).Draw(t, "provider"), amount)
				e.Date = civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 120).Draw(t, "day"))
				e.Period = accounts.MonthOf(e.Date)
				if rapid.IntRange(0, 2).Draw(t, "shifted") == 0 {
					e.Period = accounts.Month("2025-01").Add(rapid.IntRange(0, 4).Draw(t, "period"))
				}
				batch = append(batch, e)
			}
			results, err := f.Post(t.Context(), batch...)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if r.Err != nil {
					t.Fatal(r.Err)
				}
			}
			if _, err := f.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			posted = append(posted, batch...)
		}
		from := accounts.Month("2025-01").Add(rapid.IntRange(0, 4).Draw(t, "from"))
		to := from.Add(rapid.IntRange(0, 3).Draw(t, "length"))
		at := ledger.Position(rapid.IntRange(0, len(posted)).Draw(t, "at")) // 0 is now
		seen := posted
		if at != 0 {
			seen = posted[:at]
		}
		list, position, err := f.Turnovers(t.Context(), ledger.TurnoverQuery{Filter: ledger.Filter{Book: "320500.agency"}, From: from, To: to, AsOf: ledger.AsOf{Position: at}})
		if err != nil || position != ledger.Position(len(seen)) {
			t.Fatalf("at position %d of %d: %v", position, len(seen), err)
		}
		got := map[string]ledger.Turnover{}
		for _, turnover := range list {
			name := turnover.Account.String()
			turnover.Account = accounts.Account{}
			got[name] = turnover
		}
		for _, name := range names {
			if want := brute(seen, name, from, to); got[name] != want {
				t.Fatalf("%s %s–%s at %d: %+v, want %+v", name, from, to, at, got[name], want)
			}
		}
		explained := rapid.SampledFrom(names).Draw(t, "explained")
		f.explains(t, explained, from, to, at, got[explained])
		until := civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 130).Draw(t, "until"))
		days, _, err := f.TurnoverByDay(t.Context(), ledger.Filter{Book: "320500.agency"}, until, ledger.AsOf{Position: at})
		if err != nil {
			t.Fatal(err)
		}
		sums := map[string]accounts.Fen{}
		for _, d := range days {
			sums[fmt.Sprint(d.Account, d.Date)] += d.Debit - d.Credit
		}
		for i := range seen {
			for _, p := range seen[i].Postings {
				if !seen[i].Date.After(until) {
					sums[fmt.Sprint(p.Account, seen[i].Date)] -= p.Signed()
				}
			}
		}
		for of, sum := range sums {
			if sum != 0 {
				t.Fatalf("%s until %s at %d: off by %s", of, until, at, sum)
			}
		}
	})
	f.mustBeWhole(t)
}

// explains: the lines of the periods sum to their turnover.
func (f fixture) explains(t *rapid.T, name string, from, to accounts.Month, at ledger.Position, turnover ledger.Turnover) {
	account, err := accounts.ParseAccount(name)
	if err != nil {
		t.Fatal(err)
	}
	query := ledger.StatementQuery{FromPeriod: from, ToPeriod: to, Until: at, PageSize: 50}
	for {
		page, err := f.Statement(t.Context(), account, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Lines {
			if l.Side == accounts.Debit {
				turnover.Debit -= l.Amount
			} else {
				turnover.Credit -= l.Amount
			}
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	if turnover.Debit != 0 || turnover.Credit != 0 {
		t.Fatalf("the lines of %s %s–%s at %d leave %+v", name, from, to, at, turnover)
	}
}

func TestTurnoverSaysWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	f := open(t)
	ask := func(query ledger.TurnoverQuery) error {
		_, _, err := f.Turnovers(t.Context(), query)
		return err
	}
	good := ledger.TurnoverQuery{From: "2025-01", To: "2025-02"}
	bad := []func(*ledger.TurnoverQuery){
		func(q *ledger.TurnoverQuery) { q.From = "2025" },
		func(q *ledger.TurnoverQuery) { q.To = "2024-12" },
		func(q *ledger.TurnoverQuery) { q.AsOf.Date = day },
		func(q *ledger.TurnoverQuery) { q.Book = "a/b" },
	}
	for i, change := range bad {
		query := good
		change(&query)
		isRefused(t, fmt.Sprint(i), ask(query), fault.Invalid, "")
	}
	query := good
	query.AsOf.Position = 9
	isRefused(t, "beyond the end", ask(query), fault.NotFound, "the journal is at position 0, 9 was asked")
	if err := ask(good); err != nil {
		t.Error(err)
	}
}

// A server of the version before projects without shifts, and may do so while a
// new one runs: whoever needs them makes up for it.
func TestShiftsAreMadeUpForWhatAnOlderServerHasProjected(t *testing.T) {
	t.Parallel()
	f := open(t)
	for i := range 4 {
		late := accepted(fmt.Sprint(i), "H1", 5)
		late.Period = "2025-02"
		f.post(t, late)
		f.catchUp(t)
	}
	for _, statement := range []string{
		"UPDATE heads SET position = 1 WHERE name = 'shifted'",
		"UPDATE account_shifts SET debit_fen = CASE WHEN debit_fen = 0 THEN 0 ELSE 5 END, credit_fen = CASE WHEN credit_fen = 0 THEN 0 ELSE 5 END, last_position = 1",
	} {
		if _, err := f.db.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	account, err := accounts.ParseAccount("320500.agency/310/9002/H1")
	if err != nil {
		t.Fatal(err)
	}
	page, err := f.Statement(t.Context(), account, ledger.StatementQuery{FromPeriod: "2025-02", ToPeriod: "2025-02"})
	if err != nil || len(page.Lines) != 4 {
		t.Errorf("%+v %v", page, err)
	}
	list, _, err := f.Turnovers(t.Context(), ledger.TurnoverQuery{Filter: ledger.Filter(account), From: "2025-02", To: "2025-02"})
	if err != nil || len(list) != 1 || list[0].Credit != 20 || list[0].OpeningCredit != 0 {
		t.Errorf("%+v %v", list, err)
	}
	f.mustBeWhole(t)
}
