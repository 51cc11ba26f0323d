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
// Invalid (form, not balanced), NotFound (book, fund or subject), PeriodClosed,
// Precondition (book not opened), Insufficient (a floor would be crossed, with
// account and shortfall), AlreadyExists (the same key with other content). The
// error itself is a failure of the database.
func (j *Journal) PostTx(ctx context.Context, tx pgx.Tx, entries []Entry) ([]Result, error) {
	if len(entries) > maxBatch {
		return nil, fault.New(fault.Invalid, "at most %d entries in one transaction, got %d", maxBatch, len(entries))
	}
	return j.postGroups(ctx, tx, entries, nil)
}

// postGroups is PostTx for entries of which some stand or fall together:
// groups, if given, has a number for each entry, and neighbours of the same
// number are one group.
func (j *Journal) postGroups(ctx context.Context, tx pgx.Tx, entries []Entry, groups []int) ([]Result, error) {
	p := posting{journal: j, queries: db.New(tx), entries: entries, groups: groups, results: make([]Result, len(entries))}
	p.prepare()
	if err := p.resolve(ctx); err != nil {
		return nil, err
	}
	if err := p.apply(ctx); err != nil {
		return nil, err
	}
	if err := p.write(ctx); err != nil {
		return nil, err
	}
	return p.results, nil
}

// posting is one run of postGroups.
type posting struct {
	journal *Journal
	queries *db.Queries
	entries []Entry
	groups  []int
	results []Result
	drafts  []draft
	floors  *floors
}

// draft is an entry that passed so far, with what is computed of it once.
type draft struct {
	index   int
	digest  []byte
	keys    []string // of the accounts, one a posting
	effects []floorEffect
}

// prepare checks each entry by itself.
func (p *posting) prepare() {
	p.drafts = make([]draft, 0, len(p.entries))
	for i := range p.entries {
		e := &p.entries[i]
		p.results[i].ID = e.ID()
		if err := p.journal.validate(e); err != nil {
			p.results[i].Err = err
			continue
		}
		d := draft{index: i, digest: digest(e), keys: make([]string, len(e.Postings))}
		for k := range e.Postings {
			d.keys[k] = e.Postings[k].Account.String()
			d.effects = p.journal.floorEffects(d.effects, &e.Postings[k], d.keys[k], e.Date)
		}
		p.drafts = append(p.drafts, d)
	}
}

// resolve answers keys that the journal already has.
func (p *posting) resolve(ctx context.Context) error {
	ids := make([]uuid.UUID, len(p.drafts))
	for i, d := range p.drafts {
		ids[i] = p.results[d.index].ID
	}
	found, err := p.queries.FindEntries(ctx, ids)
	if err != nil || len(found) == 0 {
		return err
	}
	stored := make(map[uuid.UUID][]byte, len(found))
	for _, f := range found {
		stored[f.ID] = f.Digest
	}
	var other []uuid.UUID
	kept := p.drafts[:0]
	for _, d := range p.drafts {
		r := &p.results[d.index]
		before, ok := stored[r.ID]
		switch {
		case !ok:
			kept = append(kept, d)
		case bytes.Equal(before, d.digest):
			r.Replayed = true
		default:
			other = append(other, r.ID)
		}
	}
	p.drafts = kept
	if len(other) == 0 {
		return nil
	}
	records, err := readEntries(ctx, p.queries, other)
	if err != nil {
		return err
	}
	for i := range p.results {
		if r, ok := records[p.results[i].ID]; ok && p.results[i].Err == nil && !p.results[i].Replayed {
			p.results[i].Err = differs(&r.Entry, &p.entries[i])
		}
	}
	return nil
}

// apply runs the entries one by one against periods and floors.
func (p *posting) apply(ctx context.Context) error {
	books, keys := map[accounts.Book]bool{}, map[string]bool{}
	for _, d := range p.drafts {
		for k := range p.entries[d.index].Postings {
			books[p.entries[d.index].Postings[k].Account.Book] = true
		}
		for _, x := range d.effects {
			keys[x.key] = true
		}
	}
	if len(books) == 0 {
		return nil
	}
	open, err := readPeriods(ctx, p.queries, slices.Sorted(maps.Keys(books)))
	if err != nil {
		return err
	}
	p.floors, err = lockFloors(ctx, p.queries, slices.Sorted(maps.Keys(keys)))
	if err != nil {
		return err
	}
	a := application{posting: p, open: open, applied: make(map[uuid.UUID]draft, len(p.drafts))}
	for i := 0; i < len(p.drafts); {
		end := i + 1
		for p.groups != nil && end < len(p.drafts) && p.groups[p.drafts[end].index] == p.groups[p.drafts[i].index] {
			end++
		}
		a.group(p.drafts[i:end])
		i = end
	}
	p.drafts = a.kept
	return nil
}

// write stores what was applied: entries, batch, inbox and floors.
func (p *posting) write(ctx context.Context) error {
	if len(p.drafts) == 0 {
		return nil
	}
	batch, err := uuid.NewV7()
	if err != nil {
		return err
	}
	versions := p.floors.next()
	var rows db.InsertEntriesParams
	rows.BatchID = batch
	vouchers := make([]voucherDue, 0, 8)
	for ordinal, d := range p.drafts {
		e := &p.entries[d.index]
		rows.Ids = append(rows.Ids, p.results[d.index].ID)
		rows.Keys = append(rows.Keys, e.Key)
		rows.Dates = append(rows.Dates, e.Date.In(time.UTC))
		rows.Periods = append(rows.Periods, string(e.Period))
		rows.Kinds = append(rows.Kinds, e.Kind)
		rows.Summaries = append(rows.Summaries, e.Summary)
		rows.Sources = append(rows.Sources, e.Source)
		rows.Attachments = append(rows.Attachments, int64(e.Attachments))
		rows.Preparers = append(rows.Preparers, e.Preparer)
		rows.Reviewers = append(rows.Reviewers, e.Reviewer)
		corrects := ""
		if e.Corrects.Valid {
			corrects = e.Corrects.UUID.String()
		}
		rows.Corrects = append(rows.Corrects, corrects)
		rows.Legs = append(rows.Legs, string(appendLegs(make([]byte, 0, 96*len(e.Postings)), e.Postings, d.keys, versions)))
		rows.Digests = append(rows.Digests, d.digest)
		vouchers = p.journal.vouchersDue(vouchers, ordinal, e)
	}
	vouchersJSON, err := json.Marshal(vouchers)
	if err != nil {
		return err
	}
	floorsJSON, err := json.Marshal(versions)
	if err != nil {
		return err
	}
	if err := p.queries.InsertEntries(ctx, rows); err != nil {
		return err
	}
	if err := p.floors.write(ctx, p.queries, versions); err != nil {
		return err
	}
	err = p.queries.InsertBatch(ctx, db.InsertBatchParams{ID: batch, Entries: rows.Ids, Digests: bytes.Join(rows.Digests, nil), Vouchers: vouchersJSON, Floors: floorsJSON})
	if err != nil {
		return err
	}
	return p.queries.InsertInbox(ctx, batch)
}
