package bank

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/paging"
	"fundledger/ledger"
)

// Pairing is two places in the books that must stand at the same amount (账账相符).
type Pairing string

const (
	AgencyFinance   Pairing = "agency_finance"            // 财政专户存款 of the agency and of the finance department
	InPrepayment    Pairing = "in_province_prepayment"    // 1101.01 of a city and 2001.01.01 of the province
	CrossPrepayment Pairing = "cross_province_prepayment" // 1101.02 of a city and 2001.01.02 of the province
	Payable         Pairing = "payable"                   // 9101 of a city and 9201 of the province, .01 and .02 each
	Receivable      Pairing = "receivable"                // 9001 of a city and 9202 of the province, .01 and .02 each
)

// Difference is two places that differ, with the entries that moved them apart.
type Difference struct {
	Pairing    Pairing      `json:"pairing"`
	Region     string       `json:"region"`
	RegionName string       `json:"region_name"`
	Fund       string       `json:"fund"`
	First      Place        `json:"first"`
	Second     Place        `json:"second"`
	Difference accounts.Fen `json:"difference"` // first less second
	// Entries that move one place and not the other by as much; together they come to
	// the difference. Those that make good what an earlier one has done are left out.
	Entries []ApartEntry `json:"entries"`
}

// Place is a subject of a book and what stands on it, on the side that increases
// it; a counterparty where it is one of several.
type Place struct {
	Book         accounts.Book `json:"book"`
	Subject      string        `json:"subject"`
	Counterparty string        `json:"counterparty,omitempty"`
	Balance      accounts.Fen  `json:"balance"`

	credit   bool
	accounts []accounts.Account
}

// ApartEntry is what an entry has moved on both sides.
type ApartEntry struct {
	Entry      uuid.UUID       `json:"entry"`
	Position   ledger.Position `json:"position"`
	Date       civil.Date      `json:"date"`
	Kind       string          `json:"kind"`
	Summary    string          `json:"summary"`
	Source     string          `json:"source,omitempty"`
	First      accounts.Fen    `json:"first"`
	Second     accounts.Fen    `json:"second"`
	Difference accounts.Fen    `json:"difference"`
	Age        int             `json:"age"` // days up to the day of the list
}

// DifferenceList is where the books differ at the end of a day.
type DifferenceList struct {
	Day         civil.Date      `json:"day"`
	Position    ledger.Position `json:"position"` // of the journal, as seen
	Compared    int             `json:"compared"` // pairs of places
	Differences []Difference    `json:"differences"`
}

// pairKey finds a pair of places; level is .01 or .02 of an obligation.
type pairKey struct {
	pairing       Pairing
	region, level string
	fund          string
}

// side is where an account stands in the pairs: which pair, and on which side.
func (d *Desk) side(a accounts.Account) (key pairKey, second, ok bool) {
	home := d.book.Regions.Home().Code
	region := a.Book.Region()
	kind := func(code string) accounts.RegionKind {
		r, _ := d.book.Regions.Find(code)
		return r.Kind
	}
	under := func(heading string) bool { return a.Subject == heading || strings.HasPrefix(a.Subject, heading+".") }
	switch {
	case a.Book.Role() == accounts.Agency && under("1003"):
		return pairKey{AgencyFinance, region, "", a.Fund}, false, true
	case a.Book.Role() == accounts.Finance && under("1001"):
		return pairKey{AgencyFinance, region, "", a.Fund}, true, true
	case a.Book.Role() != accounts.Agency:
		return key, false, false
	}
	for _, p := range []struct {
		pairing       Pairing
		city, central string
	}{{InPrepayment, "1101.01", "2001.01.01"}, {CrossPrepayment, "1101.02", "2001.01.02"}, {Payable, "9101", "9201"}, {Receivable, "9001", "9202"}} {
		level := func(heading string) string {
			if strings.HasPrefix(heading, "9") {
				return a.Subject[len(heading):]
			}
			return ""
		}
		switch {
		case kind(region) == accounts.City && under(p.city):
			return pairKey{p.pairing, region, level(p.city), a.Fund}, false, true
		case region == home && under(p.central) && kind(a.Counterparty) == accounts.City:
			return pairKey{p.pairing, a.Counterparty, level(p.central), a.Fund}, true, true
		}
	}
	return key, false, false
}

// places are the two of a pair, empty.
func (d *Desk) places(k pairKey) (first, second Place) {
	home := accounts.BookOf(d.book.Regions.Home().Code, accounts.Agency)
	city := accounts.BookOf(k.region, accounts.Agency)
	switch k.pairing {
	case AgencyFinance:
		return Place{Book: city, Subject: "1003"}, Place{Book: accounts.BookOf(k.region, accounts.Finance), Subject: "1001"}
	case InPrepayment:
		return Place{Book: city, Subject: "1101.01"}, Place{Book: home, Subject: "2001.01.01", Counterparty: k.region, credit: true}
	case CrossPrepayment:
		return Place{Book: city, Subject: "1101.02"}, Place{Book: home, Subject: "2001.01.02", Counterparty: k.region, credit: true}
	case Payable:
		return Place{Book: city, Subject: "9101" + k.level, credit: true}, Place{Book: home, Subject: "9201" + k.level, Counterparty: k.region}
	}
	return Place{Book: city, Subject: "9001" + k.level}, Place{Book: home, Subject: "9202" + k.level, Counterparty: k.region, credit: true}
}

// grow adds a debit to what stands on the place.
func (p *Place) grow(debit accounts.Fen) {
	if p.credit {
		debit = -debit
	}
	p.Balance += debit
}

// Differences lists where books that must agree do not, at the end of a day: the
// agency and the finance department of each region per fund, each city's prepayments
// and obligations and what the province holds of them. Only pairs whose balances
// differ are followed to their entries. Where regions are given, only pairs of
// these. Errors: NotFound (the journal is shorter than at least).
func (d *Desk) Differences(ctx context.Context, day civil.Date, regions []string, atLeast ledger.Position) (*DifferenceList, error) {
	if _, err := d.journal.CatchUp(ctx); err != nil {
		return nil, err
	}
	balances, position, err := d.journal.Balances(ctx, ledger.Filter{}, ledger.AsOf{Date: day, AtLeast: atLeast})
	if err != nil {
		return nil, err
	}
	pairs := map[pairKey]*Difference{}
	for _, b := range balances {
		k, second, ok := d.side(b.Account)
		if !ok || regions != nil && !slices.Contains(regions, k.region) {
			continue
		}
		if pairs[k] == nil {
			region, _ := d.book.Regions.Find(k.region)
			pairs[k] = &Difference{Pairing: k.pairing, Region: k.region, RegionName: region.Name, Fund: k.fund, Entries: []ApartEntry{}}
			pairs[k].First, pairs[k].Second = d.places(k)
		}
		place := &pairs[k].First
		if second {
			place = &pairs[k].Second
		}
		place.grow(b.Balance)
		place.accounts = append(place.accounts, b.Account)
	}
	list := &DifferenceList{Day: day, Position: position, Compared: len(pairs), Differences: []Difference{}}
	for _, k := range slices.SortedFunc(maps.Keys(pairs), comparePairs) {
		pair := pairs[k]
		if pair.Difference = pair.First.Balance - pair.Second.Balance; pair.Difference == 0 {
			continue
		}
		if pair.Entries, err = d.apart(ctx, pair, day, position); err != nil {
			return nil, err
		}
		list.Differences = append(list.Differences, *pair)
	}
	return list, nil
}

func comparePairs(a, b pairKey) int {
	order := []Pairing{AgencyFinance, InPrepayment, CrossPrepayment, Payable, Receivable}
	return cmp.Or(cmp.Compare(slices.Index(order, a.pairing), slices.Index(order, b.pairing)), cmp.Compare(a.region, b.region),
		cmp.Compare(a.fund, b.fund), cmp.Compare(a.level, b.level))
}

// apart reads what each entry has moved on both sides, and keeps those that have
// moved them apart and were not made good.
func (d *Desk) apart(ctx context.Context, pair *Difference, day civil.Date, until ledger.Position) ([]ApartEntry, error) {
	entries := map[uuid.UUID]*ApartEntry{}
	for _, place := range []*Place{&pair.First, &pair.Second} {
		for _, account := range place.accounts {
			query := ledger.StatementQuery{To: day, Until: until, PageSize: paging.Largest}
			for {
				page, err := d.journal.Statement(ctx, account, query)
				if err != nil {
					return nil, err
				}
				for _, l := range page.Lines {
					e := entries[l.Entry]
					if e == nil {
						e = &ApartEntry{Entry: l.Entry, Position: l.Position, Date: l.Date, Kind: l.Kind, Summary: l.Summary, Source: l.Source, Age: day.DaysSince(l.Date)}
						entries[l.Entry] = e
					}
					moved := l.Amount
					if (l.Side == accounts.Credit) != place.credit {
						moved = -moved
					}
					if place == &pair.First {
						e.First, e.Difference = e.First+moved, e.Difference+moved
					} else {
						e.Second, e.Difference = e.Second+moved, e.Difference-moved
					}
				}
				if query.PageToken = page.NextPageToken; query.PageToken == "" {
					break
				}
			}
		}
	}
	list := []ApartEntry{}
	for _, e := range entries {
		if e.Difference != 0 {
			list = append(list, *e)
		}
	}
	slices.SortFunc(list, func(a, b ApartEntry) int { return cmp.Compare(a.Position, b.Position) })
	return open(list), nil
}

// open leaves out pairs of entries that make each other good: opposite differences
// of one source document, or of opening balances, which come book by book.
func open(list []ApartEntry) []ApartEntry {
	gone := make([]bool, len(list))
	for i := range list {
		for j := range list[:i] {
			a, b := &list[j], &list[i]
			same := a.Source != "" && a.Source == b.Source || a.Kind == openingKind && b.Kind == openingKind
			if !gone[i] && !gone[j] && same && a.Difference == -b.Difference {
				gone[i], gone[j] = true, true
			}
		}
	}
	left := []ApartEntry{}
	for i, e := range list {
		if !gone[i] {
			left = append(left, e)
		}
	}
	return left
}
