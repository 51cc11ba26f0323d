package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"fundledger/internal/fault"
)

// Dialect is which of the two databases answers. It is asked once at connect
// time and is the only switch for what exists on only one of them.
type Dialect string

const (
	CockroachDB Dialect = "CockroachDB"
	PostgreSQL  Dialect = "PostgreSQL"
)

// AppRole is the role that may add to the journal but never change it. Every
// connection of Open takes it, so that not even the owner's URL can rewrite
// history by accident.
const AppRole = "fundledger_app"

// poolSize is the largest number of connections of one process, if the URL's
// pool_max_conns says nothing else.
const poolSize = 16

// DB is a pool of connections to one database.
type DB struct {
	Pool    *pgxpool.Pool
	Dialect Dialect
	Version string
	URL     string // as given to Open: with the rights of its user, not of AppRole
}

// Open connects to the postgres:// URL as the application: with the rights of
// AppRole. It returns Invalid for a URL that cannot be read, Unavailable when
// the database does not answer, Precondition when it lacks a migration. A
// tracer, if given, sees every statement.
func Open(ctx context.Context, url string, tracer ...pgx.QueryTracer) (*DB, error) {
	db, err := open(ctx, url, takeAppRole, tracer...)
	if err != nil {
		return nil, err
	}
	if err := db.requireMigrated(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// OpenOwner connects with the rights that the URL's user has: for migrations
// and for tests that tamper. Errors as for Open.
func OpenOwner(ctx context.Context, url string) (*DB, error) {
	return open(ctx, url, nil)
}

func takeAppRole(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SET ROLE "+AppRole)
	switch {
	case hasCode(err, codeUndefinedObject, codeInvalidParameter):
		return fault.New(fault.Precondition, "this database has no role %s: run fundledger migrate first", AppRole)
	case hasCode(err, codeInsufficientPrivilege):
		return fault.New(fault.Precondition, "the user of this URL is no member of the role %s: run fundledger migrate as the database's owner and grant the role to the user", AppRole)
	}
	return err
}

func open(ctx context.Context, url string, afterConnect func(context.Context, *pgx.Conn) error, tracer ...pgx.QueryTracer) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the database URL cannot be read: %w", err)
	}
	config.ConnConfig.RuntimeParams["application_name"] = "fundledger"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = poolSize
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 15 * time.Second
	}
	if len(tracer) > 0 {
		config.ConnConfig.Tracer = tracer[0]
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		pgxuuid.Register(conn.TypeMap()) // binary instead of text, which counts where ids come by thousands
		if err := planAnew(ctx, conn); err != nil || afterConnect == nil {
			return err
		}
		return afterConnect(ctx, conn)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the database cannot be opened: %w", err)
	}
	db := &DB{Pool: pool, URL: url}
	if err := pool.QueryRow(ctx, "SELECT version()").Scan(&db.Version); err != nil {
		pool.Close()
		return nil, connectFault(config, err)
	}
	db.Dialect = PostgreSQL
	if strings.HasPrefix(db.Version, "CockroachDB") {
		db.Dialect = CockroachDB
	}
	return db, nil
}

// connectFault leaves out pgx's list of all that it has tried.
func connectFault(config *pgxpool.Config, err error) error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fault.New(fault.Unavailable, "the database at %s refuses the connection: %s (SQLSTATE %s)", address(config), pg.Message, pg.Code)
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return fault.New(fault.Unavailable, "the database at %s does not answer: %w", address(config), network)
	}
	return fault.New(fault.Unavailable, "the database at %s does not answer: %w", address(config), err)
}

func address(config *pgxpool.Config) string {
	return net.JoinHostPort(config.ConnConfig.Host, fmt.Sprint(config.ConnConfig.Port))
}

// Close ends all connections.
func (db *DB) Close() { db.Pool.Close() }

// planAnew asks for a plan at each execution. A statement that is used from the
// first row on would else keep the plan that was right for an empty table: it
// then reads the whole table for each batch.
func planAnew(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SET plan_cache_mode = force_custom_plan")
	if hasCode(err, codeUndefinedObject, codeInvalidParameter) { // a server that plans without such a mode
		return nil
	}
	return err
}
