package bench

import (
	"testing"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
)

func TestMonthMeasuresEveryStepBesideItsLimit(t *testing.T) {
	db := devdb.Test(t)
	options := MonthOptions{URL: db.URL, Folder: t.TempDir(), Settlements: 2000, Seed: 5, Log: func(line string) { t.Log(line) }}
	report, err := Month(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Workloads) != 3 {
		t.Fatalf("%d workloads", len(report.Workloads))
	}
	for i, name := range []string{"import", "reconcile", "projection"} {
		w := report.Workloads[i]
		if w.Name != name || w.Rate <= 0 || w.P50 == nil || w.P99 == nil {
			t.Errorf("%d: %+v", i, w)
		}
		if limited := name != "projection"; limited != (w.Limit != nil && w.Ratio != nil && *w.Ratio > 0) {
			t.Errorf("%s has the wrong limit: %+v", name, w)
		}
	}
	if entries, projected := report.Workloads[1].Count, report.Workloads[2].Count; entries < 1900 || entries != projected {
		t.Errorf("%d entries were reconciled, %d projected", entries, projected)
	}
	if _, err := Month(t.Context(), options); fault.KindOf(err) != fault.Precondition {
		t.Errorf("measured in a database with books: %v", err)
	}
}
