package settlement

import (
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"pgregory.net/rapid"

	"fundledger/accounts"
)

// Whatever the stay and however it is refunded: the years sum to the amount,
// each is less than a fen away from its share of the days, no year is refunded
// more than it has where there are two, and nothing is left of any year at the end.
func TestAStayIsDividedExactlyAndRefundedExactly(t *testing.T) {
	t.Parallel()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	for i := range book.Policy {
		if book.Policy[i].Key == policyBenefitYear+"320100" {
			book.Policy[i].Value = byDays
		}
	}
	rules := newRules(book)
	rapid.Check(t, func(t *rapid.T) {
		to := civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 400).Draw(t, "to"))
		from := to.AddDays(-rapid.IntRange(0, 800).Draw(t, "days"))
		stay := &record{id: "A", insured: "320100", insutype: "310", medType: "21", begndate: from, enddate: to, setlTime: to.In(time.UTC)}
		for part := range stay.parts {
			stay.parts[part] = accounts.Fen(rapid.IntRange(0, 1000).Draw(t, "part"))
		}
		years, err := rules.byYear(stay)
		if err != nil {
			t.Fatal(err)
		}
		total := max(to.DaysSince(from), 1)
		for part, amount := range stay.parts {
			for _, y := range years {
				last := min(to.AddDays(-1).DaysSince(civil.Date{Year: y.year, Month: 1, Day: 1})+1, to.DaysSince(from))
				if next := (civil.Date{Year: y.year + 1, Month: 1, Day: 1}); next.Before(to) {
					last -= to.DaysSince(next)
				}
				if from == to || from.Year == to.Year {
					last = total
				}
				if off := int64(y.parts[part])*int64(total) - int64(amount)*int64(last); off >= int64(total) || off <= -int64(total) {
					t.Fatalf("%d has %s of %s for %d of %d days", y.year, y.parts[part], amount, last, total)
				}
				amount := y.parts[part]
				stay.before[part] += amount
			}
			if stay.before[part] != amount {
				t.Fatalf("the years of %s sum to %s", amount, stay.before[part])
			}
		}
		stay.before = parts{}
		var refunded parts
		left := map[int]parts{}
		for _, y := range years {
			left[y.year] = y.parts
		}
		for refunded.plus(stay.parts) != (parts{}) {
			r := &record{id: "R", insured: "320100", insutype: "310", medType: "21", refund: true, of: stay, before: refunded, begndate: to, enddate: to, setlTime: to.In(time.UTC)}
			for part, amount := range stay.parts {
				r.parts[part] = -accounts.Fen(rapid.IntRange(0, int(amount+refunded[part])).Draw(t, "refund"))
			}
			back, err := rules.byYear(r)
			if err != nil {
				t.Fatal(err)
			}
			var sum parts
			for _, y := range back {
				sum, left[y.year] = sum.plus(y.parts), left[y.year].plus(y.parts)
				for part := range sum {
					if len(years) < 3 && (left[y.year][part] < 0 || y.parts[part] > 0) {
						t.Fatalf("%d has %s left after %s was refunded", y.year, left[y.year][part], y.parts[part])
					}
				}
			}
			if sum != r.parts {
				t.Fatalf("the years of a refund sum to %v, not %v", sum, r.parts)
			}
			refunded = refunded.plus(r.parts)
		}
		for year, p := range left {
			if p != (parts{}) {
				t.Fatalf("%d has %v left after all is refunded", year, p)
			}
		}
	})
}
