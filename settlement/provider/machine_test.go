package provider_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/provider"
)

// machine does random things with one provider and says what should come of it.
type machine struct {
	f     fixture
	t     *testing.T
	bills map[string]*owed // by id
	lists map[string]*listed
	cash  accounts.Fen // on the spending account
	day   int          // each bill is of a day of its own, so that their order is plain
}

// owed is what a bill has come to, less what made lists have taken.
type owed struct {
	insured    string
	day        int
	left       accounts.Fen // after refunds
	open, paid accounts.Fen
}

type listed struct {
	state  provider.ListState
	amount accounts.Fen
	cuts   map[string]accounts.Fen
}

func (m *machine) ids() []string { return slices.Sorted(maps.Keys(m.bills)) }

func (m *machine) payable() (sum accounts.Fen) {
	for _, b := range m.bills {
		sum += b.open
	}
	return sum
}

func (m *machine) accept(r *rapid.T) {
	m.day++
	b := &owed{insured: rapid.SampledFrom([]string{nanjing, wuxi, shanghai}).Draw(r, "insured"), day: m.day, left: accounts.Fen(rapid.IntRange(1, 100_00).Draw(r, "amount"))}
	b.open = b.left
	id := fmt.Sprintf("A%03d", 999-m.day) // ids run against age
	m.bills[id] = b
	m.f.settle(m.t, bill{id: id, insured: b.insured, on: accounts.Month("2025-01").First().AddDays(m.day).String(), pooled: b.left})
}

func (m *machine) refund(r *rapid.T) {
	ids := slices.DeleteFunc(m.ids(), func(id string) bool { return m.bills[id].left == 0 })
	if len(ids) == 0 {
		r.Skip("nothing to refund")
	}
	id := rapid.SampledFrom(ids).Draw(r, "of")
	b := m.bills[id]
	amount := accounts.Fen(rapid.IntRange(1, int(b.left)).Draw(r, "refund"))
	b.left -= amount
	b.open -= amount
	m.day++
	m.f.settle(m.t, bill{id: fmt.Sprintf("R%03d", m.day), insured: b.insured, on: accounts.Month("2025-01").First().AddDays(m.day).String(), pooled: -amount, refundOf: id})
}

func (m *machine) fund(r *rapid.T) {
	amount := accounts.Fen(rapid.IntRange(1, 200_00).Draw(r, "funded"))
	m.cash += amount
	m.f.fund(m.t, "310", amount)
}

// makeList asks for all or for an amount that may be more than is payable.
func (m *machine) makeList(r *rapid.T) {
	id := fmt.Sprintf("L%d", len(m.lists)+1)
	q := request(id)
	payable, amount := m.payable(), m.payable()
	if rapid.Bool().Draw(r, "partly") {
		amount = accounts.Fen(rapid.IntRange(1, int(max(payable, 0))+50_00).Draw(r, "asked"))
		q.Lines = []provider.Line{in("310", amount)}
	}
	l, err := m.f.MakeList(m.t.Context(), q)
	something := slices.ContainsFunc(m.ids(), func(id string) bool { return m.bills[id].open != 0 })
	switch {
	case len(q.Lines) > 0 && amount > payable:
		if fault.KindOf(err) != fault.Insufficient {
			r.Fatalf("%s of %s is listed: %v", amount, payable, err)
		}
		return
	case payable < 0 || !something:
		if fault.KindOf(err) != fault.Precondition {
			r.Fatalf("a list of %s: %v", payable, err)
		}
		return
	case err != nil:
		r.Fatal(err)
	case l.Lines[0].Amount != amount:
		r.Fatalf("%s was asked, %s is listed", amount, l.Lines[0].Amount)
	}
	m.lists[id] = &listed{state: provider.ListMade, amount: amount, cuts: m.cut(amount)}
}

// cut takes what is negative, then the oldest.
func (m *machine) cut(amount accounts.Fen) map[string]accounts.Fen {
	cuts := map[string]accounts.Fen{}
	for _, id := range m.ids() {
		if b := m.bills[id]; b.open < 0 {
			cuts[id], amount, b.open = b.open, amount-b.open, 0
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(m.bills), func(a, b string) int { return m.bills[a].day - m.bills[b].day }) {
		if b := m.bills[id]; b.open > 0 && amount > 0 {
			cut := min(b.open, amount)
			cuts[id], amount, b.open = cut, amount-cut, b.open-cut
		}
	}
	return cuts
}

func (m *machine) draw(r *rapid.T) (string, *listed) {
	if len(m.lists) == 0 {
		r.Skip("no list")
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(m.lists))).Draw(r, "list")
	return id, m.lists[id]
}

func (m *machine) pay(r *rapid.T) {
	id, l := m.draw(r)
	_, err := m.f.Pay(m.t.Context(), payment(id))
	switch {
	case l.state == provider.ListPaid: // again
		if err != nil {
			r.Fatal(err)
		}
	case l.state != provider.ListMade:
		if fault.KindOf(err) != fault.Precondition {
			r.Fatalf("%s is %s and paid: %v", id, l.state, err)
		}
	case l.amount > m.cash:
		if fault.KindOf(err) != fault.Insufficient || !strings.Contains(err.Error(), "short by "+(l.amount-m.cash).String()) {
			r.Fatalf("%s is paid out of %s: %v", l.amount, m.cash, err)
		}
	case err != nil:
		r.Fatal(err)
	default:
		l.state, m.cash = provider.ListPaid, m.cash-l.amount
		for bill, cut := range l.cuts {
			m.bills[bill].paid += cut
		}
	}
}

func (m *machine) undo(r *rapid.T) {
	id, l := m.draw(r)
	u := provider.Undoing{List: id, Date: day("2025-03-01"), Reason: "drawn", By: "wang"}
	undo, from, to := m.f.CancelList, provider.ListMade, provider.ListCancelled
	if rapid.Bool().Draw(r, "returned") {
		undo, from, to = m.f.ReturnPayment, provider.ListPaid, provider.ListReturned
	}
	_, err := undo(m.t.Context(), u)
	switch {
	case l.state == to: // again
		if err != nil {
			r.Fatal(err)
		}
		return
	case l.state != from:
		if fault.KindOf(err) != fault.Precondition {
			r.Fatalf("%s is %s and becomes %s: %v", id, l.state, to, err)
		}
		return
	case err != nil:
		r.Fatal(err)
	}
	for bill, cut := range l.cuts {
		m.bills[bill].open += cut
		if from == provider.ListPaid {
			m.bills[bill].paid -= cut
		}
	}
	if l.state = to; to == provider.ListReturned {
		m.cash += l.amount
	}
}

// agrees compares what is paid and payable with the model and with the journal.
func (m *machine) agrees(r *rapid.T) {
	var unpaid accounts.Fen
	for id, b := range m.bills {
		want := ""
		if b.paid != 0 {
			want = "310/=" + b.paid.String()
		}
		if got := m.f.paid(m.t, id); got != want {
			r.Fatalf("%s is paid %q, the model says %q", id, got, want)
		}
		unpaid += b.left - b.paid
	}
	if got := -m.f.balance(m.t, "320500.agency/310/9002/"+hospital); got != unpaid {
		r.Fatalf("%s is payable by the journal, the model says %s", got, unpaid)
	}
	if got := m.f.balance(m.t, "320500.agency/310/1004"); got != m.cash {
		r.Fatalf("the spending account has %s, the model says %s", got, m.cash)
	}
}

// Whatever is accepted, refunded, listed, paid, given up and sent back in whatever
// order: what each bill was paid, what is payable and the journal agree.
func TestPaymentListsAgreeWithAModel(t *testing.T) {
	t.Parallel()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("4"); err != nil { // each has a database of its own
			t.Fatal(err)
		}
	}
	reached := map[provider.ListState]int{}
	rapid.Check(t, func(r *rapid.T) {
		m := &machine{f: open(t), t: t, bills: map[string]*owed{}, lists: map[string]*listed{}, cash: 300_00}
		m.f.fund(t, "310", m.cash)
		m.accept(r)
		r.Repeat(map[string]func(*rapid.T){
			"1 accept": m.accept, "2 list": m.makeList, "3 fund": m.fund, "4 pay": m.pay, "4 pay more": m.pay, "5 refund": m.refund, "6 undo": m.undo, "": m.agrees,
		})
		for _, l := range m.lists {
			reached[l.state]++
		}
		m.agrees(r)
		m.f.mustBeWhole(t)
	})
	t.Log(reached)
}
