package bench

import (
	"context"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// month is the first that the books are open in.
const month = accounts.Month("2025-01")

// books are those of a database that was empty, opened for one benchmark.
type books struct {
	app, owner *postgres.DB
	rules      *accounts.Rulebook
	store      timedStore
	times      *latencies // of the store's transactions; reset by who measures
	journal    *ledger.Journal
}

// openBooks migrates the database of the URL and opens its books. It returns
// Precondition when the database has a journal already.
func openBooks(ctx context.Context, url string) (_ *books, err error) {
	b := &books{times: &latencies{}}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if err = postgres.Migrate(ctx, url); err != nil {
		return nil, err
	}
	if b.owner, err = postgres.OpenOwner(ctx, url); err != nil {
		return nil, err
	}
	var used bool
	if err = b.owner.Pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM batches) OR EXISTS (SELECT 1 FROM side_records)").Scan(&used); err != nil {
		return nil, err
	}
	if used {
		return nil, fault.New(fault.Precondition, "the benchmark writes into the books, and this database has books already: give it an empty one")
	}
	if b.app, err = postgres.Open(ctx, url); err != nil {
		return nil, err
	}
	if _, err = accounts.Setup(ctx, b.app, "jiangsu"); err != nil {
		return nil, err
	}
	if b.rules, err = accounts.Load(ctx, b.app); err != nil {
		return nil, err
	}
	b.store = timedStore{b.app, b.times}
	b.journal = ledger.New(b.store, b.rules)
	_, err = b.journal.OpenBooks(ctx, month, "setup", b.rules.Regions.Books()...)
	return b, err
}

func (b *books) close() {
	if b.app != nil {
		b.app.Close()
	}
	if b.owner != nil {
		b.owner.Close()
	}
}
