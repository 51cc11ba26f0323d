package clearing

import (
	"slices"

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

// Sees tells whether who may see the regions, nil for all, may see what is the
// party's. What is of another province is the home province's own.
func (c *Clearing) Sees(regions []string, party string) bool {
	return regions == nil || slices.Contains(regions, party) ||
		!c.isCity(party) && slices.Contains(regions, c.book.Regions.Home().Code)
}

// parties lists those that are named and may be seen; all where neither says
// anything.
func (c *Clearing) parties(party string, regions []string) (all bool, list []string) {
	if party == "" && regions == nil {
		return true, nil
	}
	for _, r := range c.book.Regions {
		if (party == "" || party == r.Code) && c.Sees(regions, r.Code) {
			list = append(list, r.Code)
		}
	}
	return false, list
}
