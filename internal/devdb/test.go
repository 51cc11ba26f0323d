package devdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fundledger/internal/postgres"
)

// testServer is the one server of a test binary, started by its first test.
var testServer struct {
	sync.Mutex
	*Server
	err      error
	prefix   string // of the names of its databases
	template string // a migrated database to copy; "" on CockroachDB
	last     atomic.Int64
}

// Main runs the tests of a package and then stops the server they have used:
//
//	func TestMain(m *testing.M) { devdb.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	testServer.Lock()
	if testServer.Server != nil {
		if err := stopTestServer(); err != nil {
			fmt.Fprintln(os.Stderr, "the test database did not stop:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Test returns a fresh, migrated database of the test's own, open as the
// application; it holds no policy data yet. Its URL is the owner's. The
// database is dropped when the test ends. FUNDLEDGER_TEST_DATABASE_URL names a
// server to use instead of a temporary one: its user must be able to create
// databases and roles.
func Test(t testing.TB) *postgres.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	if err := startTestServer(t); err != nil {
		t.Fatalf("no test database: %v", err)
	}
	name := fmt.Sprintf("%s_%d", testServer.prefix, testServer.last.Add(1))
	address, err := withDatabase(testServer.URL, name)
	if err == nil {
		err = createTestDatabase(ctx, name, address)
	}
	if err != nil {
		t.Fatalf("no test database: %v", err)
	}
	db, err := postgres.Open(ctx, address)
	if err != nil {
		t.Fatalf("the test database cannot be opened: %v", err)
	}
	t.Cleanup(func() {
		db.Close()
		ctx, cancel := context.WithTimeout(context.Background(), startPatience)
		defer cancel()
		if err := dropDatabase(ctx, name); err != nil {
			t.Errorf("the test database %s was not dropped: %v", name, err)
		}
	})
	return db
}

func startTestServer(t testing.TB) error {
	testServer.Lock()
	defer testServer.Unlock()
	if testServer.Server != nil || testServer.err != nil {
		return testServer.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	testServer.prefix = "fundledger_test_" + strings.ToLower(rand.Text()[:8])
	testServer.Server, testServer.err = Start(ctx, Options{
		URL: os.Getenv("FUNDLEDGER_TEST_DATABASE_URL"),
		Log: func(line string) { t.Log(line) },
	})
	if testServer.err == nil {
		testServer.err = makeTemplate(ctx)
	}
	return testServer.err
}

// makeTemplate migrates once where databases can be copied.
func makeTemplate(ctx context.Context) error {
	db, err := postgres.OpenOwner(ctx, testServer.URL)
	if err != nil {
		return err
	}
	db.Close()
	if db.Dialect != postgres.PostgreSQL {
		return nil
	}
	name := testServer.prefix + "_template"
	address, err := withDatabase(testServer.URL, name)
	if err == nil {
		err = administer(ctx, "CREATE DATABASE "+name)
	}
	if err == nil {
		err = postgres.Migrate(ctx, address)
	}
	testServer.template = name
	return err
}

func createTestDatabase(ctx context.Context, name, address string) error {
	if testServer.template != "" {
		return administer(ctx, "CREATE DATABASE "+name+" TEMPLATE "+testServer.template)
	}
	if err := administer(ctx, "CREATE DATABASE "+name); err != nil {
		return err
	}
	return postgres.Migrate(ctx, address)
}

func dropDatabase(ctx context.Context, name string) error {
	if testServer.template != "" {
		return administer(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}
	return administer(ctx, "DROP DATABASE IF EXISTS "+name+" CASCADE")
}

// stopTestServer cleans up behind the tests on a server that is not ours.
func stopTestServer() error {
	if testServer.process == nil && testServer.template != "" {
		if err := dropDatabase(context.Background(), testServer.template); err != nil {
			return err
		}
	}
	return testServer.Stop()
}

// administer runs a statement on a connection of its own, one at a time, since
// PostgreSQL copies a template for one session only.
func administer(ctx context.Context, statement string) error {
	administering.Lock()
	defer administering.Unlock()
	conn, err := pgx.Connect(ctx, testServer.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

var administering sync.Mutex

// withDatabase is the URL with another database.
func withDatabase(address, name string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}
