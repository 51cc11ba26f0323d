package recovery_test

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
	"fundledger/settlement/recovery"
)

// machine drives recovery and a small model with the same random steps.
type machine struct {
	fixture
	t     *testing.T
	month accounts.Month
	bills map[string]*modelBill
	cases map[string]*modelCase
}

// modelBill is what is known of a settlement: amounts of hifp_pay.
type modelBill struct {
	bill
	month                             accounts.Month
	refunded, deducted, claimed, paid accounts.Fen
	posted                            bool // its run is paid
}

func (b *modelBill) payable() accounts.Fen { return b.pooled - b.refunded - b.deducted }
func (b *modelBill) left() accounts.Fen    { return b.payable() - b.claimed }
func (b *modelBill) outside() bool         { return b.treating == shanghai }

type modelCase struct {
	of      *modelBill
	mode    recovery.Mode
	state   recovery.State
	claimed accounts.Fen
	at      map[recovery.Station]accounts.Fen
	settled accounts.Fen
}

func (m *machine) on() string { return string(m.month) + "-25" }

func (m *machine) drawBill(r *rapid.T) *modelBill {
	if len(m.bills) == 0 {
		m.newBill(r)
	}
	return m.bills[rapid.SampledFrom(slices.Sorted(maps.Keys(m.bills))).Draw(r, "bill")]
}

var pairs = [][2]string{{nanjing, suzhou}, {nanjing, shanghai}, {shanghai, suzhou}, {wuxi, suzhou}, {suzhou, nanjing}}

// begin has a bill of each of the first pairs that is paid by everybody.
func (m *machine) begin() {
	for _, pair := range pairs[:3] {
		b := &modelBill{month: m.month, bill: bill{id: fmt.Sprintf("A%d", len(m.bills)), insured: pair[0], treating: pair[1], pooled: 100_00}}
		m.settle(m.t, m.month, b.bill)
		if m.bills[b.id] = b; !b.outside() {
			m.payProvider(m.t, b.bill, b.pooled)
			b.paid = b.pooled
		}
	}
	m.clearMonth(nil)
}

func (m *machine) newBill(r *rapid.T) {
	pair := rapid.SampledFrom(pairs).Draw(r, "pair")
	b := &modelBill{month: m.month, bill: bill{id: fmt.Sprintf("A%d", len(m.bills)), insured: pair[0], treating: pair[1], pooled: accounts.Fen(rapid.Int64Range(1, 100_00).Draw(r, "fen"))}}
	m.settle(m.t, m.month, b.bill)
	m.bills[b.id] = b
}

func (m *machine) pay(r *rapid.T) {
	b := m.drawBill(r)
	if open := b.payable() - b.paid; open > 0 && !b.outside() {
		amount := accounts.Fen(rapid.Int64Range(1, int64(open)).Draw(r, "paid"))
		m.payProvider(m.t, b.bill, amount)
		b.paid += amount
	}
}

func (m *machine) refund(r *rapid.T) {
	b := m.drawBill(r)
	if b.left() > 0 {
		amount := accounts.Fen(rapid.Int64Range(1, int64(b.left())).Draw(r, "refund"))
		*m.count++
		m.settle(m.t, m.month, bill{id: fmt.Sprintf("R%d", *m.count), insured: b.insured, treating: b.treating, pooled: -amount, refundOf: b.id})
		b.refunded += amount
	}
}

// ask draws a line that may ask for a fen too much.
func (m *machine) ask(r *rapid.T, b *modelBill) (recovery.Decision, accounts.Fen) {
	amount := accounts.Fen(rapid.Int64Range(1, int64(b.left())+1).Draw(r, "asked"))
	*m.count++
	l := line(b.id, amount)
	l.Document = fmt.Sprintf("d%d", *m.count)
	return recovery.Decision{Lines: []recovery.Line{l}, Date: day(m.on()), By: "auditor"}, amount
}

func (m *machine) agree(r *rapid.T, err error, want fault.Kind, what ...any) bool {
	if fault.KindOf(err) != want {
		r.Fatalf("%v: got %q, want %q: %v", what, fault.KindOf(err), want, err)
	}
	return err == nil
}

func (m *machine) addCase(id string, b *modelBill, mode recovery.Mode, amount accounts.Fen) {
	if b.claimed += amount; b.outside() {
		mode = recovery.Inbound
	}
	m.cases[id] = &modelCase{of: b, mode: mode, state: recovery.Opened, claimed: amount, at: map[recovery.Station]accounts.Fen{}}
}

func (m *machine) deduction(r *rapid.T) {
	b := m.drawBill(r)
	d, amount := m.ask(r, b)
	made, err := m.Deduct(m.t.Context(), d)
	want := fault.Kind("")
	if amount > b.left() {
		want = fault.Insufficient
	}
	if !m.agree(r, err, want, "deduct", b, amount) {
		return
	}
	cut := min(amount, max(b.payable()-b.paid, 0))
	if b.outside() {
		cut = amount
	}
	if made[0].Deducted != cut || (made[0].Case != "") != (cut < amount) {
		r.Fatalf("%s is deducted of %+v, want %s", made[0].Deducted, b, cut)
	}
	b.deducted += cut
	if cut < amount {
		m.addCase(made[0].Case, b, recovery.Offset, amount-cut)
	}
}

func (m *machine) openCase(r *rapid.T) {
	b := m.drawBill(r)
	d, amount := m.ask(r, b)
	if !b.outside() {
		d.Mode = rapid.SampledFrom([]recovery.Mode{recovery.Offset, recovery.Remit}).Draw(r, "mode")
	}
	_, err := m.OpenClawbacks(m.t.Context(), d)
	want := fault.Kind("")
	switch {
	case amount > b.left(), !b.outside() && b.claimed+amount > b.paid:
		want = fault.Insufficient
	case d.Mode == recovery.Remit && !b.posted:
		want = fault.Precondition
	}
	if m.agree(r, err, want, "open", b, amount, d.Mode) {
		m.addCase(d.Lines[0].Document+"/"+b.id, b, d.Mode, amount)
	}
}

// drawCase draws one in the state, or, now and then, any.
func (m *machine) drawCase(r *rapid.T, state recovery.State) (string, *modelCase) {
	ids := slices.Sorted(maps.Keys(m.cases))
	fitting := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return m.cases[id].state != state })
	if len(fitting) > 0 && rapid.IntRange(0, 7).Draw(r, "any case") < 7 {
		ids = fitting
	}
	if len(ids) == 0 {
		return "", nil
	}
	id := rapid.SampledFrom(ids).Draw(r, "case")
	return id, m.cases[id]
}

func (m *machine) rule(r *rapid.T) {
	id, c := m.drawCase(r, recovery.Opened)
	if c == nil {
		return
	}
	*m.count++
	by := rapid.SampledFrom([]string{"head", "auditor"}).Draw(r, "by")
	ruling := recovery.Ruling{Case: id, Date: day(m.on()), By: by, Reason: fmt.Sprint("r", *m.count)}
	var err error
	want := fault.Kind("")
	next := rapid.SampledFrom([]recovery.State{recovery.Approved, recovery.Approved, recovery.Approved, recovery.Approved, recovery.Approved, recovery.Declined, recovery.Cancelled}).Draw(r, "ruling")
	switch next {
	case recovery.Approved:
		_, err = m.Approve(m.t.Context(), ruling)
	case recovery.Declined:
		_, err = m.Decline(m.t.Context(), ruling)
	default:
		_, err = m.Cancel(m.t.Context(), ruling)
	}
	came := c.at[recovery.Received] + c.at[recovery.Arrived]
	switch {
	case next == c.state, next == recovery.Approved && c.state == recovery.Returned: // taken before, with another reason
		want = fault.AlreadyExists
	case next == recovery.Approved && c.state == recovery.Cancelled:
		want = fault.KindOf(err) // it may have been approved before it was cancelled
		if want != fault.AlreadyExists && want != fault.Precondition {
			r.Fatal(err)
		}
	case next == recovery.Cancelled && c.state == recovery.Approved && came == 0, next == recovery.Cancelled && c.state == recovery.Opened:
	case c.state != recovery.Opened:
		want = fault.Precondition
	case by == "auditor":
		want = fault.Permission
	}
	if !m.agree(r, err, want, next, c) {
		return
	}
	if c.state = next; next != recovery.Approved {
		c.of.claimed -= c.claimed
	}
}

var before = map[recovery.Mode]map[recovery.Station]recovery.Station{
	recovery.Offset:  {recovery.Received: ""},
	recovery.Remit:   {recovery.Received: "", recovery.Deposited: recovery.Received, recovery.Sent: recovery.Deposited, recovery.Home: recovery.Sent},
	recovery.Inbound: {recovery.Arrived: "", recovery.Home: recovery.Arrived},
}

// known puts the stations of the case's mode first.
func known(c *modelCase, s recovery.Station) string {
	if _, ok := before[c.mode][s]; ok {
		return "yes"
	}
	return "no"
}

func (m *machine) moveMoney(r *rapid.T) {
	id, c := m.drawCase(r, recovery.Approved)
	if c == nil {
		return
	}
	all := []recovery.Station{recovery.Received, recovery.Deposited, recovery.Sent, recovery.Arrived, recovery.Home}
	slices.SortStableFunc(all, func(a, b recovery.Station) int { return -strings.Compare(known(c, a), known(c, b)) })
	station := rapid.SampledFrom(all).Draw(r, "station")
	from, possible := before[c.mode][station]
	left := c.claimed
	if from != "" {
		left = c.at[from]
	}
	left -= c.at[station]
	amount := accounts.Fen(rapid.Int64Range(1, int64(max(left, 0))+1).Draw(r, "moved"))
	if left > 0 && rapid.Bool().Draw(r, "all") {
		amount = left
	}
	_, err := m.Move(m.t.Context(), m.movement(id, station, m.on(), hifp(amount)))
	want := fault.Kind("")
	switch {
	case !possible:
		want = fault.Invalid
	case c.state != recovery.Approved:
		want = fault.Precondition
	case amount > left:
		want = fault.Insufficient
	case station == recovery.Home && !c.of.posted && c.of.insured != shanghai:
		want = fault.Precondition
	}
	if !m.agree(r, err, want, station, c, amount) {
		return
	}
	if c.at[station] += amount; station == recovery.Home && c.at[station] == c.claimed {
		c.state = recovery.Returned
	}
}

// clearMonth clears the month and pays everything.
func (m *machine) clearMonth(*rapid.T) {
	m.clear(m.t, m.month)
	m.remit(m.t, m.month, m.month.Add(2).First().AddDays(4).String())
	for _, b := range m.bills {
		b.posted = b.posted || b.month <= m.month
	}
	for _, c := range m.cases {
		if c.mode == recovery.Offset && c.state == recovery.Approved {
			if c.settled = c.at[recovery.Received]; c.settled == c.claimed {
				c.state = recovery.Returned
			}
		}
	}
	m.month = m.month.Add(1)
}

// compare asks for every case.
func (m *machine) compare(r *rapid.T) {
	for id, c := range m.cases {
		got, _, err := m.Case(m.t.Context(), id, 0)
		if err != nil {
			r.Fatal(err)
		}
		s := got.Total
		came := c.at[recovery.Received] + c.at[recovery.Arrived]
		outstanding := c.claimed - came
		if c.state == recovery.Declined || c.state == recovery.Cancelled {
			outstanding = 0
		} else if sum := s.Outstanding + s.AwaitingRun + s.InRun + s.AtAgency + s.Deposited + s.AtProvince + s.Home; sum != c.claimed {
			r.Fatalf("the stations of %+v come to %s, not %s", got, sum, c.claimed)
		}
		if got.State != c.state || s.Received != came || s.Outstanding != outstanding || s.Home != c.settled+c.at[recovery.Home] || s.InRun != 0 {
			r.Fatalf("%+v\nwant %+v", got, c)
		}
	}
	for id, b := range m.bills {
		story, _, err := m.clearing.Story(m.t.Context(), id, 0)
		if err != nil || story.Remaining != b.left() {
			r.Fatalf("%s is left of %+v: %v", story.Remaining, b, err)
		}
	}
}

// TestRecoveryAgreesWithAModel takes legal and illegal steps in random order. What
// the model refuses is refused with the same kind; the books are whole at the end,
// and nothing is left of what is home.
func TestRecoveryAgreesWithAModel(t *testing.T) {
	t.Parallel()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("4"); err != nil { // each has a database of its own
			t.Fatal(err)
		}
	}
	reached := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		m := &machine{fixture: open(t), t: t, month: "2025-01", bills: map[string]*modelBill{}, cases: map[string]*modelCase{}}
		m.begin()
		r.Repeat(map[string]func(*rapid.T){ // rapid takes the first ones more often
			"1 open": m.openCase, "2 rule": m.rule, "3 rule": m.rule, "4 move": m.moveMoney, "4 move on": m.moveMoney, "4 move further": m.moveMoney, "5 clear": m.clearMonth, "6 deduct": m.deduction,
			"7 bill": m.newBill, "8 pay": m.pay, "9 refund": m.refund,
		})
		for _, c := range m.cases {
			reached[string(c.mode)+" "+string(c.state)]++
		}
		m.clearMonth(r)
		m.compare(r)
		var toOffset accounts.Fen
		for _, c := range m.cases {
			if c.mode == recovery.Offset {
				toOffset += c.at[recovery.Received] - c.settled
			}
		}
		if toOffset != 0 {
			r.Fatalf("%s was not settled", toOffset)
		}
		m.mustBe(t, "320500.agency/310/2001.03.01", 0)
		m.mustBeWhole(t, true)
	})
	t.Log(reached)
}
