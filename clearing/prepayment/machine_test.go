package prepayment_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// machine is a model of fund 310: what each notice still asks for, what each city
// has paid in, what lies at Shanghai, what each top-up keeps, what Beijing has here.
type machine struct {
	open    map[string]accounts.Fen
	dead    map[string]bool // set off by a later plan
	held    map[string]accounts.Fen
	pool    map[string]accounts.Fen // in the province
	at      accounts.Fen
	theirs  accounts.Fen
	kept    map[string]accounts.Fen
	states  map[string]prepayment.TopUpState
	amounts map[string]accounts.Fen // proposed
	origin  map[string]string
}

// spare is what may leave the province on a notice of the origin.
func (m *machine) spare(origin string) accounts.Fen {
	here := -m.at
	for _, amount := range m.held {
		here += amount
	}
	if kept, ok := m.kept[origin]; ok {
		return min(here, kept)
	}
	for _, amount := range m.kept {
		here -= amount
	}
	return here
}

// learn takes notices into the model.
func (m *machine) learn(notices []prepayment.Notice) {
	for _, n := range notices {
		m.open[n.ID], m.origin[n.ID] = n.Amount, n.Origin
	}
}

// move says how a move ends, and does it where it succeeds.
func (m *machine) move(n prepayment.Notice, amount accounts.Fen) fault.Kind {
	city := n.Party[:2] == "32"
	takes := n.Direction == clearing.Receive // money leaves the province
	var spare accounts.Fen
	switch {
	case n.Scheme == prepayment.InProvince:
		spare = m.pool[n.Party]
	case city:
		spare = min(m.spare(n.Origin), m.held[n.Party])
	case takes:
		spare = m.spare(n.Origin)
	default:
		spare, takes = m.at, true // leaves the other province
	}
	switch {
	case m.dead[n.ID]:
		return fault.Precondition
	case amount > m.open[n.ID], takes && amount > spare:
		return fault.Insufficient
	}
	m.open[n.ID] -= amount
	signed := amount
	if city == (n.Direction == clearing.Receive) {
		signed = -amount
	}
	kept, isCase := m.kept[n.Origin]
	switch {
	case n.Scheme == prepayment.InProvince:
		m.pool[n.Party] += signed
	case city:
		m.held[n.Party] += signed
		kept += amount
	default:
		m.at += signed
		kept -= amount
	}
	if isCase {
		m.kept[n.Origin] = kept
	}
	return ""
}

// Whatever is tried in whatever order: what the model allows happens, what it does
// not is refused for the reason it gives, and the books are whole.
func TestAnyOrderOfPrepaymentsKeepsTheInvariants(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a database for each case")
	}
	t.Parallel()
	cases := 0
	rapid.Check(t, func(r *rapid.T) {
		if cases++; cases > 3 {
			return // each case is a database of its own
		}
		f := open(t)
		m := &machine{open: map[string]accounts.Fen{}, dead: map[string]bool{}, held: map[string]accounts.Fen{}, pool: map[string]accounts.Fen{},
			kept: map[string]accounts.Fen{}, states: map[string]prepayment.TopUpState{}, amounts: map[string]accounts.Fen{}, origin: map[string]string{}}
		for _, scheme := range prepayment.Schemes() {
			m.learn(f.plan(t, scheme).Notices)
		}
		for i, month := range []accounts.Month{"2025-02", "2025-03"} {
			id := f.red(t, month, accounts.Fen(95_00+i))
			m.states[id] = prepayment.Opened
		}
		ops := map[string]func(){
			"move": func() { f.anyMove(t, r, m) }, "move ": func() { f.anyMove(t, r, m) }, "move  ": func() { f.anyMove(t, r, m) },
			"step": func() { f.anyStep(t, r, m) }, "step ": func() { f.anyStep(t, r, m) },
			"theirs": func() { f.anyOfTheirs(r, m) },
		}
		next := rapid.IntRange(20, 35).Draw(r, "plan after")
		for i := range 40 {
			if i == next {
				f.nextPlan(t, r, m)
			}
			ops[rapid.SampledFrom(slices.Sorted(maps.Keys(ops))).Draw(r, "op")]()
		}
		f.mustBe(t, home+".agency/310/1101.02/"+shanghai, m.at)
		f.mustBe(t, home+".agency/310/2001.01.03/"+beijing, -m.theirs)
		for _, city := range []string{nanjing, suzhou} {
			f.mustBe(t, city+".agency/310/1101.01", m.pool[city])
			f.mustBe(t, city+".agency/310/1101.02", m.held[city])
		}
		notices, err := f.Notices(t.Context(), prepayment.NoticeQuery{})
		if err != nil {
			r.Fatal(err)
		}
		for _, n := range notices {
			if n.Open != m.open[n.ID] {
				t.Errorf("%s: %s is open, the model has %s", n.ID, n.Open, m.open[n.ID])
			}
		}
		f.mustBeWhole(t)
		if t.Failed() {
			r.Fatal("see above")
		}
	})
}

func (f fixture) anyMove(t *testing.T, r *rapid.T, m *machine) {
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(m.open))).Draw(r, "notice")
	n := f.notice(t, id)
	amount := rapid.SampledFrom([]accounts.Fen{1, 7_00, 20_00, n.Open, n.Open + 1}).Draw(r, "amount")
	if amount == 0 {
		return
	}
	move := f.move(id, "2026-02-27", amount)
	want := m.move(n, amount)
	for range 2 { // a replay ends alike and changes nothing
		if _, err := f.Record(t.Context(), move); fault.KindOf(err) != want {
			r.Fatalf("%s of %s, %s open: got %v, want %q", amount, id, n.Open, err, want)
		}
	}
}

func (f fixture) anyOfTheirs(r *rapid.T, m *machine) {
	amount := accounts.Fen(rapid.IntRange(1, 30_00).Draw(r, "amount"))
	move := f.move("", "2026-02-27", amount)
	move.Province, move.Document = beijing, "国家通知"
	move.Direction = rapid.SampledFrom([]clearing.Direction{clearing.Pay, clearing.Receive}).Draw(r, "direction")
	want := fault.Kind("")
	switch {
	case move.Direction == clearing.Pay:
		m.theirs += amount
	case amount > m.theirs:
		want = fault.Insufficient
	default:
		m.theirs -= amount
	}
	if _, err := f.Record(r.Context(), move); fault.KindOf(err) != want {
		r.Fatalf("%s of theirs: got %v, want %q", amount, err, want)
	}
}

// anyStep tries a step on a case, legal or not.
func (f fixture) anyStep(t *testing.T, r *rapid.T, m *machine) {
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(m.states))).Draw(r, "case")
	name := rapid.SampledFrom([]string{"propose", "approve", "notify", "decline"}).Draw(r, "step")
	by := rapid.SampledFrom([]string{"maker", "checker"}).Draw(r, "by")
	s := f.step(id, "2025-06-03", by, 0)
	state := m.states[id]
	want, after := fault.Precondition, state
	var take func() (*prepayment.TopUp, error)
	switch name {
	case "propose":
		s.Lines = []clearing.Line{{Fund: "310", Amount: 33_33}}
		take = func() (*prepayment.TopUp, error) { return f.Propose(t.Context(), s) }
		if state == prepayment.Opened || state == prepayment.Proposed {
			want, after = "", prepayment.Proposed
			m.origin[id] = by
		}
	case "approve":
		s.Lines = []clearing.Line{{Fund: "310", Amount: 33_33}}
		take = func() (*prepayment.TopUp, error) { return f.Approve(t.Context(), s) }
		switch {
		case state == prepayment.Proposed && m.origin[id] == by:
			want = fault.Permission
		case state == prepayment.Proposed:
			want, after = "", prepayment.Approved
		}
	case "notify":
		take = func() (*prepayment.TopUp, error) { return f.Notify(t.Context(), s) }
		if state == prepayment.Approved {
			want, after = "", prepayment.Notified
		}
	case "decline":
		s.Reason = "回落"
		take = func() (*prepayment.TopUp, error) { return f.Decline(t.Context(), s) }
		if state == prepayment.Approved || state == prepayment.Opened || state == prepayment.Proposed {
			want, after = "", prepayment.Declined
		}
	}
	for range 2 {
		c, err := take()
		if fault.KindOf(err) != want {
			r.Fatalf("%s of %s in state %s by %s: got %v, want %q", name, id, state, by, err, want)
		}
		if err == nil && after == prepayment.Notified {
			if _, ok := m.kept[id]; !ok {
				m.kept[id] = 0
				m.learn(c.Notices)
			}
		}
	}
	m.states[id] = after
}

// nextPlan makes the plan of the next year: what is held is set off.
func (f fixture) nextPlan(t *testing.T, r *rapid.T, m *machine) {
	quota := accounts.Fen(rapid.IntRange(0, 200_00).Draw(r, "quota"))
	file := f.bases(t, 2026, basis{"in_province_payable", "310", suzhou, "2025", 5 * quota}, basis{"cross_province_payable", "310", suzhou, "2025", 1},
		basis{"cross_province_settled", "310", shanghai, "2025-11", quota * 3 / 2})
	for _, scheme := range prepayment.Schemes() {
		plan, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2026, Scheme: scheme, Issued: day("2026-02-02"), File: file, By: "clerk"})
		if err != nil {
			r.Fatal(err)
		}
		for id := range m.open {
			if m.origin[id] == prepayment.PlanID(2025, scheme) {
				m.dead[id] = true
			}
		}
		for _, at := range plan.Positions {
			held := m.pool[at.Party]
			switch {
			case at.Party == shanghai:
				held = m.at
			case scheme == prepayment.CrossProvince:
				held = m.held[at.Party]
			}
			if at.Fund == "310" && at.Held != held {
				r.Fatalf("%s: %s is held, the model has %s", at.Party, at.Held, held)
			}
		}
		m.learn(plan.Notices)
	}
}

func TestTwoAtOnceMoveOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.plan(t, prepayment.CrossProvince)
	f.moved(t, "2025/cross-province/320500/pay", "2025-02-18")
	// The same reference twice, and twice as much as there is under two references.
	both := func(moves ...prepayment.Move) (kinds []fault.Kind) {
		errs := make([]error, len(moves))
		var wait sync.WaitGroup
		for i, m := range moves {
			wait.Go(func() { _, errs[i] = f.Record(t.Context(), m) })
		}
		wait.Wait()
		for _, err := range errs {
			kinds = append(kinds, fault.KindOf(err))
		}
		slices.Sort(kinds)
		return kinds
	}
	pay := f.move("2025/cross-province/320100/pay", "2025-02-18", 50_00)
	if kinds := both(pay, pay); kinds[0] != "" || kinds[1] != "" {
		t.Errorf("the same reference: %v", kinds)
	}
	f.mustBe(t, nanjing+".agency/310/1101.02", 50_00)
	forward := "2025/cross-province/310000/receive"
	if kinds := both(f.move(forward, "2025-02-20", 45_00), f.move(forward, "2025-02-20", 45_00)); kinds[0] != "" || kinds[1] != fault.Insufficient {
		t.Errorf("more than there is: %v", kinds)
	}
	f.mustBe(t, home+".agency/310/1101.02/"+shanghai, 45_00)
	// Two servers look at the month, and two people make a plan.
	f.settle(t, "2025-02", bill{nanjing, shanghai, 95_00})
	f.cleared(t, "2025-02")
	errs := make([]error, 4)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() {
			if i < 2 {
				_, errs[i] = f.Watch(t.Context(), "2025-02")
				return
			}
			_, errs[i] = f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2025, Scheme: prepayment.InProvince, File: f.yearly(t, 2025), By: fmt.Sprint("clerk", i)})
		})
	}
	wait.Wait()
	if err := errors.Join(errs[:2]...); err != nil {
		t.Error(err)
	}
	if a, b := fault.KindOf(errs[2]), fault.KindOf(errs[3]); !(a == "" && b == fault.AlreadyExists || b == "" && a == fault.AlreadyExists) {
		t.Errorf("two plans of a year: %v, %v", errs[2], errs[3])
	}
	if cases, err := f.TopUps(t.Context(), prepayment.TopUpQuery{}); err != nil || len(cases) != 1 {
		t.Errorf("%d cases, %v", len(cases), err)
	}
	f.mustBeWhole(t)
}

// A commit that is lost before or behind the database leaves the move done or not
// done; asking again finds out, and it is done once.
func TestLostCommitsMoveOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.plan(t, prepayment.CrossProvince)
	proxy := devdb.NewProxy(t, f.db.URL)
	through, err := postgres.Open(t.Context(), proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer through.Close()
	desk := prepayment.New(through, ledger.New(through, f.book), f.book)
	for i, cut := range []devdb.Cut{devdb.BeforeCommit, devdb.AfterCommit} {
		move := f.move("2025/cross-province/320100/pay", "2025-02-18", 10_00)
		proxy.CutNext(cut)
		if _, err := desk.Record(t.Context(), move); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%v: %v", cut, err)
		}
		m, err := f.Record(t.Context(), move)
		if err != nil || m.Replayed != (cut == devdb.AfterCommit) {
			t.Errorf("%v: %+v %v", cut, m, err)
		}
		f.mustBe(t, nanjing+".agency/310/1101.02", accounts.Fen(i+1)*10_00)
	}
	f.mustBeWhole(t)
}
