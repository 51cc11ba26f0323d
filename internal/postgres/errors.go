package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fundledger/internal/fault"
)

const (
	codeSerialization         = "40001"
	codeUnknownOutcome        = "40003"
	codeDeadlock              = "40P01"
	codeUniqueViolation       = "23505"
	codeInsufficientPrivilege = "42501"
	codeUndefinedColumn       = "42703"
	codeUndefinedDatabase     = "3D000"
	codeUndefinedObject       = "42704"
	codeDuplicateObject       = "42710"
	codeUndefinedTable        = "42P01"
	codeInvalidParameter      = "22023"
	codeInvalidText           = "22021"
	codeInternal              = "XX000"
	codeIdleTooLong           = "25P03" // and the session is over
)

func hasCode(err error, codes ...string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, pg.Code)
}

// contended: the database has undone the transaction and it may run again at
// once. What cockroach-go has retried to its limit is not tried again.
func contended(err error) bool {
	if _, ok := errors.AsType[*crdb.MaxRetriesExceededError](err); ok {
		return false
	}
	return hasCode(err, codeSerialization, codeDeadlock)
}

// collided: an insert has met a key that another transaction has committed. The
// next attempt looks first and sees it. When it does not, it is our defect.
func collided(err error) bool { return hasCode(err, codeUniqueViolation) }

// broken: the connection is lost, cannot be made, or the server is going away.
func broken(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(pg.Code, "08") || slices.Contains([]string{"57P01", "57P02", "57P03", "53300", codeIdleTooLong}, pg.Code)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) && err.Error() == "conn closed"
}

// unknownOutcome: a commit was sent and not answered by a plain yes or no. An
// ERROR is a no; FATAL means that the server ended the session, perhaps after
// it had committed. pgconn.SafeToRetry is no help: for a connection that is
// lost while waiting for the answer it says that nothing was sent.
func unknownOutcome(commit error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](commit); ok {
		unsure := pg.Code == codeUnknownOutcome || strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "XX")
		return unsure || pg.SeverityUnlocalized != "ERROR"
	}
	return !errors.Is(commit, pgx.ErrTxCommitRollback)
}

// asFault names what the database's own errors mean to a caller. Errors of the
// caller's function pass as they are.
func asFault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*commitError](err); ok {
		return fault.New(fault.Unavailable, "the commit was not confirmed, so its outcome is unknown: ask for the state, or send the same keys again: %w", err)
	}
	if hasCode(err, codeSerialization, codeDeadlock) {
		return fault.New(fault.Unavailable, "too much contention on the database, try again: %w", err)
	}
	if broken(err) {
		return fault.New(fault.Unavailable, "the database connection was lost: %w", err)
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return fault.New(fault.Internal, "a statement of the transaction failed and nobody looked, so nothing was committed: %w", err)
	case !ok:
		return err
	case pg.Code == codeUniqueViolation:
		return fault.New(fault.Internal, "the database refuses a second row with the same key (constraint %s of table %s): %w", pg.ConstraintName, pg.TableName, err).
			With("constraint", pg.ConstraintName)
	case pg.Code == codeInvalidText:
		return fault.New(fault.Invalid, "a text has a character that cannot be kept, such as one of the code 0: %w", err)
	case pg.Code == codeUndefinedDatabase: // CockroachDB connects all the same
		return fault.New(fault.Unavailable, "the database cannot be used: %w", err)
	case pg.Code == codeUndefinedTable || pg.Code == codeUndefinedColumn:
		return fault.New(fault.Precondition, "the schema does not fit this program, run fundledger migrate: %w", err)
	case pg.Code == codeInsufficientPrivilege:
		return fault.New(fault.Permission, "the database does not allow this to the role in use: %w", err)
	}
	return err
}
