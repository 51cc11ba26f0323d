package clearing

import (
	"context"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/ledger"
	"fundledger/settlement"
)

// CheckReport is what Check found, and what is open without being wrong.
type CheckReport struct {
	*ledger.CheckReport
	Exceptions []settlement.ExceptionCount `json:"open_exceptions"`
	Unpaid     []Notice                    `json:"unpaid_notices"`
	Unfrozen   []Run                       `json:"unfrozen_runs"`
}

// checkAttempts: entries that others post between catching up and checking
// are in the tables and not yet in the sequence, so the check is repeated.
const checkAttempts = 3

// Check proves the journal (ledger.Journal.Check) and, in the same walk, the
// invariants that tie its books to each other, and that the runs, notices and
// holdings say what the journal says; more observers of higher packages see the
// same walk. Findings are no error.
func Check(ctx context.Context, journal *ledger.Journal, store accounts.Store, book *accounts.Rulebook, more ...ledger.NewObserver) (*CheckReport, error) {
	c := New(store, journal, book)
	observers := append([]ledger.NewObserver{
		func() ledger.Observer { return newChain(book) },
		func() ledger.Observer { return newTreating(book) },
		func() ledger.Observer { return newPrepayments(book) },
		func() ledger.Observer { return newBanks(book) },
		func() ledger.Observer { return newClawbacks(book) },
		func() ledger.Observer { return newRunCheck(c) },
	}, more...)
	report := &CheckReport{Exceptions: []settlement.ExceptionCount{}, Unpaid: []Notice{}, Unfrozen: []Run{}}
	for range checkAttempts {
		if _, err := journal.CatchUp(ctx); err != nil {
			return nil, err
		}
		var err error
		report.CheckReport, err = journal.Check(ctx, observers...)
		if err != nil {
			return nil, err
		}
		if report.OK() {
			break
		}
		position, err := journal.CatchUp(ctx)
		if err != nil {
			return nil, err
		}
		if position == report.Position {
			break
		}
	}
	err := store.Snapshot(ctx, func(tx pgx.Tx) error {
		exceptions, err := settlement.OpenExceptions(ctx, tx)
		if err != nil {
			return err
		}
		q := db.New(tx)
		notices, err := c.readNotices(ctx, q, "")
		if err != nil {
			return err
		}
		runs, err := q.ListRuns(ctx, "")
		if err != nil {
			return err
		}
		report.Exceptions = append(report.Exceptions[:0], exceptions...)
		report.Unpaid, report.Unfrozen = report.Unpaid[:0], report.Unfrozen[:0]
		for _, n := range notices {
			if !n.Closed() {
				report.Unpaid = append(report.Unpaid, n)
			}
		}
		for _, row := range runs {
			if row.State != string(Frozen) {
				report.Unfrozen = append(report.Unfrozen, runOf(row))
			}
		}
		return nil
	})
	return report, err
}
