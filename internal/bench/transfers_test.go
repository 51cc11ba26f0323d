package bench

import (
	"maps"
	"testing"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/devdb"
)

func openTest(t *testing.T) *journalBench {
	t.Helper()
	open, err := openBooks(t.Context(), devdb.Test(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(open.close)
	b := &journalBench{JournalOptions: testOptions(t, ""), poster: poster{books: open}}
	if b.mirror, err = newMirror(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTransfersUseTheAccountsThatTheyName(t *testing.T) {
	t.Parallel()
	b := openTest(t)
	const n = 10_000
	for _, c := range []struct {
		transfers
		least, most int
	}{{b.random(), 200, 200}, {b.hot(), 4, 4}, {b.randomFloors(), 200, 200}, {b.hotFloors(), 4, 4}, {b.halfHot(), 201, 201}} {
		used := map[accounts.Account]int{}
		for i := range int64(n) {
			debit, credit, amount := c.at(i)
			again, _, _ := c.at(i)
			if debit == credit || debit.Book != credit.Book || amount <= 0 || debit != again {
				t.Fatalf("%s: %s to %s, %s", c.name, debit, credit, amount)
			}
			used[debit]++
			used[credit]++
			for _, a := range []accounts.Account{debit, credit} {
				subject, ok := b.rules.Chart.Find(a.Book.Role(), a.Subject, lastDay)
				if !ok || subject.Floor != (c.floor != "") || (c.floor != "" && subject.Normal != c.floor) {
					t.Fatalf("%s: %s is %+v", c.name, a, subject)
				}
			}
		}
		if len(used) < c.least || len(used) > c.most {
			t.Errorf("%s: %d accounts are used", c.name, len(used))
		}
		if c.name == "filling" && used[c.debits[0][0]] != n {
			t.Errorf("the hot account has %d of %d lines", used[c.debits[0][0]], 2*n)
		}
	}
}

func TestPairsOfAKnownBatchAreCounted(t *testing.T) {
	t.Parallel()
	b := openTest(t)
	for _, c := range []struct {
		transfers
		entries, pairs int64
	}{
		{b.random(), 10, 10 + 2}, // and the batch, twice
		{b.hot(), 10, 10 + 2},
		{b.hotFloors(), 100, 100 + 2 + 4},
	} {
		if err := b.ready(t.Context(), c.transfers); err != nil {
			t.Fatal(err)
		}
		before, err := count(t.Context(), b.owner.Pool)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.post(t.Context(), load{c.transfers, 1, int(c.entries), nil}, 0, lastDay); err != nil {
			t.Fatal(err)
		}
		after, err := count(t.Context(), b.owner.Pool)
		if err != nil {
			t.Fatal(err)
		}
		if got := after.since(before); got.entries != c.entries || got.pairs != c.pairs {
			t.Errorf("%s: %+v, %d pairs are right", c.name, got, c.pairs)
		}
	}
	// A table with a secondary index counts twice.
	before, err := count(t.Context(), b.owner.Pool)
	if err != nil {
		t.Fatal(err)
	}
	err = execute(t.Context(), b.owner.Pool, "INSERT INTO vouchers (book, period, number, entry_id, position) VALUES ('b', '2025-01', 1, gen_random_uuid(), 1)")
	if err != nil {
		t.Fatal(err)
	}
	if after, err := count(t.Context(), b.owner.Pool); err != nil || after.since(before).pairs != 2 {
		t.Errorf("a voucher is %d pairs, %v", after.since(before).pairs, err)
	}
}

func TestTheLimitInsertsTheRowsThatWerePosted(t *testing.T) {
	t.Parallel()
	b := openTest(t)
	for _, transfers := range []transfers{b.random(), b.hotFloors()} {
		if err := b.ready(t.Context(), transfers); err != nil {
			t.Fatal(err)
		}
		if _, err := b.post(t.Context(), load{transfers, 3, 70, nil}, 0, lastDay); err != nil {
			t.Fatal(err)
		}
		done, err := b.mirror.insert(t.Context(), transfers, b.last, 64, 2)
		if err != nil {
			t.Fatal(err)
		}
		if done.count != 210 || len(done.times.times) != 4 || done.elapsed <= 0 {
			t.Errorf("%s: %d rows in %d batches", transfers.name, done.count, len(done.times.times))
		}
		if got, want := floorsIn(t, b, "bench_floors"), floorsIn(t, b, "floors"); !maps.Equal(got, want) {
			t.Errorf("%s: floors %v, those of the journal are %v", transfers.name, got, want)
		}
		if err := b.settle(t.Context(), b.last.from); err != nil { // which must find them all there
			t.Fatal(err)
		}
		var journal, limit, same int64
		err = b.owner.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM bench_entries), count(*)
			FROM entries AS e JOIN bench_entries AS b ON b.id = e.id AND b.key = e.key AND b.legs = e.legs AND b.digest = e.digest AND b.batch_id = e.batch_id`).
			Scan(&journal, &limit, &same)
		if err != nil || journal < 210 || journal != limit || same != journal {
			t.Errorf("%s: %d entries, %d in the limit, %d the same, %v", transfers.name, journal, limit, same, err)
		}
	}
	unknown := span{1_000_000, 1_000_001}
	if _, err := b.mirror.insert(t.Context(), b.random(), unknown, 64, 1); err == nil {
		t.Error("the limit has inserted what was never posted")
	}
}

func floorsIn(t *testing.T, b *journalBench, table string) map[string]int64 {
	t.Helper()
	rows, err := b.owner.Pool.Query(t.Context(), "SELECT account, balance_fen FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	balances := map[string]int64{}
	for rows.Next() {
		var account string
		var balance int64
		if err := rows.Scan(&account, &balance); err != nil {
			t.Fatal(err)
		}
		balances[account] = balance
	}
	return balances
}

func TestAResetJournalIsEmptyAndWhole(t *testing.T) {
	t.Parallel()
	b := openTest(t)
	for range 2 {
		if _, err := b.fill(t.Context(), 500); err != nil {
			t.Fatal(err)
		}
		if err := b.ready(t.Context(), b.hotFloors()); err != nil { // resets
			t.Fatal(err)
		}
		if _, err := b.post(t.Context(), load{b.hotFloors(), 2, 10, nil}, 0, lastDay); err != nil {
			t.Fatal(err)
		}
		position, err := b.journal.CatchUp(t.Context())
		if err != nil || position != 21 { // one entry endows the four accounts
			t.Errorf("position %d, %v", position, err)
		}
		report, err := b.journal.Check(t.Context())
		if err != nil || !report.OK() {
			t.Errorf("%+v %v", report, err)
		}
	}
}

func TestNumbersAreTakenOnce(t *testing.T) {
	s := span{3, 10}
	var ids []uuid.UUID
	for numbers := s.take(3); len(numbers) > 0; numbers = s.take(3) {
		ids = append(ids, idsOf(numbers)...)
	}
	distinct := map[uuid.UUID]bool{}
	for _, id := range ids {
		distinct[id] = true
	}
	if len(ids) != 7 || len(distinct) != 7 || s.count() != 0 {
		t.Errorf("%d ids, %d distinct, %d left", len(ids), len(distinct), s.count())
	}
}
