package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
)

// emptyDatabase makes a database without a schema beside the test's own.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	db := devdb.Test(t)
	owner, err := postgres.OpenOwner(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/") + "_empty"
	if _, err := owner.Pool.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := owner.Pool.Exec(context.Background(), "DROP DATABASE "+name); err != nil {
			t.Error(err)
		}
		owner.Close()
	})
	u.Path = "/" + name
	return u.String()
}

func TestTwoMigratesAtOnceMakeOneSchema(t *testing.T) {
	t.Parallel()
	address := emptyDatabase(t)
	before, err := postgres.Status(t.Context(), address)
	if err != nil || len(before) == 0 || before[0].Applied {
		t.Fatalf("before: %+v %v", before, err)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := postgres.Migrate(t.Context(), address); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	after, err := postgres.Status(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range after {
		if !m.Applied || m.AppliedAt.IsZero() {
			t.Errorf("%s is not applied", m.Name)
		}
	}
	db, err := postgres.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}

func TestDatabaseWithoutTheSchemaSaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, err := postgres.Open(t.Context(), emptyDatabase(t))
	if fault.KindOf(err) != fault.Precondition || !strings.Contains(err.Error(), "run fundledger migrate first") {
		t.Errorf("got %v", err)
	}
}

func TestOpenSaysWhatIsWrongWithTheURL(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/no_such_database"
	for _, c := range []struct {
		url     string
		kind    fault.Kind
		message string
	}{
		{"postgres://u:secret@h:port/x", fault.Invalid, "cannot be read"},
		{"postgres://root@127.0.0.1:1/x?sslmode=disable", fault.Unavailable, "127.0.0.1:1 does not answer"},
		{u.String(), fault.Unavailable, "no_such_database"},
	} {
		_, err := postgres.Open(t.Context(), c.url)
		if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.message) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %q (%s)", c.url, err, fault.KindOf(err))
		}
	}
}

func TestAppRoleMayAddToTheJournalAndNothingMore(t *testing.T) {
	t.Parallel()
	db := devdb.Test(t)
	rights := func(table string) string {
		var list []string
		for _, right := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
			var has bool
			if err := db.Pool.QueryRow(t.Context(), "SELECT has_table_privilege($1::text, $2::text)", table, right).Scan(&has); err != nil {
				t.Fatal(err)
			}
			if has {
				list = append(list, right)
			}
		}
		return strings.Join(list, " ")
	}
	for table, want := range map[string]string{
		"entries": "SELECT INSERT", "batches": "SELECT INSERT", "sealed": "SELECT INSERT", "vouchers": "SELECT INSERT",
		"corrections": "SELECT INSERT", "period_events": "SELECT INSERT", "rule_changes": "SELECT INSERT", "change_keys": "SELECT INSERT",
		"calls": "SELECT INSERT", "call_ends": "SELECT INSERT", "provider_events": "SELECT INSERT", "prepayment_moves": "SELECT INSERT",
		"prepayment_plans": "SELECT INSERT", "jobs": "SELECT INSERT UPDATE DELETE", "pendings": "SELECT INSERT UPDATE DELETE",
		"floors": "SELECT INSERT UPDATE DELETE", "balances": "SELECT INSERT UPDATE DELETE",
		"postings": "SELECT", "fundledger_migrations": "SELECT",
	} {
		if got := rights(table); got != want {
			t.Errorf("%s: %s, want %s", table, got, want)
		}
	}
}
