package accounts

import (
	"math/big"
	"sort"

	"fundledger/internal/fault"
)

// Allocate splits total over the weights by largest remainder, exact to the
// fen: the parts sum to total, each differs from its exact share by less than
// a fen, and equal remainders go to the earlier weight, so callers sort by
// code. Weights may be negative where they net (refunds); their sum may be
// zero only when total is, and then every part is zero.
func Allocate(total Fen, weights []Fen) ([]Fen, error) {
	parts := make([]Fen, len(weights))
	sum := new(big.Int)
	for _, w := range weights {
		sum.Add(sum, big.NewInt(int64(w)))
	}
	if sum.Sign() == 0 {
		if total != 0 {
			return nil, fault.New(fault.Invalid, "%s cannot be split over weights that sum to zero", total)
		}
		return parts, nil
	}
	left := int64(total)
	remainders := make([]*big.Int, len(weights))
	order := make([]int, len(weights))
	// Euclidean division by the positive |sum| rounds every share down.
	divisor, sign := new(big.Int).Abs(sum), big.NewInt(int64(sum.Sign()))
	for i, w := range weights {
		share := new(big.Int).Mul(big.NewInt(int64(total)), big.NewInt(int64(w)))
		share.Mul(share, sign)
		quotient, remainder := new(big.Int).DivMod(share, divisor, new(big.Int))
		parts[i], remainders[i], order[i] = Fen(quotient.Int64()), remainder, i
		left -= quotient.Int64()
	}
	sort.SliceStable(order, func(a, b int) bool {
		return remainders[order[a]].Cmp(remainders[order[b]]) > 0
	})
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts, nil
}
