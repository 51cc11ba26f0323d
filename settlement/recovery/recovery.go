package recovery

import (
	"context"
	"maps"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider"
)

// Recovery takes deductions and clawbacks of one deployment. It is safe for
// concurrent use, by several processes on one database too.
type Recovery struct {
	store       accounts.Store
	journal     *ledger.Journal
	book        *accounts.Rulebook
	settlements *settlement.Settlements
	paidOf      PaidOf
	expenses    Expenses
}

// PaidOf tells what the providers of our cities were paid for settlements, money
// that they have paid back not taken off: provider.PaidOf.
type PaidOf func(ctx context.Context, tx pgx.Tx, setlIDs []string) (map[string][]provider.Paid, error)

// Expenses tells what insured regions have paid.
type Expenses interface {
	// ExpenseOf is how far the run's debt of the insured to the treating region in
	// the fund is paid.
	ExpenseOf(ctx context.Context, tx pgx.Tx, run, insured, treating, fund string) (Expense, error)
}

// Expense is whether a debt is discharged to the end, and the fiscal year of the
// payment that did so.
type Expense struct {
	Posted bool
	Year   int
}

// New returns the recovery that posts to the journal under the rules of the book.
func New(store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook, paidOf PaidOf, expenses Expenses) *Recovery {
	return &Recovery{store: store, journal: journal, book: book, settlements: settlement.New(store, journal, book), paidOf: paidOf, expenses: expenses}
}

// Longest texts, in bytes: a document is part of the keys of entries.
const (
	maxDocument  = 90
	maxReference = 90
	maxReason    = 1000
	maxPerson    = 255
)

// checkText refuses a text that is missing or too long.
func checkText(field, text string, most int) error {
	if text == "" || len(text) > most {
		return fault.New(fault.Invalid, "%s is needed, at most %d bytes: %q", field, most, text).With("field", field)
	}
	return nil
}

func checkWho(by string, on civil.Date) error {
	if !on.IsValid() {
		return fault.New(fault.Invalid, "the date of the step is needed").With("field", "date")
	}
	return checkText("by", by, maxPerson)
}

// otherPerson refuses a second step by who has taken the first (maker ≠ checker).
func otherPerson(what, first, by string) error {
	if first == by {
		return fault.New(fault.Permission, "%s was opened by %s, so another person than %s must decide on it", what, first, by).With("opened_by", first).With("by", by)
	}
	return nil
}

// post gives the entries the first period that is open in all their books from
// their date on, and posts all or none. The period is told to period before.
func post(ctx context.Context, tx pgx.Tx, journal *ledger.Journal, entries []ledger.Entry) ([]uuid.UUID, error) {
	ids := []uuid.UUID{}
	if len(entries) == 0 {
		return ids, nil
	}
	for i := range entries {
		e := &entries[i]
		period, err := periodOf(ctx, tx, journal, e)
		if err != nil {
			return nil, err
		}
		e.Period = period
	}
	results, err := journal.PostTx(ctx, tx, entries)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		if r.Err != nil {
			return nil, r.Err
		}
		ids = append(ids, r.ID)
	}
	return ids, nil
}

func periodOf(ctx context.Context, tx pgx.Tx, journal *ledger.Journal, e *ledger.Entry) (accounts.Month, error) {
	books := map[accounts.Book]bool{}
	for _, p := range e.Postings {
		books[p.Account.Book] = true
	}
	return journal.OpenPeriod(ctx, tx, accounts.MonthOf(e.Date), slices.Sorted(maps.Keys(books))...)
}
