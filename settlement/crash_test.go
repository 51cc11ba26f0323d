package settlement_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"fundledger/accounts"
	"fundledger/internal/postgres"
	"fundledger/internal/sample"
	"fundledger/ledger"
	"fundledger/settlement"
)

// childURL tells the test binary to reconcile this database and nothing else.
const childURL = "FUNDLEDGER_TEST_RECONCILE"

func TestMainOfTheChild(t *testing.T) {
	url := os.Getenv(childURL)
	if url == "" {
		t.Skip("runs in a process of its own, for the tests below")
	}
	db, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := settlement.New(db, ledger.New(db, book), book).Reconcile(t.Context(), sample.Month, settlement.ReconcileOptions{}); err != nil {
		t.Fatal(err)
	}
}

func child(t *testing.T, f fixture) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "-test.run=^TestMainOfTheChild$")
	c.Env = append(os.Environ(), childURL+"="+f.db.URL)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// quietJournal is what one undisturbed run posts.
func quietJournal(t *testing.T) map[string]string {
	f := open(t)
	f.loadSample(t)
	f.reconcile(t, sample.Month)
	return f.entries(t)
}

func (f fixture) mustEqualQuietRun(t *testing.T, want map[string]string) {
	t.Helper()
	if got := f.entries(t); !maps.Equal(got, want) {
		t.Errorf("%d entries, a quiet run has %d", len(got), len(want))
	}
	report, err := f.MonthReport(t.Context(), sample.Month)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "matched", report.MatchedRecords, 5009)
	f.mustBeWhole(t)
}

func TestTwoProcessesAtOnceGiveTheJournalOfOneQuietRun(t *testing.T) {
	t.Parallel()
	want := quietJournal(t)
	f := open(t)
	f.loadSample(t)
	first, second := child(t, f), child(t, f)
	f.reconcile(t, sample.Month)
	for _, c := range []*exec.Cmd{first, second} {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	f.mustEqualQuietRun(t, want)
}

func TestAKilledProcessStartedAgainGivesTheJournalOfOneQuietRun(t *testing.T) {
	t.Parallel()
	want := quietJournal(t)
	f := open(t)
	f.loadSample(t)
	killed := child(t, f)
	deadline := time.Now().Add(time.Minute)
	for len(f.entries(t)) == 0 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Log(err) // it was faster
	}
	killed.Wait()
	t.Logf("killed with %d of %d entries posted", len(f.entries(t)), len(want))
	f.reconcile(t, sample.Month)
	f.mustEqualQuietRun(t, want)
}

func TestARunCancelledAnywhereCanBeRepeated(t *testing.T) {
	t.Parallel()
	want := quietJournal(t)
	f := open(t)
	f.loadSample(t)
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(400*time.Millisecond))))
		_, err := f.Reconcile(ctx, sample.Month, settlement.ReconcileOptions{Workers: 2})
		cancel()
		t.Log(err, len(f.entries(t)))
	}
	f.reconcile(t, sample.Month)
	f.mustEqualQuietRun(t, want)
}

func TestGeneratedMonthsEqualWhatWasPlanted(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			want, err := sample.GenerateFiles(sample.Options{Month: "2025-03", Settlements: 3000, Seed: seed, RefundFaults: true}, dir)
			if err != nil {
				t.Fatal(err)
			}
			f := open(t)
			for _, side := range settlement.Sides() {
				f.load(t, side, settlement.PathFile(dir+"/"+string(side)+".tsv"))
			}
			f.reconcile(t, "2025-03")
			got, err := f.MonthReport(t.Context(), "2025-03")
			if err != nil {
				t.Fatal(err)
			}
			if diff := firstDifference(indented(t, got), indented(t, want)); diff != "" {
				t.Error(diff)
			}
			f.mustBeWhole(t)
		})
	}
}
