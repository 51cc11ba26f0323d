package sample_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/devdb"
	"fundledger/internal/sample"
	"fundledger/ledger"
	"fundledger/settlement"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// reconcile takes the files of a folder through import and reconciliation and
// returns the month report as JSON.
func reconcile(t *testing.T, folder string, month accounts.Month) string {
	t.Helper()
	ctx, db := t.Context(), devdb.Test(t)
	if _, err := accounts.Setup(ctx, db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	book, err := accounts.Load(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	journal := ledger.New(db, book)
	if _, err := journal.OpenBooks(ctx, month, "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	s := settlement.New(db, journal, book)
	for _, side := range sample.Sides {
		file := settlement.PathFile(filepath.Join(folder, side+".tsv"))
		if _, err := s.Import(ctx, settlement.Side(side), file, settlement.ImportOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Reconcile(ctx, month, settlement.ReconcileOptions{}); err != nil {
		t.Fatal(err)
	}
	report, err := s.MonthReport(ctx, month)
	if err != nil {
		t.Fatal(err)
	}
	return asJSON(t, report)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryGeneratedMonthReconcilesAsPlanted(t *testing.T) {
	for _, options := range []sample.Options{
		{Month: "2025-01", Settlements: 5000, Seed: 1},
		{Month: "2024-02", Settlements: 3000, Seed: 2, RefundFaults: true},
		{Month: "2025-12", Settlements: 1, Seed: 3},
		{Month: "2026-02", Settlements: 600, Seed: 4, Faults: &sample.Faults{
			MissingTreating: 40, MissingCenter: 40, MissingInsured: 40, AmountDiffers: 60, FieldsDiffer: 60,
			ConflictingRow: 60, ComponentsDoNotSum: 60, UnknownCode: 40, UnknownRegion: 40, DuplicateRow: 60}},
		{Month: "2026-02", Settlements: 600, Seed: 5, RefundFaults: true, Faults: &sample.Faults{
			AmountDiffers: 80, FieldsDiffer: 80, ConflictingRow: 120, ComponentsDoNotSum: 80, UnknownCode: 40, DuplicateRow: 120}},
		{Month: "2023-06", Settlements: 200, Seed: 6, Faults: &sample.Faults{ConflictingRow: 100, DuplicateRow: 100}},
		{Month: "2025-03", Settlements: 2500, Seed: 7, Faults: &sample.Faults{}},
	} {
		t.Run(asJSON(t, options), func(t *testing.T) {
			folder := t.TempDir()
			expected, err := sample.GenerateFiles(options, folder)
			if err != nil {
				t.Fatal(err)
			}
			got, want := reconcile(t, folder, options.Month), asJSON(t, expected)
			if got != want {
				t.Errorf("reported %s", firstDifference(got, want))
			}
		})
	}
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	cut := func(s string) string { return s[max(0, i-200):min(len(s), i+100)] }
	return "\n" + cut(got) + "\n-- wanted --\n" + cut(want)
}
