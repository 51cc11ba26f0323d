package prepayment_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
)

// monthOfShanghai is what is known of a month's payment to Shanghai.
type monthOfShanghai struct {
	ours, national, paid accounts.Fen
	list                 string
	accepted             bool
}

func (m *monthOfShanghai) holds() bool {
	return m.list != "" && (m.accepted || m.national == m.ours)
}

// Whatever the national platform says of three months and in whatever order lists
// come, are accepted and are paid by: a province never gets more than the lists
// that hold have together, nor more than our records owe; and once they have all
// that we have, all of it can be paid.
func TestNoListLetsMoreBePaidThanItHas(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a database for each case")
	}
	t.Parallel()
	cases := 0
	rapid.Check(t, func(r *rapid.T) {
		if cases++; cases > 2 {
			return // each case is a database of its own
		}
		f := open(t)
		months := []accounts.Month{"2025-01", "2025-02", "2025-03"}
		known := map[accounts.Month]*monthOfShanghai{}
		for i, month := range months {
			m := &monthOfShanghai{ours: accounts.Fen(rapid.IntRange(1_00, 3_00).Draw(r, "ours"))}
			known[month] = m
			f.settle(t, month, bill{nanjing, shanghai, m.ours})
			f.cleared(t, month)
			f.remitted(t, string(month)+"/cross-out/320100/pay", fmt.Sprint("city", i), m.ours)
		}
		imports := 0
		take := func(month accounts.Month, national accounts.Fen) {
			imports++ // so that no content comes twice
			list := f.national(t, prepayment.ClearingList, fmt.Sprintf("%s%s\t310000\t310\t%s\t0.00\n%s\t110000\t310\t0.00\t%d.00\n", listHeader, month, national, month, imports))
			m := known[month]
			m.national, m.list, m.accepted = national, list.ID, false
		}
		pay := func(month accounts.Month, amount accounts.Fen) {
			m := known[month]
			var allowed accounts.Fen
			for _, other := range known {
				if other.holds() {
					allowed += other.national - other.paid
				}
			}
			want := fault.Kind("")
			switch {
			case m.paid == m.ours:
				want = fault.Insufficient
			case m.list != "" && !m.holds():
				want = fault.Precondition
			case amount > m.ours-m.paid, m.list != "" && amount > allowed:
				want = fault.Insufficient
			}
			*f.bills++
			_, err := f.remit(t, string(month)+"/cross-out/310000/receive", fmt.Sprint("pay", *f.bills), clearing.Line{Fund: "310", Amount: amount})
			if got := fault.KindOf(err); got != want && m.paid != m.ours {
				r.Fatalf("%s of %s (%+v), %s allowed: got %v, want %q", amount, month, *m, allowed, err, want)
			}
			if err == nil {
				m.paid += amount
			}
		}
		for range 25 {
			month := rapid.SampledFrom(months).Draw(r, "month")
			switch m := known[month]; rapid.SampledFrom([]string{"import", "accept", "pay", "pay "}).Draw(r, "op") {
			case "import":
				take(month, max(m.ours+accounts.Fen(rapid.IntRange(-1_00, 1_00).Draw(r, "off")), 0))
			case "accept":
				if m.list != "" && !m.accepted {
					f.accept(t, m.list)
					m.accepted = true
				}
			default:
				pay(month, accounts.Fen(rapid.IntRange(1, 2_00).Draw(r, "amount")))
			}
		}
		for _, month := range months { // in the end the platform has what we have
			take(month, known[month].ours)
		}
		for _, month := range months {
			if m := known[month]; m.paid < m.ours {
				pay(month, m.ours-m.paid)
			}
		}
		f.mustBe(t, home+".agency/310/9202.02/"+shanghai, 0)
		f.mustBe(t, home+".agency/310/2001.02.02", 0)
		f.mustBeWhole(t)
		if t.Failed() {
			r.Fatal("see above")
		}
	})
}
