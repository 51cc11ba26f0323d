// Package paging is what all lists that come in pages have in common: how large
// a page is, and what is said of a token that a list has not given out.
package paging

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"fundledger/internal/fault"
)

// Default is the size of a page that asks for none, Largest that of any.
const (
	Default = 100
	Largest = 1000
)

// Size is how many a page may hold when so many were asked, 0 for the default.
// Invalid when it is out of range.
func Size(asked int, what string) (int, error) {
	switch {
	case asked == 0:
		return Default, nil
	case asked < 0 || asked > Largest:
		return 0, fault.New(fault.Invalid, "a page has 1 to %d %s, %d were asked", Largest, what, asked).With("field", "page_size")
	}
	return asked, nil
}

// BadToken is the error of a page token that the list has not given out.
func BadToken(token, list string) error {
	return fault.New(fault.Invalid, "page token %q was not given out by %s", token, list).With("field", "page_token")
}

// Place is where a page ends of a list that is ordered by time, the newest first,
// and then by id. The zero one is the begin of the list.
type Place struct {
	At time.Time // to the microsecond
	ID uuid.UUID
}

// Token names the place.
func (p Place) Token() string { return strconv.FormatInt(p.At.UnixMicro(), 10) + "." + p.ID.String() }

// ParsePlace reads a token of the list; an empty one is its begin.
func ParsePlace(token, list string) (Place, error) {
	if token == "" {
		return Place{}, nil
	}
	at, name, _ := strings.Cut(token, ".")
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return Place{}, BadToken(token, list)
	}
	id, err := uuid.Parse(name)
	if err != nil {
		return Place{}, BadToken(token, list)
	}
	return Place{time.UnixMicro(n), id}, nil
}
