package jobs_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/jobs"
	"fundledger/internal/postgres"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// mortal is the store of a server that can be killed: from then on nothing of it
// reaches the database.
type mortal struct {
	accounts.Store
	dead atomic.Bool
}

var errKilled = fault.New(fault.Unavailable, "the server was killed")

func (m *mortal) InTx(ctx context.Context, fn func(pgx.Tx) error) error {
	if m.dead.Load() {
		return errKilled
	}
	return m.Store.InTx(ctx, fn)
}

func (m *mortal) Read(ctx context.Context, fn func(accounts.Reader) error) error {
	if m.dead.Load() {
		return errKilled
	}
	return m.Store.Read(ctx, fn)
}

// run does jobs in the background, and returns how to stop that and wait.
func run(t *testing.T, j *jobs.Jobs, name string, slots int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		log := slog.New(slog.NewTextHandler(t.Output(), nil)) // shown when the test fails
		if err := j.Run(ctx, jobs.RunOptions{Name: name, Slots: slots, Log: log}); err != nil {
			t.Errorf("server %s: %v", name, err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

const kind = "/test.Service/Work"

func request(key string) jobs.Request {
	return jobs.Request{Kind: kind, Key: key, Action: "test.work", Subject: "operator", Request: jobs.Payload{Type: "test.Request", Data: []byte(key)}}
}

func start(t *testing.T, j *jobs.Jobs, key string) jobs.Job {
	t.Helper()
	job, replayed, err := j.Start(t.Context(), request(key))
	if err != nil || replayed || job.State != jobs.Queued {
		t.Fatalf("start: %+v, %v, %v", job, replayed, err)
	}
	return job
}

// until waits until the job is as wanted, however long a busy machine takes.
func until(t *testing.T, j *jobs.Jobs, id uuid.UUID, what string, wanted func(jobs.Job) bool) jobs.Job {
	t.Helper()
	var job jobs.Job
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var err error
		if job, err = j.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if wanted(job) {
			return job
		}
	}
	t.Fatalf("it never came to pass that %s: %+v", what, job)
	return jobs.Job{}
}

func untilEnded(t *testing.T, j *jobs.Jobs, id uuid.UUID, state jobs.State) jobs.Job {
	t.Helper()
	job := until(t, j, id, "the job ended", func(job jobs.Job) bool { return job.State.Ended() })
	if job.State != state || job.Ended.IsZero() {
		t.Errorf("the job ended as %+v, want %s", job, state)
	}
	return job
}

func one(work jobs.Work) map[string]jobs.Work { return map[string]jobs.Work{kind: work} }

// second opens the test's database as another server would.
func second(t *testing.T, db *postgres.DB) *postgres.DB {
	t.Helper()
	other, err := postgres.Open(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	return other
}
