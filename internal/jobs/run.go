package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/jobs/internal/db"
)

// A lease is renewed each second, so that it outlives a few renewals that a busy
// database loses, and a killed server is replaced after six seconds. The margin
// covers what the clocks of process and database may drift apart within a lease.
const (
	leaseLength = 5 * time.Second
	leaseRenew  = time.Second
	leaseMargin = 200 * time.Millisecond
	lookEach    = 500 * time.Millisecond
	retryAfter  = 2 * time.Second
	mostTakes   = 100 // of one job: then it kills its servers, or the database fails it every time
)

// RunOptions say how a server does jobs.
type RunOptions struct {
	Name  string       // of the server, for people
	Slots int          // jobs at once; 0 means 2
	Log   *slog.Logger // nil: silent
}

// Run takes waiting jobs and does them until ctx ends. It then tells all work to
// stop, gives back what was not done, so that another server goes on at once, and
// returns nil when no work runs any more. The database may come and go: Run
// looks again. Several servers, and several Runs of one, share the jobs.
func (j *Jobs) Run(ctx context.Context, options RunOptions) error {
	r := &runner{Jobs: j, name: options.Name, log: options.Log}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	slots := options.Slots
	if slots == 0 {
		slots = 2
	}
	for kind := range j.works {
		r.kinds = append(r.kinds, kind)
	}
	free := make(chan struct{}, slots)
	for range slots {
		free <- struct{}{}
	}
	var working sync.WaitGroup
	defer working.Wait()
	look := time.NewTicker(lookEach)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-free:
		}
		job, trusted, ok := r.take(ctx)
		if ok {
			working.Go(func() {
				r.do(ctx, job, trusted)
				free <- struct{}{}
			})
			continue
		}
		free <- struct{}{}
		select {
		case <-ctx.Done():
			return nil
		case <-j.wake:
		case <-look.C:
		}
	}
}

// runner is one server at work.
type runner struct {
	*Jobs
	name  string
	kinds []string
	log   *slog.Logger
}

// candidates are more than one, so that servers that look at the same time do
// not all go without.
const candidates = 8

// take takes the job that waits longest, if there is one, and tells until when
// it may be trusted to be ours.
func (r *runner) take(ctx context.Context) (job Job, trusted time.Time, ok bool) {
	var waiting []db.WaitingJobsRow
	err := r.store.Read(ctx, func(reader accounts.Reader) (err error) {
		waiting, err = db.New(reader).WaitingJobs(ctx, db.WaitingJobsParams{Kinds: r.kinds, Page: candidates})
		return err
	})
	if err != nil {
		r.complain(ctx, "waiting jobs cannot be read", err)
		return Job{}, time.Time{}, false
	}
	for _, w := range waiting {
		asked := time.Now()
		var rows []db.Job
		err := r.inTx(ctx, func(ctx context.Context, q *db.Queries) (err error) {
			rows, err = q.TakeJob(ctx, db.TakeJobParams{ID: w.ID, Term: w.Term, Owner: r.name, Milliseconds: leaseLength.Milliseconds()})
			return err
		})
		if err == nil && len(rows) == 1 {
			if job, err = decode(rows[0]); err == nil {
				return job, asked.Add(leaseLength - leaseMargin), true
			}
		}
		if err != nil {
			r.complain(ctx, "a waiting job cannot be taken", err)
		}
	}
	return Job{}, time.Time{}, false
}

// inTx is one statement that changes a job. One that hangs leaves time for others.
func (r *runner) inTx(ctx context.Context, fn func(context.Context, *db.Queries) error) error {
	ctx, cancel := context.WithTimeout(ctx, leaseLength)
	defer cancel()
	return r.store.InTx(ctx, func(tx pgx.Tx) error { return fn(ctx, db.New(tx)) })
}

func (r *runner) complain(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		r.log.WarnContext(ctx, what, "server", r.name, "kind", string(fault.KindOf(err)), "error", err.Error())
	}
}
