package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
)

// journalTables hold history: AppRole may add to them and read them, and
// nothing else.
var journalTables = []string{
	"entries", "batches", "sealed", "vouchers", "tree_hashes", "checkpoints", "corrections", "period_events",
	"rule_changes", "change_keys", "calls", "call_ends",
	"provider_events",
	"deductions", "clawback_steps",
	"prepayment_steps", "prepayment_moves", "prepayment_plans", "prepayment_plan_bases", "prepayment_plan_quotas",
	"prepayment_plan_positions", "prepayment_notice_lines", "top_up_parts", "national_figures",
	"bank_statements", "bank_lines", "bank_match_events",
}

// housekeeping tables belong to the migrations: AppRole only reads them.
var housekeeping = []string{versionTable, lockTable}

// grant gives AppRole its rights on everything that exists now. All statements
// are idempotent, so that a later migrate extends them to new tables.
func (db *DB) grant(ctx context.Context) error {
	if err := db.createRole(ctx); err != nil {
		return err
	}
	var schema string
	if err := db.Pool.QueryRow(ctx, "SELECT current_schema()::text").Scan(&schema); err != nil {
		return asFault(err)
	}
	rows, err := db.Pool.Query(ctx, `SELECT table_name::text, table_type::text FROM information_schema.tables
		WHERE table_schema = $1::text AND table_type IN ('BASE TABLE', 'VIEW') ORDER BY 1`, schema)
	if err != nil {
		return asFault(err)
	}
	rights := map[string][]string{}
	var name, kind string
	_, err = pgx.ForEachRow(rows, []any{&name, &kind}, func() error {
		switch {
		case kind == "VIEW" || slices.Contains(housekeeping, name):
			rights["SELECT"] = append(rights["SELECT"], name)
		case slices.Contains(journalTables, name):
			rights["SELECT, INSERT"] = append(rights["SELECT, INSERT"], name)
		default:
			rights["SELECT, INSERT, UPDATE, DELETE"] = append(rights["SELECT, INSERT, UPDATE, DELETE"], name)
		}
		return nil
	})
	if err != nil {
		return asFault(err)
	}
	statements := []string{"GRANT USAGE ON SCHEMA " + quote(schema) + " TO " + AppRole}
	if journal := rights["SELECT, INSERT"]; len(journal) > 0 {
		statements = append(statements, "REVOKE UPDATE, DELETE ON "+quote(journal...)+" FROM "+AppRole)
	}
	for right, names := range rights {
		statements = append(statements, "GRANT "+right+" ON "+quote(names...)+" TO "+AppRole)
	}
	for _, statement := range statements {
		if err := db.patiently(ctx, statement); err != nil {
			return asFault(err)
		}
	}
	return nil
}

// createRole makes AppRole, which belongs to the whole server, and lets the
// current user take it.
func (db *DB) createRole(ctx context.Context) error {
	var exists bool
	err := db.Pool.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_roles WHERE rolname = $1::text", AppRole).Scan(&exists)
	if err != nil {
		return asFault(err)
	}
	if !exists {
		err := db.patiently(ctx, "CREATE ROLE "+AppRole+" NOLOGIN")
		if err != nil && !hasCode(err, codeDuplicateObject, codeUniqueViolation) {
			return roleFault(err)
		}
	}
	if db.canTakeRole(ctx) == nil {
		return nil
	}
	if err := db.patiently(ctx, "GRANT "+AppRole+" TO CURRENT_USER"); err != nil {
		return roleFault(err)
	}
	return nil
}

func (db *DB) canTakeRole(ctx context.Context) error {
	return pgx.BeginFunc(ctx, db.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SET LOCAL ROLE "+AppRole)
		return err
	})
}

func roleFault(err error) error {
	if hasCode(err, codeInsufficientPrivilege) {
		return fault.New(fault.Permission, "the role %[1]s cannot be set up: let an administrator run CREATE ROLE %[1]s NOLOGIN and GRANT %[1]s TO the user of this URL, then migrate again: %[2]w", AppRole, err)
	}
	return asFault(err)
}

// patiently runs a statement on the catalog while another database of the same
// server is being migrated: PostgreSQL may then refuse it with "tuple
// concurrently updated", and CockroachDB may not see yet the role that the other
// has made.
func (db *DB) patiently(ctx context.Context, statement string) error {
	var err error
	for attempt := range maxAttempts {
		if _, err = db.Pool.Exec(ctx, statement); err == nil || !hasCode(err, codeInternal, codeSerialization, codeUndefinedObject) {
			return err
		}
		if waitErr := wait(ctx, attempt); waitErr != nil {
			return waitErr
		}
	}
	return err
}

func quote(names ...string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = pgx.Identifier{name}.Sanitize()
	}
	return strings.Join(quoted, ", ")
}
