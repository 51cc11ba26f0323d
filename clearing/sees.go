package clearing

import "slices"

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
