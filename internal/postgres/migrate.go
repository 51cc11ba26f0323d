package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"fundledger/internal/fault"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

const (
	versionTable = "fundledger_migrations"
	lockTable    = "fundledger_migration_lock"
)

// A migrate that dies leaves its lock behind for lockLease; one that waits for
// another gives up after lockPatience.
const (
	lockLease    = 20 * time.Second
	lockProbe    = 200 * time.Millisecond
	lockPatience = 5 * time.Minute
)

// Migration is one step of the schema.
type Migration struct {
	Version   int64     `json:"version"`
	Name      string    `json:"name"`
	Applied   bool      `json:"applied"`
	AppliedAt time.Time `json:"applied_at,omitzero"`
}

// Migrate brings the schema and the rights of AppRole up to date as the URL's
// user, who must own the database. Run again, or by two at once, it changes
// nothing more. It returns Unavailable when the database does not answer or
// another migrate holds the lock, Permission when AppRole cannot be created,
// Internal for a migration that fails.
func Migrate(ctx context.Context, url string) error {
	db, err := open(ctx, url, unlockSchema)
	if err != nil {
		return err
	}
	defer db.Close()
	provider, closeProvider, err := db.migrations()
	if err != nil {
		return err
	}
	defer closeProvider()
	if _, err := provider.Up(ctx); err != nil {
		return migrationFault(err)
	}
	return db.grant(ctx)
}

// unlockSchema: from 26.1 CockroachDB locks the schema of new tables against
// later migrations. Servers without the setting do not.
func unlockSchema(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SET create_table_with_schema_locked = off")
	if hasCode(err, codeUndefinedObject, codeInvalidParameter) {
		return nil
	}
	return err
}

// Status lists all migrations in order. It creates nothing; a database without
// the schema has none applied. Errors as for Migrate.
func Status(ctx context.Context, url string) ([]Migration, error) {
	db, err := OpenOwner(ctx, url)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	applied, err := db.applied(ctx)
	if err != nil {
		return nil, err
	}
	list := known()
	for i := range list {
		list[i].AppliedAt, list[i].Applied = applied[list[i].Version]
	}
	return list, nil
}

// migrations opens goose on connections of its own. DDL is kept out of
// transactions with DML, and the lock is a row with a lease, because
// CockroachDB has no advisory locks.
func (db *DB) migrations() (*goose.Provider, func(), error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, nil, err
	}
	locker, err := lock.NewPostgresTableLocker(
		lock.WithTableName(lockTable),
		lock.WithTableLeaseDuration(lockLease),
		lock.WithTableHeartbeatInterval(lockLease/8),
		lock.WithTableLockTimeout(lockProbe, uint64(lockPatience/lockProbe)),
	)
	if err != nil {
		return nil, nil, err
	}
	conns := stdlib.OpenDBFromPool(db.Pool)
	provider, err := goose.NewProvider(goose.DialectAuroraDSQL, conns, files,
		goose.WithTableName(versionTable),
		goose.WithLocker(locker),
		goose.WithIsolateDDL(true),
		goose.WithAllowOutofOrder(true), // each domain numbers its own range
		goose.WithDisableGlobalRegistry(true),
	)
	if err != nil {
		conns.Close()
		return nil, nil, fault.New(fault.Internal, "the migrations of this program cannot be read: %w", err)
	}
	return provider, func() { conns.Close() }, nil
}

// applied returns the versions in the version table and when they came.
func (db *DB) applied(ctx context.Context) (map[int64]time.Time, error) {
	applied := map[int64]time.Time{}
	rows, err := db.Pool.Query(ctx, "SELECT version_id::int8, tstamp FROM "+versionTable+" WHERE is_applied AND version_id > 0")
	if err == nil {
		var version int64
		var at time.Time
		_, err = pgx.ForEachRow(rows, []any{&version, &at}, func() error {
			applied[version] = at
			return nil
		})
	}
	if hasCode(err, codeUndefinedTable) {
		return applied, nil
	}
	return applied, asFault(err)
}

// known lists the migrations that are built into the program, in order.
func known() []Migration {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		panic(err) // the pattern is constant
	}
	list := make([]Migration, 0, len(names))
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			panic(fmt.Sprintf("migration %s has no number", name))
		}
		list = append(list, Migration{Version: version, Name: path.Base(name)})
	}
	return list
}

func migrationFault(err error) error {
	if partial, ok := errors.AsType[*goose.PartialError](err); ok && partial.Failed != nil {
		return fault.New(fault.Internal, "migration %s failed: %w", path.Base(partial.Failed.Source.Path), partial.Err).
			With("migration", path.Base(partial.Failed.Source.Path))
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.New(fault.Unavailable, "the schema cannot be migrated now: %w", err)
}

// requireMigrated compares the schema with this program. Migrations are
// additive, so a newer schema is no obstacle.
func (db *DB) requireMigrated(ctx context.Context) error {
	applied, err := db.applied(ctx)
	if err != nil {
		return err
	}
	for _, m := range known() {
		if _, ok := applied[m.Version]; !ok {
			return fault.New(fault.Precondition, "the schema of this database lacks migration %s: run fundledger migrate first", m.Name).
				With("migration", m.Name)
		}
	}
	return nil
}
