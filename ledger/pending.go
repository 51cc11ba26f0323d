package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger/internal/db"
)

// PendingState is what has become of a pending entry.
type PendingState string

const (
	Open     PendingState = "open"     // it reserves
	Finished PendingState = "finished" // posted, in full or in part
	Voided   PendingState = "voided"
	Expired  PendingState = "expired"
)

// Pending is an entry that reserves money and is not posted yet: the first of
// two phases. It has no place in the journal; Finish posts it.
type Pending struct {
	Entry
	State   PendingState `json:"state"`
	Expires time.Time    `json:"expires,omitzero"` // zero: never
	// Holds is what it reserves while open, by account or group with a floor:
	// by how much posting it would lower the floor.
	Holds   map[string]accounts.Fen `json:"holds"`
	Made    time.Time               `json:"made"`
	Decided time.Time               `json:"decided,omitzero"`
	By      string                  `json:"by,omitempty"`     // who finished or voided it
	Reason  string                  `json:"reason,omitempty"` // why it was voided or expired
	// Replayed is set by Pend and Void: they found done what they were asked.
	Replayed bool `json:"replayed,omitempty"`
}

// finishPrefix and the pending's key are the key of the entry that it becomes.
const finishPrefix = "finish/"

// FinishID is the id of the entry that the pending entry of the key becomes.
func FinishID(key string) uuid.UUID { return EntryID(finishPrefix + key) }

// Pend reserves what the entry would take, until it is finished, voided or,
// by the clock of the database, expires; a zero time is never. It refuses what
// Post would refuse, and does nothing when the same entry is pending or was.
// Its key is its own among pending entries and at most 193 bytes. Errors: those
// of PostTx, Invalid for a time that has passed, AlreadyExists for a key used
// for other content.
func (j *Journal) Pend(ctx context.Context, e Entry, expires time.Time) (*Pending, error) {
	if err := j.validate(&e); err != nil {
		return nil, err
	}
	if e.Kind == reversalKind {
		return nil, invalid(&e, "an entry of kind %s is made by reversing another one", reversalKind)
	}
	if yearEnd(e.Kind) {
		return nil, notGiven(e)
	}
	if longest := maxKey - len(finishPrefix); len(e.Key) > longest {
		return nil, invalid(&e, "the key of a pending entry has at most %d bytes, this one has %d", longest, len(e.Key))
	}
	expires = expires.UTC().Truncate(time.Microsecond) // as the database keeps it
	var pending *Pending
	replayed, err := j.replayed(ctx, func(tx pgx.Tx) (replayed bool, err error) {
		pending, replayed, err = j.pend(ctx, db.New(tx), &e, expires)
		return replayed, err
	})
	if err != nil {
		return nil, err
	}
	pending.Replayed = replayed
	return pending, nil
}

// again runs a transaction that may be repeated, and once more when the
// outcome of its commit is unknown.
func (j *Journal) again(ctx context.Context, fn func(pgx.Tx) error) error {
	err := j.store.InTx(ctx, fn)
	if fault.KindOf(err) == fault.Unavailable {
		err = j.store.InTx(ctx, fn)
	}
	return err
}

// replayed is again for what may have been done before, and tells whether it
// was: before this call, even where its first try did it without knowing.
func (j *Journal) replayed(ctx context.Context, fn func(pgx.Tx) (replayed bool, err error)) (bool, error) {
	var before bool
	run := func(tx pgx.Tx) (err error) {
		before, err = fn(tx)
		return err
	}
	err := j.store.InTx(ctx, run)
	if fault.KindOf(err) == fault.Unavailable {
		first := before
		err = j.store.InTx(ctx, run)
		before = before && first
	}
	return before, err
}

func (j *Journal) pend(ctx context.Context, q *db.Queries, e *Entry, expires time.Time) (p *Pending, replayed bool, err error) {
	before, err := readPending(ctx, q, e.Key)
	if err != nil {
		return nil, false, err
	}
	if before != nil {
		return before.Pending, true, before.differs(e, expires)
	}
	now, err := q.ReadNow(ctx)
	if err != nil {
		return nil, false, err
	}
	if !expires.IsZero() && !expires.After(now) {
		return nil, false, invalid(e, "the entry would expire at %s, which has passed", expires.Format(time.RFC3339))
	}
	open, err := readPeriods(ctx, q, booksOf(e))
	if err != nil {
		return nil, false, err
	}
	if err := open.refuseEntry(e); err != nil {
		return nil, false, err
	}
	effects := j.effectsOf(e)
	f, err := lockFloors(ctx, q, slices.Sorted(maps.Keys(netOf(effects))))
	if err != nil {
		return nil, false, err
	}
	if err := f.refuse(e, netOf(effects)); f.err != nil || err != nil {
		if f.err != nil {
			return nil, false, f.err
		}
		return nil, false, err
	}
	held := holdsOf(effects)
	f.reserve(held)
	if err := f.write(); err != nil {
		return nil, false, err
	}
	content, err := json.Marshal(e)
	if err != nil {
		return nil, false, err
	}
	p = &Pending{Entry: *e, State: Open, Expires: expires, Holds: held, Made: now}
	return p, false, q.InsertPending(ctx, db.InsertPendingParams{
		Key: e.Key, ExpiresAt: pgtype.Timestamptz{Time: expires, Valid: !expires.IsZero()},
		Entry: content, Digest: digest(e), Holds: held.encode(),
	})
}

func booksOf(e *Entry) []accounts.Book {
	books := map[accounts.Book]bool{}
	for i := range e.Postings {
		books[e.Postings[i].Account.Book] = true
	}
	return slices.Sorted(maps.Keys(books))
}

func (j *Journal) effectsOf(e *Entry) []floorEffect {
	var effects []floorEffect
	for i := range e.Postings {
		effects = j.floorEffects(effects, &e.Postings[i], e.Postings[i].Account.String(), e.Date)
	}
	return effects
}

// storedPending is a pending entry as a transaction finds it.
type storedPending struct {
	*Pending
	digest []byte
	due    bool // open and its time has passed
}

// readPending returns nil for a key that was never pending.
func readPending(ctx context.Context, q *db.Queries, key string) (*storedPending, error) {
	rows, err := q.ReadPending(ctx, key)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	p, err := decodePending(rows[0].Pending)
	return &storedPending{p, rows[0].Pending.Digest, rows[0].Due && p != nil && p.State == Open}, err
}

func decodePending(r db.Pending) (*Pending, error) {
	p := &Pending{State: PendingState(r.State), Made: r.MadeAt, By: r.DecidedBy, Reason: r.Reason}
	if r.ExpiresAt.Valid {
		p.Expires = r.ExpiresAt.Time.UTC()
	}
	if r.DecidedAt.Valid {
		p.Decided = r.DecidedAt.Time
	}
	if err := json.Unmarshal(r.Entry, &p.Entry); err != nil {
		return nil, fault.New(fault.Internal, "pending entry %q cannot be read: %w", r.Key, err)
	}
	held, err := decodeHolds(r.Key, r.Holds)
	p.Holds = held
	return p, err
}

// differs returns an AlreadyExists error unless the same is asked again.
func (p *storedPending) differs(e *Entry, expires time.Time) error {
	if !bytes.Equal(p.digest, digest(e)) {
		field, before, now := difference(&p.Entry, e)
		return fault.New(fault.AlreadyExists, "key %q is already used for a pending entry with other content: %s is %s there, %s here", e.Key, field, before, now).
			With("key", e.Key).With("field", field).With("stored", before).With("given", now)
	}
	if !p.Expires.Equal(expires) {
		before, now := p.Expires.Format(time.RFC3339Nano), expires.Format(time.RFC3339Nano)
		return fault.New(fault.AlreadyExists, "key %q is already used for a pending entry that expires at %s, not %s", e.Key, before, now).
			With("key", e.Key).With("field", "expires").With("stored", before).With("given", now)
	}
	return nil
}

// PendingQuery selects a page of pending entries, in order of key.
type PendingQuery struct {
	State PendingState // empty: every one
	Floor string       // account, or group as in Holds, that they hold something of; empty: any
	// Book and Regions are of at least one line: this book, a book of these
	// regions; empty and nil are any.
	Book      accounts.Book
	Regions   []string
	AtLeast   Position // that the answer must have seen
	PageSize  int      // at most 1000; 0 means 100
	PageToken string
}

// PendingPage is a page of pending entries.
type PendingPage struct {
	Pendings      []*Pending `json:"pendings"`
	NextPageToken string     `json:"next_page_token,omitempty"`
	Position      Position   `json:"position"` // of the journal, as seen
}

// ListPending returns a page of pending entries. An expired one is listed as
// open until Expire or a posting that needs its money releases it. Errors:
// Invalid (a page size out of range), NotFound (no such book, or the journal is
// shorter than a position that is asked).
func (j *Journal) ListPending(ctx context.Context, query PendingQuery) (*PendingPage, error) {
	size, err := paging.Size(query.PageSize, "pending entries")
	if err != nil {
		return nil, err
	}
	books, err := j.booksIn(query.Book, query.Regions)
	if err != nil {
		return nil, err
	}
	page := &PendingPage{Pendings: []*Pending{}}
	err = j.read(ctx, func(q *db.Queries) error {
		at, err := projected(ctx, q, query.AtLeast)
		if err != nil {
			return err
		}
		rows, err := q.ListPendings(ctx, db.ListPendingsParams{
			After: query.PageToken, State: string(query.State), Floor: query.Floor, Page: int32(size) + 1,
			OfBooks: books != nil, Books: books,
		})
		if err != nil {
			return err
		}
		*page = PendingPage{Pendings: []*Pending{}, Position: at}
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = rows[size-1].Key
		}
		for _, r := range rows {
			p, err := decodePending(r)
			if err != nil {
				return err
			}
			page.Pendings = append(page.Pendings, p)
		}
		return nil
	})
	return page, err
}

// Pending returns one pending entry by its key, whatever its state, or a
// NotFound error.
func (j *Journal) Pending(ctx context.Context, key string) (*Pending, error) {
	var p *storedPending
	err := j.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		if p, err = readPending(ctx, db.New(tx), key); err == nil && p == nil {
			err = noPending(key)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p.Pending, nil
}

func noPending(key string) *fault.Error {
	return fault.New(fault.NotFound, "there is no pending entry %q", key).With("key", key)
}
