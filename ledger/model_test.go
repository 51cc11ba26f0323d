package ledger_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// model is a journal in memory, as simple as can be.
type model struct {
	entries  map[string]ledger.Entry
	order    []ledger.Entry
	balances map[string]accounts.Fen
}

func (m *model) post(e ledger.Entry) fault.Kind {
	if before, ok := m.entries[e.Key]; ok {
		if fmt.Sprint(before) != fmt.Sprint(e) {
			return fault.AlreadyExists
		}
		return ""
	}
	after := maps.Clone(m.balances)
	for _, p := range e.Postings {
		after[p.Account.String()] += p.Signed()
	}
	for _, floor := range []string{"320100.agency/310/1003", "320200.agency/390/1003"} {
		if after[floor] < 0 && after[floor] < m.balances[floor] {
			return fault.Insufficient
		}
	}
	m.balances, m.entries[e.Key] = after, e
	m.order = append(m.order, e)
	return ""
}

// drawEntry makes a random entry: money in, money out, or an obligation,
// sometimes red, under one of few keys.
func drawEntry(t *rapid.T) ledger.Entry {
	amount := accounts.Fen(rapid.Int64Range(-300, 300).Filter(func(n int64) bool { return n != 0 }).Draw(t, "fen"))
	key := fmt.Sprintf("k%d", rapid.IntRange(0, 60).Draw(t, "key"))
	fund := rapid.SampledFrom([]string{"320100.agency/310", "320200.agency/390"}).Draw(t, "book")
	var e ledger.Entry
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		e = entry(key, debit(fund+"/1003", amount), credit(fund+"/4001", amount))
	case 1:
		e = entry(key, debit(fund+"/5001.01", amount), credit(fund+"/1003", amount))
	default:
		e = entry(key, debit(fund+"/9001.01/310000", amount), credit(fund+"/9002/H1", amount))
	}
	e.Date = civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 70).Draw(t, "day"))
	e.Period = accounts.MonthOf(e.Date)
	return e
}

// TestJournalAgreesWithAModel posts random batches and asks random questions;
// every answer must be the model's.
func TestJournalAgreesWithAModel(t *testing.T) {
	t.Parallel()
	f := open(t)
	rapid.Check(t, func(r *rapid.T) {
		f.empty(t)
		m := &model{entries: map[string]ledger.Entry{}, balances: map[string]accounts.Fen{}}
		r.Repeat(map[string]func(*rapid.T){
			"post": func(r *rapid.T) {
				batch := rapid.SliceOfN(rapid.Custom(drawEntry), 1, 12).Draw(r, "batch")
				results, err := f.Post(t.Context(), batch...)
				if err != nil {
					r.Fatal(err)
				}
				for i, e := range batch {
					if want, got := m.post(e), fault.KindOf(results[i].Err); got != want {
						r.Fatalf("entry %d %v: got %q (%v), want %q", i, e, got, results[i].Err, want)
					}
				}
			},
			"catch up": func(r *rapid.T) {
				if p := f.catchUp(t); int(p) != len(m.order) {
					r.Fatalf("position %d, the model has %d entries", p, len(m.order))
				}
			},
		})
		f.catchUp(t)
		f.agreesWith(t, r, m)
		f.mustBeWhole(t)
	})
}

// empty takes everything out of the journal, as only the owner can.
func (f fixture) empty(t *testing.T) {
	owner, err := postgres.OpenOwner(t.Context(), f.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	for _, statement := range []string{
		"TRUNCATE entries, batches, inbox, sealed, vouchers, floors, balances, account_lines, account_months, tree_hashes",
		"UPDATE heads SET position = 0",
	} {
		if _, err := owner.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func (f fixture) agreesWith(t *testing.T, r *rapid.T, m *model) {
	for account, want := range m.balances {
		if got := f.balance(t, account); got != want {
			r.Fatalf("%s is %s, want %s", account, got, want)
		}
	}
	if len(m.order) == 0 {
		return
	}
	account := rapid.SampledFrom(slices.Sorted(maps.Keys(m.balances))).Draw(r, "account")
	date := civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 80).Draw(r, "date"))
	position := rapid.IntRange(1, len(m.order)).Draw(r, "position")
	var atDate, atPosition accounts.Fen
	var lines []accounts.Fen
	for i, e := range m.order {
		for _, p := range e.Postings {
			if p.Account.String() != account {
				continue
			}
			if !e.Date.After(date) {
				atDate += p.Signed()
			}
			if i < position {
				atPosition += p.Signed()
			}
			lines = append(lines, p.Signed())
		}
	}
	if got := f.balanceAsOf(t, account, ledger.AsOf{Date: date}); got != atDate {
		r.Fatalf("%s at %s is %s, want %s", account, date, got, atDate)
	}
	if got := f.balanceAsOf(t, account, ledger.AsOf{Position: ledger.Position(position)}); got != atPosition {
		r.Fatalf("%s at position %d is %s, want %s", account, position, got, atPosition)
	}
	got := f.allLines(t, account, rapid.IntRange(1, 5).Draw(r, "page"))
	if len(got) != len(lines) {
		r.Fatalf("%d lines, want %d", len(got), len(lines))
	}
	var running accounts.Fen
	for i, l := range got {
		running += lines[i]
		signed := l.Amount
		if l.Side == accounts.Credit {
			signed = -signed
		}
		if signed != lines[i] || l.Balance != running {
			r.Fatalf("line %d is %+v, want %s with balance %s", i, l, lines[i], running)
		}
	}
}

// allLines reads a statement page by page.
func (f fixture) allLines(t *testing.T, account string, page int) []ledger.Line {
	a, err := accounts.ParseAccount(account)
	if err != nil {
		t.Fatal(err)
	}
	var lines []ledger.Line
	query := ledger.StatementQuery{PageSize: page}
	for {
		s, err := f.Statement(t.Context(), a, query)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, s.Lines...)
		if query.PageToken = s.NextPageToken; query.PageToken == "" {
			return lines
		}
	}
}
