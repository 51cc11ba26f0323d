package jobs

import (
	"bytes"
	"context"
	"iter"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/jobs/internal/db"
)

// Work does jobs of one kind. It must be idempotent: it may be begun again
// after it has done a part. When ctx ends it returns at its next safe point, with
// any error. It may report progress as often as it likes; a second's last report
// is written. An Unavailable error puts the job back to be begun again; any
// other one ends it.
type Work func(ctx context.Context, job Job, report func(Progress)) (Payload, error)

// Jobs begins, shows and does the jobs of one database.
type Jobs struct {
	store accounts.Store
	works map[string]Work
	wake  chan struct{} // a job was begun here
}

// New returns the jobs of the database, with the work that each kind of job means.
func New(store accounts.Store, works map[string]Work) *Jobs {
	return &Jobs{store: store, works: works, wake: make(chan struct{}, 1)}
}

// Request asks to begin a job.
type Request struct {
	Kind    string
	Key     string // idempotency key, of the kind
	Action  string
	Subject string
	Request Payload
}

// Start begins a job and returns it at once; some server that runs takes it. The
// same key of the kind with the same request returns the job that it began
// before, as it stands, and replayed. Errors: AlreadyExists for the key with
// another request, Internal for a kind without work.
func (j *Jobs) Start(ctx context.Context, r Request) (job Job, replayed bool, err error) {
	if j.works[r.Kind] == nil {
		return Job{}, false, fault.New(fault.Internal, "no work is known for jobs of the kind %q", r.Kind)
	}
	if r.Key == "" {
		return Job{}, false, fault.New(fault.Invalid, "a job needs an idempotency key").With("field", "idempotency_key")
	}
	err = j.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		known, err := q.FindJob(ctx, db.FindJobParams{Kind: r.Kind, Key: r.Key})
		if err != nil {
			return err
		}
		if replayed = len(known) > 0; replayed {
			if known[0].RequestType != r.Request.Type || !bytes.Equal(known[0].Request, r.Request.Data) {
				return fault.New(fault.AlreadyExists, "key %q has already begun a job with another request, %s", r.Key, known[0].ID).
					With("key", r.Key).With("job", known[0].ID.String())
			}
			job, err = decode(known[0])
			return err
		}
		row, err := q.InsertJob(ctx, db.InsertJobParams{
			ID: uuid.New(), Kind: r.Kind, Key: r.Key, Action: r.Action, Subject: r.Subject,
			RequestType: r.Request.Type, Request: append([]byte{}, r.Request.Data...),
		})
		if err != nil {
			return err
		}
		job, err = decode(row)
		return err
	})
	if err != nil {
		return Job{}, false, err
	}
	select {
	case j.wake <- struct{}{}:
	default: // it is to look already
	}
	return job, replayed, nil
}

// Get returns one job, or a NotFound error.
func (j *Jobs) Get(ctx context.Context, id uuid.UUID) (job Job, err error) {
	err = j.store.Read(ctx, func(r accounts.Reader) error {
		rows, err := db.New(r).GetJob(ctx, id)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return notFound(id)
		}
		job, err = decode(rows[0])
		return err
	})
	return job, err
}

func notFound(id uuid.UUID) error {
	return fault.New(fault.NotFound, "there is no job %s", id).With("job", id.String())
}

// watchEach is how soon a change is told.
const watchEach = 500 * time.Millisecond

// Watch yields the job as it stands and then whenever it has changed; the last
// one has ended. An error ends it: NotFound, those of the database, or ctx's. It
// holds no connection while it waits.
func (j *Jobs) Watch(ctx context.Context, id uuid.UUID) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		var told Job
		for {
			job, err := j.Get(ctx, id)
			if err != nil {
				yield(Job{}, err)
				return
			}
			if !reflect.DeepEqual(job, told) {
				if told = job; !yield(job, nil) {
					return
				}
			}
			if job.State.Ended() {
				return
			}
			select {
			case <-ctx.Done():
				yield(Job{}, ctx.Err())
				return
			case <-time.After(watchEach):
			}
		}
	}
}

// Cancellation asks to end a job.
type Cancellation struct {
	ID      uuid.UUID
	Key     string // of the call
	Subject string // who asks
}

// Cancel asks a job to end. One that waits ends at once; one that runs, at its
// next safe point, which its server hears of within two seconds. The same key
// again returns the job as it stands, and replayed; so does, not replayed, another
// key while it is ending. Errors: NotFound, Precondition when
// it has ended, AlreadyExists for a key that has cancelled another job.
func (j *Jobs) Cancel(ctx context.Context, c Cancellation) (job Job, replayed bool, err error) {
	if c.Key == "" || c.Subject == "" {
		return Job{}, false, fault.New(fault.Invalid, "to cancel a job takes an idempotency key and somebody who asks").With("field", "idempotency_key")
	}
	err = j.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		known, err := q.FindCancel(ctx, c.Key)
		if err != nil {
			return err
		}
		if replayed = len(known) > 0; replayed && known[0] != c.ID {
			return fault.New(fault.AlreadyExists, "key %q has already cancelled another job, %s", c.Key, known[0]).With("key", c.Key)
		}
		rows, err := q.CancelJob(ctx, db.CancelJobParams{ID: c.ID, CancelledBy: c.Subject, CancelKey: c.Key})
		if err != nil {
			return err
		}
		done := len(rows) == 1
		if !done {
			if rows, err = q.GetJob(ctx, c.ID); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			return notFound(c.ID)
		}
		job, err = decode(rows[0])
		if err == nil && !done && !replayed && job.State.Ended() {
			err = fault.New(fault.Precondition, "job %s is over: %s", c.ID, job.State).With("job", c.ID.String()).With("state", string(job.State))
		}
		return err
	})
	if err != nil {
		return Job{}, false, err
	}
	return job, replayed, nil
}
