package clearing

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
)

// equation checks that two groups of accounts agree per fund and place once
// all entries are in: debits less credits over both groups come to zero.
type equation struct {
	name string
	says string
	// place says where the account counts and with which sign; 0: not at all
	place  func(accounts.Account) (string, accounts.Fen)
	first  func(place, fund string) accounts.Account
	amount map[equationKey]accounts.Fen
}

type equationKey struct{ place, fund string }

func (e *equation) Name() string { return e.name }

func (e *equation) Observe(r *ledger.Record) {
	for i := range r.Postings {
		p := &r.Postings[i]
		if place, sign := e.place(p.Account); sign != 0 {
			e.amount[equationKey{place, p.Account.Fund}] += sign * p.Signed()
		}
	}
}

func (e *equation) Findings(context.Context, pgx.Tx) ([]ledger.Finding, error) {
	var findings []ledger.Finding
	for _, key := range slices.SortedFunc(maps.Keys(e.amount), func(a, b equationKey) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.fund, b.fund))
	}) {
		if e.amount[key] != 0 {
			account := e.first(key.place, key.fund).String()
			findings = append(findings, ledger.Finding{Check: e.name, Account: account,
				Message: fmt.Sprintf("%s: in %s, fund %s they differ by %s (first account %s)", e.says, key.place, key.fund, e.amount[key], account)})
		}
	}
	return findings, nil
}

func agencyAccount(subject string) func(place, fund string) accounts.Account {
	return func(place, fund string) accounts.Account {
		return accounts.Account{Book: accounts.BookOf(place, accounts.Agency), Fund: fund, Subject: subject}
	}
}

func under(subject, heading string) bool {
	return subject == heading || strings.HasPrefix(subject, heading+".")
}

// newTreating: what a treating agency has advanced and not got back is what
// its providers were paid out of the claims (invariant 5).
func newTreating(book *accounts.Rulebook) *equation {
	regions := kindsOf(book)
	return &equation{
		name: "advances of treating agencies", says: "9991 must be 1101.03 less 2001.03.01",
		first: agencyAccount("1101.03"), amount: map[equationKey]accounts.Fen{},
		place: func(a accounts.Account) (string, accounts.Fen) {
			if a.Book.Role() == accounts.Agency && regions.city(a.Book.Region()) &&
				(under(a.Subject, "9991") || under(a.Subject, "1101.03") || under(a.Subject, "2001.03.01")) {
				return a.Book.Region(), 1
			}
			return "", 0
		},
	}
}

// newPrepayments: what a city has paid in as prepayment stands at the province
// as received from that city (invariant 3), in-province and cross-province.
func newPrepayments(book *accounts.Rulebook) *equation {
	regions := kindsOf(book)
	return &equation{
		name: "prepayments of cities and province", says: "1101.01 and 1101.02 of the city must be 2001.01.01 and 2001.01.02 of the province",
		first: func(place, fund string) accounts.Account {
			city, subject, _ := strings.Cut(place, " ")
			return agencyAccount(subject)(city, fund)
		},
		amount: map[equationKey]accounts.Fen{},
		place: func(a accounts.Account) (string, accounts.Fen) {
			if a.Book.Role() != accounts.Agency {
				return "", 0
			}
			region := a.Book.Region()
			for _, scheme := range []string{".01", ".02"} {
				switch {
				case regions.city(region) && under(a.Subject, "1101"+scheme):
					return region + " 1101" + scheme, 1
				case region == regions.home && under(a.Subject, "2001.01"+scheme):
					return a.Counterparty + " 1101" + scheme, 1
				}
			}
			return "", 0
		},
	}
}

// newBanks: the fiscal account stands at the same amount at the agency and at
// the finance department that keeps it (invariant 7).
func newBanks(book *accounts.Rulebook) *equation {
	return &equation{
		name: "agency against finance", says: "财政专户存款 1003 of the agency must be 银行存款 1001 of the finance department",
		first: agencyAccount("1003"), amount: map[equationKey]accounts.Fen{},
		place: func(a accounts.Account) (string, accounts.Fen) {
			switch {
			case a.Book.Role() == accounts.Agency && under(a.Subject, "1003"):
				return a.Book.Region(), 1
			case a.Book.Role() == accounts.Finance && under(a.Subject, "1001"):
				return a.Book.Region(), -1
			}
			return "", 0
		},
	}
}
