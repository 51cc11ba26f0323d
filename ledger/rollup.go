package ledger

import (
	"cmp"
	"context"
	"slices"

	"fundledger/accounts"
)

// RollupOptions say how far balances are summed.
type RollupOptions struct {
	Levels         int  // deepest level of subjects shown, 1 for "2001" alone; 0 shows all
	ByCounterparty bool // one sum per counterparty instead of one over all
}

// Rollup (科目汇总) sums the balances that the filter selects by the hierarchy of
// subjects: one Balance for every subject and each heading above it, per book
// and fund, in this order. "2001" thus holds the sum of "2001.01" and "2001.02",
// which follow it. Position and errors are those of Balances. The work depends
// on the number of accounts, not on the length of their history.
func (j *Journal) Rollup(ctx context.Context, filter Filter, as AsOf, options RollupOptions) ([]Balance, Position, error) {
	balances, seen, err := j.Balances(ctx, filter, as)
	if err != nil {
		return nil, 0, err
	}
	return rollUp(balances, options), seen, nil
}

func rollUp(balances []Balance, options RollupOptions) []Balance {
	place := map[accounts.Account]int{}
	var sums []Balance
	for _, b := range balances {
		for level, heading := range headings(b.Account.Subject) {
			if options.Levels > 0 && level >= options.Levels {
				break
			}
			key := accounts.Account{Book: b.Account.Book, Fund: b.Account.Fund, Subject: heading}
			if options.ByCounterparty {
				key.Counterparty = b.Account.Counterparty
			}
			i, ok := place[key]
			if !ok {
				i = len(sums)
				place[key] = i
				sums = append(sums, Balance{Account: key})
			}
			s := &sums[i]
			s.Debit, s.Credit, s.Balance, s.Reserved = s.Debit+b.Debit, s.Credit+b.Credit, s.Balance+b.Balance, s.Reserved+b.Reserved
		}
	}
	slices.SortFunc(sums, func(a, b Balance) int { return compareAccounts(a.Account, b.Account) })
	return sums
}

// compareAccounts orders by book, fund, subject and counterparty.
func compareAccounts(x, y accounts.Account) int {
	return cmp.Or(cmp.Compare(x.Book, y.Book), cmp.Compare(x.Fund, y.Fund), cmp.Compare(x.Subject, y.Subject), cmp.Compare(x.Counterparty, y.Counterparty))
}

// headings lists a subject and all above it, the highest first: "2001",
// "2001.01", "2001.01.03".
func headings(subject string) []string {
	var list []string
	for i, c := range subject {
		if c == '.' {
			list = append(list, subject[:i])
		}
	}
	return append(list, subject)
}
