package accounts_test

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

func TestAllocateSplitsByLargestRemainder(t *testing.T) {
	for _, c := range []struct {
		total         accounts.Fen
		weights, want []accounts.Fen
	}{
		{100, []accounts.Fen{1, 1, 1}, []accounts.Fen{34, 33, 33}}, // a tie goes to the earlier
		{100, []accounts.Fen{1, 2, 3}, []accounts.Fen{17, 33, 50}},
		{5, []accounts.Fen{0, 7}, []accounts.Fen{0, 5}},
		{-100, []accounts.Fen{1, 1, 1}, []accounts.Fen{-33, -33, -34}},
		{10, []accounts.Fen{-1, 3}, []accounts.Fen{-5, 15}},
		{-7, []accounts.Fen{-1, -6}, []accounts.Fen{-1, -6}},
		{0, []accounts.Fen{0, 0}, []accounts.Fen{0, 0}},
		{0, nil, []accounts.Fen{}},
	} {
		got, err := accounts.Allocate(c.total, c.weights)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("Allocate(%d, %d) = %d, %v; want %d", c.total, c.weights, got, err, c.want)
		}
	}
}

func TestAllocateRefusesWhatHasNoShares(t *testing.T) {
	for _, weights := range [][]accounts.Fen{nil, {0}, {5, -5}} {
		if _, err := accounts.Allocate(1, weights); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Allocate(1, %d): %v", weights, err)
		}
	}
}

func TestAllocateIsExactAndWithinAFen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(-1_000_000_000_000_000, 1_000_000_000_000_000)
		total := accounts.Fen(amount.Draw(t, "total"))
		weights := rapid.SliceOfN(rapid.Map(amount, func(n int64) accounts.Fen { return accounts.Fen(n) }), 1, 20).Draw(t, "weights")
		if rapid.Bool().Draw(t, "positive") {
			for i, w := range weights {
				weights[i] = max(w, -w)
			}
		}
		parts, err := accounts.Allocate(total, weights)
		sum := new(big.Int)
		for _, w := range weights {
			sum.Add(sum, big.NewInt(int64(w)))
		}
		if sum.Sign() == 0 {
			if total != 0 && fault.KindOf(err) != fault.Invalid {
				t.Fatalf("weights that sum to zero gave %v, %v", parts, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		left := total
		for i, part := range parts {
			left -= part
			// |part × sum − total × weight| < |sum|
			error := new(big.Int).Mul(big.NewInt(int64(part)), sum)
			error.Sub(error, new(big.Int).Mul(big.NewInt(int64(total)), big.NewInt(int64(weights[i]))))
			if error.CmpAbs(sum) >= 0 {
				t.Fatalf("part %d is %s, a fen or more from its share", i, part)
			}
		}
		if left != 0 {
			t.Fatalf("the parts leave %s of %s", left, total)
		}
	})
}
