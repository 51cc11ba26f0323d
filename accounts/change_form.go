package accounts

import (
	"fmt"
	"slices"

	"fundledger/internal/fault"
)

const maxKey = 200 // bytes of an idempotency key

// checkForm refuses a change that is not whole: rows with missing texts, with
// values that do not exist or with an end before their beginning.
func (c *RuleChange) checkForm() error {
	if c.Key == "" || len(c.Key) > maxKey {
		return fault.New(fault.Invalid, "the key of a change has 1 to %d bytes, not %d", maxKey, len(c.Key)).With("field", "idempotency_key")
	}
	if c.Reason == "" || c.Subject == "" {
		return fault.New(fault.Invalid, "a change of the rules needs a reason and somebody who makes it").With("field", "reason")
	}
	if len(c.Regions)+len(c.Funds)+len(c.Subjects)+len(c.Postings)+len(c.Policy)+len(c.Calendar)+len(c.Codes)+len(c.Statements) == 0 {
		return fault.New(fault.Invalid, "a change of the rules has at least one row")
	}
	var f rowForm
	for _, r := range c.Regions {
		f.row(regionKey(r)).text("name", r.Name).in("kind", r.Kind, City, Province, Counterparty)
		f.that(len(r.Code) == 6 && isDigits(r.Code), "code", "is not a 行政区划 code of six digits")
	}
	for _, x := range c.Funds {
		f.row(fundKey(x)).text("code", x.Code).text("name", x.Name).text("field", x.Field).effective(x.Effective)
	}
	for _, s := range c.Subjects {
		f.row(subjectKey(s)).text("code", s.Code).text("name", s.Name).in("role", s.Role, Agency, Finance).in("layer", s.Layer, Cash, Obligation).
			in("normal", s.Normal, Debit, Credit).in("counterparty", s.Counterparty, "", "region", "provider").effective(s.Effective)
		field, reason := s.contradiction()
		f.that(reason == "", field, reason)
	}
	for _, p := range c.Postings {
		f.row(postingKey(p)).text("event", p.Event).text("title", p.Title).in("region", p.Region, "I", "T", "P", "H").in("role", p.Role, Agency, Finance).
			in("side", p.Side, Debit, Credit).text("subject", p.Subject).in("counterparty", p.Counterparty, "", "I", "T", "P", "X", "provider", "part").
			text("amount", p.Amount).effective(p.Effective)
		f.that(p.Step >= 0, "step", "is negative")
	}
	for _, p := range c.Policy {
		f.row(parameterKey(p)).text("key", p.Key).text("value", p.Value).text("unit", p.Unit).text("title", p.Title).effective(p.Effective)
	}
	for _, d := range c.Calendar {
		f.row(calendarKey(d)).in("kind", d.Kind, Holiday, Workday).text("name", d.Name).text("source", d.Source)
		f.that(d.Date.IsValid(), "date", "is not a date")
	}
	for _, x := range c.Codes {
		f.row(codeKey(x)).in("list", x.List, InsuranceType, ClearingType, MedicalType, SettlementPart, SourceMark).
			text("code", x.Code).text("name", x.Name).effective(x.Effective)
	}
	sections := make([]any, 0, len(Sections()))
	for _, s := range Sections() {
		sections = append(sections, s)
	}
	for _, l := range c.Statements {
		f.row(statementKey(l)).in("statement", l.Statement, BalanceSheet, IncomeStatement).in("role", l.Role, Agency, Finance).
			text("line", l.Line).text("title", l.Title).in("section", l.Section, sections...).effective(l.Effective)
	}
	return changeFault(f.faults)
}

// rowForm collects what is wrong with the form of rows.
type rowForm struct {
	faults []string
	key    string
}

func (f *rowForm) row(key string) *rowForm {
	f.key = key
	return f
}

func (f *rowForm) that(ok bool, field, reason string) *rowForm {
	if !ok {
		f.faults = append(f.faults, fmt.Sprintf("%s: %s: %s", f.key, field, reason))
	}
	return f
}

func (f *rowForm) text(field, value string) *rowForm { return f.that(value != "", field, "is missing") }

// in takes a text type and the values that exist.
func (f *rowForm) in(field string, value any, allowed ...any) *rowForm {
	return f.that(slices.ContainsFunc(allowed, func(a any) bool { return fmt.Sprint(a) == fmt.Sprint(value) }), field, fmt.Sprintf("%q is none of %q", value, allowed))
}

func (f *rowForm) effective(e Effective) *rowForm {
	f.text("source", e.Source).that(e.From.IsValid(), "from", "is not a date")
	return f.that(e.To.IsZero() || e.To.IsValid() && e.To.After(e.From), "to", fmt.Sprintf("%s is not after %s", e.To, e.From))
}
