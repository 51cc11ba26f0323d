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

// Subjects that the invariants are stated in.
const (
	claims      = "9001" // 应收异地清算款, by insured region
	debts       = "9101" // 应付异地清算款, by treating region
	owedToUs    = "9201" // 应收清算款 of the province
	owedByUs    = "9202" // 应付清算款 of the province
	provincial  = "9993" // 备查对冲—省级
	unassigned  = ".01"  // 待清分
	assigned    = ".02"  // 已清分
	passThrough = "2001.02"
	poolUse     = "2001.04"
)

// openingKind is the kind of entries that bring balances in, one book at a
// time, so that the books agree only after the last of them.
const openingKind = "opening"

// chain checks that what a city owes stands at the same amount in its own book
// and in the province's, and what a city is owed likewise, in every fund, in
// .01 and in .02 (invariant 4). Every entry must keep it so, and what an entry
// accepts or freezes between two cities is the same in both their books.
type chain struct {
	regions  regionKinds
	total    map[link]accounts.Fen
	delta    map[link]accounts.Fen
	findings []ledger.Finding
}

// link is two places in the books that must agree.
type link struct {
	kind, fund, level string
	region, other     string // other only between two cities
}

func newChain(book *accounts.Rulebook) *chain {
	return &chain{regions: kindsOf(book), total: map[link]accounts.Fen{}, delta: map[link]accounts.Fen{}}
}

func (c *chain) Name() string { return "obligation chain" }

func (c *chain) Observe(r *ledger.Record) {
	clear(c.delta)
	for i := range r.Postings {
		p := &r.Postings[i]
		a := p.Account
		if !strings.HasPrefix(a.Subject, "9") || len(a.Subject) < 4 {
			continue
		}
		level := a.Subject[4:]
		switch region := a.Book.Region(); a.Subject[:4] {
		case debts:
			c.delta[link{debts, a.Fund, level, region, ""}] += p.Signed()
			if level == unassigned && c.regions.city(a.Counterparty) {
				c.delta[link{"pair", a.Fund, level, region, a.Counterparty}] += p.Signed()
			}
		case claims:
			c.delta[link{claims, a.Fund, level, region, ""}] += p.Signed()
			if level == unassigned && c.regions.city(a.Counterparty) {
				c.delta[link{"pair", a.Fund, level, a.Counterparty, region}] += p.Signed()
			}
		case owedToUs:
			if c.regions.city(a.Counterparty) {
				c.delta[link{debts, a.Fund, level, a.Counterparty, ""}] += p.Signed()
			}
		case owedByUs:
			if c.regions.city(a.Counterparty) {
				c.delta[link{claims, a.Fund, level, a.Counterparty, ""}] += p.Signed()
			}
		}
	}
	for _, l := range slices.SortedFunc(maps.Keys(c.delta), compareLinks) {
		amount := c.delta[l]
		if amount == 0 {
			continue
		}
		c.total[l] += amount
		if r.Kind != openingKind {
			c.find(l, r.ID.String(), fmt.Sprintf("the entry at position %d moves them apart by %s", r.Position, amount))
		}
	}
}

func (c *chain) find(l link, entry, message string) {
	province := accounts.BookOf(c.regions.home, accounts.Agency)
	city := accounts.Account{Book: accounts.BookOf(l.region, accounts.Agency), Fund: l.fund, Subject: l.kind + l.level}
	counter := accounts.Account{Book: province, Fund: l.fund, Subject: owedToUs + l.level, Counterparty: l.region}
	switch l.kind {
	case claims:
		counter.Subject = owedByUs + l.level
	case "pair":
		city.Subject, city.Counterparty = debts+l.level, l.other
		counter = accounts.Account{Book: accounts.BookOf(l.other, accounts.Agency), Fund: l.fund, Subject: claims + l.level, Counterparty: l.region}
	}
	c.findings = append(c.findings, ledger.Finding{Check: c.Name(), Account: city.String(), Entry: entry,
		Message: fmt.Sprintf("%s and %s do not agree: %s", city, counter, message)})
}

func (c *chain) Findings(context.Context, pgx.Tx) ([]ledger.Finding, error) {
	for _, l := range slices.SortedFunc(maps.Keys(c.total), compareLinks) {
		if c.total[l] != 0 {
			c.find(l, "", fmt.Sprintf("they differ by %s at the end", c.total[l]))
		}
	}
	return c.findings, nil
}

func compareLinks(a, b link) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.fund, b.fund), cmp.Compare(a.level, b.level),
		cmp.Compare(a.region, b.region), cmp.Compare(a.other, b.other))
}

// regionKinds tells our cities from other regions.
type regionKinds struct {
	home   string
	cities map[string]bool
}

func kindsOf(book *accounts.Rulebook) regionKinds {
	k := regionKinds{home: book.Regions.Home().Code, cities: map[string]bool{}}
	for _, city := range book.Regions.Of(accounts.City) {
		k.cities[city.Code] = true
	}
	return k
}

func (k regionKinds) city(code string) bool { return k.cities[code] }
