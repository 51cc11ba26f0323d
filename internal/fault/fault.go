// Package fault is the one error type that crosses package borders: a kind
// from a closed list, a message for people and details for programs.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of thing went wrong. The list is closed.
type Kind string

const (
	Invalid         Kind = "invalid"            // the request or a row of a file breaks a rule of form
	NotFound        Kind = "not_found"          // the thing named does not exist
	AlreadyExists   Kind = "already_exists"     // the same key with other content
	Precondition    Kind = "precondition"       // a step that must come first is missing
	Insufficient    Kind = "insufficient_funds" // a floor would be crossed or more paid than owed
	PeriodClosed    Kind = "period_closed"      // the accounting period takes no postings
	Exhausted       Kind = "exhausted"          // a queue or limit is full, try again later
	Unauthenticated Kind = "unauthenticated"
	Permission      Kind = "permission"
	Unavailable     Kind = "unavailable" // the database cannot be reached, or the outcome of a commit is unknown
	Internal        Kind = "internal"    // a defect of ours, or an invariant found broken
)

// Detail is one structured fact of an error: field, row, account, shortfall.
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Error is a Kind with a message that says what to do, and details.
type Error struct {
	Kind    Kind     `json:"kind"`
	Message string   `json:"message"`
	Details []Detail `json:"details,omitempty"`
	cause   error
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the error that caused this one, if any.
func (e *Error) Unwrap() error { return e.cause }

// With adds a detail and returns the error.
func (e *Error) With(name, value string) *Error {
	e.Details = append(e.Details, Detail{Name: name, Value: value})
	return e
}

// Detail returns the value of the named detail, or "".
func (e *Error) Detail(name string) string {
	for _, d := range e.Details {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

// New makes an error of the kind; a %w operand becomes its cause.
func New(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), cause: errors.Unwrap(err)}
}

// KindOf returns the kind of err; what is no Error is Internal, nil is "".
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
