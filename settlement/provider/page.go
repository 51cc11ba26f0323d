package provider

import (
	"fundledger/internal/fault"
)

const (
	defaultPage = 100
	largestPage = 1000
)

// pageSize is how many a page may hold when so many were asked, 0 for the
// default. Invalid when it is out of range.
func pageSize(asked int, what string) (int, error) {
	switch {
	case asked == 0:
		return defaultPage, nil
	case asked < 0 || asked > largestPage:
		return 0, fault.New(fault.Invalid, "a page has 1 to %d %s, %d were asked", largestPage, what, asked).With("field", "page_size")
	}
	return asked, nil
}

// badToken is the error of a page token that the list has not given out.
func badToken(token, list string) error {
	return fault.New(fault.Invalid, "page token %q was not given out by %s", token, list).With("field", "page_token")
}
