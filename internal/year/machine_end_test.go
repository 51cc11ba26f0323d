package year_test

import (
	"flag"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/recovery"
)

// stations are those that money of a mode still has to pass, the last one home.
var stations = map[recovery.Mode][]recovery.Station{
	recovery.Offset:  {recovery.Received},
	recovery.Remit:   {recovery.Received, recovery.Deposited, recovery.Sent, recovery.Home},
	recovery.Inbound: {recovery.Arrived, recovery.Home},
}

// finish lets everything come to its end: claims are paid, runs cleared and paid,
// and what was recovered goes home.
func (w *world) finish() {
	for _, c := range w.cases() {
		if c.State == recovery.Opened {
			by := "head"
			if c.OpenedBy == by {
				by = "clerk"
			}
			if _, err := w.recovery.Approve(w.t.Context(), recovery.Ruling{Case: c.ID, Date: w.day(24), By: by}); err != nil {
				w.r.Fatal(err)
			}
		}
	}
	w.moveAll(false)
	w.freeze()
	notices, err := w.clearing.Notices(w.t.Context(), "")
	if err != nil {
		w.r.Fatal(err)
	}
	for month := accounts.Month("2025-01"); month < w.month; month = month.Add(1) {
		if _, err := w.clearing.RemitAll(w.t.Context(), month, w.month.Add(1).First(), w.next("END")); err != nil {
			w.r.Fatalf("%s is not paid: %v\n%+v", month, err, notices)
		}
	}
	w.moveAll(true)
	w.whole()
	w.clean()
}

// moveAll moves what can move of all cases, home too once the runs are paid.
func (w *world) moveAll(home bool) {
	for _, c := range w.cases() {
		if c.State != recovery.Approved && c.State != recovery.Opened {
			continue
		}
		for _, station := range stations[c.Mode] {
			if station == recovery.Home && !home {
				continue
			}
			_, err := w.recovery.Move(w.t.Context(), recovery.Movement{Case: c.ID, Station: station, Date: w.day(26), By: "clerk", Reference: w.next("M")})
			if kind := fault.KindOf(err); kind != "" && kind != fault.Insufficient && kind != fault.Precondition {
				w.r.Fatal(err)
			}
		}
	}
}

// clean: nothing is left of what passes through, and what was cleared is what
// was accepted less all that was taken back.
func (w *world) clean() {
	if _, err := w.journal.CatchUp(w.t.Context()); err != nil {
		w.r.Fatal(err)
	}
	balances, _, err := w.journal.Balances(w.t.Context(), ledger.Filter{}, ledger.AsOf{})
	if err != nil {
		w.r.Fatal(err)
	}
	var cleared accounts.Fen
	for _, b := range balances {
		if passes(b.Account.Subject) && b.Balance != 0 {
			w.r.Errorf("%s is %s at the end, want 0.00", b.Account, b.Balance)
		}
		if b.Account.Subject == "9202.01" {
			cleared += b.Debit
		}
	}
	for _, c := range w.cases() {
		if given := c.State == recovery.Declined || c.State == recovery.Cancelled; !given && c.State != recovery.Returned {
			w.r.Errorf("clawback %s is %s at the end: %+v", c.ID, c.State, c.Total)
		}
		if c.Mode == recovery.Offset {
			cleared += c.Total.Received
		}
	}
	deductions, _, err := w.recovery.Deductions(w.t.Context(), recovery.Query{Limit: 1000}, 0)
	if err != nil {
		w.r.Fatal(err)
	}
	for _, d := range deductions {
		cleared += d.Deducted
	}
	var accepted accounts.Fen
	for _, of := range []map[string]entered{w.bills, w.refunds} {
		for id, e := range of {
			s, _, err := w.settlements.Settlement(w.t.Context(), id, 0)
			if err != nil {
				w.r.Fatal(err)
			}
			if s.State == settlement.StatePosted || s.State == settlement.StateWithdrawn && len(s.Entries) > 0 {
				accepted += e.amount
			}
			for _, reduction := range s.Reductions {
				if reduction.Kind == settlement.Withdrawn {
					accepted -= reduction.Amount
				}
			}
		}
	}
	if cleared != accepted {
		w.r.Errorf("%s was accepted, %s cleared and taken back", accepted, cleared)
	}
}

// passes tells whether nothing may be left on the account when all is paid.
func passes(subject string) bool {
	for _, heading := range []string{"2001.02", "2001.03", "2001.04", "2001.05", "9993"} {
		if strings.HasPrefix(subject, heading) {
			return true
		}
	}
	return strings.HasPrefix(subject, "9") && len(subject) > len("9001")
}

// TestAnyOrderOfEverythingKeepsTheInvariants takes legal and illegal steps of all
// domain packages in random order, with the books checked every few steps. When
// all is paid at the end, nothing is left of what only passes through.
func TestAnyOrderOfEverythingKeepsTheInvariants(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"rapid.checks": "4", "rapid.steps": "90", "rapid.shrinktime": "10s"} { // each check has a database of its own
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := f.Value.Set(value); err != nil {
				t.Fatal(err)
			}
		}
	}
	done, refused := map[string]int{}, 0
	rapid.Check(t, func(r *rapid.T) {
		w := openWorld(t, r)
		w.plan(r)
		for range 8 {
			w.bill(r)
		}
		w.clear(r)
		steps := 0
		r.Repeat(map[string]func(*rapid.T){
			"bill": w.bill, "more bills": w.bill, "yet more bills": w.bill, "refund": w.refund, "withdraw": w.withdraw, "pay provider": w.payProvider, "pay more": w.payProvider,
			"decide": w.decide, "decide more": w.decide, "case": w.stepCase, "more of cases": w.stepCase, "yet more of cases": w.stepCase,
			"clear": w.clear, "remit": w.remit, "remit more": w.remit, "yet more remittances": w.remit, "plan": w.plan, "prepay": w.movePrepayment, "prepay more": w.movePrepayment,
			"top-up": w.topUp, "more of top-ups": w.topUp, "money": w.money,
			"": func(r *rapid.T) {
				w.r = r
				if steps++; steps%10 == 0 {
					w.whole()
				}
			},
		})
		w.r = r
		w.finish()
		for what, n := range w.done {
			done[what] += n
		}
		refused += w.refused
	})
	t.Logf("done %v, refused %d", done, refused)
}
