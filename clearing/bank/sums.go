package bank

import "fundledger/accounts"

// searchSteps bounds the steps of one search. To find a subset of a given sum
// takes time that doubles with every candidate, so a search among all open lines
// would never end. It is held down threefold: only the nearest candidates are
// looked at (policy bank.search.candidates, 24), a sum has only so many lines (policy
// bank.search.lines, 6), and whatever these say, so many steps are taken. Of 24
// candidates there are 190,026 sums of 2 to 6 lines; most branches are cut off early
// because the largest or smallest lines left cannot reach the rest, so the bound is
// met only where the policy asks for more. A search that ends at a bound finds
// fewer sums; none that it finds is wrong.
const searchSteps = 200_000

// sums finds subsets of 2 to most amounts that come to the target, those of the
// fewest amounts first, until found returns false. Amounts are positive and come
// in descending order.
func sums(target accounts.Fen, amounts []accounts.Fen, most int, found func(picked []int) bool) {
	s := search{amounts: amounts, found: found, steps: searchSteps}
	for size := 2; size <= min(most, len(amounts)); size++ {
		s.picked = s.picked[:0]
		if !s.pick(target, 0, size) {
			return
		}
	}
}

type search struct {
	amounts []accounts.Fen
	picked  []int
	steps   int
	found   func([]int) bool
}

// pick tries every choice of so many amounts from the given one on; false ends
// the search.
func (s *search) pick(rest accounts.Fen, from, many int) bool {
	if many == 0 {
		return rest != 0 || s.found(s.picked)
	}
	for i := from; i+many <= len(s.amounts); i++ {
		if s.steps--; s.steps < 0 {
			return false
		}
		largest := accounts.Fen(0)
		for _, a := range s.amounts[i : i+many] {
			largest += a
		}
		if largest < rest {
			return true // those behind are smaller still
		}
		smallest := s.amounts[i]
		for _, a := range s.amounts[len(s.amounts)-many+1:] {
			smallest += a
		}
		if smallest > rest {
			continue
		}
		s.picked = append(s.picked, i)
		on := s.pick(rest-s.amounts[i], i+1, many-1)
		s.picked = s.picked[:len(s.picked)-1]
		if !on {
			return false
		}
	}
	return true
}
