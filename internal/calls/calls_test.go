package calls_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/calls"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
)

func TestMain(m *testing.M) { devdb.Main(m) }

func call(key string) calls.Call {
	hash := sha256.Sum256([]byte(key))
	return calls.Call{
		RequestID: "r-" + key, Subject: "wang", Role: "operator", Method: "/test.Service/Post", Action: "ledger.post", Key: key,
		Regions: []string{"320100", "320200"}, RequestHash: hash[:],
	}
}

func begin(t *testing.T, l *calls.Log, c calls.Call) uuid.UUID {
	t.Helper()
	id, err := l.Begin(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func list(t *testing.T, l *calls.Log, q calls.Query) []calls.Call {
	t.Helper()
	page, err := l.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return page.Calls
}

func TestACallStandsThereBeforeItIsCarriedOut(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	l := calls.NewLog(db)
	id := begin(t, l, call("k"))
	other := calls.NewLog(db) // as another server sees it
	got := list(t, other, calls.Query{})
	if len(got) != 1 || got[0].End.Outcome != calls.Unknown || got[0].Begun.IsZero() || !got[0].End.Time.IsZero() {
		t.Fatalf("%+v", got)
	}
	l.End(id, calls.End{Outcome: calls.Failed, Err: fault.New(fault.Insufficient, "5.00 yuan short").With("shortfall", "5.00"), JobID: "j"})
	got = list(t, l, calls.Query{})
	want := call("k")
	want.ID, want.Begun, want.End = id, got[0].Begun, got[0].End
	if fmt.Sprintf("%+v", got[0]) != fmt.Sprintf("%+v", want) || got[0].End.JobID != "j" || got[0].End.Outcome != calls.Failed ||
		got[0].End.Err.Kind != fault.Insufficient || got[0].End.Err.Message != "5.00 yuan short" || got[0].End.Time.Before(got[0].Begun) {
		t.Errorf("%+v\n%+v", got[0], want)
	}
	l.End(id, calls.End{Outcome: calls.Succeeded}) // a second end changes nothing
	if got = list(t, l, calls.Query{}); len(got) != 1 || got[0].End.Outcome != calls.Failed {
		t.Errorf("%+v", got)
	}
}

func TestACallThatWasWrittenWithWhatItDidStaysAsItWasWritten(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	l := calls.NewLog(db)
	named := func(key string) calls.Call {
		c, err := calls.Named(call(key))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	written, unsure, failed := named("written"), named("unsure"), named("failed")
	_, err := db.Pool.Exec(t.Context(), `INSERT INTO calls (id, request_id, subject, role, method, action, key, regions, request_hash, outcome)
		VALUES ($1, 'r', 'wang', 'operator', '/test.Service/Post', 'ledger.post', 'written', '{320100}', $2, 'succeeded')`, written.ID, written.RequestHash)
	if err != nil {
		t.Fatal(err)
	}
	l.After(written, nil)
	l.After(unsure, nil)
	l.After(failed, &calls.End{Outcome: calls.Failed, Err: fault.New(fault.Insufficient, "short")})
	want := map[string]calls.Outcome{"written": calls.Succeeded, "unsure": calls.Unknown, "failed": calls.Failed}
	got := list(t, l, calls.Query{})
	for _, c := range got {
		if c.End.Outcome != want[c.Key] || c.End.Time.IsZero() != (c.End.Outcome == calls.Unknown) {
			t.Errorf("%+v", c)
		}
		if same := list(t, l, calls.Query{Outcome: c.End.Outcome}); len(same) != 1 || same[0].Key != c.Key {
			t.Errorf("%s: %+v", c.End.Outcome, same)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d calls", len(got))
	}
	odd := call("odd")
	odd.RequestHash = nil
	if _, err := calls.Named(odd); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a hash that is none: %v", err)
	}
}

func TestManyCallersAreRecordedEachOnce(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	servers := []*calls.Log{calls.NewLog(db), calls.NewLog(db)}
	const callers, each = 16, 10
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			l := servers[c%2]
			for i := range each {
				id, err := l.Begin(context.Background(), call(fmt.Sprint(c, " ", i)))
				if err != nil {
					t.Error(err)
				}
				l.End(id, calls.End{Outcome: calls.Succeeded})
			}
		})
	}
	all.Wait()
	for _, l := range servers {
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	keys := map[string]bool{}
	query := calls.Query{PageSize: 7, Outcome: calls.Succeeded}
	n := 0
	for {
		page, err := servers[0].List(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Calls {
			keys[c.Key] = true
			n++
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	if len(keys) != callers*each || n != len(keys) {
		t.Errorf("%d calls of %d keys, want %d", n, len(keys), callers*each)
	}
}

func TestAListShowsWhatWasAskedAndMayBeSeen(t *testing.T) {
	t.Parallel()
	l := calls.NewLog(devdb.Test(t))
	one, two := call("1"), call("2")
	two.Subject, two.Action, two.Method, two.Regions = "li", "clearing.clear", "/test.Service/Clear", nil
	begin(t, l, one)
	l.End(begin(t, l, two), calls.End{Outcome: calls.Denied, Err: fault.New(fault.Permission, "no")})
	all := list(t, l, calls.Query{})
	for _, c := range []struct {
		want  string
		query calls.Query
	}{
		{"2 1", calls.Query{}}, {"2", calls.Query{Subject: "li"}}, {"1", calls.Query{Action: "ledger.post"}},
		{"2", calls.Query{Method: "/test.Service/Clear"}}, {"1", calls.Query{Key: "1"}}, {"2", calls.Query{RequestID: "r-2"}},
		{"1", calls.Query{Region: "320200"}}, {"", calls.Query{Region: "320300"}},
		{"2", calls.Query{Outcome: calls.Denied}}, {"1", calls.Query{Outcome: calls.Unknown}},
		{"2", calls.Query{From: all[0].Begun}}, {"1", calls.Query{Until: all[0].Begun}},
		{"1", calls.Query{Visible: []string{"320200", "320900"}}}, {"", calls.Query{Visible: []string{"320900"}}}, {"", calls.Query{Visible: []string{}}},
	} {
		var keys []string
		for _, got := range list(t, l, c.query) {
			keys = append(keys, got.Key)
		}
		if got := strings.Join(keys, " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.query, got, c.want)
		}
	}
	for _, query := range []calls.Query{{PageSize: 1001}, {PageSize: -1}, {PageToken: "x"}, {PageToken: "1.x"}} {
		if _, err := l.List(t.Context(), query); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", query, err)
		}
	}
}

// away is a store whose database can be away.
type away struct {
	accounts.Store
	is atomic.Bool
}

func (a *away) InTx(ctx context.Context, fn func(pgx.Tx) error) error {
	if a.is.Load() {
		return fault.New(fault.Unavailable, "the database is away")
	}
	return a.Store.InTx(ctx, fn)
}

func TestWithoutTheDatabaseNothingBeginsAndNoEndIsLost(t *testing.T) {
	t.Parallel()
	store := &away{Store: devdb.Test(t)}
	l := calls.NewLog(store)
	id := begin(t, l, call("k"))
	store.is.Store(true)
	l.End(id, calls.End{Outcome: calls.Succeeded})
	if _, err := l.Begin(t.Context(), call("next")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("begun without a record: %v", err)
	}
	if err := l.Flush(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("flushed without a database: %v", err)
	}
	store.is.Store(false)
	if got := list(t, l, calls.Query{}); len(got) != 1 || got[0].End.Outcome != calls.Succeeded {
		t.Errorf("%+v", got)
	}
}

func TestALostCommitCostsNoRecord(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	proxy := devdb.NewProxy(t, db.URL)
	via, err := postgres.Open(t.Context(), proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer via.Close()
	l := calls.NewLog(via)
	for i, cut := range []devdb.Cut{devdb.BeforeCommit, devdb.AfterCommit} {
		proxy.CutNext(cut)
		id := begin(t, l, call(fmt.Sprint(i)))
		proxy.CutNext(cut)
		l.End(id, calls.End{Outcome: calls.Succeeded})
		if got := list(t, l, calls.Query{Outcome: calls.Succeeded}); len(got) != i+1 || proxy.Cuts() != 2*i+2 {
			t.Errorf("%d commits lost: %+v", proxy.Cuts(), got)
		}
	}
}

func TestWhateverTheCallerSendsIsRecorded(t *testing.T) {
	t.Parallel()
	l := calls.NewLog(devdb.Test(t))
	c := call("a\x00b\xff" + strings.Repeat("市", 1000))
	c.Subject, c.Regions = strings.Repeat("x", 10_000), nil
	begin(t, l, c)
	got := list(t, l, calls.Query{})
	if len(got) != 1 || !strings.HasPrefix(got[0].Key, "ab\uFFFD市") || len(got[0].Key) > 510 || len(got[0].Subject) != 500 || !slices.Equal(got[0].Regions, []string{}) {
		t.Errorf("%+v", got)
	}
	c.RequestHash = []byte("none")
	if _, err := l.Begin(t.Context(), c); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a hash that is none: %v", err)
	}
}
