package clearing

import (
	"context"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/recovery"
)

// Clearing runs the clearing of one deployment. It is safe for concurrent
// use, by several processes on one database too.
type Clearing struct {
	store   accounts.Store
	journal *ledger.Journal
	book    *accounts.Rulebook
	settler *recovery.Settler
}

// New returns the clearing that posts to the journal under the rules of the book.
func New(store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook) *Clearing {
	return &Clearing{store: store, journal: journal, book: book, settler: recovery.NewSettler(store, journal, book)}
}

// Kind is what a run clears.
type Kind string

const (
	InProvince Kind = "in-province" // 省内, net per city and fund (J47)
	CrossOut   Kind = "cross-out"   // 跨省 our patients elsewhere, gross (J48二)
	CrossIn    Kind = "cross-in"    // 跨省 patients of other provinces here, gross (J48三)
)

// Kinds are all kinds, in the order in which a month is cleared.
func Kinds() []Kind { return []Kind{InProvince, CrossOut, CrossIn} }

// RunID names the run of a service month, such as "2025-01/in-province".
func RunID(month accounts.Month, kind Kind) string { return string(month) + "/" + string(kind) }

// State is how far a run has come.
type State string

const (
	Collecting State = "collecting" // records are being taken into it
	Frozen     State = "frozen"     // amounts are fixed, notices are issued
)

// Run (清算批次) is the clearing of one service month and kind.
type Run struct {
	ID         string         `json:"run"`
	Month      accounts.Month `json:"month"`
	Kind       Kind           `json:"kind"`
	State      State          `json:"state"`
	NoticeDate civil.Date     `json:"notice_date"`
	Period     accounts.Month `json:"period,omitempty"` // accounting month of the freeze entries
}

// Runs returns the runs of the service month, or all if it is empty.
func (c *Clearing) Runs(ctx context.Context, month accounts.Month) (runs []Run, err error) {
	err = c.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		runs, err = c.RunsTx(ctx, tx, month)
		return err
	})
	return runs, err
}

// RunsTx is Runs as the transaction sees them.
func (c *Clearing) RunsTx(ctx context.Context, tx pgx.Tx, month accounts.Month) ([]Run, error) {
	rows, err := db.New(tx).ListRuns(ctx, string(month))
	runs := make([]Run, len(rows))
	for i, row := range rows {
		runs[i] = runOf(row)
	}
	return runs, err
}

// frozenRun reads a run that has its tables, or says what is missing.
func frozenRun(ctx context.Context, q *db.Queries, id string) (Run, error) {
	row, err := q.GetRun(ctx, id)
	if err == pgx.ErrNoRows {
		return Run{}, fault.New(fault.NotFound, "there is no clearing run %s", id)
	}
	if err != nil {
		return Run{}, err
	}
	if row.State != string(Frozen) {
		return Run{}, fault.New(fault.Precondition, "run %s is not frozen yet: run clear --month %s again", id, row.Month)
	}
	return runOf(row), nil
}

func runOf(row db.ClearingRun) Run {
	return Run{ID: row.ID, Month: accounts.Month(row.Month), Kind: Kind(row.Kind), State: State(row.State),
		NoticeDate: civil.DateOf(row.NoticeDate), Period: accounts.Month(row.Period)}
}

func dateParam(d civil.Date) time.Time { return d.In(time.UTC) }
