package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/jobs"
)

func TestWatchTellsEachChangeUntilTheEnd(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	goOn := make(chan struct{})
	j := jobs.New(db, one(func(ctx context.Context, _ jobs.Job, report func(jobs.Progress)) (jobs.Payload, error) {
		report(jobs.Progress{Done: 7, Unit: "entries"})
		<-goOn
		return jobs.Payload{Type: "test.Result"}, nil
	}))
	job := start(t, j, "k")
	var told []jobs.Job
	for now, err := range j.Watch(t.Context(), job.ID) {
		if err != nil {
			t.Fatal(err)
		}
		if len(told) == 0 {
			run(t, j, "a", 1)
		}
		if now.State == jobs.Running && now.Progress.Done == 7 {
			close(goOn)
		}
		told = append(told, now)
	}
	if n := len(told); n < 3 || told[0].State != jobs.Queued || told[n-1].State != jobs.Succeeded || told[n-1].Result.Type != "test.Result" || told[n-1].Progress.Done != 7 {
		t.Errorf("%+v", told)
	}

	waits := request("later")
	waits.Kind = "/test.Service/Idle"
	waiting, _, err := jobs.New(db, map[string]jobs.Work{waits.Kind: idle}).Start(t.Context(), waits)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range j.Watch(ctx, waiting.ID) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("the watcher left: %v", last)
	}
	for _, err := range j.Watch(t.Context(), uuid.New()) {
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("no such job: %v", err)
		}
	}
}

// idle is work that no server of these tests does.
func idle(context.Context, jobs.Job, func(jobs.Progress)) (jobs.Payload, error) {
	return jobs.Payload{}, nil
}

func TestAListOfJobsIsStableWhileOthersBegin(t *testing.T) {
	t.Parallel()
	j := jobs.New(devdb.Test(t), one(idle))
	var want []string
	for i := range 7 {
		key := fmt.Sprint(i)
		start(t, j, key)
		want = append([]string{key}, want...)
	}
	var got []string
	query := jobs.Query{PageSize: 3}
	for {
		page, err := j.List(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range page.Jobs {
			got = append(got, job.Key)
		}
		start(t, j, "late "+page.NextPageToken)
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages of %q, want %q", got, want)
	}
	for _, query := range []jobs.Query{{PageSize: 1001}, {PageSize: -1}, {PageToken: "x"}, {PageToken: "1.x"}} {
		if _, err := j.List(t.Context(), query); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", query, err)
		}
	}
}

func TestAListOfJobsShowsWhatWasAsked(t *testing.T) {
	t.Parallel()
	j := jobs.New(devdb.Test(t), one(idle))
	for _, r := range []jobs.Request{
		{Kind: kind, Key: "1", Action: "clearing.clear", Subject: "li"},
		{Kind: kind, Key: "2", Action: "settlement.reconcile", Subject: "wang"},
		{Kind: kind, Key: "3", Action: "audit.check", Subject: "wang"},
	} {
		if _, _, err := j.Start(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	all, err := j.List(t.Context(), jobs.Query{})
	if err != nil || len(all.Jobs) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	if _, _, err := j.Cancel(t.Context(), jobs.Cancellation{ID: all.Jobs[2].ID, Key: "c", Subject: "li"}); err != nil {
		t.Fatal(err)
	}
	for want, query := range map[string]jobs.Query{
		"1":    {State: jobs.Cancelled},
		"3 2":  {Subject: "wang"},
		"2":    {Action: "settlement.reconcile"},
		"3":    {From: all.Jobs[0].Created},
		"2 1":  {Until: all.Jobs[0].Created},
		"2 1 ": {Reader: &jobs.Reader{Subject: "li", Actions: []string{"settlement.reconcile"}}},
		"":     {Reader: &jobs.Reader{Subject: "zhao"}},
	} {
		page, err := j.List(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, job := range page.Jobs {
			if i > 0 {
				got += " "
			}
			got += job.Key
		}
		if got != strings.TrimSpace(want) {
			t.Errorf("%+v: %q, want %q", query, got, want)
		}
	}
	if all.Jobs[0].Created.After(time.Now().Add(time.Hour)) || all.Jobs[0].Subject != "wang" || all.Jobs[0].State != jobs.Queued {
		t.Errorf("%+v", all.Jobs[0])
	}
}
