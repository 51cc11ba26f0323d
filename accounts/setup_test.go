package accounts

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
)

func total(changes []Change) (inserted, ended, unchanged int) {
	for _, c := range changes {
		inserted, ended, unchanged = inserted+c.Inserted, ended+c.Ended, unchanged+c.Unchanged
	}
	return inserted, ended, unchanged
}

func TestSetupWritesTheProfileOnce(t *testing.T) {
	ctx, db := t.Context(), devdb.Test(t)
	if _, err := Load(ctx, db); fault.KindOf(err) != fault.Precondition || !strings.Contains(err.Error(), "run fundledger setup") {
		t.Fatalf("Load of an empty database: %v", err)
	}
	changes, err := Setup(ctx, db, "jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	inserted, _, unchanged := total(changes)
	if inserted < 500 || unchanged != 0 {
		t.Errorf("the first setup: %+v", changes)
	}
	profile, err := Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if profile.Version = loaded.Version; loaded.Version != 1 || !reflect.DeepEqual(loaded, profile) {
		t.Error("what was loaded is not what the profile says")
	}
	if changes, err = Setup(ctx, db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	if version, err := RulesVersion(ctx, db); err != nil || version != 1 {
		t.Errorf("a setup that changes nothing makes version %d, %v", version, err)
	}
	if again, ended, unchanged := total(changes); again != 0 || ended != 0 || unchanged != inserted {
		t.Errorf("the second setup: %+v", changes)
	}
}

// newVersion is the profile with one parameter changed from 2026 on.
func newVersion(t *testing.T, change func([]Parameter) []Parameter) *Rulebook {
	t.Helper()
	book, err := Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	book.Policy = change(append([]Parameter{}, book.Policy...))
	return book
}

func TestANewVersionEndsOldRowsAndAddsNewOnes(t *testing.T) {
	ctx, db := t.Context(), devdb.Test(t)
	if _, err := Setup(ctx, db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	turn := civil.Date{Year: 2026, Month: 1, Day: 1}
	book := newVersion(t, func(policy []Parameter) []Parameter {
		for i := range policy {
			if policy[i].Key == "topup.red_percent" {
				next := policy[i]
				next.Value, next.From = "85", turn
				policy[i].To = turn
				policy = append(policy, next)
			}
		}
		return policy
	})
	changes, err := setup(ctx, db, book)
	if err != nil {
		t.Fatal(err)
	}
	if inserted, ended, _ := total(changes); inserted != 1 || ended != 1 {
		t.Errorf("%+v", changes)
	}
	loaded, err := Load(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		on   civil.Date
		want int
	}{{turn.AddDays(-1), 90}, {turn, 85}} {
		if got, err := loaded.Policy.Int("topup.red_percent", c.on); err != nil || got != c.want {
			t.Errorf("on %s: %d, %v; want %d", c.on, got, err, c.want)
		}
	}
	// The older version does not know of the change and does not undo it.
	changes, err = Setup(ctx, db, "jiangsu")
	if inserted, ended, _ := total(changes); err != nil || inserted+ended != 0 {
		t.Errorf("setup with the older version: %+v, %v", changes, err)
	}
	if got, err := load(t, db).Policy.Int("topup.red_percent", turn); err != nil || got != 85 {
		t.Errorf("after a setup with the older version: %d, %v", got, err)
	}
}

func TestEveryKindOfRowCanBeEnded(t *testing.T) {
	ctx, db := t.Context(), devdb.Test(t)
	if _, err := Setup(ctx, db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	end := civil.Date{Year: 2030, Month: 1, Day: 1}
	book, err := Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	book.Funds[0].To, book.Chart.rows[0].To, book.Postings.rows[0].To = end, end, end
	book.Policy[0].To, book.Codes[0].To, book.Access[0].To = end, end, end
	changes, err := setup(ctx, db, book)
	if err != nil {
		t.Fatal(err)
	}
	if inserted, ended, _ := total(changes); inserted != 0 || ended != 6 {
		t.Errorf("%+v", changes)
	}
	loaded, err := Load(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]civil.Date{
		"fund": loaded.Funds[0].To, "subject": loaded.Chart.rows[0].To, "posting rule": loaded.Postings.rows[0].To,
		"parameter": loaded.Policy[0].To, "code": loaded.Codes[0].To, "access rule": loaded.Access[0].To,
	} {
		if to != end {
			t.Errorf("the first %s ends %s", name, to)
		}
	}
}

func TestAChangedRowIsRefusedAndNamed(t *testing.T) {
	ctx, db := t.Context(), devdb.Test(t)
	if _, err := Setup(ctx, db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	book := newVersion(t, func(policy []Parameter) []Parameter {
		for i := range policy {
			if policy[i].Key == "topup.red_percent" {
				policy[i].Value = "80"
			}
		}
		return append(policy, Parameter{Key: "extra", Value: "1", Unit: "-", Title: "-", Effective: policy[0].Effective})
	})
	_, err := setup(ctx, db, book)
	if fault.KindOf(err) != fault.AlreadyExists || !strings.Contains(err.Error(), "policy, topup.red_percent from 2023-01-01: value 90, now 80") {
		t.Fatalf("a changed value: %v", err)
	}
	loaded, err := Load(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loaded.Policy.Find("extra", civil.Date{Year: 2025, Month: 1, Day: 1}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the refused setup has written a row: %v", err)
	}
}

func TestOneDatabaseHasOneProfile(t *testing.T) {
	ctx, db := t.Context(), devdb.Test(t)
	if _, err := Setup(ctx, db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	book := newVersion(t, func(p []Parameter) []Parameter { return p })
	book.Profile = "zhejiang"
	if _, err := setup(ctx, db, book); fault.KindOf(err) != fault.Precondition || !strings.Contains(err.Error(), "set up from the profile jiangsu") {
		t.Error(err)
	}
}

func TestRowsThatDoNotFitEachOtherAreNotLoaded(t *testing.T) {
	ctx, db := context.Background(), devdb.Test(t)
	if _, err := Setup(ctx, db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	err := db.InTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM subjects WHERE code = '9002'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(ctx, db); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "has no 9002") {
		t.Error(err)
	}
}
