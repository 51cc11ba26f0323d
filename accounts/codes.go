package accounts

import "cloud.google.com/go/civil"

// CodeList names a list of the national platform's codes.
type CodeList string

const (
	InsuranceType CodeList = "insutype"
	ClearingType  CodeList = "clr_type"
	MedicalType   CodeList = "med_type"
	// SettlementPart lists the parts of a fund that have an expense account of
	// their own whatever the category: "account" for 个人账户.
	SettlementPart CodeList = "part"
	// SourceMark explains the marks that stand in the sources of rows.
	SourceMark CodeList = "source"
)

// Code is one entry of a code list. Expense is, for a medical type, the
// expense account (5001.xx) that its benefit is booked to.
type Code struct {
	List    CodeList `json:"list"`
	Code    string   `json:"code"`
	Name    string   `json:"name"`
	Expense string   `json:"expense,omitempty"`
	Effective
}

// Codes are all code lists.
type Codes []Code

// Find returns the code of the list that holds on the date.
func (c Codes) Find(list CodeList, code string, on civil.Date) (Code, bool) {
	for _, row := range c {
		if row.List == list && row.Code == code && row.On(on) {
			return row, true
		}
	}
	return Code{}, false
}
