package bench

import (
	"context"
	"sync/atomic"
	"time"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Targets of the reads.
const (
	balanceTarget = 0.5 // of the rate of a bare SELECT by primary key
	pastTarget    = 0.2 // of the rate of a balance now: at most five times its time
)

// middle is a business date in the middle of the filled year.
var middle = civil.Date{Year: 2025, Month: 6, Day: 15}

// reading are balances of an account that has half of all lines, and pages of
// its statement.
func (b *journalBench) reading() []subject {
	account := b.halfHot().debits[0][0]
	name := account.String()
	balance := func(as ledger.AsOf) func(context.Context, time.Duration) (run, error) {
		return b.reads(func(ctx context.Context) error { return b.readBalance(ctx, account, as) })
	}
	now := balance(ledger.AsOf{})
	var half ledger.Position
	return []subject{
		{
			name: "balance now", unit: "balances", work: now, limitIs: "bare SELECT of the row by primary key", targetOf: OfRatio, target: balanceTarget,
			limit: b.reads(func(ctx context.Context) error {
				var debit, credit int64
				return b.app.Pool.QueryRow(ctx, "SELECT debit_fen, credit_fen FROM balances WHERE account = $1", name).Scan(&debit, &credit)
			}),
		},
		{
			name: "balance at a date", unit: "balances", work: balance(ledger.AsOf{Date: middle}),
			limit: now, limitIs: "balance now", targetOf: OfRatio, target: pastTarget,
		},
		{
			name: "balance at a position", unit: "balances", limit: now, limitIs: "balance now", targetOf: OfRatio, target: pastTarget,
			prepare: func(ctx context.Context) error {
				head, err := b.journal.CatchUp(ctx)
				half = head / 2
				return err
			},
			work: func(ctx context.Context, length time.Duration) (run, error) {
				return balance(ledger.AsOf{Position: half})(ctx, length)
			},
		},
		{name: "page of a statement", unit: "pages of 100 lines", work: b.pages(account, ledger.StatementQuery{})},
		{name: "page of a statement from a date", unit: "pages of 100 lines", work: b.pages(account, ledger.StatementQuery{From: middle})},
	}
}

// reads calls fn from as many callers as there are connections to the limit.
func (b *journalBench) reads(fn func(context.Context) error) func(context.Context, time.Duration) (run, error) {
	return func(ctx context.Context, length time.Duration) (run, error) {
		return during(ctx, b.Callers, length, func(ctx context.Context) (int64, error) { return 1, fn(ctx) })
	}
}

func (b *journalBench) readBalance(ctx context.Context, account accounts.Account, as ledger.AsOf) error {
	balance, _, err := b.journal.Balance(ctx, account, as)
	if err == nil && balance.Debit == 0 {
		err = fault.New(fault.Internal, "the balance of %s is not there", account)
	}
	return err
}

// pages turns the pages of a statement, from the first on and again.
func (b *journalBench) pages(account accounts.Account, first ledger.StatementQuery) func(context.Context, time.Duration) (run, error) {
	return func(ctx context.Context, length time.Duration) (run, error) {
		var next atomic.Pointer[string]
		next.Store(new(string))
		return b.reads(func(ctx context.Context) error {
			query := first
			query.PageToken = *next.Load()
			page, err := b.journal.Statement(ctx, account, query)
			if err != nil {
				return err
			}
			if len(page.Lines) == 0 {
				return fault.New(fault.Internal, "the statement of %s has an empty page", account)
			}
			next.Store(&page.NextPageToken)
			return nil
		})(ctx, length)
	}
}
