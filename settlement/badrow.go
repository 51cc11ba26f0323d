package settlement

import "fmt"

// The kinds of a rejected row. A record with a rejected row on any side is an
// exception of that kind.
const (
	ComponentsDoNotSum = "components_do_not_sum" // a total is not the sum of its components
	InvalidRow         = "invalid_row"           // not UTF-8, too long, or too many or few columns
	MissingField       = "missing_field"
	InvalidField       = "invalid_field" // wrong form, or fields that do not go together
	InvalidAmount      = "invalid_amount"
	InvalidDate        = "invalid_date"
	UnknownCode        = "unknown_code"
	UnknownRegion      = "unknown_region"
	NotOurs            = "not_ours"      // neither region is one of ours, or both are the same
	PersonalData       = "personal_data" // a name or an identity number where the hash belongs
)

// BadRow is a row that is not its side's record, and why. Line counts from 1,
// the header.
type BadRow struct {
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Field  string `json:"field,omitempty"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

// String writes file:line:field:reason.
func (b BadRow) String() string {
	return fmt.Sprintf("%s:%d:%s:%s", b.File, b.Line, b.Field, b.Reason)
}

// fieldError is what is wrong with one field of a row.
type fieldError struct {
	field        string
	kind, reason string
}

func bad(field int, kind, format string, args ...any) *fieldError {
	return &fieldError{field: fieldNames[field], kind: kind, reason: fmt.Sprintf(format, args...)}
}

// quoted shows a value in a reason, unless it may name a person.
func quoted(value string) string {
	if looksPersonal(value) {
		return "a value that is not shown"
	}
	if len(value) > 40 {
		value = value[:40] + "…"
	}
	return fmt.Sprintf("%q", value)
}
