package settlement

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
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
	again  bool        // something of the month was accepted before
	loaded []uuid.UUID // the files that are fully loaded
	half   []string    // and those that are not
	groups int
	differ []TotalDifference
	open   map[string]bool // settlements with an open exception

	posted, resolved atomic.Int64
}

// chunk is the settlements that one transaction takes, by id in ascending order.
type chunk []string

// settle posts what the sides of a chunk agree on and keeps the rest as
// exceptions, in one transaction.
func (r *reconciliation) settle(ctx context.Context, c chunk) error {
	var posted, resolved int
	err := r.s.store.InTx(ctx, func(tx pgx.Tx) error {
		posted, resolved = 0, 0
		q := db.New(tx)
		half, err := halfLoaded(ctx, q)
		if err != nil {
			return err
		}
		c, waiting, err := r.unsettled(ctx, tx, q, c)
		if err != nil || len(c) == 0 {
			return err
		}
		if len(waiting) > 0 { // they are looked at anew, as the sides say now
			if err := q.DropWaiting(ctx, waiting); err != nil {
				return err
			}
		}
		equal, err := r.equal(ctx, q, c, half)
		if err != nil {
			return err
		}
		if posted, err = r.accept(ctx, tx, q, equal); err != nil {
			return err
		}
		if resolved, err = r.resolve(ctx, q, equal); err != nil {
			return err
		}
		if len(equal) == len(c) {
			return nil
		}
		return r.except(ctx, q, without(c, equal), half)
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

// equal reads the settlements of the chunk that are equal on all three sides,
// by id. They are compared where they lie: the sides of a settlement follow
// each other in the index of the month.
func (r *reconciliation) equal(ctx context.Context, q *db.Queries, c chunk, half []uuid.UUID) ([]*record, error) {
	rows, err := q.EqualRecords(ctx, db.EqualRecordsParams{Month: string(r.month), FirstID: c[0], FinalID: c[len(c)-1], Half: half})
	if err != nil {
		return nil, err
	}
	equal := make([]*record, 0, len(rows))
	for i := range rows {
		row := &rows[i]
		if r.again { // what is posted lies between
			if _, ours := slices.BinarySearch(c, row.SetlID); !ours {
				continue
			}
		}
		equal = append(equal, &record{
			id: row.SetlID, insutype: row.Insutype, insured: row.Insured, treating: row.Treating, provider: row.Provider, medType: row.MedType,
			enddate: civil.DateOf(row.Enddate.Time), setlTime: row.SetlTime.Time,
			parts:  partsOf(row.HifpFen, row.CvlservFen, row.HifesFen, row.HifmiFen, row.HifobFen, row.MafFen, row.OthFen, row.AcctFen),
			refund: row.Refund, orig: row.OrigSetlID,
		})
	}
	return equal, nil
}

// accept posts the settlements, refunds excepted: those wait until their
// originals are posted. What another process has posted in the meantime is a
// replay to the journal and not counted again.
func (r *reconciliation) accept(ctx context.Context, tx pgx.Tx, q *db.Queries, equal []*record) (int, error) {
	ordinary := make([]*record, 0, len(equal))
	var apart []*record
	for _, rec := range equal {
		if rec.refund || rec.parts == (parts{}) {
			apart = append(apart, rec)
		} else {
			ordinary = append(ordinary, rec)
		}
	}
	posted, err := r.s.post(ctx, tx, ordinary)
	if err != nil {
		return 0, err
	}
	empty, err := r.setApart(ctx, q, apart)
	if err != nil {
		return 0, err
	}
	posted = append(posted, empty...)
	return len(posted), r.s.insertBlocks(ctx, q, posted)
}

// setApart gives settlements a row of their own, refunds to wait, and returns
// those that are accepted by it because they need no entry.
func (r *reconciliation) setApart(ctx context.Context, q *db.Queries, apart []*record) (accepted []*record, err error) {
	if len(apart) == 0 {
		return nil, nil
	}
	p := db.InsertApartParams{Month: string(r.month)}
	for _, rec := range apart {
		state := statePosted
		if rec.refund {
			state = stateWaiting
		}
		p.SetlIds, p.States = append(p.SetlIds, rec.id), append(p.States, state)
		p.Dates, p.Insutypes = append(p.Dates, dateParam(rec.settledOn())), append(p.Insutypes, rec.insutype)
		p.Insured, p.Treating, p.Providers = append(p.Insured, rec.insured), append(p.Treating, rec.treating), append(p.Providers, rec.provider)
		p.MedTypes, p.BenefitYears = append(p.MedTypes, rec.medType), append(p.BenefitYears, int64(rec.benefitYear()))
		into := [partCount]*[]int64{&p.Hifp, &p.Cvlserv, &p.Hifes, &p.Hifmi, &p.Hifob, &p.Maf, &p.Oth, &p.Acct}
		for i, list := range into {
			*list = append(*list, int64(rec.parts[i]))
		}
		p.Refunds, p.Origs = append(p.Refunds, rec.refund), append(p.Origs, rec.orig)
	}
	inserted, err := q.InsertApart(ctx, p)
	for _, rec := range apart {
		if !rec.refund && slices.Contains(inserted, rec.id) {
			accepted = append(accepted, rec)
		}
	}
	return accepted, err
}

// without returns the ids that are not among the records.
func without(ids []string, records []*record) []string {
	have := make(map[string]bool, len(records))
	for _, rec := range records {
		have[rec.id] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return have[id] })
}

// lastDayOf is a day of discharge that gives the benefit year.
func lastDayOf(year int64) civil.Date {
	return civil.Date{Year: int(year), Month: time.December, Day: 31}
}
