package settlement

import (
	"context"
	"slices"
	"sync"
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

	due    bool            // a file has come since the month was last reconciled
	again  bool            // something of the month was accepted before
	loaded []uuid.UUID     // the files that are fully loaded
	half   []string        // and those that are not
	open   map[string]bool // settlements with an open exception

	mu               sync.Mutex // over what the workers add to
	totals           totals
	seen             int64
	posted, resolved int64
}

// chunk is a range of the month's settlements that one transaction takes: from
// the first id to before the end, or to the last where the end is empty.
type chunk struct{ first, end string }

// settled is what became of a chunk.
type settled struct {
	totals                 totals
	seen, posted, resolved int
}

// settle posts what the sides of a chunk agree on and keeps the rest as
// exceptions, in one transaction. The records are read before it, where the
// database need not watch each of them: as long as no file is being loaded and
// none has come since, they are the same inside. Where that does not hold they
// are read again.
func (r *reconciliation) settle(ctx context.Context, c chunk) error {
	var early *comparison
	err := r.s.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		early, err = r.compare(ctx, db.New(tx), c)
		return err
	})
	if err != nil {
		return err
	}
	var done settled
	err = r.s.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		done = settled{totals: totals{}}
		files, err := q.FilesStamp(ctx)
		if err != nil {
			return err
		}
		compared := early
		if files.Loading > 0 || files != early.files {
			if compared, err = r.compare(ctx, q, c); err != nil {
				return err
			}
		}
		return r.settleTx(ctx, tx, q, compared, &done)
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.totals.merge(done.totals)
	r.seen, r.posted, r.resolved = r.seen+int64(done.seen), r.posted+int64(done.posted), r.resolved+int64(done.resolved)
	if r.options.Progress != nil {
		r.options.Progress(r.seen)
	}
	return nil
}

func (r *reconciliation) settleTx(ctx context.Context, tx pgx.Tx, q *db.Queries, c *comparison, done *settled) (err error) {
	equal, unequal := c.equal, c.unequal
	done.seen = len(equal) + len(unequal)
	for _, rec := range equal {
		done.totals.add(rec, 0, 1, 2)
	}
	if r.again {
		if equal, unequal, err = r.unsettled(ctx, tx, q, equal, unequal); err != nil {
			return err
		}
	}
	if done.posted, err = r.accept(ctx, tx, q, equal); err != nil {
		return err
	}
	if done.resolved, err = r.resolve(ctx, q, equal); err != nil || len(unequal) == 0 {
		return err
	}
	return r.except(ctx, q, unequal, c.half, done.totals)
}

// comparison is what the three sides say of a range.
type comparison struct {
	files   db.FilesStampRow // the state of the files that it was read in
	half    []uuid.UUID      // files that are not fully loaded: their records are left alone
	equal   []*record
	unequal []string
}

// compare reads a range: the settlements that are equal on all three sides,
// and the ids of the others. They are compared where they lie.
func (r *reconciliation) compare(ctx context.Context, q *db.Queries, c chunk) (*comparison, error) {
	files, err := q.FilesStamp(ctx)
	if err != nil {
		return nil, err
	}
	loading, err := q.LoadingFiles(ctx)
	if err != nil {
		return nil, err
	}
	compared := &comparison{files: files, half: make([]uuid.UUID, len(loading))}
	for i, f := range loading {
		compared.half[i] = f.ID
	}
	rows, err := q.RangeOfMonth(ctx, db.RangeOfMonthParams{Month: string(r.month), FirstID: c.first, EndID: c.end, Half: compared.half})
	if err != nil {
		return nil, err
	}
	compared.equal = make([]*record, 0, len(rows))
	for i := range rows {
		row := &rows[i]
		if !row.Equal {
			if n := len(compared.unequal); n == 0 || compared.unequal[n-1] != row.SetlID {
				compared.unequal = append(compared.unequal, row.SetlID)
			}
			continue
		}
		compared.equal = append(compared.equal, &record{
			id: row.SetlID, insutype: row.Insutype, insured: row.Insured, treating: row.Treating, provider: row.Provider,
			clrType: row.ClrType, medType: row.MedType, begndate: civil.DateOf(row.Begndate.Time), enddate: civil.DateOf(row.Enddate.Time), setlTime: row.SetlTime.Time,
			medfee: accounts.Fen(row.MedfeeFen), fundPay: accounts.Fen(row.FundPayFen),
			parts:  PartsOf(row.HifpFen, row.CvlservFen, row.HifesFen, row.HifmiFen, row.HifobFen, row.MafFen, row.OthFen, row.AcctFen),
			refund: row.Refund, orig: row.OrigSetlID,
		})
	}
	return compared, nil
}

// unsettled leaves out what is posted already. What waits is taken away: it is
// looked at anew, as the sides say now. While nothing of the month had been
// accepted when it began, a reconciliation need not look; what another process
// accepts from then on is a replay to the journal.
func (r *reconciliation) unsettled(ctx context.Context, tx pgx.Tx, q *db.Queries, equal []*record, unequal []string) ([]*record, []string, error) {
	ids := slices.Clone(unequal)
	equal, unequal = slices.Clone(equal), slices.Clone(unequal) // the caller may need them once more
	for _, rec := range equal {
		ids = append(ids, rec.id)
	}
	posted, err := r.s.posted(ctx, tx, q, ids)
	if err != nil {
		return nil, nil, err
	}
	equal = slices.DeleteFunc(equal, func(rec *record) bool { return posted[rec.id] })
	unequal = slices.DeleteFunc(unequal, func(id string) bool { return posted[id] })
	return equal, unequal, q.DropWaiting(ctx, ids)
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
	return len(posted), r.s.insertBlocks(ctx, q, posted, false)
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

// lastDayOf is a day of discharge that gives the benefit year.
func lastDayOf(year int64) civil.Date {
	return civil.Date{Year: int(year), Month: time.December, Day: 31}
}
