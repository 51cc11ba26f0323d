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
	table, err := year.Run(t.Context(), db, journal, book, year.Options{Settlements: 90, Seed: 1, Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range table.Untied() {
		t.Error(line)
	}
	total := table.Total().Figures
	for column := year.Settled; column <= year.OfOthers; column++ {
		if total[column] == 0 {
			t.Errorf("nothing happened in column %s", column)
		}
	}
	if accepted := total[year.Settled] + total[year.Refunded] + total[year.Deducted] + total[year.Offset] + total[year.Withdrawn]; total[year.Cleared] != accepted {
		t.Errorf("%s was accepted and %s cleared", accepted, total[year.Cleared])
	}
	for _, pair := range [][2]year.Column{{year.PaidIn, year.PaidOut}, {year.Used, year.Refilled}, {year.Recovered, year.Home}} {
		if total[pair[0]] != total[pair[1]] {
			t.Errorf("%s is %s, %s is %s", pair[0], total[pair[0]], pair[1], total[pair[1]])
		}
	}
	if len(table.Late) == 0 || table.Waited == 0 || table.Approved == 0 || table.Declined == 0 {
		t.Errorf("%d paid late, %d waited, %d top-ups approved, %d declined: want some of each", len(table.Late), table.Waited, table.Approved, table.Declined)
	}
	mustEndClean(t, journal)
	mustCarryOver(t, table)
}

// mustEndClean: all is paid, so nothing is left of what only passes through, of
// what was used, and of cleared obligations; what came home after the year of
// its expense is other income.
func mustEndClean(t *testing.T, journal *ledger.Journal) {
	t.Helper()
	balances, _, err := journal.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	var other accounts.Fen
	for _, b := range balances {
		subject := b.Account.Subject
		if subject == "4501" {
			other += b.Credit
		}
		if passes(subject) && b.Balance != 0 {
			t.Errorf("%s is %s at the end, want 0.00", b.Account, b.Balance)
		}
	}
	if other == 0 {
		t.Error("no clawback came home as other income")
	}
}

// mustCarryOver: the quotas of the next year are by the journal and set off what
// was held; adjustments go both ways.
func mustCarryOver(t *testing.T, table *year.Table) {
	t.Helper()
	var paid, returned bool
	for _, plan := range table.Plans[2:] {
		for _, p := range plan.Positions {
			if p.Adjustment != p.Quota-p.Held {
				t.Errorf("%s, %s: adjusts %s of %s by %s", plan.ID, p.PartyName, p.Held, p.Quota, p.Adjustment)
			}
			paid, returned = paid || p.Held > 0 && p.Adjustment > 0, returned || p.Adjustment < 0
		}
	}
	if len(table.Plans) != 4 || table.Plans[3].Source != "the journal" || !paid || !returned {
		t.Errorf("%d plans, the last by %s; raised %t, returned %t", len(table.Plans), table.Plans[len(table.Plans)-1].Source, paid, returned)
	}
}
