package accounts

import "cloud.google.com/go/civil"

// Rulebook is everything that accountants may change, as it stands in the
// database: each row with its source and the dates between which it holds.
// It never changes after it was read, and is safe for concurrent use.
type Rulebook struct {
	Profile  string // the name it was set up from, such as "jiangsu"
	Regions  Regions
	Funds    []Fund
	Chart    Chart
	Postings PostingTable
	Policy   Policy
	Calendar Calendar
	Codes    Codes
	Access   Access
	// Statements are the layouts of 资产负债表 and 收支表.
	Statements Statements
	// Version rises with every change of the rules in the database; 0 for a
	// profile. A program whose version is not RulesVersion loads them anew.
	Version int64
}

// Effective is when a row of data holds and where it comes from. From is
// inclusive, To exclusive; a zero To means "until further notice".
type Effective struct {
	From   civil.Date `json:"from"`
	To     civil.Date `json:"to,omitzero"`
	Source string     `json:"source"`
}

// On tells whether the row holds on the date.
func (e Effective) On(d civil.Date) bool {
	return !d.Before(e.From) && (e.To.IsZero() || d.Before(e.To))
}

// RegionKind tells what a region is to this deployment.
type RegionKind string

const (
	City         RegionKind = "city"         // 统筹地区, one of ours
	Province     RegionKind = "province"     // our own provincial level
	Counterparty RegionKind = "counterparty" // another province, which keeps no book here
)

// Region is a 行政区划 with its code of six digits.
type Region struct {
	Code string     `json:"code"`
	Name string     `json:"name"`
	Kind RegionKind `json:"kind"`
}

// Regions are all known regions, by code in ascending order.
type Regions []Region

// Find returns the region of the code.
func (r Regions) Find(code string) (Region, bool) {
	for _, region := range r {
		if region.Code == code {
			return region, true
		}
	}
	return Region{}, false
}

// Of returns the regions of the kind, in order of code.
func (r Regions) Of(kind RegionKind) Regions {
	var of Regions
	for _, region := range r {
		if region.Kind == kind {
			of = append(of, region)
		}
	}
	return of
}

// Home returns our own province.
func (r Regions) Home() Region { return r.Of(Province)[0] }

// Books returns every book, agency and finance of each city and of the
// province, in order.
func (r Regions) Books() []Book {
	var books []Book
	for _, region := range r {
		if region.Kind != Counterparty {
			books = append(books, BookOf(region.Code, Agency), BookOf(region.Code, Finance))
		}
	}
	return books
}

// Fund is a fund (险种), an accounting entity of its own, and the field of a
// settlement that belongs to it. A field "hifp_pay" belongs to the fund of
// the record's insutype.
type Fund struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Field string `json:"field"`
	Effective
}
