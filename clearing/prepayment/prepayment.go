package prepayment

import (
	"context"
	"maps"
	"slices"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Prepayments keeps the prepayments of one deployment. It is safe for
// concurrent use, by several processes on one database too.
type Prepayments struct {
	store    accounts.Store
	journal  *ledger.Journal
	book     *accounts.Rulebook
	clearing *clearing.Clearing
}

// New returns the prepayments that post to the journal under the rules of the book.
func New(store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook) *Prepayments {
	return &Prepayments{store: store, journal: journal, book: book, clearing: clearing.New(store, journal, book)}
}

// Scheme is which prepayment it is; their money never mixes.
type Scheme string

const (
	InProvince    Scheme = "in-province"    // 省内, on the 结算户, net debtors only (J30)
	CrossProvince Scheme = "cross-province" // 跨省, on the fiscal accounts (J31)
)

// Schemes are both.
func Schemes() []Scheme { return []Scheme{InProvince, CrossProvince} }

// maxText bounds names, keys and documents, in bytes.
const maxText = 200

// person checks the name of who takes a step.
func person(by string) error {
	if by == "" || len(by) > maxText {
		return fault.New(fault.Invalid, "say who takes the step, in at most %d bytes", maxText).With("field", "by")
	}
	return nil
}

func (p *Prepayments) home() string { return p.book.Regions.Home().Code }

func (p *Prepayments) name(code string) string {
	if region, ok := p.book.Regions.Find(code); ok {
		return region.Name
	}
	return code
}

func (p *Prepayments) kindOf(code string) (accounts.RegionKind, error) {
	region, ok := p.book.Regions.Find(code)
	if !ok {
		return "", fault.New(fault.NotFound, "there is no region %q", code).With("region", code)
	}
	return region.Kind, nil
}

func (p *Prepayments) isCity(code string) bool {
	kind, _ := p.kindOf(code)
	return kind == accounts.City
}

// post gives the entry a period that is open in all its books and appends it.
func (p *Prepayments) post(ctx context.Context, tx pgx.Tx, e *ledger.Entry) (uuid.UUID, error) {
	books := map[accounts.Book]bool{}
	for _, line := range e.Postings {
		books[line.Account.Book] = true
	}
	var err error
	if e.Period, err = p.journal.OpenPeriod(ctx, tx, accounts.MonthOf(e.Date), slices.Sorted(maps.Keys(books))...); err != nil {
		return uuid.UUID{}, err
	}
	results, err := p.journal.PostTx(ctx, tx, []ledger.Entry{*e})
	if err != nil {
		return uuid.UUID{}, err
	}
	return results[0].ID, results[0].Err
}

func dateParam(d civil.Date) time.Time { return d.In(time.UTC) }

func dateText(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func dateOf(d pgtype.Date) civil.Date {
	if !d.Valid {
		return civil.Date{}
	}
	return civil.DateOf(d.Time)
}
