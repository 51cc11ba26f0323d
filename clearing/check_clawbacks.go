package clearing

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement/recovery"
)

// Subjects that clawbacks lie on.
const (
	toOffset   = "2001.03.01" // of the treating city, until its run is paid
	toRemit    = "2001.03.02" // of the treating city, until it is sent
	inProvince = "2001.05"    // of the province, until it is home
)

// clawbacks checks that what lies on 2001.03 and 2001.05 is what the clawback
// cases say lies there, by region, counterparty and fund. Opening balances are of
// cases that are not kept here.
type clawbacks struct {
	book  *accounts.Rulebook
	lines map[accounts.Account]accounts.Fen // credits less debits
}

func newClawbacks(book *accounts.Rulebook) *clawbacks {
	return &clawbacks{book: book, lines: map[accounts.Account]accounts.Fen{}}
}

func (c *clawbacks) Name() string { return "clawback cases" }

func (c *clawbacks) Observe(r *ledger.Record) {
	if r.Kind == openingKind {
		return
	}
	for i := range r.Postings {
		p := &r.Postings[i]
		switch p.Account.Subject {
		case toOffset, toRemit, inProvince:
			c.lines[p.Account] -= p.Signed()
		}
	}
}

func (c *clawbacks) Findings(ctx context.Context, tx pgx.Tx) ([]ledger.Finding, error) {
	held, err := recovery.Holdings(ctx, tx, c.book)
	if err != nil {
		return nil, err
	}
	want := map[accounts.Account]accounts.Fen{}
	home := c.book.Regions.Home().Code
	for h, amount := range held {
		a := accounts.Account{Fund: h.Fund, Counterparty: h.Insured}
		switch {
		case h.Station == recovery.Arrived:
			a.Subject = inProvince
			for _, role := range []accounts.Role{accounts.Agency, accounts.Finance} {
				a.Book = accounts.BookOf(home, role)
				want[a] += amount
			}
			continue
		case h.Mode == recovery.Offset:
			a.Subject = toOffset
		default:
			a.Subject = toRemit
		}
		a.Book = accounts.BookOf(h.Treating, accounts.Agency)
		want[a] += amount
	}
	differ := maps.Clone(c.lines)
	for a, amount := range want {
		differ[a] -= amount
	}
	var findings []ledger.Finding
	for _, a := range slices.SortedFunc(maps.Keys(differ), func(a, b accounts.Account) int { return strings.Compare(a.String(), b.String()) }) {
		if differ[a] != 0 {
			findings = append(findings, ledger.Finding{Check: c.Name(), Account: a.String(),
				Message: fmt.Sprintf("the journal has %s here (credits less debits), the clawback cases say %s", c.lines[a], want[a])})
		}
	}
	return findings, nil
}
