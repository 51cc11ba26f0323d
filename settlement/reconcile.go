package settlement

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/internal/db"
)

const (
	// reconcileChunk is how many settlements one transaction takes.
	reconcileChunk = 2000
	// reconcileWorkers work on chunks at the same time.
	reconcileWorkers = 3
	// listed is how many exceptions and waiting refunds a report lists.
	listed = 1000
)

// ReconcileOptions say how a month is reconciled. The zero value is fine.
type ReconcileOptions struct {
	// Workers is how many transactions run at the same time; 0 means 3.
	Workers int
	// Progress is told how many settlements have been looked at, never by two
	// goroutines at once.
	Progress func(settlements int64)
}

// ReconcileReport is how a month stands after its reconciliation.
type ReconcileReport struct {
	Month accounts.Month `json:"month"`
	// Compared tells whether the records were read: not when no file has come
	// since the last reconciliation.
	Compared bool `json:"compared"`
	// Groups of the totals compared (险种 × 清算类别 × pair of regions), and
	// those in which the sides differ.
	Groups       int               `json:"groups"`
	TotalsDiffer []TotalDifference `json:"totals_differ"`
	// Posted counts what this call has posted, refunds of other months too.
	Posted int64 `json:"posted"`
	// Matched counts the settlements of the month that are equal on all three
	// sides, by this call or before: posted, or refunds that wait.
	Matched         int64            `json:"matched"`
	Waiting         int64            `json:"waiting"`  // those of them that wait
	Resolved        int64            `json:"resolved"` // exceptions that agree now
	Exceptions      map[string]int64 `json:"exceptions"`
	OpenExceptions  []Exception      `json:"open_exceptions"`
	MoreExceptions  int64            `json:"more_exceptions"` // kept, not listed here
	WaitingRefunds  []WaitingRefund  `json:"waiting_refunds"` // of all months
	HalfLoadedFiles []string         `json:"half_loaded_files"`
}

// Exception is a settlement that the three sides do not agree on.
type Exception struct {
	SetlID string `json:"setl_id"`
	Kind   string `json:"kind"`
	Detail string `json:"detail"` // what differs and where each side's row stands

	// What follows is given by Settlements.Exceptions and Settlement.
	Month accounts.Month `json:"month,omitempty"`
	// Insured and Treating are empty where no side has a valid record.
	Insured    string    `json:"insured,omitempty"`
	Treating   string    `json:"treating,omitempty"`
	Refund     bool      `json:"refund,omitempty"`
	Original   string    `json:"orig_setl_id,omitempty"` // of a refund
	Found      time.Time `json:"found,omitzero"`         // zero for a refund that waits
	Resolved   time.Time `json:"resolved,omitzero"`      // zero while it is open
	ResolvedBy string    `json:"resolved_by,omitempty"`  // name of the file that made the sides agree
}

// WaitingRefund is a refund that all sides agree on and that cannot be posted yet.
type WaitingRefund struct {
	SetlID   string         `json:"setl_id"`
	Month    accounts.Month `json:"month"`
	Original string         `json:"orig_setl_id"`
	Reason   string         `json:"reason"`
}

// Reconcile compares the three sides of a service month (J41–43), posts what
// they agree on and keeps the rest as exceptions. Run again it posts only what
// has newly come to agree; with no new file it reads no records at all. It
// may be interrupted, or run twice at once: the journal comes out the same.
//
// Records of a file that is not fully loaded are left alone until it is.
// Errors: NotFound when no file has a row of the month.
func (s *Settlements) Reconcile(ctx context.Context, month accounts.Month, options ReconcileOptions) (*ReconcileReport, error) {
	r := reconciliation{s: s, month: month, options: options, totals: totals{}}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	if r.due {
		if err := r.records(ctx); err != nil {
			return nil, err
		}
	}
	refunds, err := s.postRefunds(ctx)
	if err != nil {
		return nil, err
	}
	r.posted += refunds
	if err := r.finish(ctx); err != nil {
		return nil, err
	}
	return r.report(ctx)
}

// HasMonth returns NotFound when no file has a row of the service month, as
// Reconcile does.
func (s *Settlements) HasMonth(ctx context.Context, month accounts.Month) error {
	return s.store.Read(ctx, func(r accounts.Reader) error {
		files, err := db.New(r).MonthFiles(ctx, string(month))
		if err == nil && len(files) == 0 {
			err = noFileOf(month)
		}
		return err
	})
}

func noFileOf(month accounts.Month) error {
	return fault.New(fault.NotFound, "no imported file has a row of service month %s: run fundledger import settlements first", month)
}

// begin finds out whether there is anything new.
func (r *reconciliation) begin(ctx context.Context) error {
	return r.s.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		files, err := q.MonthFiles(ctx, string(r.month))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return noFileOf(r.month)
		}
		r.due, r.loaded, r.half = false, []uuid.UUID{}, []string{}
		for _, f := range files {
			r.due = r.due || !f.Reconciled
			if f.State == fileLoaded {
				r.loaded = append(r.loaded, f.FileID)
			} else {
				r.half = append(r.half, f.Side+" "+f.Name)
			}
		}
		open, err := q.OpenExceptionsOf(ctx, string(r.month))
		if err != nil {
			return err
		}
		accepted, err := q.CountAccepted(ctx, string(r.month))
		if err != nil {
			return err
		}
		r.again = accepted.Posted+accepted.Waiting > 0
		r.open = make(map[string]bool, len(open))
		for _, id := range open {
			r.open[id] = true
		}
		return nil
	})
}

// records goes through the settlements of the month in chunks.
func (r *reconciliation) records(ctx context.Context) error {
	chunks := make(chan chunk)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(chunks)
		return r.cut(ctx, chunks)
	})
	workers := r.options.Workers
	if workers <= 0 {
		workers = reconcileWorkers
	}
	for range workers {
		group.Go(func() error {
			for c := range chunks {
				if err := r.settle(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// One in sampleEach rows shows where ranges may end. The first row of a file is
// its second line, so that many small files are sampled too.
const (
	sampleEach = 64
	sampleRest = 2
)

// cut hands out ranges of settlements, each of about reconcileChunk. Their
// borders come from a sample, since to put a whole month in order takes longer
// than to read it.
func (r *reconciliation) cut(ctx context.Context, chunks chan<- chunk) error {
	var sample []string
	err := r.s.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		sample, err = db.New(tx).SampleOfMonth(ctx, db.SampleOfMonthParams{Month: string(r.month), Each: sampleEach, Rest: sampleRest})
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(sample)
	sample = slices.Compact(sample)
	const perChunk = 3 * reconcileChunk / sampleEach // a settlement has a row on each side
	first := ""
	for i := perChunk; ; i += perChunk {
		c := chunk{first: first}
		if i < len(sample) {
			c.end = sample[i]
		}
		select {
		case chunks <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
		if first = c.end; first == "" {
			return nil
		}
	}
}

// resolvePosted closes exceptions that a reconciliation which ran at the same
// time has overtaken.
func (r *reconciliation) resolvePosted(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
	open, err := q.OvertakenExceptionsOf(ctx, string(r.month))
	if err != nil || len(open) == 0 {
		return err
	}
	posted, err := r.s.posted(ctx, tx, q, open)
	if err != nil || len(posted) == 0 {
		return err
	}
	_, err = q.ResolveSettled(ctx, slices.Sorted(maps.Keys(posted)))
	return err
}

// finish notes which files the month has been reconciled with.
func (r *reconciliation) finish(ctx context.Context) error {
	return r.s.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if err := r.resolvePosted(ctx, tx, q); err != nil {
			return err
		}
		if !r.due {
			return nil
		}
		return q.MarkReconciled(ctx, db.MarkReconciledParams{Month: string(r.month), Files: r.loaded})
	})
}

func (r *reconciliation) report(ctx context.Context) (*ReconcileReport, error) {
	var report *ReconcileReport
	err := r.s.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		report = &ReconcileReport{
			Month: r.month, Compared: r.due, Groups: len(r.totals), TotalsDiffer: r.totals.differences(), Posted: r.posted, Resolved: r.resolved,
			Exceptions: map[string]int64{}, OpenExceptions: []Exception{}, WaitingRefunds: []WaitingRefund{}, HalfLoadedFiles: r.half,
		}
		accepted, err := q.CountAccepted(ctx, string(r.month))
		if err != nil {
			return err
		}
		report.Matched, report.Waiting = accepted.Posted+accepted.Waiting, accepted.Waiting
		kinds, err := q.CountExceptions(ctx, string(r.month))
		if err != nil {
			return err
		}
		for _, row := range kinds {
			report.Exceptions[row.Kind] = row.Records
			report.MoreExceptions += row.Records
		}
		open, err := q.ListExceptions(ctx, db.ListExceptionsParams{Month: string(r.month), RowLimit: listed})
		if err != nil {
			return err
		}
		for _, row := range open {
			report.OpenExceptions = append(report.OpenExceptions, Exception{SetlID: row.SetlID, Kind: row.Kind, Detail: row.Detail})
		}
		report.MoreExceptions -= int64(len(open))
		waiting, err := q.ListWaiting(ctx, listed)
		if err != nil {
			return err
		}
		for _, row := range waiting {
			report.WaitingRefunds = append(report.WaitingRefunds, WaitingRefund{SetlID: row.SetlID, Month: accounts.Month(row.ServiceMonth),
				Original: row.OrigSetlID, Reason: row.WaitingFor})
		}
		return nil
	})
	return report, err
}
