package clearing_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
)

// Whatever a month holds, refunds included, and in whatever order and parts it
// is paid, the invariants hold in between, no refusal is for want of anything
// but money, and in the end everything that clearing passes through is zero.
func TestAnyOrderOfRemittancesKeepsTheInvariants(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a database for each case")
	}
	cases := 0
	rapid.Check(t, func(r *rapid.T) {
		if cases++; cases > 12 {
			return // each case is a database of its own
		}
		f := open(t)
		regions := []string{nanjing, wuxi, suzhou, beijing, shanghai}
		var january, february []bill
		for i := range rapid.IntRange(3, 10).Draw(r, "bills") {
			pair := rapid.Permutation(regions).Draw(r, "pair")
			if pair[0] < home && pair[1] < home {
				pair[1] = nanjing // one of the two is ours
			}
			b := bill{insured: pair[0], treating: pair[1], id: fmt.Sprintf("A%d", i),
				insutype: rapid.SampledFrom([]string{"310", "390"}).Draw(r, "insutype"), med: rapid.SampledFrom([]string{"11", "21"}).Draw(r, "med"),
				pooled: accounts.Fen(rapid.IntRange(1, 3000).Draw(r, "pooled"))}
			if b.insutype == "310" {
				b.account = accounts.Fen(rapid.IntRange(0, 500).Draw(r, "account"))
			}
			january = append(january, b)
			if rapid.Bool().Draw(r, "refunded") {
				back := b
				back.id, back.refundOf, back.pooled, back.account = "", b.id, -b.pooled, -b.account
				february = append(february, back)
			} else {
				b.id = ""
				february = append(february, b)
			}
		}
		f.settle(t, "2025-01", january...)
		f.settle(t, "2025-02", february...)
		if rapid.Bool().Draw(r, "pools") {
			f.event(t, "prepayment.paid.in_province", map[string]string{"I": suzhou, "P": home}, 10_00)
			f.event(t, "prepayment.received.cross", map[string]string{"P": home, "X": shanghai}, 10_00)
		}
		for _, month := range []accounts.Month{"2025-01", "2025-02"} {
			f.clear(t, month)
		}
		for range rapid.IntRange(5, 15).Draw(r, "payments") {
			f.payAny(t, r)
		}
		f.mustBeWhole(t, false)
		for _, month := range []accounts.Month{"2025-01", "2025-02"} {
			if _, err := f.RemitAll(t.Context(), month, small2025, "rest"); err != nil {
				r.Fatal(err)
			}
		}
		f.mustBeWhole(t, true)
		if t.Failed() {
			r.Fatal("see above")
		}
	})
}

// payAny pays a part of one open line, if the money is there.
func (f fixture) payAny(t *testing.T, r *rapid.T) {
	notices, err := f.Notices(t.Context(), "")
	if err != nil {
		r.Fatal(err)
	}
	n := rapid.SampledFrom(notices).Draw(r, "notice")
	line := rapid.SampledFrom(n.Lines).Draw(r, "line")
	amount := line.Open
	if amount > 1 {
		amount = accounts.Fen(rapid.Int64Range(1, int64(line.Open)).Draw(r, "amount"))
	}
	p := f.payment(n.ID, clearing.Line{Fund: line.Fund, Amount: amount})
	p.Date = small2025
	if _, err := f.Remit(t.Context(), p); err != nil && fault.KindOf(err) != fault.Insufficient {
		r.Fatal(err)
	}
}
