package bench

import (
	"testing"
	"time"

	"fundledger/internal/devdb"
)

func TestPostingOverRPCIsMeasuredWithItsCallsRecorded(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	options := testOptions(t, db.URL)
	options.RPC, options.Entries, options.Rounds = true, 0, Rounds{2, 20 * time.Millisecond}
	report, err := Journal(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	limits := map[string]string{
		"batches of 100 over RPC, random": "the same without RPC", "64 callers over RPC, random": "bare insert of the same rows",
		"64 callers over plain HTTP, random": "bare insert of the same rows", "64 callers over RPC beside plain HTTP, random": "the same over plain HTTP",
	}
	if len(report.Workloads) != len(limits) {
		t.Errorf("%d workloads", len(report.Workloads))
	}
	for _, w := range report.Workloads {
		isConsistent(t, w)
		if w.LimitIs != limits[w.Name] || w.P50 == nil {
			t.Errorf("%+v", w)
		}
	}
	// Of the last workload each entry over RPC stands with its call.
	var calls, lacking int64
	err = db.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM calls WHERE outcome = 'succeeded'),
		(SELECT count(*) FROM entries AS e WHERE kind = $1 AND NOT EXISTS (SELECT 1 FROM calls AS c WHERE c.key = e.key))`, servedKind).Scan(&calls, &lacking)
	if err != nil || calls == 0 || lacking != 0 {
		t.Errorf("%d calls, %d entries lack theirs: %v", calls, lacking, err)
	}
}
