package bench

import (
	"fmt"
	"strconv"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/ledger"
)

// transfers are entries of two lines between accounts of a set: the n-th is
// always the same. Debited and credited accounts stand in groups, and both
// lines of an entry come from groups of the same number, so of one book.
type transfers struct {
	name            string
	debits, credits [][]accounts.Account
	floor           accounts.Side // the normal side of the accounts, where they have a floor; else empty
}

const (
	home = accounts.Book("320000.agency")
	fund = "310"
)

func (b *journalBench) account(book accounts.Book, subject, counterparty string) accounts.Account {
	return accounts.Account{Book: book, Fund: fund, Subject: subject, Counterparty: counterparty}
}

// many returns accounts of one subject, spread over the books.
func (b *journalBench) many(subject, prefix string, over ...accounts.Book) [][]accounts.Account {
	groups := make([][]accounts.Account, len(over))
	for i := range b.Accounts {
		k := i % len(over)
		groups[k] = append(groups[k], b.account(over[k], subject, fmt.Sprintf("%s%05d", prefix, i)))
	}
	return groups
}

// random are transfers between 10,000 obligations (备查) to institutions in the
// books of the cities. Like most of our accounts they have no floor.
func (b *journalBench) random() transfers {
	var cities []accounts.Book
	for _, city := range b.rules.Regions.Of(accounts.City) {
		cities = append(cities, accounts.BookOf(city.Code, accounts.Agency))
	}
	set := b.many("9002", "H", cities...)
	return transfers{name: "random", debits: set, credits: set}
}

// hot are transfers between four claims and debts of the province.
func (b *journalBench) hot() transfers {
	set := [][]accounts.Account{{
		b.account(home, "9201.01", "320100"), b.account(home, "9201.01", "320500"),
		b.account(home, "9202.01", "320100"), b.account(home, "9202.01", "320500"),
	}}
	return transfers{name: "hot", debits: set, credits: set}
}

// randomFloors are transfers between 10,000 accounts of the province that may
// not fall below zero: clearing money held for others.
func (b *journalBench) randomFloors() transfers {
	set := b.many("2001.02.01", "K", home)
	return transfers{name: "random with floors", debits: set, credits: set, floor: accounts.Credit}
}

// hotFloors are transfers between the four bank accounts of the province,
// which may not fall below zero.
func (b *journalBench) hotFloors() transfers {
	set := [][]accounts.Account{{
		b.account(home, "1002", ""), b.account(home, "1003", ""), b.account(home, "1004", ""), b.account(home, "1004.02", ""),
	}}
	return transfers{name: "hot with floors", debits: set, credits: set, floor: accounts.Debit}
}

// halfHot are transfers from 10,000 accounts to one, which so has half of all lines.
func (b *journalBench) halfHot() transfers {
	hot := []accounts.Account{b.account(home, "9201.01", "320100")}
	return transfers{name: "filling", debits: [][]accounts.Account{hot}, credits: b.many("9202.01", "P", home)}
}

// at returns the n-th transfer: whom it debits, whom it credits, how much.
func (t transfers) at(n int64) (debit, credit accounts.Account, amount accounts.Fen) {
	x := mix(uint64(n))
	group := x % uint64(len(t.debits))
	debits, credits := t.debits[group], t.credits[group]
	i, k := mix(x)%uint64(len(debits)), mix(x+1)%uint64(len(credits))
	debit, credit = debits[i], credits[k]
	if debit == credit {
		credit = credits[(k+1)%uint64(len(credits))]
	}
	return debit, credit, accounts.Fen(1 + x%100_000)
}

// mix scatters numbers (splitmix64), so that the n-th transfer needs no state.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func transferKey(n int64) string { return "bench/" + strconv.FormatInt(n, 10) }

// entry is the n-th transfer as an entry of the date.
func (t transfers) entry(n int64, date civil.Date) ledger.Entry {
	debit, credit, amount := t.at(n)
	return ledger.Entry{
		Key: transferKey(n), Date: date, Period: accounts.MonthOf(date), Kind: "manual",
		Summary: "转账 transfer", Source: "bench", Preparer: "bench", Reviewer: "bench",
		Postings: []ledger.Posting{
			{Account: debit, Side: accounts.Debit, Amount: amount},
			{Account: credit, Side: accounts.Credit, Amount: amount},
		},
	}
}

// floorChanges sums what the transfers do to each floor.
func (t transfers) floorChanges(numbers []int64) map[string]int64 {
	if t.floor == "" {
		return nil
	}
	changes := map[string]int64{}
	for _, n := range numbers {
		debit, credit, amount := t.at(n)
		up, down := debit, credit
		if t.floor == accounts.Credit {
			up, down = credit, debit
		}
		changes[up.String()] += int64(amount)
		changes[down.String()] -= int64(amount)
	}
	return changes
}

const (
	endowment       = accounts.Fen(1_000_000_000_000) // more than any run moves
	endowedTogether = 500                             // accounts of one entry
)

// endow are the entries that give every account with a floor enough for all
// transfers. They are the same each time.
func (t transfers) endow(date civil.Date) (entries []ledger.Entry) {
	if t.floor == "" {
		return nil
	}
	against := ledger.Posting{Side: accounts.Credit, Account: accounts.Account{Fund: fund, Subject: "4001"}} // income
	if t.floor == accounts.Credit {
		against = ledger.Posting{Side: accounts.Debit, Account: accounts.Account{Fund: fund, Subject: "5401"}} // expense
	}
	for _, group := range t.debits {
		for len(group) > 0 {
			some := group[:min(len(group), endowedTogether)]
			group = group[len(some):]
			e := ledger.Entry{
				Key: "bench/endow/" + some[0].String(), Date: date, Period: accounts.MonthOf(date), Kind: "manual",
				Summary: "期初 endowment", Source: "bench", Preparer: "bench", Reviewer: "bench",
			}
			for _, a := range some {
				e.Postings = append(e.Postings, ledger.Posting{Account: a, Side: t.floor, Amount: endowment})
			}
			against.Account.Book, against.Amount = some[0].Book, endowment*accounts.Fen(len(some))
			e.Postings = append(e.Postings, against)
			entries = append(entries, e)
		}
	}
	return entries
}
