package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts/internal/db"
	"fundledger/internal/fault"
)

// shanghai is the time by which days begin, whatever the clock of a server says.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// Today is the day in China by the clock of this machine.
func Today() civil.Date { return civil.DateOf(time.Now().In(shanghai)) }

// RuleChange asks to change the rules. A row whose key and first day are new is
// added; an open row that is given with an end, and otherwise as it stands, ends;
// a row that stands there as given is left alone. The roles of actions come with
// the profile only.
type RuleChange struct {
	Key     string `json:"-"` // of the call, 1 to 200 bytes
	Subject string `json:"-"` // who asks
	Reason  string `json:"reason"`
	// ValidateOnly only says what the change would do, or why it is refused.
	ValidateOnly bool `json:"-"`

	Regions    []Region        `json:"regions,omitempty"`
	Funds      []Fund          `json:"funds,omitempty"`
	Subjects   []Subject       `json:"subjects,omitempty"`
	Postings   []PostingRule   `json:"postings,omitempty"` // new rows stand behind those of their event, new events behind all others
	Policy     []Parameter     `json:"policy,omitempty"`
	Calendar   []CalendarDay   `json:"calendar,omitempty"`
	Codes      []Code          `json:"codes,omitempty"`
	Statements []StatementLine `json:"statements,omitempty"` // new rows stand behind those of their layout
}

// RuleChanged says what a change did.
type RuleChanged struct {
	Changes  []Change `json:"changes"` // one for each kind of rows that was given
	Version  int64    `json:"version"` // of the rules after the change
	Replayed bool     `json:"replayed"`
}

// ApplyRuleChange changes the rules in the database, all rows or none; the same
// key with the same content gives the first answer again. A change holds from
// the next day in China on at the earliest, so that all entries of a day follow
// the same rules whatever server posts them: a row begins, or ends, after today
// by the clock of the database. Days of the calendar may also be entered for a
// year that had none. Regions have no dates and are known at once.
//
// Errors: Invalid for a row that is not whole, that begins or ends too early, or
// that does not fit the others; AlreadyExists for a row that stands there with
// other content, and for the key with other content; Precondition when the rules
// were not set up.
func ApplyRuleChange(ctx context.Context, store Store, change RuleChange) (changed RuleChanged, err error) {
	if err := change.checkForm(); err != nil {
		return RuleChanged{}, err
	}
	content, err := json.Marshal(change)
	if err != nil {
		return RuleChanged{}, err
	}
	digest := sha256.Sum256(content)
	err = store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if known, err := earlierChange(ctx, q, change.Key, digest); err != nil || known != nil {
			if known != nil {
				changed = *known
			}
			return err
		}
		m, profile, err := change.merge(ctx, q)
		if err != nil {
			return err
		}
		changed = RuleChanged{Changes: slices.DeleteFunc(m.changes, func(c Change) bool { return c.Inserted+c.Ended+c.Unchanged == 0 })}
		if change.ValidateOnly {
			changed.Version, err = q.RulesVersion(ctx)
			return err
		}
		at, err := placesBehind(ctx, q)
		if err != nil {
			return err
		}
		w := writer{q, ctx, nil}
		if w.rows(m, profile, at); w.err != nil {
			return w.err
		}
		changed.Version, err = record(ctx, q, change, digest[:], changed.Changes)
		return err
	})
	return changed, err
}

// merge compares the given rows with the stored ones.
func (c *RuleChange) merge(ctx context.Context, q *db.Queries) (m *mergedRows, profile string, err error) {
	if profile, err = storedProfile(ctx, q); err != nil {
		return nil, "", err
	}
	if profile == "" {
		return nil, "", fault.New(fault.Precondition, "the database has no rules yet: run fundledger setup")
	}
	stored, err := readRows(ctx, q)
	if err != nil {
		return nil, "", err
	}
	now, err := q.ReadNow(ctx)
	if err != nil {
		return nil, "", err
	}
	m = mergeRows(stored, &rows{c.Regions, c.Funds, c.Subjects, c.Postings, c.Policy, c.Calendar, c.Codes, nil, c.Statements}, false)
	if err := m.err("the change"); err != nil {
		return nil, "", err
	}
	if err := m.tooEarly(civil.DateOf(now.In(shanghai)), NewCalendar(stored.calendar)); err != nil {
		return nil, "", err
	}
	_, err = m.after().rulebook(profile)
	return m, profile, err
}

// earlierChange returns what the change of the key did, or nil.
func earlierChange(ctx context.Context, q *db.Queries, key string, digest [32]byte) (*RuleChanged, error) {
	rows, err := q.FindRuleChange(ctx, key)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if !slices.Equal(rows[0].Digest, digest[:]) {
		return nil, fault.New(fault.AlreadyExists, "key %q is already used for another change of the rules, version %d", key, rows[0].Version).With("key", key)
	}
	changed := &RuleChanged{Version: rows[0].Version, Replayed: true}
	return changed, json.Unmarshal(rows[0].Changes, &changed.Changes)
}

// record notes a change and gives the rules their next version.
func record(ctx context.Context, q *db.Queries, change RuleChange, digest []byte, changes []Change) (version int64, err error) {
	before, err := q.RulesVersion(ctx)
	if err != nil {
		return 0, err
	}
	content, err := json.Marshal(change)
	if err != nil {
		return 0, err
	}
	did, err := json.Marshal(changes)
	if err != nil {
		return 0, err
	}
	return before + 1, q.InsertRuleChange(ctx, db.InsertRuleChangeParams{
		Version: before + 1, Key: change.Key, Digest: append([]byte{}, digest...), Subject: change.Subject, Reason: change.Reason,
		Rows: content, Changes: did,
	})
}

// placesBehind places a row with those of its event or key, which their steps
// and dates then order; a new event or key behind all others.
func placesBehind(ctx context.Context, q *db.Queries) (places, error) {
	events, err := q.PostingPositions(ctx)
	if err != nil {
		return places{}, err
	}
	keys, err := q.PolicyPositions(ctx)
	if err != nil {
		return places{}, err
	}
	layouts, err := q.StatementPositions(ctx)
	if err != nil {
		return places{}, err
	}
	postings, policy, statements := behind{at: map[string]int64{}}, behind{at: map[string]int64{}}, behind{at: map[string]int64{}}
	for _, l := range layouts {
		statements.add(l.Statement+" "+l.Role+" "+l.Fund, l.Position)
	}
	for _, e := range events {
		postings.add(e.Event, e.Position)
	}
	for _, k := range keys {
		policy.add(k.Key, k.Position)
	}
	return places{
		posting:   func(p PostingRule) int64 { return postings.place(p.Event) },
		parameter: func(p Parameter) int64 { return policy.place(p.Key) },
		statement: func(l StatementLine) int64 {
			return statements.place(string(l.Statement) + " " + string(l.Role) + " " + l.Fund)
		},
	}, nil
}

// behind knows the last places of names.
type behind struct {
	at   map[string]int64
	next int64
}

func (b *behind) add(name string, position int64) {
	b.at[name], b.next = position, max(b.next, position+1)
}

func (b *behind) place(name string) int64 {
	if _, ok := b.at[name]; !ok {
		b.add(name, b.next)
	}
	return b.at[name]
}

// tooEarly refuses what would change the rules of today or of the past.
func (m *mergedRows) tooEarly(today civil.Date, calendar Calendar) error {
	var faults []string
	early(&faults, m.funds, fundKey, func(f Fund) Effective { return f.Effective }, today)
	early(&faults, m.subjects, subjectKey, func(s Subject) Effective { return s.Effective }, today)
	early(&faults, m.postings, postingKey, func(p PostingRule) Effective { return p.Effective }, today)
	early(&faults, m.policy, parameterKey, func(p Parameter) Effective { return p.Effective }, today)
	early(&faults, m.statements, statementKey, func(l StatementLine) Effective { return l.Effective }, today)
	early(&faults, m.codes, codeKey, func(c Code) Effective { return c.Effective }, today)
	for _, d := range m.calendar.insert {
		if calendar.years[d.Date.Year] && !d.Date.After(today) {
			faults = append(faults, fmt.Sprintf("%s: the day is not after today, %s", calendarKey(d), today))
		}
	}
	return changeFault(faults)
}

func early[T any](faults *[]string, m merged[T], key func(T) string, effective func(T) Effective, today civil.Date) {
	for _, row := range m.insert {
		if from := effective(row).From; !from.After(today) {
			*faults = append(*faults, fmt.Sprintf("%s: from %s is not after today, %s", key(row), from, today))
		}
	}
	for _, row := range m.end {
		if to := effective(row).To; !to.After(today) {
			*faults = append(*faults, fmt.Sprintf("%s: to %s is not after today, %s", key(row), to, today))
		}
	}
}

func changeFault(faults []string) error {
	if len(faults) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "the change cannot be made:\n%s", strings.Join(faults, "\n")).With("rows", fmt.Sprint(len(faults)))
}
