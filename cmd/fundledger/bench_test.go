package main

import (
	"encoding/json"
	"strings"
	"testing"

	"fundledger/internal/devdb"
)

func TestBenchMeasuresTheJournalByDefault(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	args := []string{"bench", "--entries", "0", "--round", "10ms", "--rounds", "1", "--accounts", "100", "--only", "1 caller, random", "--only", "batches of 100,"}
	r := fundledger(t, db.URL, append(args, "--json")...)
	if r.code != exitOK || !strings.Contains(r.stderr, "measuring: batches of 100, random") {
		t.Fatalf("exit %d, %s", r.code, r.stderr)
	}
	var report struct{ Workloads []map[string]any }
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatal(err, r.stdout)
	}
	if len(report.Workloads) == 0 {
		t.Fatal("nothing was measured")
	}
	for _, w := range report.Workloads {
		for _, field := range []string{"name", "unit", "count", "rate", "limit", "ratio", "p50_ms", "p99_ms", "pairs_per_entry"} {
			if w[field] == nil {
				t.Errorf("%v lacks %s", w["name"], field)
			}
		}
	}
	if r := fundledger(t, db.URL, args...); r.code != exitFailed || !strings.Contains(r.stderr, "empty") {
		t.Errorf("measured again in a used database: exit %d, %s", r.code, r.stderr)
	}
}

func TestBenchPrintsTargetsBesideRatios(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	r := fundledger(t, db.URL, "bench", "journal", "--entries", "0", "--round", "10ms", "--rounds", "2", "--accounts", "100", "--only", "batches of 1000")
	if r.code != exitOK {
		t.Fatalf("exit %d, %s", r.code, r.stderr)
	}
	for _, text := range []string{"Met", "Pairs/entry", "batches of 1000, hot with floors", "ratio ≥ 0.60", "ratio ≥ 0.85", "processors"} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("%q is missing:\n%s", text, r.stdout)
		}
	}
}
