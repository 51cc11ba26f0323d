package ledger_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

func called(key string) *ledger.Call {
	hash := sha256.Sum256([]byte(key))
	return &ledger.Call{
		ID: uuid.Must(uuid.NewV7()), RequestID: "r-" + key, Subject: "wang", Role: "operator", Method: "/test.Service/Post", Action: "ledger.post",
		Key: key, Regions: []string{"320100", "320500"}, RequestHash: hash[:],
	}
}

// given are entries that need no second person.
func given(entries ...ledger.Entry) []ledger.Entry {
	for i := range entries {
		entries[i].Kind = "adjustment"
	}
	return entries
}

// standingCalls are the keys of the calls that were written as done.
func (f fixture) standingCalls(t *testing.T) (keys []string) {
	t.Helper()
	rows, err := f.db.Pool.Query(t.Context(), "SELECT key FROM calls WHERE outcome = 'succeeded' AND subject = 'wang' AND cardinality(regions) = 2 ORDER BY key")
	if err == nil {
		keys, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestACallIsWrittenWithWhatItPosts(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, c := range []struct {
		key     string
		entries []ledger.Entry
		atomic  bool
		written bool
	}{
		{"plain", given(accepted("a", "H1", 5)), false, true},
		{"floored", given(income("b", 5)), false, true},
		{"replay", given(accepted("a", "H1", 5)), false, false},
		{"other content", given(accepted("a", "H1", 6)), false, false},
		{"too much", given(spend("c", 50)), false, false},
		{"some", given(spend("d", 50), accepted("e", "H1", 5)), false, true},
		{"all or none", given(spend("f", 50), accepted("g", "H1", 5)), true, false},
		{"closed", given(lastYear(accepted("h", "H1", 5))), false, false},
		{"manual", []ledger.Entry{accepted("i", "H1", 5)}, false, false},
		{"manual and not", append(given(accepted("j", "H1", 5)), accepted("k", "H1", 5)), false, true},
	} {
		call := called(c.key)
		if _, err := f.PostCalled(t.Context(), call, c.atomic, c.entries...); err != nil {
			t.Fatal(c.key, err)
		}
		if call.Written() != c.written || slices.Contains(f.standingCalls(t), c.key) != c.written {
			t.Errorf("%s: written %v, standing are %v", c.key, call.Written(), f.standingCalls(t))
		}
	}
	if report := f.mustBeWhole(t); report.Entries != 4 {
		t.Errorf("%d entries", report.Entries)
	}
}

func lastYear(e ledger.Entry) ledger.Entry {
	e.Period, e.Date.Year, e.Date.Month = "2024-12", 2024, 12
	return e
}

func TestCallsThatShareACommitAreWrittenEachWithItsOwnEntries(t *testing.T) {
	t.Parallel()
	f := open(t)
	const callers = 40
	calls := make([]*ledger.Call, callers)
	var all sync.WaitGroup
	for n := range callers {
		calls[n] = called(fmt.Sprint(n))
		all.Go(func() {
			e := accepted(fmt.Sprint(n), "H1", 5)
			if n%4 == 3 {
				e = accepted(fmt.Sprint(n-1), "H1", 5) // as its neighbour: one of them posts it
			}
			if n%4 == 1 {
				e = spend(fmt.Sprint(n), 5) // which is not there
			}
			if _, err := f.PostCalled(t.Context(), calls[n], n%3 == 0, given(e)...); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	standing := f.standingCalls(t)
	for n, call := range calls {
		if call.Written() != slices.Contains(standing, call.Key) {
			t.Errorf("call %d: written %v", n, call.Written())
		}
		switch n % 4 {
		case 0:
			if !call.Written() {
				t.Errorf("call %d has posted and is not written", n)
			}
		case 1:
			if call.Written() {
				t.Errorf("call %d has posted nothing and is written", n)
			}
		case 3:
			if call.Written() == calls[n-1].Written() {
				t.Errorf("of calls %d and %d one has posted", n-1, n)
			}
		}
	}
	if len(standing) != callers/2 {
		t.Errorf("%v", standing)
	}
	f.mustBeWhole(t)
}

func TestNoEntryStandsWithoutItsCallWhenACommitIsLost(t *testing.T) {
	t.Parallel()
	f := open(t)
	proxy := devdb.NewProxy(t, f.db.URL)
	via, err := postgres.Open(t.Context(), proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer via.Close()
	j := ledger.New(via, f.book)
	n := 0
	for _, cut := range []devdb.Cut{devdb.BeforeCommit, devdb.AfterCommit} {
		for _, e := range given(accepted(fmt.Sprint("plain ", cut), "H1", 5), income(fmt.Sprint("floored ", cut), 5)) {
			proxy.CutNext(cut)
			results, err := j.PostCalled(t.Context(), called(e.Key), false, e)
			if err != nil || results[0].Err != nil {
				if fault.KindOf(err) != fault.Unavailable {
					t.Errorf("%s: %+v %v", e.Key, results, err)
				}
			}
			n++
			if standing := f.standingCalls(t); len(standing) != n || !slices.Contains(standing, e.Key) {
				t.Errorf("%s: %v", e.Key, standing)
			}
		}
	}
	if report := f.mustBeWhole(t); report.Entries != int64(n) || proxy.Cuts() != n {
		t.Errorf("%d entries, %d cuts", report.Entries, proxy.Cuts())
	}
}
