package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// accounts returns a database with two rows of 100 in a table of its own.
func accounts(t *testing.T) *postgres.DB {
	t.Helper()
	db := devdb.Test(t)
	owner, err := postgres.OpenOwner(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	for _, statement := range []string{
		"CREATE TABLE purses (id int8 PRIMARY KEY, fen int8 NOT NULL)",
		"INSERT INTO purses VALUES (1, 100), (2, 100)",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON purses TO " + postgres.AppRole,
	} {
		if _, err := owner.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func total(ctx context.Context, tx pgx.Tx) (sum int64, err error) {
	err = tx.QueryRow(ctx, "SELECT sum(fen)::int8 FROM purses").Scan(&sum)
	return sum, err
}

func totalOf(t *testing.T, db *postgres.DB) (sum int64) {
	t.Helper()
	err := db.Snapshot(t.Context(), func(tx pgx.Tx) (err error) {
		sum, err = total(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func mustHoldNoConnections(t *testing.T, db *postgres.DB) {
	t.Helper()
	for start := time.Now(); db.Pool.Stat().AcquiredConns() > 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second { // a broken one is closed in the background
			t.Fatalf("%d connections were not given back", db.Pool.Stat().AcquiredConns())
		}
	}
}

// Each of two transactions may take 150 while the total stays >= 0. Run one
// after the other the second must not; a write skew would let both.
func TestWriteSkewIsRetriedUntilOneSeesTheOther(t *testing.T) {
	t.Parallel()
	db := accounts(t)
	var both, runs sync.WaitGroup
	both.Add(2)
	var attempts, taken atomic.Int64
	for purse := 1; purse <= 2; purse++ {
		var first sync.Once
		runs.Go(func() {
			err := db.InTx(t.Context(), func(tx pgx.Tx) error {
				attempts.Add(1)
				sum, err := total(t.Context(), tx)
				if err != nil {
					return err
				}
				first.Do(func() { both.Done(); both.Wait() }) // both have read before either writes
				if sum < 150 {
					return fault.New(fault.Insufficient, "only %d are left", sum)
				}
				_, err = tx.Exec(t.Context(), "UPDATE purses SET fen = fen - 150 WHERE id = $1::int8", purse)
				return err
			})
			switch {
			case err == nil:
				taken.Add(1)
			case fault.KindOf(err) != fault.Insufficient:
				t.Error(err)
			}
		})
	}
	runs.Wait()
	if taken.Load() != 1 || totalOf(t, db) != 50 {
		t.Errorf("%d transactions took 150, the total is %d", taken.Load(), totalOf(t, db))
	}
	if attempts.Load() < 3 {
		t.Errorf("%d attempts: the loser was not run again", attempts.Load())
	}
	mustHoldNoConnections(t, db)
}

func TestRetriesAreBoundedAndSayWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code     string
		kind     fault.Kind
		attempts int
		message  string
	}{
		{"40001", fault.Unavailable, 40, "too much contention"},
		{"23505", fault.Internal, 5, "constraint purses_pkey of table purses"},
		{"57P01", fault.Unavailable, 5, "connection was lost"},
		{"42P01", fault.Precondition, 1, "run fundledger migrate"},
		{"42501", fault.Permission, 1, "does not allow"},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			db := devdb.Test(t)
			attempts := 0
			err := db.InTx(t.Context(), func(pgx.Tx) error {
				attempts++
				return fmt.Errorf("posting: %w", &pgconn.PgError{Severity: "ERROR", Code: c.code, ConstraintName: "purses_pkey", TableName: "purses"})
			})
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %q (%s)", err, fault.KindOf(err))
			}
			// CockroachDB counts its own retries of 40001 on top of the first try.
			if attempts < c.attempts || attempts > c.attempts+1 {
				t.Errorf("%d attempts, want %d", attempts, c.attempts)
			}
			mustHoldNoConnections(t, db)
		})
	}
}

func TestErrorOfTheCallerRollsBackAndComesBackAsItIs(t *testing.T) {
	t.Parallel()
	db := accounts(t)
	refused := errors.New("refused")
	err := db.InTx(t.Context(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "UPDATE purses SET fen = 0"); err != nil {
			return err
		}
		return refused
	})
	if err != refused {
		t.Errorf("got %v", err)
	}
	if sum := totalOf(t, db); sum != 200 {
		t.Errorf("the total is %d", sum)
	}
	mustHoldNoConnections(t, db)
}

func TestAStatementErrorThatIsSwallowedIsNoSuccess(t *testing.T) {
	t.Parallel()
	db := accounts(t)
	err := db.InTx(t.Context(), func(tx pgx.Tx) error {
		tx.Exec(t.Context(), "SELECT no_such_column FROM purses")
		return nil
	})
	if err == nil || strings.Contains(err.Error(), "outcome is unknown") {
		t.Errorf("got %v", err)
	}
	mustHoldNoConnections(t, db)
}

func TestPanicGivesTheConnectionBack(t *testing.T) {
	t.Parallel()
	db := accounts(t)
	func() {
		defer func() { recover() }()
		db.InTx(t.Context(), func(pgx.Tx) error { panic("defect") })
	}()
	mustHoldNoConnections(t, db)
}

func TestCancelEndsTheRetries(t *testing.T) {
	t.Parallel()
	db := accounts(t)
	ctx, cancel := context.WithCancel(t.Context())
	attempts := 0
	start := time.Now()
	err := db.InTx(ctx, func(tx pgx.Tx) error {
		if attempts++; attempts == 3 {
			cancel()
		}
		return &pgconn.PgError{Code: "40P01"}
	})
	if err == nil || attempts > 4 || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %d attempts and %s", err, attempts, time.Since(start))
	}
	ctx, cancel = context.WithCancel(t.Context())
	err = db.InTx(ctx, func(tx pgx.Tx) error {
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err := tx.Exec(ctx, "SELECT pg_sleep(20)")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if totalOf(t, db) != 200 {
		t.Error("the pool is of no use any more")
	}
	mustHoldNoConnections(t, db)
}

func TestALostCommitIsUnavailableAndNeverRunsTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		cut  devdb.Cut
		sum  int64
	}{
		{"the commit is lost", devdb.BeforeCommit, 200},
		{"the answer is lost", devdb.AfterCommit, 199},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := accounts(t)
			proxy := devdb.NewProxy(t, db.URL)
			lossy, err := postgres.Open(t.Context(), proxy.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer lossy.Close()
			proxy.CutNext(c.cut)
			attempts := 0
			take := func(tx pgx.Tx) error {
				attempts++
				_, err := tx.Exec(t.Context(), "UPDATE purses SET fen = fen - 1 WHERE id = 1")
				return err
			}
			err = lossy.InTx(t.Context(), take)
			if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "outcome is unknown") {
				t.Errorf("got %v", err)
			}
			if attempts != 1 || proxy.Cuts() != 1 {
				t.Errorf("%d attempts, %d cuts", attempts, proxy.Cuts())
			}
			if sum := totalOf(t, db); sum != c.sum {
				t.Errorf("the total is %d, want %d", sum, c.sum)
			}
			if err := lossy.InTx(t.Context(), take); err != nil {
				t.Errorf("the next transaction: %v", err)
			}
			mustHoldNoConnections(t, lossy)
		})
	}
}

func TestASingleStatementIsATransaction(t *testing.T) {
	t.Parallel()
	db := accounts(t)
	take := func(fen int64) (taken int64, err error) {
		err = db.Single(t.Context(), func(w pgRows) error {
			tag, err := w.Exec(t.Context(), "UPDATE purses SET fen = fen - $1::int8 WHERE id = 1", fen)
			taken = tag.RowsAffected()
			return err
		})
		return taken, err
	}
	if n, err := take(30); err != nil || n != 1 || totalOf(t, db) != 170 {
		t.Errorf("%d rows, %v, the total is %d", n, err, totalOf(t, db))
	}
	if _, err := db.Pool.Exec(t.Context(), "BEGIN; ROLLBACK"); err != nil {
		t.Error(err)
	}
	var attempts int
	err := db.Single(t.Context(), func(w pgRows) error {
		attempts++
		_, err := w.Exec(t.Context(), "INSERT INTO purses VALUES (3, 1), (1, 1)")
		return err
	})
	if fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "purses_pkey") || attempts != 5 || totalOf(t, db) != 170 {
		t.Errorf("%v after %d attempts, the total is %d", err, attempts, totalOf(t, db))
	}
	if err := db.Single(t.Context(), func(w pgRows) error {
		var n int
		return w.QueryRow(t.Context(), "SELECT 1").Scan(&n)
	}); err == nil {
		t.Error("a query was taken for a statement that writes")
	}
	mustHoldNoConnections(t, db)
}

type pgRows = interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row
}

func TestSingleStatementsAtOnceAreRunOneAfterTheOther(t *testing.T) {
	t.Parallel()
	db := accounts(t)
	const callers, each = 8, 10
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range each {
				if err := db.Single(t.Context(), func(w pgRows) error {
					_, err := w.Exec(t.Context(), "UPDATE purses SET fen = (SELECT sum(fen)::int8 FROM purses) - 99 WHERE id = 1")
					return err
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if sum := totalOf(t, db); sum != 200+callers*each {
		t.Errorf("the total is %d, want one more for each of %d", sum, callers*each)
	}
	mustHoldNoConnections(t, db)
}

func TestALostSingleStatementIsUnavailableAndNeverRunsTwice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cut devdb.Cut
		sum int64
	}{"the commit is lost": {devdb.BeforeCommit, 200}, "the answer is lost": {devdb.AfterCommit, 199}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := accounts(t)
			proxy := devdb.NewProxy(t, db.URL)
			lossy, err := postgres.Open(t.Context(), proxy.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer lossy.Close()
			attempts := 0
			take := func(w pgRows) error {
				attempts++
				_, err := w.Exec(t.Context(), "UPDATE purses SET fen = fen - 1 WHERE id = 1")
				return err
			}
			proxy.CutNext(c.cut)
			err = lossy.Single(t.Context(), take)
			if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "outcome is unknown") {
				t.Errorf("got %v", err)
			}
			if attempts != 1 || proxy.Cuts() != 1 || totalOf(t, db) != c.sum {
				t.Errorf("%d attempts, %d cuts, the total is %d, want %d", attempts, proxy.Cuts(), totalOf(t, db), c.sum)
			}
			if err := lossy.Single(t.Context(), take); err != nil {
				t.Errorf("the next statement: %v", err)
			}
			mustHoldNoConnections(t, lossy)
		})
	}
}

// A session that the server ends before the commit was sent has done nothing.
func TestAConnectionLostBeforeTheCommitIsReplaced(t *testing.T) {
	t.Parallel()
	db := accounts(t)
	if db.Dialect != postgres.PostgreSQL {
		t.Skip("only PostgreSQL can end one session by its pid")
	}
	owner, err := postgres.OpenOwner(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	attempts := 0
	err = db.InTx(t.Context(), func(tx pgx.Tx) error {
		if attempts++; attempts == 1 {
			if _, err := owner.Pool.Exec(t.Context(), "SELECT pg_terminate_backend($1::int4)", int32(tx.Conn().PgConn().PID())); err != nil {
				return err
			}
		}
		_, err := tx.Exec(t.Context(), "UPDATE purses SET fen = fen - 1 WHERE id = 1")
		return err
	})
	if err != nil || attempts != 2 || totalOf(t, db) != 199 {
		t.Errorf("%v after %d attempts, the total is %d", err, attempts, totalOf(t, db))
	}
	mustHoldNoConnections(t, db)
}
