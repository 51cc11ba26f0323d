package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"

	"fundledger/proto/client"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

var quiet = log.New(io.Discard, "", 0)

func TestAPostingWhoseAnswerIsLostIsDoneOnceAndAnswered(t *testing.T) {
	t.Parallel()
	s := newService(t)
	url, _ := s.serve(t)
	posted := int64(0)
	for name, protocol := range map[string]client.Protocol{"connect": client.Connect, "grpc": client.GRPC, "grpc-web": client.GRPCWeb} {
		p := newProxy(t, url)
		c := newClient(t, client.Options{Servers: []string{p.url}, Protocol: protocol})
		for i, lost := range [][]fault{
			{loseRequest}, {loseAnswer}, {cutAnswer(10)}, {away}, {loseAnswer, loseRequest, away, cutAnswer(1)},
		} {
			p.next(lost...)
			answer, err := c.Ledger.Post(t.Context(), &ledgerv1.PostRequest{Entry: entry(fmt.Sprint(name, i))})
			if err != nil {
				t.Fatalf("%s %d: %v", name, i, err)
			}
			if served := i == 1 || i == 2 || i == 4; answer.GetReplayed() != served {
				t.Errorf("%s %d: replayed %v", name, i, answer.GetReplayed())
			}
			posted++
		}
		if p.faults.Load() != 8 {
			t.Errorf("%s: %d faults", name, p.faults.Load())
		}
	}
	s.whole(t, posted)
}

func TestCallersThroughABadLinePostEachKeyOnce(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first, _ := s.serve(t)
	second, _ := s.serve(t)
	one, two := newProxy(t, first), newProxy(t, second)
	bad := func(*http.Request) fault {
		return []fault{loseRequest, loseAnswer, cutAnswer(1), away, pass, pass, pass, pass}[rand.IntN(8)]
	}
	one.decide.Store(&bad)
	two.decide.Store(&bad)
	c := newClient(t, client.Options{Servers: []string{one.url, two.url}})
	const callers, each = 8, 12
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for n := range each {
				if _, err := c.Ledger.Post(context.Background(), &ledgerv1.PostRequest{Entry: entry(fmt.Sprintf("%d/%d", caller, n))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if one.faults.Load() == 0 || two.faults.Load() == 0 {
		t.Errorf("%d and %d faults", one.faults.Load(), two.faults.Load())
	}
	s.whole(t, callers*each)
}

// scripted answers posts with errors in turn, nil for a success.
type scripted struct {
	ledgerv1connect.UnimplementedLedgerServiceHandler
	mu    sync.Mutex
	errs  []error
	calls int
}

func (s *scripted) Post(context.Context, *ledgerv1.PostRequest) (*ledgerv1.PostResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	err := s.errs[0]
	if len(s.errs) > 1 {
		s.errs = s.errs[1:]
	}
	return &ledgerv1.PostResponse{}, err
}

// run serves a script; wrap may stand before it.
func (s *scripted) run(t testing.TB, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	_, handler := ledgerv1connect.NewLedgerServiceHandler(s)
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func told(code connect.Code, details ...*typev1.ErrorDetail) error {
	err := connect.NewError(code, errors.New("told"))
	detail, detailErr := connect.NewErrorDetail(&typev1.ErrorInfo{Kind: "kind", Message: "told", Details: details})
	if detailErr != nil {
		panic(detailErr)
	}
	err.AddDetail(detail)
	return err
}

func TestOnlyWhatCanHelpIsRepeated(t *testing.T) {
	t.Parallel()
	after := told(connect.CodeResourceExhausted, &typev1.ErrorDetail{Name: "retry_after", Value: "20ms"})
	header := connect.NewError(connect.CodeResourceExhausted, errors.New("told"))
	header.Meta().Set("Retry-After", "0")
	for name, c := range map[string]struct {
		err   error
		again bool
	}{
		"unavailable": {told(connect.CodeUnavailable), true}, "aborted": {told(connect.CodeAborted), true},
		"exhausted, with a time": {after, true}, "exhausted, with a header": {header, true},
		"exhausted": {told(connect.CodeResourceExhausted), false}, "invalid": {told(connect.CodeInvalidArgument), false},
		"not found": {told(connect.CodeNotFound), false}, "precondition": {told(connect.CodeFailedPrecondition), false},
		"exists": {told(connect.CodeAlreadyExists), false}, "denied": {told(connect.CodePermissionDenied), false},
		"unauthenticated": {told(connect.CodeUnauthenticated), false}, "internal": {told(connect.CodeInternal), false},
		"unknown": {told(connect.CodeUnknown), false}, "took too long": {told(connect.CodeDeadlineExceeded), false},
		"canceled": {told(connect.CodeCanceled), false}, "unimplemented": {told(connect.CodeUnimplemented), false},
	} {
		script := &scripted{errs: []error{c.err, nil}}
		client := newClient(t, client.Options{Servers: []string{script.run(t, nil)}})
		_, err := client.Ledger.Post(t.Context(), &ledgerv1.PostRequest{Entry: entry("k")})
		if (err == nil) != c.again || script.calls > 2 || (script.calls == 2) != c.again {
			t.Errorf("%s: %d calls, %v", name, script.calls, err)
		}
	}
}

func TestACallIsNotRepeatedBeyondItsDeadlineOrPatience(t *testing.T) {
	t.Parallel()
	script := &scripted{errs: []error{told(connect.CodeUnavailable)}}
	url := script.run(t, nil)
	wait := told(connect.CodeResourceExhausted, &typev1.ErrorDetail{Name: "retry_after", Value: "1h"})
	later := (&scripted{errs: []error{wait}}).run(t, nil)
	for name, c := range map[string]struct {
		options client.Options
		within  time.Duration // of the context; 0: none
		code    connect.Code
	}{
		"deadline": {client.Options{Servers: []string{url}}, time.Second, connect.CodeUnavailable},
		"patience": {client.Options{Servers: []string{url}, Patience: time.Second}, 0, connect.CodeUnavailable},
		"later":    {client.Options{Servers: []string{later}}, time.Minute, connect.CodeResourceExhausted},
	} {
		before := script.calls
		ctx := t.Context()
		if c.within > 0 {
			var end context.CancelFunc
			ctx, end = context.WithTimeout(ctx, c.within)
			defer end()
		}
		_, err := newClient(t, c.options).Ledger.Post(ctx, &ledgerv1.PostRequest{Entry: entry("k")})
		if connect.CodeOf(err) != c.code || ctx.Err() != nil || client.InfoOf(err).GetKind() != "kind" {
			t.Errorf("%s: %v, %v", name, err, ctx.Err())
		}
		if name != "later" && script.calls-before < 2 {
			t.Errorf("%s: %d calls", name, script.calls-before)
		}
	}
	// Who gives up while the client waits hears of it, and of what had happened.
	ctx, end := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, end)
	_, err := newClient(t, client.Options{Servers: []string{later}, Patience: 2 * time.Hour}).Ledger.Post(ctx, &ledgerv1.PostRequest{Entry: entry("k")})
	if connect.CodeOf(err) != connect.CodeCanceled || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "told") {
		t.Errorf("%v", err)
	}
}

func TestAMessageThatCannotBeWrittenIsNotRepeated(t *testing.T) {
	t.Parallel()
	script := &scripted{errs: []error{nil}}
	c := newClient(t, client.Options{Servers: []string{script.run(t, nil)}})
	if _, err := c.Ledger.Post(t.Context(), &ledgerv1.PostRequest{Entry: entry("\xff")}); err == nil || script.calls > 1 {
		t.Errorf("%d calls, %v", script.calls, err)
	}
}

func TestCallsGoToTheNextServerAndStayThere(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	var refuses atomic.Bool
	second, third := &scripted{errs: []error{nil}}, &scripted{errs: []error{nil}}
	urls := []string{gone.URL, second.run(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refuses.Load() {
				http.Error(w, "stopping", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	}), third.run(t, func(next http.Handler) http.Handler { return http.StripPrefix("/ledger", next) }) + "/ledger/"}
	c := newClient(t, client.Options{Servers: urls})
	for i, want := range [][]int{{1, 0}, {2, 0}, {2, 1}, {2, 2}} {
		refuses.Store(i >= 2)
		_, err := c.Ledger.Post(t.Context(), &ledgerv1.PostRequest{Entry: entry("k")})
		if got := []int{second.calls, third.calls}; err != nil || !slices.Equal(got, want) {
			t.Errorf("call %d: %v, want %v, %v", i, got, want, err)
		}
	}
}

func TestASilentServerIsLeft(t *testing.T) {
	t.Parallel()
	script := &scripted{errs: []error{nil}}
	var silent atomic.Int64
	held := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		silent.Add(1)
		io.Copy(io.Discard, r.Body) // so that the server sees the client leave
		<-r.Context().Done()
	}))
	t.Cleanup(held.Close)
	c := newClient(t, client.Options{Servers: []string{held.URL, script.run(t, nil)}, Silence: 100 * time.Millisecond})
	if _, err := c.Ledger.Post(t.Context(), &ledgerv1.PostRequest{Entry: entry("k")}); err != nil || script.calls != 1 || silent.Load() != 1 {
		t.Errorf("%d and %d calls, %v", silent.Load(), script.calls, err)
	}
}

func TestEachAttemptHasATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	script := &scripted{errs: []error{told(connect.CodeUnavailable), nil}}
	var seen []string
	url := script.run(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Header.Get("Authorization")+" "+r.Header.Get("Dev-Subject"))
			next.ServeHTTP(w, r)
		})
	})
	given := 0
	c := newClient(t, client.Options{Servers: []string{url}, Header: http.Header{"dev-subject": {"li"}}, Token: func(context.Context) (string, error) {
		given++
		return fmt.Sprint("t", given), nil
	}})
	_, err := c.Ledger.Post(t.Context(), &ledgerv1.PostRequest{Entry: entry("k")})
	if want := []string{"Bearer t1 li", "Bearer t2 li"}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("%q, want %q, %v", seen, want, err)
	}
	none := newClient(t, client.Options{Servers: []string{url}, Token: func(context.Context) (string, error) { return "", io.ErrNoProgress }})
	if _, err := none.Ledger.Post(t.Context(), &ledgerv1.PostRequest{}); connect.CodeOf(err) != connect.CodeUnauthenticated || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v", err)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	token := func(context.Context) (string, error) { return "", nil }
	for says, options := range map[string]client.Options{
		"no server": {}, "no base URL": {Servers: []string{"ledger:8443"}}, "base URL": {Servers: []string{"https://ledger?x=1"}},
		"invalid control character": {Servers: []string{"https://led\x00ger"}},
		"by https only":             {Servers: []string{"http://localhost:1", "http://10.1.2.3:8080"}, Token: token},
		"protocol":                  {Servers: []string{"https://ledger"}, Protocol: 7},
	} {
		if _, err := client.New(options); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	if _, err := client.New(client.Options{Servers: []string{"https://ledger", "http://[::1]:1"}, Token: token}); err != nil {
		t.Error(err)
	}
}

func TestAClientLeavesNothingBehind(t *testing.T) {
	s := newService(t)
	s.seals(t)
	before := goleak.IgnoreCurrent()
	url, stop := s.serve(t)
	for _, protocol := range []client.Protocol{client.Connect, client.GRPC, client.GRPCWeb} {
		c, err := client.New(client.Options{Servers: []string{url}, Protocol: protocol})
		if err != nil {
			t.Fatal(err)
		}
		post(t, c, 3)
		for _, err := range c.WatchEntries(t.Context(), &ledgerv1.WatchEntriesRequest{}) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		ctx, end := context.WithCancel(t.Context())
		defer end()
		for _, err := range c.WatchEntries(ctx, &ledgerv1.WatchEntriesRequest{}) {
			if end(); err != nil && !errors.Is(err, context.Canceled) && connect.CodeOf(err) != connect.CodeCanceled {
				t.Error(err)
			}
		}
		c.Close()
	}
	stop()
	goleak.VerifyNone(t, before)
}
