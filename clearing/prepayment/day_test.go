package prepayment_test

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Terms count working days from the day after the notice: Sunday 2025-01-26 is
// worked for the Spring Festival, which lasts until 4 February, and so is Saturday
// 2025-02-08; 2025-04-27 and 2025-09-28 are Sundays that are worked.
func TestTermsCountShiftedWeekends(t *testing.T) {
	t.Parallel()
	f := open(t)
	// In 2026 the 14th of February is a worked Saturday, the last day before the
	// festival, and the 28th is one after it.
	for _, c := range []struct {
		year                     int
		issued, applies, due, in string
	}{
		{2025, "2025-01-24", "2025-02-07", "2025-02-13", "2025-02-13"},
		{2026, "2026-02-09", "2026-02-14", "2026-02-28", "2026-02-28"},
	} {
		for _, scheme := range prepayment.Schemes() {
			plan, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: c.year, Scheme: scheme, Issued: day(c.issued), File: f.yearly(t, c.year), By: "clerk", ValidateOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range plan.Notices {
				switch {
				case n.Direction != clearing.Pay:
				case scheme == prepayment.InProvince && n.Due != day(c.in):
					t.Errorf("%s is due on %s, want %s", n.ID, n.Due, c.in)
				case scheme == prepayment.CrossProvince && (n.ApplyBy != day(c.applies) || n.Due != day(c.due)):
					t.Errorf("%s: apply by %s, due %s; want %s, %s", n.ID, n.ApplyBy, n.Due, c.applies, c.due)
				}
			}
		}
	}
	_, err := f.MakePlan(t.Context(), prepayment.PlanRequest{Year: 2031, Scheme: prepayment.InProvince, Issued: day("2031-02-03"), File: f.yearly(t, 2031), By: "clerk"})
	mention(t, err, fault.NotFound, "2031")
}

// dayOf is a deployment with pools and a month to be paid, always the same.
func dayOf(t *testing.T) fixture {
	f := open(t)
	f.plan(t, prepayment.InProvince)
	f.moved(t, "2025/in-province/320100/pay", "2025-02-18")
	theirs := prepayment.Move{Province: beijing, Direction: clearing.Pay, Document: "国家通知", Lines: []clearing.Line{{Fund: "310", Amount: 9_00}}, Date: day("2025-02-26"), Reference: "theirs", By: "clerk"}
	if _, err := f.Record(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	f.settle(t, "2025-02", bill{nanjing, suzhou, 12_00}, bill{wuxi, suzhou, 5_00}, bill{suzhou, wuxi, 1_00}, bill{beijing, suzhou, 7_00}, bill{beijing, nanjing, 2_00}, bill{nanjing, shanghai, 6_00})
	f.cleared(t, "2025-02")
	return f
}

// totals are the balances at the end of the day by book, fund and subject: whose
// money pays whom is not promised.
func (f fixture) totals(t *testing.T) map[accounts.Account]accounts.Fen {
	t.Helper()
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	balances, _, err := f.journal.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	sums := map[accounts.Account]accounts.Fen{}
	for _, b := range balances {
		b.Account.Counterparty = ""
		sums[b.Account] += b.Balance
	}
	maps.DeleteFunc(sums, func(_ accounts.Account, sum accounts.Fen) bool { return sum == 0 })
	return sums
}

// The pools cover what is paid before the debtors' money has come, so every order
// of one day's payments ends with the same totals, whether a pool is used and
// refilled or never touched.
func TestOrderOfADaysPaymentsChangesNoTotals(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a database for each case")
	}
	t.Parallel()
	payments := []struct {
		notice string
		amount accounts.Fen
	}{
		{"2025-02/in-province/320100/pay", 8_00}, {"2025-02/in-province/320100/pay", 4_00}, {"2025-02/in-province/320200/pay", 3_00},
		{"2025-02/in-province/320500/receive", 10_00}, {"2025-02/in-province/320500/receive", 5_00}, {"2025-02/cross-in/110000/pay", 6_00},
		{"2025-02/cross-in/320100/receive", 2_00}, {"2025-02/cross-in/320500/receive", 7_00}, {"2025-02/cross-out/320100/pay", 6_00},
	}
	var first map[accounts.Account]accounts.Fen
	cases := 0
	rapid.Check(t, func(r *rapid.T) {
		if cases++; cases > 3 {
			return // each case is a database of its own
		}
		f := dayOf(t)
		for i, p := range rapid.Permutation(payments).Draw(r, "order") {
			_, err := f.clearing.Remit(t.Context(), clearing.Payment{Notice: p.notice, Lines: []clearing.Line{{Fund: "310", Amount: p.amount}}, Date: day("2025-04-02"), Reference: string(rune('a' + i))})
			if err != nil {
				r.Fatalf("payment %d, %s: %v", i, p.notice, err)
			}
		}
		totals := f.totals(t)
		if first == nil {
			first = totals
		}
		for account, sum := range totals {
			if first[account] != sum {
				r.Errorf("%s is %s, in another order %s", account, sum, first[account])
			}
		}
		if len(first) != len(totals) {
			r.Errorf("%d accounts, in another order %d", len(totals), len(first))
		}
		f.mustBeWhole(t)
	})
}
