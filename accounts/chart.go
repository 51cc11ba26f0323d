package accounts

import "cloud.google.com/go/civil"

// Side is the side of an account.
type Side string

const (
	Debit  Side = "D" // 借
	Credit Side = "C" // 贷
)

// Subject (会计科目) is one row of the chart of accounts.
type Subject struct {
	Role     Role   `json:"role"` // whose book it stands in
	Code     string `json:"code"` // "2001.01.03": levels divided by points
	Name     string `json:"name"`
	Layer    Layer  `json:"layer"`
	Normal   Side   `json:"normal"`   // the side that increases it
	Postable bool   `json:"postable"` // false for a heading with sub-accounts
	// Counterparty is what stands in an account's counterparty: "" for none,
	// "region" (ours or another province) or "provider".
	Counterparty string `json:"counterparty"`
	// Floor: the balance on the normal side never goes below zero.
	Floor bool `json:"floor"`
	// Group names a group floor: per book and fund (and per counterparty if
	// GroupByCounterparty) the balances of all subjects of the group together,
	// counted on the credit side, never go below zero.
	Group               string `json:"group,omitempty"`
	GroupByCounterparty bool   `json:"group_by_counterparty,omitempty"`
	Effective
}

// contradiction names what of the row contradicts the rest of it, if anything.
func (s Subject) contradiction() (field, reason string) {
	switch {
	case !s.Postable && (s.Floor || s.Group != "" || s.Counterparty != ""):
		return "postable", "a heading takes no postings, so it has no counterparty, floor or group"
	case s.GroupByCounterparty && (s.Group == "" || s.Counterparty == ""):
		return "group_by_counterparty", "needs a group and a counterparty"
	}
	return "", ""
}

// Chart is the chart of accounts, every version of every row.
type Chart struct {
	rows  []Subject
	index map[Role]map[string][]Subject
}

// NewChart makes a chart of the rows.
func NewChart(rows []Subject) Chart {
	c := Chart{rows: rows, index: map[Role]map[string][]Subject{Agency: {}, Finance: {}}}
	for _, s := range rows {
		if c.index[s.Role] == nil {
			c.index[s.Role] = map[string][]Subject{}
		}
		c.index[s.Role][s.Code] = append(c.index[s.Role][s.Code], s)
	}
	return c
}

// Subjects returns all rows, in the order of the chart.
func (c Chart) Subjects() []Subject { return c.rows }

// during returns the rows of the code that hold between the dates, in order, and
// the first day that none of them covers, if there is one.
func (c Chart) during(role Role, code string, e Effective) (rows []Subject, gap civil.Date, gaps bool) {
	for d := e.From; ; {
		s, ok := c.Find(role, code, d)
		if !ok {
			return rows, d, true
		}
		rows = append(rows, s)
		if s.To.IsZero() || !e.To.IsZero() && !s.To.Before(e.To) {
			return rows, civil.Date{}, false
		}
		d = s.To
	}
}

// Find returns the row of the code that holds on the date in books of the role.
func (c Chart) Find(role Role, code string, on civil.Date) (Subject, bool) {
	for _, s := range c.index[role][code] {
		if s.On(on) {
			return s, true
		}
	}
	return Subject{}, false
}
