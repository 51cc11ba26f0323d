// Package postgres is the wire access to CockroachDB and PostgreSQL: the
// connection pool, the transaction helper and the migrations.
package postgres
