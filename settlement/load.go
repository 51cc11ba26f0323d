package settlement

import (
	"cmp"
	"context"
	"hash/maphash"
	"io"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"fundledger/accounts"
	"fundledger/settlement/internal/db"
)

const (
	// importBatch is how many rows one transaction stores.
	importBatch = 2000
	// importWorkers store batches at the same time. Rows of one settlement go
	// to one worker, in the order of their lines, so that what becomes of them
	// does not depend on chance.
	importWorkers = 3
)

// loader stores the rows of one file.
type loader struct {
	s *Settlements
	source
	added, replaced atomic.Int64
	months          map[accounts.Month]bool
}

// load reads and validates in the calling goroutine and stores in others.
func (l *loader) load(ctx context.Context, in *rowReader, progress func(done, total int64)) error {
	group, ctx := errgroup.WithContext(ctx)
	queues := make([]chan []row, importWorkers)
	for i := range queues {
		queue := make(chan []row, 1)
		queues[i] = queue
		group.Go(func() error {
			for batch := range queue {
				if err := l.store(ctx, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer func() {
			for _, queue := range queues {
				close(queue)
			}
		}()
		return l.read(ctx, in, queues, progress)
	})
	return group.Wait()
}

func (l *loader) read(ctx context.Context, in *rowReader, queues []chan []row, progress func(done, total int64)) error {
	l.months = map[accounts.Month]bool{}
	seed := maphash.MakeSeed()
	batches := make([][]row, len(queues))
	send := func(i int) error {
		select {
		case queues[i] <- batches[i]:
			batches[i] = nil
			if progress != nil {
				progress(in.read, in.size)
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		r, err := in.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		l.rows++
		if r.month != "" && !l.months[r.month] {
			if err := l.addMonth(ctx, r.month); err != nil {
				return err
			}
		}
		i := int(maphash.String(seed, r.id) % uint64(len(queues)))
		if batches[i] == nil {
			batches[i] = make([]row, 0, importBatch)
		}
		if batches[i] = append(batches[i], r); len(batches[i]) == importBatch {
			if err := send(i); err != nil {
				return err
			}
		}
	}
	for i := range batches {
		if len(batches[i]) > 0 {
			if err := send(i); err != nil {
				return err
			}
		}
	}
	if progress != nil {
		progress(in.size, in.size)
	}
	return nil
}

// addMonth notes that the file has rows of the month, before any is stored.
func (l *loader) addMonth(ctx context.Context, month accounts.Month) error {
	l.months[month] = true
	return l.s.store.InTx(ctx, func(tx pgx.Tx) error {
		return db.New(tx).AddFileMonths(ctx, db.AddFileMonthsParams{FileID: l.id, Months: []string{string(month)}})
	})
}

// store writes a batch. Most rows are new records, which an insert tells by
// itself; only those that meet a record are looked at.
func (l *loader) store(ctx context.Context, batch []row) error {
	slices.SortStableFunc(batch, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	var firsts, met []*row
	for i := range batch {
		switch r := &batch[i]; {
		case r.id == "": // set aside, and nobody's record
		case i > 0 && batch[i-1].id == r.id:
			met = append(met, r)
		default:
			firsts = append(firsts, r)
		}
	}
	var inserted map[string]bool
	err := l.s.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		q := db.New(tx)
		if err := l.setAsideRejected(ctx, q, batch); err != nil {
			return err
		}
		inserted, err = l.insert(ctx, q, firsts)
		return err
	})
	if err != nil {
		return err
	}
	l.added.Add(int64(len(inserted)))
	for _, r := range firsts {
		if !inserted[r.id] {
			met = append(met, r)
		}
	}
	if len(met) == 0 {
		return nil
	}
	slices.SortFunc(met, func(a, b *row) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.line, b.line)) })
	return l.collide(ctx, met)
}

// insert makes records of rows and returns the ids of those that were new.
func (l *loader) insert(ctx context.Context, q *db.Queries, rows []*row) (map[string]bool, error) {
	valid := db.InsertRecordsParams{Side: string(l.side), Status: statusValid, FileID: l.id}
	rejected := db.InsertRejectedParams{Side: string(l.side), FileID: l.id}
	for _, r := range rows {
		if r.record != nil {
			addRecord(&valid, r)
			continue
		}
		rejected.SetlIds, rejected.Lines = append(rejected.SetlIds, r.id), append(rejected.Lines, r.line)
		rejected.Kinds, rejected.Months = append(rejected.Kinds, r.fault.kind), append(rejected.Months, string(r.month))
		rejected.Refunds, rejected.Digests = append(rejected.Refunds, r.refund), append(rejected.Digests, r.digest)
	}
	inserted := make(map[string]bool, len(rows))
	if len(valid.SetlIds) > 0 {
		ids, err := q.InsertRecords(ctx, valid)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			inserted[id] = true
		}
	}
	if len(rejected.SetlIds) > 0 {
		ids, err := q.InsertRejected(ctx, rejected)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			inserted[id] = true
		}
	}
	return inserted, nil
}

func (l *loader) setAsideRejected(ctx context.Context, q *db.Queries, batch []row) error {
	var aside asides
	for i := range batch {
		if r := &batch[i]; r.fault != nil {
			aside.add(asideRow{file: l.id, line: r.line, cause: causeRejected, kind: r.fault.kind, id: r.id, month: string(r.month),
				field: r.fault.field, reason: r.fault.reason, content: r.content})
		}
	}
	return aside.write(ctx, q, l.side)
}

// asideRow is a row that is not its side's record.
type asideRow struct {
	file                                           uuid.UUID
	line                                           int64
	cause, kind, id, month, field, reason, content string
}

type asides struct{ db.SetAsideParams }

func (a *asides) add(r asideRow) {
	a.FileIds, a.Lines, a.Causes = append(a.FileIds, r.file), append(a.Lines, r.line), append(a.Causes, r.cause)
	a.Kinds, a.SetlIds, a.Months = append(a.Kinds, r.kind), append(a.SetlIds, r.id), append(a.Months, r.month)
	a.Fields, a.Reasons, a.Contents = append(a.Fields, r.field), append(a.Reasons, r.reason), append(a.Contents, r.content)
}

func (a *asides) write(ctx context.Context, q *db.Queries, side Side) error {
	if len(a.Lines) == 0 {
		return nil
	}
	a.Side = string(side)
	return q.SetAside(ctx, a.SetAsideParams)
}

func addRecord(p *db.InsertRecordsParams, r *row) {
	c := r.record
	p.SetlIds, p.Lines, p.Months = append(p.SetlIds, c.id), append(p.Lines, r.line), append(p.Months, string(r.month))
	p.Refunds, p.Digests = append(p.Refunds, c.refund), append(p.Digests, r.digest)
	p.MdtrtIds, p.PsnNos, p.Insutypes = append(p.MdtrtIds, c.mdtrtID), append(p.PsnNos, c.psnNo), append(p.Insutypes, c.insutype)
	p.Insured, p.Treating, p.Providers = append(p.Insured, c.insured), append(p.Treating, c.treating), append(p.Providers, c.provider)
	p.ClrTypes, p.MedTypes = append(p.ClrTypes, c.clrType), append(p.MedTypes, c.medType)
	p.Begndates, p.Enddates = append(p.Begndates, dateParam(c.begndate)), append(p.Enddates, dateParam(c.enddate))
	p.SetlTimes = append(p.SetlTimes, c.setlTime)
	p.Medfee, p.FundPay = append(p.Medfee, int64(c.medfee)), append(p.FundPay, int64(c.fundPay))
	into := [partCount]*[]int64{&p.Hifp, &p.Cvlserv, &p.Hifes, &p.Hifmi, &p.Hifob, &p.Maf, &p.Oth, &p.Acct}
	for i, list := range into {
		*list = append(*list, int64(c.parts[i]))
	}
	p.Cash, p.Origs = append(p.Cash, int64(c.cash)), append(p.Origs, c.orig)
}
