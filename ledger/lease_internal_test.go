package ledger

import (
	"testing"

	"fundledger/internal/devdb"
)

// One whose lease is over touches no lease of a later term, not even of its
// own name.
func TestALeaseOfThePastIsNeitherRenewedNorGivenUp(t *testing.T) {
	t.Parallel()
	store := devdb.Test(t)
	ctx := t.Context()
	exec := func(sql string) {
		t.Helper()
		if _, err := store.Pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, want bool, ask func() (bool, error)) {
		t.Helper()
		if got, err := ask(); err != nil || got != want {
			t.Errorf("%s: %v %v", what, got, err)
		}
	}
	held := func() (held bool, err error) {
		err = store.Pool.QueryRow(ctx, "SELECT expires_at > now() FROM leases WHERE name = 'sealer'").Scan(&held)
		return held, err
	}
	old, same, other := newLease(store, sealerLease, "a"), newLease(store, sealerLease, "a"), newLease(store, sealerLease, "b")
	take := func(l *lease) func() (bool, error) { return func() (bool, error) { return l.take(ctx) } }
	renew := func(l *lease) func() (bool, error) { return func() (bool, error) { return l.renew(ctx) } }

	want("the first", true, take(old))
	want("another meanwhile", false, take(other))
	want("the same name meanwhile", false, take(same))
	want("renewed", true, renew(old))
	exec("UPDATE leases SET expires_at = now()")
	want("renewed too late", false, renew(old))
	for _, next := range []*lease{same, other} {
		exec("UPDATE leases SET expires_at = now()")
		want("the successor", true, take(next))
		want("renewed after a successor", false, renew(old))
		if err := old.giveUp(ctx); err != nil {
			t.Fatal(err)
		}
		want("held after the old one gave up", true, held)
		want("the successor renews", true, renew(next))
	}
	if err := other.giveUp(ctx); err != nil {
		t.Fatal(err)
	}
	want("held after it was given up", false, held)
	want("taken at once", true, take(old))
	if old.term != 4 || old.trusted.IsZero() {
		t.Errorf("%+v", old)
	}
}
