package ledger

import (
	"context"
	"crypto/sha256"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Record is an entry as the journal keeps it.
type Record struct {
	Position Position  `json:"position"` // 0 while the entry has no place in the sequence
	ID       uuid.UUID `json:"id"`
	Batch    uuid.UUID `json:"batch"`
	PostedAt time.Time `json:"posted_at"`
	Entry
	Vouchers []Voucher `json:"vouchers,omitempty"` // set by Entry only
	// CorrectedBy are the entries that reverse or correct this one, oldest
	// first; set by Entry only.
	CorrectedBy []uuid.UUID `json:"corrected_by,omitempty"`

	digest  []byte    // as stored with the entry
	batched []byte    // as stored with its batch
	now     []byte    // as Check makes it anew
	batchAt time.Time // when its batch says that it was posted
	until   time.Time // when all batches up to its own were posted
	legs    []leg
}

// Voucher is a 记账凭证: the number of an entry with cash lines in a book and month.
type Voucher struct {
	Book   accounts.Book  `json:"book"`
	Period accounts.Month `json:"period"`
	Number int64          `json:"number"`
}

// readEntries reads entries by id; those that do not exist are absent.
func readEntries(ctx context.Context, q *db.Queries, ids []uuid.UUID) (map[uuid.UUID]*Record, error) {
	rows, err := q.ReadEntries(ctx, ids)
	if err != nil {
		return nil, err
	}
	records := make(map[uuid.UUID]*Record, len(rows))
	for _, r := range rows {
		if records[r.ID], err = recordOf(r); err != nil {
			return nil, err
		}
	}
	return records, nil
}

func recordOf(r db.Entry) (record *Record, err error) {
	record = &Record{
		ID: r.ID, Batch: r.BatchID, PostedAt: r.PostedAt, digest: r.Digest,
		Entry: Entry{
			Key: r.Key, Date: civil.DateOf(r.BusinessDate), Period: accounts.Month(r.Period), Kind: r.Kind,
			Summary: r.Summary, Source: r.Source, Attachments: int(r.Attachments),
			Preparer: r.Preparer, Reviewer: r.Reviewer, Corrects: r.Corrects,
		},
	}
	if record.legs, err = decodeLegs(r.Legs); err != nil {
		return nil, err
	}
	record.Postings = make([]Posting, len(record.legs))
	for i, l := range record.legs {
		if record.Postings[i], err = l.posting(); err != nil {
			return nil, fault.New(fault.Internal, "entry %s, line %d: %w", r.ID, i+1, err)
		}
	}
	return record, nil
}

// Entry returns one entry with its vouchers and what corrects it, or a NotFound
// error.
func (j *Journal) Entry(ctx context.Context, id uuid.UUID) (record *Record, err error) {
	err = j.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		record, err = j.EntryTx(ctx, tx, id)
		return err
	})
	return record, err
}

// EntryTx is Entry as the transaction sees it.
func (j *Journal) EntryTx(ctx context.Context, tx pgx.Tx, id uuid.UUID) (*Record, error) {
	q := db.New(tx)
	records, err := readEntries(ctx, q, []uuid.UUID{id})
	if err != nil {
		return nil, err
	}
	record := records[id]
	if record == nil {
		return nil, fault.New(fault.NotFound, "the journal has no entry %s", id)
	}
	return record, j.locate(ctx, q, record)
}

// locate finds the record's place in the sequence, its vouchers and its corrections.
func (j *Journal) locate(ctx context.Context, q *db.Queries, record *Record) error {
	place, err := q.PlaceOfBatch(ctx, record.Batch)
	if err != nil {
		return err
	}
	for _, p := range place { // none while the batch waits
		for i, id := range p.Entries {
			if id == record.ID {
				record.Position = Position(p.FirstPosition) + Position(i)
			}
		}
	}
	vouchers, err := q.VouchersOf(ctx, []uuid.UUID{record.ID})
	if err != nil {
		return err
	}
	for _, v := range vouchers {
		record.Vouchers = append(record.Vouchers, Voucher{accounts.Book(v.Book), accounts.Month(v.Period), v.Number})
	}
	corrections, err := q.CorrectionsOf(ctx, record.ID)
	for _, c := range corrections {
		record.CorrectedBy = append(record.CorrectedBy, c.Correction)
	}
	return err
}

// Walk streams the sealed journal in its order, as it stands in one snapshot.
// When the database asks for a retry it starts over from the first entry.
// An entry that the sequence names and the journal lacks is an Internal error.
func (j *Journal) Walk(ctx context.Context, fn func(*Record) error) error {
	return j.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		end, err := q.ReadHead(ctx, headSealed)
		if err != nil {
			return err
		}
		return walk(ctx, q, Position(end), fn, func(position Position, id uuid.UUID) error {
			return fault.New(fault.Internal, "entry %s at position %d is missing: run fundledger check", id, position)
		})
	})
}

const walkBatches = 20

// nthDigest returns the digest of the nth entry of a batch, nil where it has none.
func nthDigest(digests []byte, n int) []byte {
	if (n+1)*sha256.Size > len(digests) {
		return nil
	}
	return digests[n*sha256.Size : (n+1)*sha256.Size]
}

// walk streams the batches that begin at or before the end.
func walk(ctx context.Context, q *db.Queries, end Position, fn func(*Record) error, missing func(Position, uuid.UUID) error) error {
	for at := int64(0); at < int64(end); {
		sealed, err := q.ReadSealed(ctx, db.ReadSealedParams{After: at, Until: int64(end), Batches: walkBatches})
		if err != nil || len(sealed) == 0 {
			return err
		}
		for _, s := range sealed {
			records, err := readEntries(ctx, q, s.Entries)
			if err != nil {
				return err
			}
			for i, id := range s.Entries {
				position := Position(s.FirstPosition) + Position(i)
				if r := records[id]; r != nil {
					r.Position = position
					r.batched, r.batchAt, r.until = nthDigest(s.Digests, i), s.PostedAt, s.PostedUntil
					err = fn(r)
				} else {
					err = missing(position, id)
				}
				if err != nil {
					return err
				}
			}
			at = s.FirstPosition
		}
	}
	return nil
}

// Posted tells which of the idempotency keys stand in the journal, as the
// transaction sees it.
func (j *Journal) Posted(ctx context.Context, tx pgx.Tx, keys ...string) (map[string]bool, error) {
	ids := make([]uuid.UUID, len(keys))
	byID := make(map[uuid.UUID]string, len(keys))
	for i, key := range keys {
		ids[i] = EntryID(key)
		byID[ids[i]] = key
	}
	rows, err := db.New(tx).FindEntries(ctx, ids)
	posted := make(map[string]bool, len(rows))
	for _, r := range rows {
		posted[byID[r.ID]] = true
	}
	return posted, err
}
