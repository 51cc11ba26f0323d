package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// maxBatch bounds the entries of one transaction.
const maxBatch = 10_000

// PostTx appends the entries within the caller's transaction, so that rows of
// the caller stand or fall with them. It takes a constant number of
// statements. Entries are applied in their order, each with its own result: a
// refused entry leaves its neighbours alone, so a caller that needs all of
// them returns the first Result.Err from its transaction. Errors of a result:
// Invalid (form, not balanced), NotFound (book, fund, subject or the entry that
// is corrected), PeriodClosed, Precondition (book not opened), Insufficient (a floor would be crossed, with
// account and shortfall), AlreadyExists (the same key with other content). The
// error itself is a failure of the database.
func (j *Journal) PostTx(ctx context.Context, tx pgx.Tx, entries []Entry) ([]Result, error) {
	if len(entries) > maxBatch {
		return nil, fault.New(fault.Invalid, "at most %d entries in one transaction, got %d", maxBatch, len(entries))
	}
	p := posting{journal: j, entries: entries}
	return p.inTx(ctx, db.New(tx))
}

// posting is one batch of entries on its way into the journal.
type posting struct {
	journal *Journal
	entries []Entry
	groups  []int   // of entries that stand or fall together: a number for each entry, neighbours of the same number are one group; nil where there are none
	shares  []share // of calls, in the order of the entries

	// What prepare has found by the rules, the same for each attempt.
	rules    *rules
	prepared []Result
	sound    []draft

	// Of the attempt.
	queries *db.Queries
	results []Result
	drafts  []draft
	floors  *floors
	written []*Call

	corrected map[uuid.UUID]int64          // by the original's id: how often it was corrected before
	reversed  map[uuid.UUID][]accounts.Fen // by the reversal's id: how much of each of the original's postings
}

// draft is an entry that passed so far, with what is computed of it once.
type draft struct {
	index   int
	digest  []byte
	keys    []string // of the accounts, one a posting
	effects []floorEffect
	cash    bool // it has lines in the cash layer, so that it needs vouchers
}

// manner is how an attempt comes to know what the journal has.
//
// Where nothing depends on it, keys are not looked up: a look at random keys
// of a large index costs more than the insert, and makes PostgreSQL see
// conflicts between unrelated batches. An insert that meets a known key
// fails with all that its transaction has done, and those that follow look
// first.
type manner int

const (
	reading   manner = iota // periods are read, keys are left to the insert
	looking                 // keys are looked up too
	presuming               // both are left to the insert: where an entry is refused, or a month does not take postings, it is errLookFirst
)

// errLookFirst: an attempt that has presumed has written nothing, and has to
// look before it can tell why.
var errLookFirst = errors.New("look first")

// inTx prepares and posts within a transaction that others write in too.
func (p *posting) inTx(ctx context.Context, q *db.Queries) ([]Result, error) {
	for {
		p.prepare()
		how := reading
		if p.needsLooks() {
			how = looking
		}
		if err := p.post(ctx, q, how); !errors.Is(err, errRenewed) {
			return p.results, err
		}
	}
}

// needsLooks tells whether keys have to be looked up first.
func (p *posting) needsLooks() bool { return p.groups != nil || p.corrects() || p.journal.lookFirst() }

// looksAfterMeeting is how many batches look their keys up first after one
// has met a known key: what is sent again comes in many batches.
const looksAfterMeeting = 64

func (j *Journal) lookFirst() bool { return j.looks.Load() > 0 && j.looks.Add(-1) >= 0 }

// errRenewed: the journal follows other rules than those by which the entries were prepared.
var errRenewed = errors.New("the rules have changed")

// post is one attempt.
func (p *posting) post(ctx context.Context, q *db.Queries, how manner) (err error) {
	if p.journal.rules() != p.rules {
		return errRenewed
	}
	p.queries, p.results, p.drafts, p.floors, p.written = q, slices.Clone(p.prepared), p.sound, nil, nil
	if how == looking {
		if p.drafts, err = p.resolve(ctx, p.drafts); err != nil {
			return err
		}
	}
	drafts := p.drafts
	if err := p.apply(ctx, how); err != nil {
		return err
	}
	if how != looking && len(p.drafts) < len(drafts) {
		if how == presuming { // a known key or a closed month comes before whatever was found against an entry
			return errLookFirst
		}
		if _, err := p.resolve(ctx, p.refused(drafts)); err != nil {
			return err
		}
	}
	return p.write(ctx, how)
}

// prepare checks each entry by itself.
func (p *posting) prepare() {
	p.rules = p.journal.rules()
	p.prepared, p.sound = make([]Result, len(p.entries)), make([]draft, 0, len(p.entries))
	found, total := p.journal.knownAccounts(), 0
	for i := range p.entries {
		total += len(p.entries[i].Postings)
	}
	keys := make([]string, 0, total)
	var scratch []byte
	var lines []*known
	for i := range p.entries {
		e := &p.entries[i]
		p.prepared[i].ID = e.ID()
		var err *fault.Error
		if lines, err = validate(e, found, lines[:0]); err != nil {
			p.prepared[i].Err = err
			continue
		}
		d, first := draft{index: i}, len(keys)
		for k, line := range lines {
			keys = append(keys, line.text)
			d.effects = subjectFloors(d.effects, &line.subject, &e.Postings[k], line.text)
			d.cash = d.cash || line.subject.Layer == accounts.Cash
		}
		d.keys = keys[first:]
		scratch = appendCanonical(scratch[:0], e, d.keys)
		sum := sha256.Sum256(scratch)
		d.digest = sum[:]
		p.sound = append(p.sound, d)
	}
}

// movesFloors tells whether an entry moves a floor.
func (p *posting) movesFloors() bool {
	return slices.ContainsFunc(p.sound, func(d draft) bool { return len(d.effects) > 0 })
}

// corrects tells whether an entry corrects another one.
func (p *posting) corrects() bool {
	return slices.ContainsFunc(p.sound, func(d draft) bool { return p.entries[d.index].Corrects.Valid })
}

// refused returns those of the drafts whose entries were refused.
func (p *posting) refused(drafts []draft) (refused []draft) {
	for _, d := range drafts {
		if p.results[d.index].Err != nil {
			refused = append(refused, d)
		}
	}
	return refused
}

// resolve answers keys that the journal already has, whatever else there is
// against their entries now, and returns the other drafts.
func (p *posting) resolve(ctx context.Context, drafts []draft) (unknown []draft, err error) {
	ids := make([]uuid.UUID, len(drafts))
	for i, d := range drafts {
		ids[i] = p.results[d.index].ID
	}
	found, err := p.queries.FindEntries(ctx, ids)
	if err != nil || len(found) == 0 {
		return drafts, err
	}
	stored := make(map[uuid.UUID][]byte, len(found))
	for _, f := range found {
		stored[f.ID] = f.Digest
	}
	var other []draft
	var otherIDs []uuid.UUID
	for _, d := range drafts {
		r := &p.results[d.index]
		switch before, ok := stored[r.ID]; {
		case !ok:
			unknown = append(unknown, d)
		case bytes.Equal(before, d.digest):
			r.Replayed, r.Err = true, nil
		default:
			other, otherIDs = append(other, d), append(otherIDs, r.ID)
		}
	}
	if len(other) == 0 {
		return unknown, nil
	}
	records, err := readEntries(ctx, p.queries, otherIDs)
	if err != nil {
		return nil, err
	}
	for _, d := range other {
		r := &p.results[d.index]
		r.Err = differs(&records[r.ID].Entry, &p.entries[d.index])
	}
	return unknown, nil
}

// apply runs the entries one by one against periods and floors.
func (p *posting) apply(ctx context.Context, how manner) (err error) {
	if len(p.drafts) == 0 {
		return nil
	}
	a := application{posting: p, applied: make(map[uuid.UUID]draft, len(p.drafts))}
	if how != presuming {
		if a.open, err = readPeriods(ctx, p.queries, p.books()); err != nil {
			return err
		}
	}
	keys := map[string]bool{}
	for _, d := range p.drafts {
		for _, x := range d.effects {
			keys[x.key] = true
		}
	}
	p.floors, err = lockFloors(ctx, p.queries, slices.Sorted(maps.Keys(keys)))
	if err != nil {
		return err
	}
	if err := p.readCorrected(ctx); err != nil {
		return err
	}
	for i := 0; i < len(p.drafts); {
		end := i + 1
		for p.groups != nil && end < len(p.drafts) && p.groups[p.drafts[end].index] == p.groups[p.drafts[i].index] {
			end++
		}
		a.group(p.drafts[i:end])
		i = end
	}
	p.drafts = a.kept
	return p.floors.err
}

// books are those that the drafts stand in.
func (p *posting) books() []accounts.Book {
	books := map[accounts.Book]bool{}
	var last accounts.Book
	for _, d := range p.drafts {
		for k := range p.entries[d.index].Postings {
			if book := p.entries[d.index].Postings[k].Account.Book; book != last {
				books[book], last = true, book
			}
		}
	}
	return slices.Sorted(maps.Keys(books))
}
