package settlement

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/settlement/internal/db"
)

// Status of a side's record.
const (
	statusValid       = "valid"
	statusConflicting = "conflicting" // the file has two contents for it
	statusRejected    = "rejected"    // the file has a bad row for it
	statusWithdrawn   = "withdrawn"   // the side has withdrawn it before it was posted
)

// standing is what stands of a side's record while rows that meet it are applied.
type standing struct {
	status, month string
	file          uuid.UUID
	line          int64
	digest        []byte
	record        *record // nil if rejected, or the content was not needed
	posted        bool

	replacement *row // the row that stands in its place now
	marked      bool // conflicting from now on
	taken       bool // the later file says the same: the record is that file's now
}

// collision applies rows to the records that they meet.
type collision struct {
	*loader
	tx     pgx.Tx
	q      *db.Queries
	stands map[string]*standing
	files  map[uuid.UUID]db.LoadOrdersRow
	aside  asides
}

// collide decides what becomes of rows whose settlement the side has spoken of
// already. Within a file a bad row beats a conflict and a conflict beats a
// valid record; between files the one begun later has the last word, unless
// the settlement is posted.
func (l *loader) collide(ctx context.Context, met []*row) error {
	l.s.collisions.Lock()
	defer l.s.collisions.Unlock()
	var replaced int
	err := l.s.store.InTx(ctx, func(tx pgx.Tx) error {
		c := collision{loader: l, tx: tx, q: db.New(tx), stands: map[string]*standing{}}
		if err := c.read(ctx, tx, met); err != nil {
			return err
		}
		for _, r := range met {
			c.apply(r)
		}
		var err error
		replaced, err = c.write(ctx)
		return err
	})
	l.replaced.Add(int64(replaced))
	return err
}

// read locks the records, and reads the content of those that a row differs from.
func (c *collision) read(ctx context.Context, tx pgx.Tx, met []*row) error {
	ids := make([]string, 0, len(met))
	for _, r := range met {
		if n := len(ids); n == 0 || ids[n-1] != r.id {
			ids = append(ids, r.id)
		}
	}
	rows, err := c.q.LockRecords(ctx, db.LockRecordsParams{Side: string(c.side), SetlIds: ids})
	if err != nil {
		return err
	}
	fileIDs := []uuid.UUID{}
	for _, r := range rows {
		c.stands[r.SetlID] = &standing{status: r.Status, month: r.ServiceMonth, file: r.FileID, line: r.Line, digest: r.Digest}
		if !slices.Contains(fileIDs, r.FileID) {
			fileIDs = append(fileIDs, r.FileID)
		}
	}
	files, err := c.q.LoadOrders(ctx, fileIDs)
	if err != nil {
		return err
	}
	c.files = map[uuid.UUID]db.LoadOrdersRow{}
	for _, f := range files {
		c.files[f.ID] = f
	}
	differ := []string{}
	for _, r := range met {
		if s := c.stands[r.id]; s != nil && !bytes.Equal(s.digest, r.digest) {
			differ = append(differ, r.id)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	posted, err := c.s.posted(ctx, tx, c.q, differ)
	if err != nil {
		return err
	}
	for id := range posted {
		c.stands[id].posted = true
	}
	contents, err := c.q.ReadContent(ctx, db.ReadContentParams{SetlIds: differ, Sides: []string{string(c.side)}})
	if err != nil {
		return err
	}
	for i := range contents {
		c.stands[contents[i].SetlID].record = recordOf(&contents[i])
	}
	return nil
}

func (c *collision) apply(r *row) {
	s := c.stands[r.id]
	if s == nil {
		c.stands[r.id] = &standing{replacement: r, status: statusOf(r), month: string(r.month), file: c.id, line: r.line, digest: r.digest, record: r.record}
		return
	}
	same := bytes.Equal(s.digest, r.digest)
	switch {
	case s.file == c.id && s.line == r.line: // the row itself, from an earlier attempt
	case s.file == c.id:
		c.applyWithin(s, r, same)
	case c.files[s.file].LoadOrder > c.order:
		if !same {
			c.setAside(r, causeSuperseded, fmt.Sprintf("%s, a later file, says otherwise in line %d", c.files[s.file].Name, s.line))
		}
	case same && s.status != statusConflicting && s.status != statusWithdrawn:
		s.file, s.line, s.taken = c.id, r.line, true
	case s.posted:
		c.setAside(r, causePosted, fmt.Sprintf("the settlement is posted with the content of %s, line %d%s: let a refund correct it", c.files[s.file].Name, s.line, c.differing(s, r)))
	default:
		c.supersede(s, r, causeSuperseded, fmt.Sprintf("%s, a later file, says otherwise in line %d", c.name, r.line))
	}
}

// applyWithin applies a second row of the same file.
func (c *collision) applyWithin(s *standing, r *row, same bool) {
	switch {
	case r.record == nil && s.status == statusRejected: // both are set aside already
	case r.record == nil && !s.posted:
		c.supersede(s, r, causeConflicting, fmt.Sprintf("line %d of the same settlement was rejected", r.line))
	case s.status == statusRejected:
		c.setAside(r, causeConflicting, fmt.Sprintf("line %d of the same settlement was rejected", s.line))
	case same:
		c.setAside(r, causeDuplicate, fmt.Sprintf("the same as line %d", s.line))
	case s.posted:
		c.setAside(r, causePosted, fmt.Sprintf("the settlement is posted with the content of line %d%s: let a refund correct it", s.line, c.differing(s, r)))
	default:
		s.status, s.marked = statusConflicting, true
		c.setAside(r, causeConflicting, fmt.Sprintf("the same setl_id as line %d with other content%s", s.line, c.differing(s, r)))
	}
}

// supersede sets the record aside and lets the row stand in its place.
func (c *collision) supersede(s *standing, r *row, cause, reason string) {
	if s.record != nil {
		c.aside.add(asideRow{file: s.file, line: s.line, cause: cause, kind: kindOfCause(cause), id: r.id, month: s.month,
			field: fieldNames[fSetlID], reason: reason, content: s.record.text()})
	}
	*s = standing{replacement: r, status: statusOf(r), month: string(r.month), file: c.id, line: r.line, digest: r.digest, record: r.record}
}

// setAside keeps a valid row that is not the record; a bad one is kept already.
func (c *collision) setAside(r *row, cause, reason string) {
	if r.record == nil {
		return
	}
	c.aside.add(asideRow{file: c.id, line: r.line, cause: cause, kind: kindOfCause(cause), id: r.id, month: string(r.month),
		field: fieldNames[fSetlID], reason: reason, content: r.record.text()})
}

// differing says in which fields a row differs from the record.
func (c *collision) differing(s *standing, r *row) string {
	if s.record == nil || r.record == nil {
		return ""
	}
	names, _ := differences(s.record, r.record)
	return " (" + strings.Join(names, ", ") + ")"
}

func (c *collision) write(ctx context.Context) (replaced int, err error) {
	var rows []*row
	var changed, marked []string
	take := db.TakeOverParams{FileID: c.id, Side: string(c.side)}
	for id, s := range c.stands {
		if s.replacement != nil {
			rows, changed = append(rows, s.replacement), append(changed, id)
		}
		if s.marked {
			marked = append(marked, id)
		}
		if s.taken && s.replacement == nil {
			take.SetlIds, take.Lines = append(take.SetlIds, id), append(take.Lines, s.line)
		}
	}
	slices.Sort(changed)
	slices.Sort(marked)
	slices.SortFunc(rows, func(a, b *row) int { return strings.Compare(a.id, b.id) })
	if len(take.SetlIds) > 0 {
		if err := c.q.TakeOver(ctx, take); err != nil {
			return 0, err
		}
		if err := c.revoke(ctx, take.SetlIds); err != nil {
			return 0, err
		}
	}
	if len(changed) > 0 {
		if err := c.q.DeleteRecords(ctx, db.DeleteRecordsParams{Side: string(c.side), SetlIds: changed}); err != nil {
			return 0, err
		}
		if _, err := c.insert(ctx, c.q, rows); err != nil {
			return 0, err
		}
		if err := c.q.DropWithdrawals(ctx, db.DropWithdrawalsParams{Side: string(c.side), SetlIds: changed}); err != nil {
			return 0, err
		}
	}
	if len(marked) > 0 {
		if err := c.q.MarkConflicting(ctx, db.MarkConflictingParams{Side: string(c.side), SetlIds: marked}); err != nil {
			return 0, err
		}
	}
	// A refund that waited with the content of before waits no longer.
	if changed = append(changed, marked...); len(changed) > 0 {
		if err := c.q.DropWaiting(ctx, changed); err != nil {
			return 0, err
		}
	}
	return len(rows), c.aside.write(ctx, c.q, c.side)
}

func statusOf(r *row) string {
	if r.record == nil {
		return statusRejected
	}
	return statusValid
}

// kindOfCause is the kind under which a row that is set aside is reported.
func kindOfCause(cause string) string {
	switch cause {
	case causeConflicting:
		return KindConflictingRow
	case causeDuplicate:
		return KindDuplicateRow
	}
	return cause
}

func dateParam(d civil.Date) time.Time { return d.In(time.UTC) }
