package postgres

import (
	"errors"
	"io"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	codeSerialization         = "40001"
	codeDeadlock              = "40P01"
	codeUnknownOutcome        = "40003"
	codeUniqueViolation       = "23505"
	codeUndefinedObject       = "42704"
	codeInvalidParameter      = "22023"
	codeUndefinedTable        = "42P01"
	codeDuplicateObject       = "42710"
	codeInsufficientPrivilege = "42501"
	codeInternal              = "XX000"
)

func hasCode(err error, codes ...string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, pg.Code)
}

// retryable: the transaction did nothing and may run again at once. A unique
// violation counts, because every insert that can collide is preceded in the
// same transaction by a look at its key: another transaction has committed the
// same key in between, and the next attempt sees it.
func retryable(err error) bool {
	return hasCode(err, codeSerialization, codeDeadlock, codeUniqueViolation)
}

// broken: the connection is lost or the server is going away.
func broken(err error) bool {
	var connect *pgconn.ConnectError
	return hasCode(err, "57P01", "57P02", "57P03", "08000", "08003", "08006") ||
		errors.As(err, &connect) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
