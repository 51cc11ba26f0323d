package year_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/internal/devdb"
	"fundledger/internal/year"
	"fundledger/ledger"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// TestAYearTiesToTheJournal runs a fiscal year: checks and signatures are green
// after every month, which Run demands, and every figure of the year table is
// the same by the journal and by the reports of the domain.
func TestAYearTiesToTheJournal(t *testing.T) {
	t.Parallel()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	db := devdb.Test(t)
	journal := ledger.New(db, book)
	if _, err := journal.OpenBooks(t.Context(), "2025-01", "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	table, err := year.Run(t.Context(), db, journal, book, year.Options{Settlements: 150, Seed: 1, Folder: t.TempDir(), Log: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range table.Untied() {
		t.Error(line)
	}
	for _, row := range table.Journal {
		t.Log(row)
	}
}
