package accounts

import (
	"slices"
	"strings"

	"cloud.google.com/go/civil"
)

// PostingRule is one line of the posting table: what one business event
// writes, per fund, into one account.
type PostingRule struct {
	Event string `json:"event"` // such as "settlement.in_province"
	Title string `json:"title"` // the event for people
	Step  int    `json:"step"`  // order of the lines within the event
	// Region plays a part of the event: I insured city, T treating city,
	// P province, H the institution itself where the event is its own.
	Region string `json:"region"`
	Role   Role   `json:"role"`
	Side   Side   `json:"side"`
	Red    bool   `json:"red"` // red letter: the amount is written negative
	// Subject is a code of the chart. "5001/category" stands for the expense
	// account of each part's medical category.
	Subject string `json:"subject"`
	// Counterparty is "" for none, a part of the event (I, T, P, X or
	// provider), or "part": one line for each counterparty among the parts of
	// the amount.
	Counterparty string `json:"counterparty"`
	Amount       string `json:"amount"` // name of the amount in the facts of the event
	// Detail: the line carries the medical category, the account part and the
	// benefit year, one line for each combination.
	Detail bool `json:"detail"`
	Effective
}

// ByCategory tells whether the subject stands for the expense accounts of the
// medical categories, and under which heading they are.
func (r PostingRule) ByCategory() (heading string, ok bool) {
	return strings.CutSuffix(r.Subject, "/category")
}

// PostingTable holds the rules of all events, every version.
type PostingTable struct {
	rows  []PostingRule
	index map[string][]PostingRule
}

// NewPostingTable makes a table of the rows; within an event they keep their order.
func NewPostingTable(rows []PostingRule) PostingTable {
	t := PostingTable{rows: rows, index: map[string][]PostingRule{}}
	for _, r := range rows {
		t.index[r.Event] = append(t.index[r.Event], r)
	}
	return t
}

// Rules returns all rows in the order of the table.
func (t PostingTable) Rules() []PostingRule { return t.rows }

// Event returns the rules of the event that hold on the date, in order. The
// slice is not to be changed.
func (t PostingTable) Event(event string, on civil.Date) []PostingRule {
	all := t.index[event]
	if !slices.ContainsFunc(all, func(r PostingRule) bool { return !r.On(on) }) {
		return all
	}
	var rules []PostingRule
	for _, r := range all {
		if r.On(on) {
			rules = append(rules, r)
		}
	}
	return rules
}
