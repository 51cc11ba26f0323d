package accounts

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts/internal/db"
	"fundledger/internal/fault"
)

// Change counts what Setup or ApplyRuleChange did to one kind of rows.
type Change struct {
	Rows      string `json:"rows"` // regions, funds, chart, postings, policy, calendar, codes, access, statements
	Inserted  int    `json:"inserted"`
	Ended     int    `json:"ended"` // open rows that got the end of their time
	Unchanged int    `json:"unchanged"`
}

// Setup writes the rules of the profile into the database; run again it
// changes nothing. A newer version of a profile may bring new rows and may end
// rows that were open; what ApplyRuleChange has added or ended since stays as it
// is. Everything else would rewrite rules that entries have
// been posted by: a row whose content differs is an AlreadyExists error that
// names it, and nothing is written. Other errors: NotFound and Invalid as of
// Profile, Precondition when the database was set up from another profile,
// Invalid when two versions of a row would hold on the same day.
func Setup(ctx context.Context, store Store, profile string) ([]Change, error) {
	book, err := Profile(profile)
	if err != nil {
		return nil, err
	}
	return setup(ctx, store, book)
}

func setup(ctx context.Context, store Store, book *Rulebook) (changes []Change, err error) {
	err = store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		before, err := storedProfile(ctx, q)
		if err != nil {
			return err
		}
		if before != "" && before != book.Profile {
			return fault.New(fault.Precondition, "this database was set up from the profile %s, not %s: give the other one a database of its own", before, book.Profile)
		}
		stored, err := readRows(ctx, q)
		if err != nil {
			return err
		}
		m := mergeRows(stored, book.rows(), true)
		if err := m.err("the profile " + book.Profile); err != nil {
			return err
		}
		if _, err := m.after().rulebook(book.Profile); err != nil {
			return err
		}
		changes = m.changes
		w := writer{q, ctx, nil}
		w.rows(m, book.Profile, places{placeIn(book.Postings.rows), placeIn(book.Policy), placeIn(book.Access), placeIn(book.Statements)})
		if w.err != nil || !m.changesAny() {
			return w.err
		}
		_, err = record(ctx, q, RuleChange{Subject: "setup", Reason: "the profile " + book.Profile}, nil, changes)
		return err
	})
	return changes, err
}

// rows are the data of the rulebook as lists.
func (b *Rulebook) rows() *rows {
	return &rows{b.Regions, b.Funds, b.Chart.rows, b.Postings.rows, b.Policy, b.Calendar.rows, b.Codes, b.Access, b.Statements}
}

// mergedRows is what becomes of all rows.
type mergedRows struct {
	difference
	regions    merged[Region]
	funds      merged[Fund]
	subjects   merged[Subject]
	postings   merged[PostingRule]
	policy     merged[Parameter]
	calendar   merged[CalendarDay]
	codes      merged[Code]
	access     merged[AccessRule]
	statements merged[StatementLine]
}

// mergeRows compares all rows. With keepEnds a row that has an end only in the
// database counts as unchanged.
func mergeRows(stored, wanted *rows, keepEnds bool) *mergedRows {
	m := &mergedRows{difference: difference{keepEnds: keepEnds}}
	d := &m.difference
	m.regions = merge(d, "regions", stored.regions, wanted.regions, regionKey, nil)
	m.funds = merge(d, "funds", stored.funds, wanted.funds, fundKey, func(f *Fund) *Effective { return &f.Effective })
	m.subjects = merge(d, "chart", stored.subjects, wanted.subjects, subjectKey, func(s *Subject) *Effective { return &s.Effective })
	m.postings = merge(d, "postings", stored.postings, wanted.postings, postingKey, func(p *PostingRule) *Effective { return &p.Effective })
	m.policy = merge(d, "policy", stored.policy, wanted.policy, parameterKey, func(p *Parameter) *Effective { return &p.Effective })
	m.calendar = merge(d, "calendar", stored.calendar, wanted.calendar, calendarKey, nil)
	m.codes = merge(d, "codes", stored.codes, wanted.codes, codeKey, func(c *Code) *Effective { return &c.Effective })
	m.access = merge(d, "access", stored.access, wanted.access, accessKey, func(a *AccessRule) *Effective { return &a.Effective })
	m.statements = merge(d, "statements", stored.statements, wanted.statements, statementKey, func(l *StatementLine) *Effective { return &l.Effective })
	return m
}

// after are all rows as they then stand.
func (m *mergedRows) after() *rows {
	return &rows{
		m.regions.after, m.funds.after, m.subjects.after, m.postings.after,
		m.policy.after, m.calendar.after, m.codes.after, m.access.after, m.statements.after,
	}
}

// difference collects what the profile changes, and what it may not change.
type difference struct {
	keepEnds  bool
	changes   []Change
	conflicts []string
}

func (d *difference) changesAny() bool {
	return slices.ContainsFunc(d.changes, func(c Change) bool { return c.Inserted+c.Ended > 0 })
}

// err names the rows that who, such as "the profile jiangsu", may not change.
func (d *difference) err(who string) error {
	if len(d.conflicts) == 0 {
		return nil
	}
	return fault.New(fault.AlreadyExists, "%s changes rows that stand in the database; give the old row an end and add a new one:\n%s", who, strings.Join(d.conflicts, "\n")).
		With("rows", fmt.Sprint(len(d.conflicts)))
}

// merged is what becomes of one kind of rows.
type merged[T any] struct {
	insert, end, after []T
}

// merge compares rows by natural key and the day they hold from. Rows that
// only the database has stay.
func merge[T comparable](d *difference, name string, stored, wanted []T, key func(T) string, effective func(*T) *Effective) merged[T] {
	fullKey := func(row T) string {
		if effective == nil {
			return key(row)
		}
		return key(row) + " from " + effective(&row).From.String()
	}
	var m merged[T]
	m.after = append(m.after, stored...)
	place := map[string]int{}
	for i, row := range stored {
		place[fullKey(row)] = i
	}
	change := Change{Rows: name}
	for _, row := range wanted {
		i, known := place[fullKey(row)]
		switch {
		case !known:
			m.insert = append(m.insert, row)
			m.after = append(m.after, row)
			change.Inserted++
		case stored[i] == row, d.keepEnds && effective != nil && endsOnly(row, stored[i], effective):
			change.Unchanged++
		case effective != nil && endsOnly(stored[i], row, effective):
			m.end = append(m.end, row)
			m.after[i] = row
			change.Ended++
		default:
			d.conflicts = append(d.conflicts, fullKey(row)+": "+differingFields(stored[i], row))
		}
	}
	d.changes = append(d.changes, change)
	return m
}

// endsOnly: an open row gets the end of its time and is otherwise the same.
func endsOnly[T comparable](stored, wanted T, effective func(*T) *Effective) bool {
	if !effective(&stored).To.IsZero() {
		return false
	}
	effective(&stored).To = effective(&wanted).To
	return stored == wanted
}

// differingFields writes each field that differs as "value 20, now 25".
func differingFields[T any](stored, wanted T) string {
	var list []string
	a, b := reflect.ValueOf(stored), reflect.ValueOf(wanted)
	for _, field := range reflect.VisibleFields(a.Type()) {
		x, y := a.FieldByIndex(field.Index), b.FieldByIndex(field.Index)
		if !field.Anonymous && !x.Equal(y) {
			list = append(list, fmt.Sprintf("%s %v, now %v", strings.ToLower(field.Name), x, y))
		}
	}
	return strings.Join(list, "; ")
}
