package year

import (
	"encoding/json"
	"fmt"

	"fundledger/accounts"
	"fundledger/clearing/prepayment"
)

// Column is a figure of the year table, summed over all funds. What happened in
// a month is counted by the date of its entries.
type Column int

const (
	Settled    Column = iota // accepted settlements
	Refunded                 // refunds among them, negative as all that is taken back
	Deducted                 // before the provider was paid
	Offset                   // clawbacks that lower the next run
	Withdrawn                // by all sides
	Cleared                  // notices of the month
	PaidIn                   // to the province, by cities and other provinces
	PaidOut                  // by the province
	Used                     // of the pool and of prepayments of other provinces, before the money came
	Refilled                 // by the money that came later
	Prepaid                  // by cities and other provinces, less what was returned
	ToppedUp                 // forwarded to other provinces by top-up
	Providers                // paid
	Recovered                // by clawbacks: from providers and other provinces
	Home                     // of it, back at the insured region
	Reimbursed               // to patients
	Interest                 //
	PoolHeld                 // at the end of the month: of cities, in the province
	AtOthers                 // of ours, at other provinces
	OfOthers                 // of other provinces, here
	columns
)

// balances are columns that are not turnover of the month.
const balances = PoolHeld

// keys name the columns for programs.
var keys = [columns]string{"settled", "refunded", "deducted", "offset", "withdrawn", "cleared", "paid_in", "paid_out", "used", "refilled", "prepaid", "topped_up",
	"providers", "recovered", "home", "reimbursed", "interest", "pool_held", "at_others", "of_others"}

var titles = [columns]string{"Settled 结算", "Refunded 退费", "Deducted 扣款", "Offset 追回抵扣", "Withdrawn 冲正", "Cleared 清分", "Paid in 上解", "Paid out 拨付",
	"Used 占用", "Refilled 补足", "Prepaid 预付", "Topped up 调增", "Providers 机构拨付", "Recovered 追回", "Home 返还", "Reimbursed 零报", "Interest 利息",
	"Pool 省内预付", "At others 存外省", "Of others 外省存"}

func (c Column) String() string { return titles[c] }

// Figures are the figures of a month.
type Figures [columns]accounts.Fen

// MarshalJSON writes the figures by name.
func (f Figures) MarshalJSON() ([]byte, error) {
	named := make(map[string]accounts.Fen, columns)
	for c, amount := range f {
		named[keys[c]] = amount
	}
	return json.Marshal(named)
}

// Row is a month of the year.
type Row struct {
	Month   accounts.Month `json:"month,omitempty"`
	Figures Figures        `json:"figures"`
}

// Table is what the year came to.
type Table struct {
	// Journal is computed from the lines of the journal, Reports is what the
	// reports of the domain say of the same months. They are equal.
	Journal, Reports []Row
	Plans            []*prepayment.Plan
	Late             []string // notices that were paid after their term
	// Waited counts payments that had to wait for money, Approved and Declined
	// top-ups.
	Waited, Approved, Declined int
	Entries                    int64
}

// Total is a row without month: the turnover of all months, and the balances of
// the last one.
func (t *Table) Total() (total Row) {
	for _, row := range t.Journal {
		for c, amount := range row.Figures {
			if total.Figures[c] += amount; Column(c) >= balances {
				total.Figures[c] = amount
			}
		}
	}
	return total
}

// Untied lists every figure in which journal and reports differ.
func (t *Table) Untied() (list []string) {
	for i, row := range t.Journal {
		for c, amount := range row.Figures {
			if reported := t.Reports[i].Figures[c]; reported != amount {
				list = append(list, fmt.Sprintf("%s, %s: the journal has %s, the reports say %s", row.Month, Column(c), amount, reported))
			}
		}
	}
	return list
}
