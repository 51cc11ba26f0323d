package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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

// DB is a pool of connections to one database.
type DB struct {
	Pool    *pgxpool.Pool
	Dialect Dialect
	Version string
	URL     string
}

// Open connects to the postgres:// URL as the application: with the rights of
// AppRole. A database that was not migrated is a Precondition error.
func Open(ctx context.Context, url string) (*DB, error) {
	return open(ctx, url, func(config *pgxpool.Config) {
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SET ROLE "+AppRole)
			if hasCode(err, codeUndefinedObject, codeInvalidParameter) {
				return fault.New(fault.Precondition, "this database has no role %s: run fundledger migrate first", AppRole)
			}
			return err
		}
	})
}

// OpenOwner connects with the rights that the URL's user has: for migrations
// and for tests that tamper.
func OpenOwner(ctx context.Context, url string) (*DB, error) {
	return open(ctx, url, func(*pgxpool.Config) {})
}

func open(ctx context.Context, url string, adapt func(*pgxpool.Config)) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the database URL cannot be read: %w", err)
	}
	config.ConnConfig.RuntimeParams["application_name"] = "fundledger"
	adapt(config)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the database cannot be opened: %w", err)
	}
	db := &DB{Pool: pool, URL: url}
	if err := pool.QueryRow(ctx, "SELECT version()").Scan(&db.Version); err != nil {
		pool.Close()
		if known, ok := errors.AsType[*fault.Error](err); ok {
			return nil, known
		}
		return nil, fault.New(fault.Unavailable, "the database at %s does not answer: %w", address(config), err)
	}
	db.Dialect = PostgreSQL
	if strings.HasPrefix(db.Version, "CockroachDB") {
		db.Dialect = CockroachDB
	}
	return db, nil
}

func address(config *pgxpool.Config) string {
	return net.JoinHostPort(config.ConnConfig.Host, fmt.Sprint(config.ConnConfig.Port))
}

// Close ends all connections.
func (db *DB) Close() { db.Pool.Close() }
