package bank

import (
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Every subset that is found has the sum, and one is found exactly when there is one.
func TestSumsAreFoundExactlyWhenThereAreAny(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) accounts.Fen { return accounts.Fen(rapid.Int64Range(1, 40).Draw(t, "fen")) }), 0, 10).Draw(t, "amounts")
		slices.SortFunc(amounts, func(a, b accounts.Fen) int { return int(b - a) })
		target := accounts.Fen(rapid.Int64Range(1, 120).Draw(t, "target"))
		most := rapid.IntRange(2, 6).Draw(t, "most")
		exists := false
		for set := range 1 << len(amounts) {
			sum, size := accounts.Fen(0), 0
			for i, a := range amounts {
				if set&(1<<i) != 0 {
					sum, size = sum+a, size+1
				}
			}
			exists = exists || sum == target && size >= 2 && size <= most
		}
		found, last := false, 0
		sums(target, amounts, most, func(picked []int) bool {
			sum := accounts.Fen(0)
			for _, i := range picked {
				sum += amounts[i]
			}
			if sum != target || len(picked) < max(last, 2) || len(picked) > most {
				t.Fatalf("%v of %v for %s", picked, amounts, target)
			}
			found, last = true, len(picked)
			return true
		})
		if found != exists {
			t.Fatalf("found %v, there is %v: %v for %s", found, exists, amounts, target)
		}
	})
}

// A search ends at its bound whatever the policy says.
func TestSearchOfSumsIsBounded(t *testing.T) {
	t.Parallel()
	var amounts []accounts.Fen
	for i := range 60 {
		amounts = append(amounts, accounts.Fen(2*(1000-i))) // all even: no sum is odd
	}
	s := search{amounts: amounts, steps: searchSteps, found: func([]int) bool { t.Error("found"); return false }}
	if s.pick(20*1941+1, 0, 20) {
		t.Error("the search went through")
	}
	if s.steps != -1 {
		t.Errorf("%d steps are left", s.steps)
	}
}

func TestRulesOfMatchingAreRead(t *testing.T) {
	t.Parallel()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	m, err := matchingOn(book.Policy, civil.Date{Year: 2025, Month: 1, Day: 1})
	if err != nil || len(m.rules) != 8 || m.most != 6 || m.candidates != 24 || m.rules[0] != (Rule{"bank.match.10_exact", true, OneToOne, ByReference, 10}) {
		t.Errorf("%+v %v", m, err)
	}
	for _, value := range []string{"", "automatic one_to_one reference", "automatic one_to_one reference x", "perhaps one_to_one reference 1",
		"automatic one_to_one correction 1", "automatic one_to_one amount 1", "suggest two_to_two amount 1", "suggest one_to_one amount -1"} {
		if _, err := ruleOf("bank.match.x", value); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", value, err)
		}
	}
	if _, err := matchingOn(nil, civil.Date{Year: 2025, Month: 1, Day: 1}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
}
