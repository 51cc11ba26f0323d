package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/jobs"
	"fundledger/internal/postgres"
)

func TestTwoServersShareTheJobsAndDoEachOnce(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	var mu sync.Mutex
	done := map[string]int{}
	meet := make(chan struct{}) // unbuffered: the first two jobs only end when both servers work
	work := one(func(ctx context.Context, job jobs.Job, _ func(jobs.Progress)) (jobs.Payload, error) {
		switch job.Key {
		case "0":
			meet <- struct{}{}
		case "1":
			<-meet
		}
		mu.Lock()
		defer mu.Unlock()
		done[job.Key]++
		return jobs.Payload{Type: "test.Result", Data: append([]byte("did "), job.Request.Data...)}, nil
	})
	a, b := jobs.New(db, work), jobs.New(second(t, db), work)
	var ids []uuid.UUID
	for i := range 20 {
		ids = append(ids, start(t, a, fmt.Sprint(i)).ID)
	}
	run(t, a, "a", 1)
	run(t, b, "b", 1)
	for i, id := range ids {
		job := untilEnded(t, b, id, jobs.Succeeded)
		if string(job.Result.Data) != fmt.Sprint("did ", i) || job.Result.Type != "test.Result" || job.Started.IsZero() {
			t.Errorf("%+v", job)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for key, n := range done {
		if n != 1 {
			t.Errorf("job %s was done %d times", key, n)
		}
	}
}

func TestAKilledServersJobGoesOnOnAnother(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	dying := &mortal{Store: db}
	begun := make(chan struct{})
	stopped := make(chan error, 1)
	a := jobs.New(dying, one(func(ctx context.Context, job jobs.Job, report func(jobs.Progress)) (jobs.Payload, error) {
		close(begun)
		<-ctx.Done() // not before its lease is over, since the database does not answer
		stopped <- context.Cause(ctx)
		return jobs.Payload{Type: "of the dead"}, nil
	}))
	b := jobs.New(second(t, db), one(func(context.Context, jobs.Job, func(jobs.Progress)) (jobs.Payload, error) {
		return jobs.Payload{Type: "of the living"}, nil
	}))
	job := start(t, a, "k")
	run(t, a, "a", 1)
	<-begun
	dying.dead.Store(true)
	run(t, b, "b", 1)
	if job = untilEnded(t, b, job.ID, jobs.Succeeded); job.Result.Type != "of the living" {
		t.Errorf("%+v", job)
	}
	if err := <-stopped; err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("the killed server's work was stopped by %v", err)
	}
	dying.dead.Store(false) // what it writes now comes too late
	if job = untilEnded(t, b, job.ID, jobs.Succeeded); job.Result.Type != "of the living" {
		t.Errorf("%+v", job)
	}
}

func TestAStoppingServerGivesItsJobsBack(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	begun := make(chan struct{})
	a := jobs.New(db, one(func(ctx context.Context, _ jobs.Job, report func(jobs.Progress)) (jobs.Payload, error) {
		report(jobs.Progress{Done: 3, Total: 10, Unit: "settlements"})
		close(begun)
		<-ctx.Done()
		return jobs.Payload{}, ctx.Err()
	}))
	job := start(t, a, "k")
	stop := run(t, a, "a", 1)
	<-begun
	stop()
	job, err := a.Get(t.Context(), job.ID)
	if err != nil || job.State != jobs.Queued || job.Progress != (jobs.Progress{Done: 3, Total: 10, Unit: "settlements"}) {
		t.Fatalf("after the stop: %+v, %v", job, err)
	}
	b := jobs.New(db, one(func(_ context.Context, job jobs.Job, _ func(jobs.Progress)) (jobs.Payload, error) {
		return jobs.Payload{Type: job.Progress.Unit}, nil
	}))
	run(t, b, "b", 1)
	if job = untilEnded(t, b, job.ID, jobs.Succeeded); job.Result.Type != "settlements" {
		t.Errorf("%+v", job)
	}
}

func TestCancelReachesTheServerThatWorks(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	a := jobs.New(db, one(func(ctx context.Context, _ jobs.Job, _ func(jobs.Progress)) (jobs.Payload, error) {
		<-ctx.Done()
		return jobs.Payload{}, ctx.Err()
	}))
	other := jobs.New(second(t, db), nil) // cancels and does no jobs
	job, waiting := start(t, a, "k"), start(t, a, "waiting")
	run(t, a, "a", 1)
	until(t, a, job.ID, "the job ran", func(job jobs.Job) bool { return job.State == jobs.Running })
	got, replayed, err := other.Cancel(t.Context(), jobs.Cancellation{ID: job.ID, Key: "c", Subject: "chief"})
	if err != nil || replayed || got.CancelledBy != "chief" {
		t.Fatalf("%+v, %v, %v", got, replayed, err)
	}
	untilEnded(t, other, job.ID, jobs.Cancelled)

	if got, replayed, err = other.Cancel(t.Context(), jobs.Cancellation{ID: job.ID, Key: "c", Subject: "chief"}); err != nil || !replayed || got.State != jobs.Cancelled {
		t.Errorf("the same key again: %+v, %v, %v", got, replayed, err)
	}
	if _, _, err = other.Cancel(t.Context(), jobs.Cancellation{ID: job.ID, Key: "d", Subject: "chief"}); fault.KindOf(err) != fault.Precondition {
		t.Errorf("a job that has ended: %v", err)
	}
	if _, _, err = other.Cancel(t.Context(), jobs.Cancellation{ID: waiting.ID, Key: "c", Subject: "chief"}); fault.KindOf(err) != fault.AlreadyExists {
		t.Errorf("the key for another job: %v", err)
	}
	if _, _, err = other.Cancel(t.Context(), jobs.Cancellation{ID: uuid.New(), Key: "e", Subject: "chief"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no such job: %v", err)
	}
	if _, _, err = other.Cancel(t.Context(), jobs.Cancellation{ID: waiting.ID, Key: "f", Subject: "chief"}); err != nil {
		t.Error(err)
	}
	untilEnded(t, other, waiting.ID, jobs.Cancelled) // the second job, by now on the server or still waiting
}

func TestAWaitingJobIsCancelledAtOnce(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	var began atomic.Int64
	j := jobs.New(db, one(func(context.Context, jobs.Job, func(jobs.Progress)) (jobs.Payload, error) {
		began.Add(1)
		return jobs.Payload{}, nil
	}))
	first, next := start(t, j, "k"), start(t, j, "next")
	job, _, err := j.Cancel(t.Context(), jobs.Cancellation{ID: first.ID, Key: "c", Subject: "operator"})
	if err != nil || job.State != jobs.Cancelled || job.Ended.IsZero() {
		t.Fatalf("%+v, %v", job, err)
	}
	run(t, j, "a", 1)
	untilEnded(t, j, next.ID, jobs.Succeeded)
	if n := began.Load(); n != 1 {
		t.Errorf("%d jobs were begun, want the one that was not cancelled", n)
	}
}

func TestTheSameKeyBeginsOneJob(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	work := one(func(context.Context, jobs.Job, func(jobs.Progress)) (jobs.Payload, error) { return jobs.Payload{}, nil })
	servers := []*jobs.Jobs{jobs.New(db, work), jobs.New(second(t, db), work)}
	var fresh atomic.Int64
	var ids sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			job, replayed, err := servers[i%2].Start(t.Context(), request("k"))
			if err != nil {
				t.Error(err)
			}
			if !replayed {
				fresh.Add(1)
			}
			ids.Store(job.ID, true)
		})
	}
	all.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 || fresh.Load() != 1 {
		t.Errorf("%d jobs, %d answers that were no replay", n, fresh.Load())
	}
	other := request("k")
	other.Request.Data = []byte("something else")
	if _, _, err := servers[0].Start(t.Context(), other); fault.KindOf(err) != fault.AlreadyExists {
		t.Errorf("another request: %v", err)
	}
	other.Kind = "unknown"
	if _, _, err := servers[0].Start(t.Context(), other); fault.KindOf(err) != fault.Internal {
		t.Errorf("a kind without work: %v", err)
	}
}

func TestAJobSurvivesLostCommits(t *testing.T) {
	t.Parallel()
	for _, cut := range []devdb.Cut{devdb.BeforeCommit, devdb.AfterCommit} {
		db := devdb.Test(t)
		proxy := devdb.NewProxy(t, db.URL)
		via, err := postgres.Open(t.Context(), proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(via.Close)
		j := jobs.New(via, one(func(context.Context, jobs.Job, func(jobs.Progress)) (jobs.Payload, error) {
			proxy.CutNext(cut) // of its end
			return jobs.Payload{Type: "test.Result"}, nil
		}))
		proxy.CutNext(cut)
		if _, _, err := j.Start(t.Context(), request("k")); fault.KindOf(err) != fault.Unavailable {
			t.Fatalf("a lost commit: %v", err)
		}
		job, replayed, err := j.Start(t.Context(), request("k"))
		if err != nil || replayed != (cut == devdb.AfterCommit) {
			t.Fatalf("the same key again: %v, %v", replayed, err)
		}
		proxy.CutNext(cut) // of its being taken
		stop := run(t, j, "a", 1)
		job = untilEnded(t, jobs.New(db, nil), job.ID, jobs.Succeeded)
		if stop(); job.Result.Type != "test.Result" || proxy.Cuts() < 3 {
			t.Errorf("%d commits lost: %+v", proxy.Cuts(), job)
		}
		if page, err := jobs.New(db, nil).List(t.Context(), jobs.Query{}); err != nil || len(page.Jobs) != 1 {
			t.Errorf("%+v, %v", page, err)
		}
	}
}

func TestFailuresEndAJobAndAnUnavailableDatabaseDoesNot(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	var tries atomic.Int64
	j := jobs.New(db, one(func(_ context.Context, job jobs.Job, _ func(jobs.Progress)) (jobs.Payload, error) {
		switch job.Key {
		case "closed":
			return jobs.Payload{}, fault.New(fault.PeriodClosed, "2025-01 is closed").With("period", "2025-01")
		case "plain":
			return jobs.Payload{}, errors.New("plain")
		case "panic":
			panic("a defect")
		}
		if tries.Add(1) == 1 {
			return jobs.Payload{}, fault.New(fault.Unavailable, "the database is away")
		}
		return jobs.Payload{}, nil
	}))
	run(t, j, "a", 2)
	for key, want := range map[string]fault.Kind{"closed": fault.PeriodClosed, "plain": fault.Internal, "panic": fault.Internal} {
		job := untilEnded(t, j, start(t, j, key).ID, jobs.Failed)
		if job.Err == nil || job.Err.Kind != want || job.Err.Message == "" {
			t.Errorf("%s: %+v", key, job.Err)
		}
		if key == "closed" && job.Err.Detail("period") != "2025-01" {
			t.Errorf("the details are lost: %+v", job.Err)
		}
	}
	untilEnded(t, j, start(t, j, "away").ID, jobs.Succeeded)
	if n := tries.Load(); n != 2 {
		t.Errorf("%d tries", n)
	}
}
