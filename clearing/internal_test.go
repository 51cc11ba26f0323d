package clearing

import (
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
)

// Whatever the signs of payable and receivable and however the cash is cut,
// each payment discharges its own amount, never turns back, never goes past
// what is open of either side, and the last one discharges all.
func TestNetDischargeFollowsTheCash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := accounts.Fen(rapid.Int64Range(-1000, 1000).Draw(t, "payable"))
		r := accounts.Fen(rapid.Int64Range(-1000, 1000).Draw(t, "receivable"))
		net := max(p-r, r-p)
		var cash, lastP, lastR accounts.Fen
		if net == 0 {
			if dp, dr := netDischarge(p, r, 0); dp != p || dr != r {
				t.Fatalf("a net of zero discharges %s of %s and %s of %s", dp, p, dr, r)
			}
			return
		}
		for cash < net {
			cash += accounts.Fen(rapid.Int64Range(1, int64(net-cash)).Draw(t, "payment"))
			dp, dr := netDischarge(p, r, cash)
			if moved := dp - dr; moved != cash && moved != -cash || (moved > 0) != (p > r) {
				t.Fatalf("payable %s less receivable %s discharged is not the cash %s", dp, dr, cash)
			}
			between(t, "payable", lastP, dp, p)
			between(t, "receivable", lastR, dr, r)
			lastP, lastR = dp, dr
		}
		if lastP != p || lastR != r {
			t.Fatalf("paid to the end, but %s of %s and %s of %s are discharged", lastP, p, lastR, r)
		}
	})
}

func between(t *rapid.T, name string, last, now, end accounts.Fen) {
	if end >= 0 && (now < last || now > end) || end < 0 && (now > last || now < end) {
		t.Fatalf("%s goes from %s to %s on the way to %s", name, last, now, end)
	}
}

// The first payment of a debtor offsets its whole receivable.
func TestFirstPaymentOffsetsTheSmallerSide(t *testing.T) {
	if p, r := netDischarge(100_00, 60_00, 1_00); p != 61_00 || r != 60_00 {
		t.Errorf("a debtor's first yuan discharges %s and %s", p, r)
	}
	if p, r := netDischarge(60_00, 100_00, 1_00); p != 60_00 || r != 61_00 {
		t.Errorf("a creditor's first yuan discharges %s and %s", p, r)
	}
}

// Part payments are spread in proportion, refunds with their sign, exact to the fen.
func TestDischargeIsInProportionToWhatIsOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(-500, 2000), 1, 6).Draw(t, "shares")
		var shares []*Share
		for _, a := range amounts {
			shares = append(shares, &Share{Insured: "I", Treating: "T", Fund: "310", Amount: accounts.Fen(a)})
		}
		open := insuredSide.open(shares)
		if open <= 0 {
			return
		}
		for left := open; left > 0; {
			amount := accounts.Fen(rapid.Int64Range(1, int64(left)).Draw(t, "payment"))
			parts, err := insuredSide.discharge(shares, amount)
			if err != nil {
				t.Fatal(err)
			}
			if got := partsTotal(parts); got != amount {
				t.Fatalf("%s discharged %s", amount, got)
			}
			left -= amount
		}
		if !insuredSide.settled(shares) {
			t.Fatal("paid to the end, but a share is open")
		}
	})
}
