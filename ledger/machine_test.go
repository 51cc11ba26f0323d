package ledger_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// machine drives the journal and the model with the same random steps.
type machine struct {
	fixture
	t     *testing.T
	shaky *ledger.Journal // loses commits and their confirmations
	model *model
	count int // of entries written by concurrent callers
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

// try takes a step through a journal whose commits fail every so often. When
// the outcome stays unknown the same is asked again, as a caller would.
func (m *machine) try(r *rapid.T, step func(j *ledger.Journal) error) fault.Kind {
	j := m.Journal
	if rapid.IntRange(0, 2).Draw(r, "crash") == 0 {
		j = m.shaky
	}
	err := step(j)
	if fault.KindOf(err) == fault.Unavailable {
		err = step(m.Journal)
	}
	if kind := fault.KindOf(err); kind == fault.Unavailable || kind == fault.Internal {
		r.Fatal(err)
	}
	return fault.KindOf(err)
}

func agree(r *rapid.T, got, want fault.Kind, what ...any) {
	if got != want {
		r.Fatalf("%v: got %q, want %q", what, got, want)
	}
}

func (m *machine) post(r *rapid.T) {
	batch := rapid.SliceOfN(rapid.Custom(drawEntry), 1, 12).Draw(r, "batch")
	var results []ledger.Result
	agree(r, m.try(r, func(j *ledger.Journal) (err error) {
		results, err = j.Post(m.t.Context(), batch...)
		return err
	}), "")
	for i, e := range batch {
		agree(r, fault.KindOf(results[i].Err), m.model.post(e), "post", e, results[i].Err)
	}
}

// amounts draws what a posting of two lines is finished or reversed with: all
// of it, or a share that may be too much.
func amounts(r *rapid.T, e ledger.Entry) []accounts.Fen {
	if len(e.Postings) == 0 || rapid.Bool().Draw(r, "whole") {
		return nil
	}
	whole := e.Postings[0].Amount
	share := accounts.Fen(rapid.Int64Range(1, int64(max(whole, -whole))+1).Draw(r, "share"))
	if whole < 0 {
		share = -share
	}
	return []accounts.Fen{share, share}
}

func pendingKey(r *rapid.T) string {
	return fmt.Sprintf("p%d", rapid.IntRange(0, 12).Draw(r, "pending"))
}

func (m *machine) pend(r *rapid.T) {
	e := drawEntry(r)
	e.Key = pendingKey(r)
	got := m.try(r, func(j *ledger.Journal) error {
		_, err := j.Pend(m.t.Context(), e, time.Time{})
		return err
	})
	agree(r, got, m.model.pend(e), "pend", e)
}

func (m *machine) finish(r *rapid.T) {
	key := pendingKey(r)
	var of ledger.Entry
	if p := m.model.pendings[key]; p != nil {
		of = p.entry
	}
	given := finishing(key, amounts(r, of)...)
	got := m.try(r, func(j *ledger.Journal) error {
		_, err := j.Finish(m.t.Context(), given)
		return err
	})
	agree(r, got, m.model.finish(key, given.Amounts), "finish", given)
}

func (m *machine) void(r *rapid.T) {
	key := pendingKey(r)
	got := m.try(r, func(j *ledger.Journal) error {
		_, err := j.Void(m.t.Context(), key, "boss", "changed our mind")
		return err
	})
	agree(r, got, m.model.void(key), "void", key)
}

// age lets the time of a pending entry pass.
func (m *machine) age(r *rapid.T) {
	key := pendingKey(r)
	if p := m.model.pendings[key]; p != nil && p.state == ledger.Open {
		m.letExpire(m.t, key)
		p.aged = true
	}
}

func (m *machine) expire(r *rapid.T) {
	agree(r, m.try(r, func(j *ledger.Journal) error {
		_, err := j.Expire(m.t.Context(), rapid.IntRange(1, 4).Draw(r, "limit"))
		return err
	}), "")
}

func (m *machine) reverse(r *rapid.T) {
	of := fmt.Sprintf("k%d", rapid.IntRange(0, 60).Draw(r, "of"))
	if len(m.model.order) > 0 && rapid.IntRange(0, 9).Draw(r, "known") > 0 {
		of = rapid.SampledFrom(m.model.order).Draw(r, "of").Key
	}
	original := m.model.entries[of]
	request := taking(fmt.Sprintf("r%d", rapid.IntRange(0, 30).Draw(r, "key")), of, amounts(r, original)...)
	request.Date, request.Period = original.Date, original.Period
	if !original.Date.IsValid() || rapid.IntRange(0, 3).Draw(r, "elsewhere") == 0 {
		request.Date = civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 89).Draw(r, "day"))
		request.Period = accounts.MonthOf(request.Date)
	}
	got := m.try(r, func(j *ledger.Journal) error {
		_, err := j.Reverse(m.t.Context(), request)
		return err
	})
	agree(r, got, m.model.reverse(request, of), "reverse", request, of)
}

func (m *machine) period(r *rapid.T) {
	book := rapid.SampledFrom([]accounts.Book{"320100.agency", "320200.agency"}).Draw(r, "book")
	month := rapid.SampledFrom(modelMonths).Draw(r, "month")
	by := rapid.SampledFrom([]string{"ann", "bo"}).Draw(r, "by")
	to := rapid.SampledFrom([]ledger.PeriodState{ledger.PeriodClosing, ledger.PeriodShut, ledger.PeriodReopened, ledger.PeriodReopened}).Draw(r, "to")
	got := m.try(r, func(j *ledger.Journal) error {
		switch to {
		case ledger.PeriodClosing:
			return second(j.BeginClose(m.t.Context(), book, month, by))
		case ledger.PeriodShut:
			return second(j.Close(m.t.Context(), book, month, by))
		}
		return second(j.Reopen(m.t.Context(), book, month, by, "correction"))
	})
	agree(r, got, m.model.setPeriod(book, month, to, by), "period", book, month, to, by)
}

// concurrent lets callers of two servers spend from one purse at once. What
// they post must fit, and what is refused must not have.
func (m *machine) concurrent(r *rapid.T) {
	if m.model.period("320100.agency", "2025-01").state == ledger.PeriodShut || m.model.period("320100.agency", "2025-01").state == ledger.PeriodClosing {
		return
	}
	fen := rapid.SliceOfN(rapid.Int64Range(1, 200), 2, 5).Draw(r, "fen")
	entries := make([]ledger.Entry, len(fen))
	for i := range fen {
		m.count++
		entries[i] = spend(fmt.Sprintf("c%d", m.count), accounts.Fen(fen[i]))
	}
	other := ledger.New(m.db, m.book)
	var group sync.WaitGroup
	var mu sync.Mutex
	posted := map[string]bool{}
	for i := range 2 * len(entries) { // everyone's entry is sent twice
		group.Go(func() {
			e := entries[i/2]
			results, err := []*ledger.Journal{m.Journal, other}[i%2].Post(context.Background(), e)
			if err == nil && results[0].Err != nil && fault.KindOf(results[0].Err) != fault.Insufficient {
				err = results[0].Err
			}
			if err != nil {
				m.t.Error(err)
			} else if results[0].Err == nil {
				mu.Lock()
				posted[e.Key] = true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	m.catchUp(m.t)
	place := map[string]ledger.Position{}
	for _, e := range entries {
		if record, err := m.Entry(m.t.Context(), e.ID()); err == nil {
			place[e.Key] = record.Position
		}
	}
	slices.SortFunc(entries, func(a, b ledger.Entry) int { return cmp.Compare(place[a.Key], place[b.Key]) })
	for _, e := range entries {
		if posted[e.Key] {
			agree(r, "", m.model.post(e), "what was posted at once does not fit", e)
		}
	}
	for _, e := range entries {
		if !posted[e.Key] {
			agree(r, fault.Insufficient, m.model.refuses(e), "what was refused would fit", e)
		}
	}
}

// TestJournalAgreesWithAModel takes random steps, with crashes at the commit
// and concurrent callers among them, and asks random questions; every answer
// must be the model's.
func TestJournalAgreesWithAModel(t *testing.T) {
	t.Parallel()
	f := open(t)
	rapid.Check(t, func(r *rapid.T) {
		f.empty(t)
		m := &machine{fixture: f, t: t, shaky: ledger.New(&flaky{Store: f.db}, f.book), model: newModel()}
		r.Repeat(map[string]func(*rapid.T){
			"post": m.post, "post more": m.post, "pend": m.pend, "finish": m.finish, "void": m.void, "age": m.age, "expire": m.expire,
			"reverse": m.reverse, "period": m.period, "concurrent": m.concurrent,
			"bundle": func(*rapid.T) { // while entries and their pendings wait
				bundle, _ := f.export(t)
				mustHold(t, bundle)
			},
			"catch up": func(r *rapid.T) {
				if p := m.catchUp(t); int(p) != len(m.model.order) {
					r.Fatalf("position %d, the model has %d entries", p, len(m.model.order))
				}
			},
		})
		f.catchUp(t)
		f.agreesWith(t, r, m.model)
		f.agreesOnPendings(t, r, m.model)
		f.mustBeWhole(t)
	})
}
