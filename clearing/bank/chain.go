package bank

import (
	"cmp"
	"slices"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

// Gap is where two statements of a bank account do not continue each other: days
// between them have no statement, or the later one opens with another balance than
// the earlier one closes with.
type Gap struct {
	After      civil.Date   `json:"after"` // last day of the earlier one
	Closing    accounts.Fen `json:"closing"`
	Before     civil.Date   `json:"before"` // first day of the later one
	Opening    accounts.Fen `json:"opening"`
	Days       int          `json:"days"`       // without a statement
	Difference accounts.Fen `json:"difference"` // opening less closing
}

// gaps lists where the statements of one account do not continue each other.
// Those of the same days agree: that is proved when they are imported.
func gaps(statements []Statement) (list []Gap) {
	var last *Statement
	for _, s := range inOrder(statements) {
		if last != nil {
			if !s.To.After(last.To) {
				continue
			}
			g := Gap{After: last.To, Closing: last.Closing, Before: s.From, Opening: s.Opening, Days: s.From.DaysSince(last.To) - 1, Difference: s.Opening - last.Closing}
			if g.Days > 0 || g.Days == 0 && g.Difference != 0 {
				list = append(list, g)
			}
		}
		last = s
	}
	return list
}

// inOrder sorts by first day; of those that begin together the longest is first.
func inOrder(statements []Statement) []*Statement {
	sorted := make([]*Statement, len(statements))
	for i := range statements {
		sorted[i] = &statements[i]
	}
	slices.SortFunc(sorted, func(a, b *Statement) int { return cmp.Or(a.From.Compare(b.From), b.To.Compare(a.To)) })
	return sorted
}

// covering is the statement that the day lies in, nil for none.
func covering(statements []Statement, day civil.Date) *Statement {
	for i := range statements {
		if s := &statements[i]; !day.Before(s.From) && !day.After(s.To) {
			return s
		}
	}
	return nil
}
