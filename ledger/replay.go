package ledger

import (
	"fmt"

	"fundledger/internal/fault"
)

// differs is the error of a key used again with other content: it names the
// first field that differs.
func differs(stored, given *Entry) *fault.Error {
	field, before, now := difference(stored, given)
	return fault.New(fault.AlreadyExists, "key %q already stands in the journal with other content: %s is %s there, %s here", given.Key, field, before, now).
		With("key", given.Key).With("field", field).With("stored", before).With("given", now)
}

func difference(a, b *Entry) (field, before, now string) {
	texts := []struct {
		name string
		a, b any
	}{
		{"date", a.Date, b.Date}, {"period", a.Period, b.Period}, {"kind", a.Kind, b.Kind},
		{"summary", a.Summary, b.Summary}, {"source", a.Source, b.Source},
		{"attachments", a.Attachments, b.Attachments}, {"preparer", a.Preparer, b.Preparer},
		{"reviewer", a.Reviewer, b.Reviewer}, {"corrects", a.Corrects, b.Corrects},
		{"number of postings", len(a.Postings), len(b.Postings)},
	}
	for _, t := range texts {
		if t.a != t.b {
			return t.name, fmt.Sprintf("%q", fmt.Sprint(t.a)), fmt.Sprintf("%q", fmt.Sprint(t.b))
		}
	}
	for i := range a.Postings {
		if a.Postings[i] != b.Postings[i] {
			return fmt.Sprintf("posting %d", i+1), a.Postings[i].describe(), b.Postings[i].describe()
		}
	}
	return "content", "different", "different"
}

func (p Posting) describe() string {
	s := fmt.Sprintf("%s %s %s", p.Side, p.Account, p.Amount)
	if p.Dimensions != (Dimensions{}) {
		s += fmt.Sprintf(" %+v", p.Dimensions)
	}
	return s
}
