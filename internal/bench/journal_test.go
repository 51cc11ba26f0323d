package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
)

func testOptions(t *testing.T, url string) JournalOptions {
	return JournalOptions{
		URL: url, Folder: t.TempDir(), Entries: 400, Small: 300, Accounts: 200, Rounds: Rounds{1, 10 * time.Millisecond},
		Repeat: 1, Callers: 2, Log: func(line string) { t.Log(line) },
	}
}

func TestJournalMeasuresEveryWorkloadSmallAndLarge(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	options := testOptions(t, db.URL)
	report, err := Journal(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]Workload{}
	for _, w := range report.Workloads {
		if _, twice := names[w.Name]; twice {
			t.Errorf("%s is reported twice", w.Name)
		}
		names[w.Name] = w
		isConsistent(t, w)
	}
	for _, name := range []string{
		"1 caller, random", "8 callers, hot", "64 callers, random with floors", "batches of 100, hot with floors", "batches of 1000, random",
		"64 callers, hot beside random", "batches of 1000 beside sealing, random", "sealing alone", "projection alone",
		"posting, sealing and projection together", "balance now", "balance at a date", "balance at a position",
		"page of a statement", "export of a bundle", "verify of a bundle",
	} {
		small, ok := names[name]
		large, again := names[name+", after 400 entries"]
		if !ok || !again {
			t.Errorf("%s: measured small %v, large %v", name, ok, again)
			continue
		}
		if posts := small.PairsPerEntry != nil; posts != (large.Held != nil) {
			t.Errorf("%s: %+v", name, large)
		}
		if large.Journal < 400 {
			t.Errorf("%s was measured in a journal of %d entries", large.Name, large.Journal)
		}
	}
	// An entry by itself, its batch and the batch in the inbox, and two floors.
	for name, pairs := range map[string]float64{"1 caller, random": 3, "1 caller, hot": 3, "1 caller, hot with floors": 5} {
		if got := names[name].PairsPerEntry; got == nil || *got != pairs {
			t.Errorf("%s writes %v pairs per entry, %v are right", name, figures(got), pairs)
		}
	}
	if w := names["verify of a bundle"]; w.Count%300 != 0 {
		t.Errorf("%d entries were verified of a bundle of 300", w.Count)
	}
	if _, err := Journal(t.Context(), options); fault.KindOf(err) != fault.Precondition {
		t.Errorf("measured in a database with books: %v", err)
	}
}

// isConsistent checks that the figures of a workload agree with each other.
func isConsistent(t *testing.T, w Workload) {
	t.Helper()
	if w.Name == "" || w.Unit == "" || w.Count <= 0 || w.Rate <= 0 {
		t.Errorf("%+v", w)
	}
	if (w.P50 == nil) != (w.P99 == nil) || (w.P50 != nil && *w.P50 > *w.P99) {
		t.Errorf("%s: p50 %v, p99 %v", w.Name, figures(w.P50), figures(w.P99))
	}
	limited := w.Limit != nil
	if limited != (w.Ratio != nil) || limited != (len(w.Ratios) > 0) || limited != (w.LimitIs != "") {
		t.Errorf("%s: limit %v (%s), ratio %v, ratios %v", w.Name, figures(w.Limit), w.LimitIs, figures(w.Ratio), w.Ratios)
	}
	if limited && (*w.Limit <= 0 || *w.Ratio < w.Ratios[0] || *w.Ratio > w.Ratios[len(w.Ratios)-1] || !slices.IsSorted(w.Ratios)) {
		t.Errorf("%s: limit %v, ratio %v of %v", w.Name, *w.Limit, *w.Ratio, w.Ratios)
	}
	if (w.Target > 0) != (w.Met != nil) || (w.Target > 0) != (w.TargetOf != "") {
		t.Errorf("%s: target %v of %q, met %v", w.Name, w.Target, w.TargetOf, w.Met)
	}
}

func figures(value *float64) any {
	if value == nil {
		return "none"
	}
	return *value
}

func TestOnlySomeWorkloadsAreMeasured(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	options := testOptions(t, db.URL)
	options.Entries, options.Only = 0, []string{"no such workload"}
	if _, err := Journal(t.Context(), options); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "no such workload") {
		t.Errorf("measured what is not there: %v", err)
	}
	options.Only, options.Repeat, options.Rounds.Number = []string{"batches of 100,"}, 2, 2
	report, err := Journal(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Workloads) != 4 {
		t.Errorf("%d workloads", len(report.Workloads))
	}
	for _, w := range report.Workloads {
		if !strings.HasPrefix(w.Name, "batches of 100, ") || len(w.Ratios) != 4 {
			t.Errorf("%s has %d rounds of 2 × 2", w.Name, len(w.Ratios))
		}
	}
	options.Rounds.Number = 0
	if _, err := Journal(t.Context(), options); fault.KindOf(err) != fault.Invalid {
		t.Errorf("measured in no round: %v", err)
	}
}

func TestATargetIsMetByItsFigureAlone(t *testing.T) {
	ratio, backlog := 0.7, int64(50)
	for _, c := range []struct {
		w      Workload
		of     Figure
		target float64
		met    bool
	}{
		{Workload{Rate: 10}, OfRate, 10, true},
		{Workload{Rate: 10}, OfRate, 10.1, false},
		{Workload{Rate: 60, Ratio: &ratio}, OfRatio, 0.7, true},
		{Workload{Rate: 60, Ratio: &ratio}, OfRatio, 0.71, false},
		{Workload{Rate: 60, Ratio: &ratio, Backlog: &backlog}, OfRatio, 0.7, true},
		{Workload{Rate: 49, Ratio: &ratio, Backlog: &backlog}, OfRatio, 0.7, false}, // does not keep up
		{Workload{Rate: 1, Held: &ratio}, OfHeld, 0.85, false},
	} {
		c.w.judge(c.of, c.target)
		if c.w.Met == nil || *c.w.Met != c.met {
			t.Errorf("%+v", c)
		}
	}
	w := Workload{Rate: 10}
	if w.judge(OfRatio, 0.5); w.Met != nil || w.Target != 0 {
		t.Errorf("a workload without a limit has met %+v", w)
	}
}

func TestMedianOfRounds(t *testing.T) {
	for _, c := range []struct {
		values []float64
		median float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.values); got != c.median {
			t.Errorf("median of %v is %v", c.values, got)
		}
	}
}
