package settlement

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// States of a settlement that all sides agree on.
const (
	statePosted  = "posted"
	stateWaiting = "waiting" // a refund whose original is not posted, or has too little left
)

// reconciliation is one run of Reconcile.
type reconciliation struct {
	s       *Settlements
	month   accounts.Month
	options ReconcileOptions

	due    bool        // a file has come since the month was last reconciled
	loaded []uuid.UUID // the files that are fully loaded
	half   []string    // and those that are not
	groups int
	differ []TotalDifference
	open   map[string]bool // settlements with an open exception

	posted, resolved atomic.Int64
}

// chunk is a number of settlements that one transaction takes, by id in
// ascending order; waiting are those of them that wait already.
// Seen counts those too that are posted already.
type chunk struct {
	ids, waiting []string
	seen         int
}

// settle accepts what the sides of a chunk agree on, posts it, and keeps the
// rest as exceptions, in one transaction.
func (r *reconciliation) settle(ctx context.Context, c chunk) error {
	var posted, resolved int
	err := r.s.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		half, err := halfLoaded(ctx, q)
		if err != nil {
			return err
		}
		if len(c.waiting) > 0 { // they are accepted anew, as the sides say now
			if err := q.DropWaiting(ctx, c.waiting); err != nil {
				return err
			}
		}
		accepted, err := r.accept(ctx, q, c.ids, half)
		if err != nil {
			return err
		}
		if posted, err = r.post(ctx, tx, accepted); err != nil {
			return err
		}
		if resolved, err = r.resolve(ctx, q, accepted); err != nil {
			return err
		}
		if len(accepted) == len(c.ids) {
			return nil
		}
		return r.except(ctx, q, without(c.ids, accepted), half)
	})
	if err != nil {
		return err
	}
	r.posted.Add(int64(posted))
	r.resolved.Add(int64(resolved))
	return nil
}

// halfLoaded are the files that are not fully loaded: their records are left
// alone until they are.
func halfLoaded(ctx context.Context, q *db.Queries) ([]uuid.UUID, error) {
	files, err := q.LoadingFiles(ctx)
	half := make([]uuid.UUID, len(files))
	for i, f := range files {
		half[i] = f.ID
	}
	return half, err
}

// accept stores the settlements that are equal on all three sides, in one
// statement that compares and copies them where they lie. Refunds wait until
// their originals are posted. What another process has accepted in the
// meantime stays as it is and is not returned.
func (r *reconciliation) accept(ctx context.Context, q *db.Queries, ids []string, half []uuid.UUID) ([]*record, error) {
	rows, err := q.AcceptSettlements(ctx, db.AcceptSettlementsParams{SetlIds: ids, Month: string(r.month), Cities: r.s.rules.cities, Half: half})
	if err != nil {
		return nil, err
	}
	accepted := make([]*record, len(rows))
	for i := range rows {
		accepted[i] = acceptedRecord(&rows[i])
	}
	slices.SortFunc(accepted, func(a, b *record) int { return strings.Compare(a.id, b.id) })
	return accepted, nil
}

// post posts what was accepted, refunds excepted.
func (r *reconciliation) post(ctx context.Context, tx pgx.Tx, accepted []*record) (int, error) {
	entries := make([]ledger.Entry, 0, len(accepted))
	for _, rec := range accepted {
		if rec.refund {
			continue
		}
		e, err := r.s.entry(rec)
		if err != nil {
			return 0, err
		}
		entries = append(entries, e)
	}
	return len(entries), r.s.post(ctx, tx, entries)
}

// without returns the ids that were not accepted.
func without(ids []string, accepted []*record) []string {
	have := make(map[string]bool, len(accepted))
	for _, rec := range accepted {
		have[rec.id] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return have[id] })
}

// acceptedRecord is what an entry needs of an accepted settlement.
func acceptedRecord(c *db.AcceptSettlementsRow) *record {
	return &record{
		id: c.SetlID, insutype: c.Insutype, insured: c.Insured, treating: c.Treating, provider: c.Provider, medType: c.MedType,
		enddate: lastDayOf(c.BenefitYear), setlTime: civil.DateOf(c.SettledOn).In(shanghai),
		parts:  partsOf(c.HifpFen, c.CvlservFen, c.HifesFen, c.HifmiFen, c.HifobFen, c.MafFen, c.OthFen, c.AcctFen),
		refund: c.Refund, orig: c.OrigSetlID,
	}
}

// lastDayOf is a day of discharge that gives the benefit year.
func lastDayOf(year int64) civil.Date {
	return civil.Date{Year: int(year), Month: time.December, Day: 31}
}
