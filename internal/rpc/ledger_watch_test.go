package rpc

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"

	"fundledger/internal/config"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
)

// watcher is a client of streams in the name of somebody.
func (f *fixture) watcher(t testing.TB, roles map[string][]string) ledgerv1connect.LedgerServiceClient {
	return ledgerv1connect.NewLedgerServiceClient(&http.Client{Transport: bearer{f.token("watcher", roles), h2c(t)}}, f.url, connect.WithGRPC())
}

// seals gives entries their place while the test runs, as a sealer does.
func (f *fixture) seals(t testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var sealer sync.WaitGroup
	sealer.Go(func() {
		for ctx.Err() == nil {
			if _, err := f.journal.CatchUp(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("sealing: %v", err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	return sync.OnceFunc(func() { cancel(); sealer.Wait() })
}

func TestWatchersGetEveryEntryOnceWhileOthersPostAndEndWithTheServer(t *testing.T) {
	t.Parallel()
	f := start(t)
	const posters, each = 4, 60
	client := f.watcher(t, map[string][]string{"viewer": {"320100"}, "operator": {"320100"}})
	stop := f.seals(t)
	defer stop()
	var others sync.WaitGroup
	for p := range posters {
		others.Go(func() {
			for n := range each {
				if _, err := client.Post(context.Background(), postRequest(fmt.Sprintf("%d/%d", p, n))); err != nil {
					t.Errorf("post: %v", err)
				}
			}
		})
	}
	// The watcher breaks off again and again, and goes on where it was.
	var position int64
	seen := map[string]bool{}
	for len(seen) < posters*each {
		ctx, leave := context.WithTimeout(t.Context(), time.Minute)
		stream, err := client.WatchEntries(ctx, &ledgerv1.WatchEntriesRequest{AfterPosition: position})
		if err != nil {
			t.Fatal(err)
		}
		for messages := 0; messages < 5 && len(seen) < posters*each && stream.Receive(); messages++ {
			for _, e := range stream.Msg().GetEntries() {
				if seen[e.GetIdempotencyKey()] || e.GetPosition() != position+1 {
					t.Fatalf("entry %s at %d comes behind %d", e.GetIdempotencyKey(), e.GetPosition(), position)
				}
				seen[e.GetIdempotencyKey()], position = true, e.GetPosition()
			}
			if stream.Msg().GetPosition() != position {
				t.Fatalf("position %d is told after entry %d", stream.Msg().GetPosition(), position)
			}
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		leave()
		stream.Close()
	}
	others.Wait()
	stop()
	stream, err := client.WatchEntries(t.Context(), &ledgerv1.WatchEntriesRequest{AfterPosition: position - 1})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if !stream.Receive() {
		t.Fatal(stream.Err())
	}
	f.stop()
	for stream.Receive() {
		t.Errorf("more is sent: %v", stream.Msg())
	}
	if err := stream.Err(); connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), "being stopped") {
		t.Errorf("the stream ends with %v", err)
	}
}

func TestWatchersNeedARoleAndSeeTheirRegionsOnly(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.post(t, newEntry("a", "adjustment"), elsewhere("b"))
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		client  ledgerv1connect.LedgerServiceClient
		request *ledgerv1.WatchEntriesRequest
		want    connect.Code
	}{
		"without credentials":  {ledgerv1connect.NewLedgerServiceClient(f.client, f.url), &ledgerv1.WatchEntriesRequest{}, connect.CodeUnauthenticated},
		"a form that is wrong": {f.watcher(t, inRegions("viewer", "320200")), &ledgerv1.WatchEntriesRequest{AfterPosition: -1}, connect.CodeInvalidArgument},
		"another role":         {f.watcher(t, inRegions("admin", config.Province)), &ledgerv1.WatchEntriesRequest{}, connect.CodePermissionDenied},
		"another region":       {f.watcher(t, inRegions("viewer", "320200")), &ledgerv1.WatchEntriesRequest{Book: "320100.agency"}, connect.CodePermissionDenied},
		"beyond the journal":   {f.watcher(t, inRegions("viewer", "320200")), &ledgerv1.WatchEntriesRequest{AfterPosition: 99}, connect.CodeNotFound},
	} {
		stream, err := c.client.WatchEntries(t.Context(), c.request)
		if err == nil {
			if stream.Receive() {
				t.Errorf("%s: %v", name, stream.Msg())
			}
			err = stream.Err()
			stream.Close()
		}
		if connect.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	stream, err := f.watcher(t, inRegions("viewer", "320200")).WatchEntries(t.Context(), &ledgerv1.WatchEntriesRequest{})
	if err != nil || !stream.Receive() {
		t.Fatal(err, stream.Err())
	}
	defer stream.Close()
	entries := stream.Msg().GetEntries()
	if len(entries) != 1 || entries[0].GetIdempotencyKey() != "b" || len(entries[0].GetPostings()) != 2 || stream.Msg().GetPosition() != 2 {
		t.Errorf("%v", stream.Msg())
	}
}

// TestSlowAndVanishedWatchersAreLetGo is not parallel: it looks at all that runs.
func TestSlowAndVanishedWatchersAreLetGo(t *testing.T) {
	other := start(t) // the database of the tests runs on
	other.close(t)()
	other.ended <- nil
	before := goleak.IgnoreCurrent()
	f := start(t)
	f.server.patience = 5 * time.Second // a busy machine takes its time for the first message
	// More than any buffer between them takes: 50,000 lines.
	var batch []string
	for n := range 100 {
		e := newEntry("KEY", "adjustment")
		line := e[strings.Index(e, `{"account"`):strings.LastIndex(e, `]}`)]
		e = strings.Replace(e, line, line+strings.Repeat(","+line, 249), 1)
		batch = append(batch, strings.Replace(e, "KEY", fmt.Sprint("k", n), 1))
	}
	for i := 0; i < len(batch); i += 25 {
		a := f.call(t, ledgerMethod+"PostBatch", f.token("p", inRegions("operator", "320100")), `{"entries":[`+strings.Join(batch[i:i+25], ",")+`]}`)
		if a.code() != "ok" || strings.Contains(fmt.Sprint(a.body), "error") {
			t.Fatal(a.body)
		}
	}
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := h2c(t)
	client := ledgerv1connect.NewLedgerServiceClient(&http.Client{Transport: bearer{f.token("w", inRegions("viewer", "320100")), transport}}, f.url, connect.WithGRPC())
	slow, err := client.WatchEntries(context.Background(), &ledgerv1.WatchEntriesRequest{})
	if err != nil || !slow.Receive() {
		t.Fatal(err, slow.Err())
	}
	gone, vanish := context.WithCancel(context.Background())
	vanished, err := client.WatchEntries(gone, &ledgerv1.WatchEntriesRequest{AfterPosition: 99})
	if err != nil || !vanished.Receive() {
		t.Fatal(err, vanished.Err())
	}
	vanish()
	logged := func() int { return strings.Count(f.log.text(), "WatchEntries") }
	for deadline := time.Now().Add(time.Minute); logged() < 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d streams have ended while their clients take nothing", logged())
		}
	}
	if held := f.db.Pool.Stat().AcquiredConns(); held != 0 {
		t.Errorf("%d connections to the database are held", held)
	}
	slow.Close()
	vanished.Close()
	transport.CloseIdleConnections()
	f.close(t)()
	f.ended <- nil
	f.db.Close()
	goleak.VerifyNone(t, before)
}
