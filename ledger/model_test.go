package ledger_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
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

	pendings  map[string]*pendingModel
	reversals map[string]map[string][]accounts.Fen // by the original's key and the reversal's: how much of each posting
	periods   map[string]*periodModel              // by book and month
}

type pendingModel struct {
	entry ledger.Entry
	state ledger.PendingState
	aged  bool // its time has passed: it reserves nothing, swept or not
}

type periodModel struct {
	state ledger.PeriodState
	by    string
}

func newModel() *model {
	return &model{
		entries: map[string]ledger.Entry{}, balances: map[string]accounts.Fen{}, pendings: map[string]*pendingModel{},
		reversals: map[string]map[string][]accounts.Fen{}, periods: map[string]*periodModel{},
	}
}

var purses = []string{"320100.agency/310/1003", "320200.agency/390/1003"}

func (m *model) reserved(floor string) (sum accounts.Fen) {
	for _, p := range m.pendings {
		if p.state == ledger.Open && !p.aged {
			sum += max(0, -change(p.entry, floor))
		}
	}
	return sum
}

func change(e ledger.Entry, account string) (sum accounts.Fen) {
	for _, p := range e.Postings {
		if p.Account.String() == account {
			sum += p.Signed()
		}
	}
	return sum
}

// period returns the state of a month; those before 2025-01 never occur.
func (m *model) period(book accounts.Book, month accounts.Month) *periodModel {
	key := string(book) + "/" + string(month)
	if m.periods[key] == nil {
		m.periods[key] = &periodModel{state: ledger.PeriodOpen}
	}
	return m.periods[key]
}

// refuses says why the entry could not be posted now.
func (m *model) refuses(e ledger.Entry) fault.Kind {
	switch m.period(e.Postings[0].Account.Book, e.Period).state {
	case ledger.PeriodShut, ledger.PeriodClosing:
		return fault.PeriodClosed
	}
	for _, floor := range purses {
		if c := change(e, floor); c < 0 && m.balances[floor]-m.reserved(floor)+c < 0 {
			return fault.Insufficient
		}
	}
	return ""
}

func (m *model) post(e ledger.Entry) fault.Kind {
	if before, ok := m.entries[e.Key]; ok {
		if fmt.Sprint(before) != fmt.Sprint(e) {
			return fault.AlreadyExists
		}
		return ""
	}
	if kind := m.refuses(e); kind != "" {
		return kind
	}
	for _, p := range e.Postings {
		m.balances[p.Account.String()] += p.Signed()
	}
	m.entries[e.Key] = e
	m.order = append(m.order, e)
	return ""
}

func (m *model) pend(e ledger.Entry) fault.Kind {
	if before := m.pendings[e.Key]; before != nil {
		if before.aged || fmt.Sprint(before.entry) != fmt.Sprint(e) {
			return fault.AlreadyExists
		}
		return ""
	}
	if kind := m.refuses(e); kind != "" {
		return kind
	}
	m.pendings[e.Key] = &pendingModel{entry: e, state: ledger.Open}
	return ""
}

// cut returns the entry with the given amounts in place of its own, which
// they may not exceed; nil is all of it.
func cut(e ledger.Entry, amounts []accounts.Fen) (ledger.Entry, bool) {
	e.Postings = slices.Clone(e.Postings)
	for i, amount := range amounts {
		whole := e.Postings[i].Amount
		if (amount < 0) != (whole < 0) || max(amount, -amount) > max(whole, -whole) {
			return e, false
		}
		e.Postings[i].Amount = amount
	}
	return e, true
}

func (m *model) finish(key string, amounts []accounts.Fen) fault.Kind {
	p := m.pendings[key]
	if p == nil {
		return fault.NotFound
	}
	e, fits := cut(p.entry, amounts)
	e.Key, e.Reviewer = "finish/"+key, "finisher"
	switch {
	case !fits:
		return fault.Invalid
	case p.state == ledger.Finished && fmt.Sprint(m.entries[e.Key]) == fmt.Sprint(e):
		return ""
	case p.state == ledger.Open && p.aged:
		p.state = ledger.Expired
		return fault.Precondition
	case p.state != ledger.Open:
		return fault.Precondition
	}
	p.state = ledger.Finished
	kind := m.post(e)
	if kind != "" {
		p.state = ledger.Open
	}
	return kind
}

func (m *model) void(key string) fault.Kind {
	p := m.pendings[key]
	switch {
	case p == nil:
		return fault.NotFound
	case p.state == ledger.Voided:
		return ""
	case p.state == ledger.Open && p.aged:
		p.state = ledger.Expired
		return fault.Precondition
	case p.state != ledger.Open:
		return fault.Precondition
	}
	p.state = ledger.Voided
	return ""
}

func (m *model) reverse(r ledger.Reversal, of string) fault.Kind {
	original, ok := m.entries[of]
	if !ok {
		return fault.NotFound
	}
	e, fits := cut(original, r.Amounts)
	if !fits || r.Date.Before(original.Date) || r.Period < original.Period {
		return fault.Invalid
	}
	taken := make([]accounts.Fen, len(e.Postings))
	for i := range e.Postings {
		taken[i] = e.Postings[i].Amount
		left := original.Postings[i].Amount
		for key, amounts := range m.reversals[of] {
			if key != r.Key {
				left -= amounts[i]
			}
		}
		if max(taken[i], -taken[i]) > max(left, -left) {
			return fault.Insufficient
		}
		e.Postings[i].Amount = -taken[i]
	}
	e.Key, e.Kind, e.Date, e.Period, e.Summary = r.Key, "reversal", r.Date, r.Period, r.Summary
	e.Preparer, e.Reviewer, e.Corrects = r.Preparer, r.Reviewer, uuid.NullUUID{UUID: r.Of, Valid: true}
	kind := m.post(e)
	if kind == "" {
		if m.reversals[of] == nil {
			m.reversals[of] = map[string][]accounts.Fen{}
		}
		m.reversals[of][r.Key] = taken
	}
	return kind
}

var modelMonths = []accounts.Month{"2025-01", "2025-02", "2025-03"}

func (m *model) setPeriod(book accounts.Book, month accounts.Month, to ledger.PeriodState, by string) fault.Kind {
	p := m.period(book, month)
	if p.state == to && p.by == by {
		return ""
	}
	open := p.state == ledger.PeriodOpen || p.state == ledger.PeriodReopened
	allowed := map[ledger.PeriodState]bool{
		ledger.PeriodClosing: open, ledger.PeriodShut: p.state == ledger.PeriodClosing, ledger.PeriodReopened: !open,
	}[to]
	for _, other := range modelMonths {
		state := m.period(book, other).state
		if to == ledger.PeriodClosing && other < month && state != ledger.PeriodShut {
			allowed = false
		}
		if to == ledger.PeriodReopened && other > month && (state == ledger.PeriodShut || state == ledger.PeriodClosing) {
			allowed = false
		}
	}
	switch {
	case !allowed:
		return fault.Precondition
	case to == ledger.PeriodReopened && p.by == by:
		return fault.Permission
	}
	p.state, p.by = to, by
	return ""
}

// empty takes everything out of the journal, as only the owner can.
func (f fixture) empty(t *testing.T) {
	owner, err := postgres.OpenOwner(t.Context(), f.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	for _, statement := range []string{
		"TRUNCATE entries, batches, inbox, sealed, vouchers, floors, balances, account_lines, account_months, account_shifts, tree_hashes, pendings, corrections, periods, period_events",
		"UPDATE heads SET position = 0",
	} {
		if _, err := owner.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.OpenBooks(t.Context(), "2025-01", "setup", f.book.Regions.Books()...); err != nil {
		t.Fatal(err)
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

// agreesOnPendings compares them once those that have expired are swept.
func (f fixture) agreesOnPendings(t *testing.T, r *rapid.T, m *model) {
	for swept := 1; swept > 0; {
		var err error
		if swept, err = f.Expire(t.Context(), 3); err != nil {
			r.Fatal(err)
		}
	}
	for key, want := range m.pendings {
		if want.state == ledger.Open && want.aged {
			want.state = ledger.Expired
		}
		got, err := f.Pending(t.Context(), key)
		if err != nil || got.State != want.state || fmt.Sprint(got.Entry) != fmt.Sprint(want.entry) {
			r.Fatalf("pending %s is %+v (%v), want %+v", key, got, err, want)
		}
	}
	for _, floor := range purses {
		a, err := accounts.ParseAccount(floor)
		if err != nil {
			t.Fatal(err)
		}
		balances, _, err := f.Balances(t.Context(), ledger.Filter(a), ledger.AsOf{})
		if err != nil || (len(balances) == 0 && m.reserved(floor) != 0) || (len(balances) > 0 && balances[0].Reserved != m.reserved(floor)) {
			r.Fatalf("%s: %+v (%v), want %s reserved", floor, balances, err, m.reserved(floor))
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
