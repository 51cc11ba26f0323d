package accounts

import (
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/internal/fault"
)

// check tells whether the rows of the rulebook fit each other: no two versions
// of a row hold on one day, exactly one province is ours, and what a row names
// exists while the row holds. All that does not fit is listed in one Invalid
// error.
func (b *Rulebook) check() error {
	var faults []string
	fail := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if n := len(b.Regions.Of(Province)); n != 1 {
		fail("regions: %d rows of kind province, there must be one", n)
	}
	overlaps(b.Regions, regionKey, nil, fail)
	overlaps(b.Funds, fundKey, func(f Fund) Effective { return f.Effective }, fail)
	overlaps(b.Chart.rows, subjectKey, func(s Subject) Effective { return s.Effective }, fail)
	overlaps(b.Postings.rows, postingKey, func(p PostingRule) Effective { return p.Effective }, fail)
	overlaps(b.Policy, parameterKey, func(p Parameter) Effective { return p.Effective }, fail)
	overlaps(b.Calendar.rows, calendarKey, nil, fail)
	overlaps(b.Codes, codeKey, func(c Code) Effective { return c.Effective }, fail)
	overlaps(b.Access, accessKey, func(a AccessRule) Effective { return a.Effective }, fail)
	overlaps(b.Statements, statementKey, func(l StatementLine) Effective { return l.Effective }, fail)
	b.checkAccess(fail)
	b.checkStatements(fail)
	b.checkPostings(fail)
	b.checkCodes(fail)
	for _, s := range b.Chart.rows {
		if heading, _, found := cutLast(s.Code, "."); found {
			if _, day, gaps := b.Chart.during(s.Role, heading, s.Effective); gaps {
				fail("chart, %s %s: there is no heading %s on %s", s.Role, s.Code, heading, day)
			}
		}
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, "the rules do not fit each other:\n%s", strings.Join(faults, "\n"))
	}
	return nil
}

// Natural keys of the rows, without the date they hold from.
func regionKey(r Region) string       { return "regions, " + r.Code }
func fundKey(f Fund) string           { return "funds, " + f.Code }
func subjectKey(s Subject) string     { return fmt.Sprintf("chart, %s %s", s.Role, s.Code) }
func postingKey(p PostingRule) string { return fmt.Sprintf("postings, %s step %d", p.Event, p.Step) }
func parameterKey(p Parameter) string { return "policy, " + p.Key }
func calendarKey(d CalendarDay) string {
	return "calendar, " + d.Date.String()
}
func statementKey(l StatementLine) string {
	return fmt.Sprintf("statements, %s %s %s line %s", l.Statement, l.Role, l.Fund, l.Line)
}
func accessKey(a AccessRule) string { return "access, " + a.Action }
func codeKey(c Code) string         { return fmt.Sprintf("codes, %s %s", c.List, c.Code) }

// overlaps finds two rows of one key that hold on the same day; rows without
// dates hold always.
func overlaps[T any](rows []T, key func(T) string, effective func(T) Effective, fail func(string, ...any)) {
	seen := map[string][]Effective{}
	for _, row := range rows {
		var e Effective
		if effective != nil {
			e = effective(row)
		}
		for _, other := range seen[key(row)] {
			if (other.To.IsZero() || e.From.Before(other.To)) && (e.To.IsZero() || other.From.Before(e.To)) {
				fail("%s: two rows hold from %s on", key(row), later(e.From, other.From))
			}
		}
		seen[key(row)] = append(seen[key(row)], e)
	}
}

func later(a, b civil.Date) civil.Date {
	if a.Before(b) {
		return b
	}
	return a
}

func (b *Rulebook) checkPostings(fail func(string, ...any)) {
	for _, p := range b.Postings.rows {
		code := p.Subject
		heading, byCategory := p.ByCategory()
		if byCategory {
			code = heading
		}
		versions, day, gaps := b.Chart.during(p.Role, code, p.Effective)
		if gaps {
			fail("%s: the chart of %s books has no %s on %s", postingKey(p), p.Role, code, day)
		}
		for _, s := range versions {
			switch {
			case byCategory:
				if s.Postable {
					fail("%s: %s is no heading", postingKey(p), code)
				}
			case !s.Postable:
				fail("%s: %s %s is a heading", postingKey(p), code, s.Name)
			case (s.Counterparty == "") != (p.Counterparty == ""):
				fail("%s: the counterparty of %s %s is %q in the chart and %q here", postingKey(p), code, s.Name, s.Counterparty, p.Counterparty)
			}
		}
	}
}

func (b *Rulebook) checkCodes(fail func(string, ...any)) {
	for _, c := range b.Codes {
		if needed := c.List == MedicalType || c.List == SettlementPart; needed != (c.Expense != "") {
			fail("%s: expense is %q", codeKey(c), c.Expense)
		}
		if c.Expense != "" {
			versions, _, gaps := b.Chart.during(Agency, c.Expense, c.Effective)
			if gaps || slices.ContainsFunc(versions, func(s Subject) bool { return !s.Postable }) {
				fail("%s: expense %s is no account that takes postings", codeKey(c), c.Expense)
			}
		}
		if c.List == InsuranceType && !slices.ContainsFunc(b.Funds, func(f Fund) bool { return f.Code == c.Code }) {
			fail("%s: there is no fund of this code", codeKey(c))
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
