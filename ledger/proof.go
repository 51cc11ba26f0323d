package ledger

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Inclusion proves that an entry stands at its position in the journal of
// which a checkpoint was signed.
type Inclusion struct {
	Size     Position         `json:"size"` // of the tree that it is proved in
	Position Position         `json:"position"`
	Leaf     []byte           `json:"leaf"` // the leaf's data
	Proof    tlog.RecordProof `json:"proof"`
}

// Verify checks the proof against a checkpoint and that the leaf is of the
// entry with its voucher numbers.
func (p *Inclusion) Verify(c Checkpoint, e *Entry, vouchers []Voucher) error {
	leaf := appendLeaf(nil, p.Position, e.ID(), digest(e), vouchers)
	if string(leaf) != string(p.Leaf) {
		return fault.New(fault.Invalid, "the leaf at position %d is not that of entry %s", p.Position, e.ID())
	}
	if c.Position != p.Size {
		return fault.New(fault.Invalid, "the proof is for a journal of %d entries, the checkpoint of %d", p.Size, c.Position)
	}
	if err := tlog.CheckRecord(p.Proof, int64(p.Size), c.Root, int64(p.Position)-1, tlog.RecordHash(leaf)); err != nil {
		return fault.New(fault.Invalid, "the entry at position %d is not proved: %w", p.Position, err)
	}
	return nil
}

// ProveInclusion proves the entry in the journal of the given size. NotFound
// when the entry has no place in it.
func (j *Journal) ProveInclusion(ctx context.Context, id uuid.UUID, size Position) (*Inclusion, error) {
	var p *Inclusion
	err := j.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if err := sealedTo(ctx, q, size); err != nil {
			return err
		}
		records, err := readEntries(ctx, q, []uuid.UUID{id})
		if err != nil {
			return err
		}
		r := records[id]
		if r == nil {
			return fault.New(fault.NotFound, "the journal has no entry %s", id)
		}
		if err := j.locate(ctx, q, r); err != nil {
			return err
		}
		if r.Position == 0 || r.Position > size {
			return fault.New(fault.NotFound, "entry %s does not stand in the first %d entries of the journal", id, size)
		}
		proof, err := tlog.ProveRecord(int64(size), int64(r.Position)-1, newTree(ctx, q, size))
		if err != nil {
			return err
		}
		p = &Inclusion{Size: size, Position: r.Position, Leaf: appendLeaf(nil, r.Position, r.ID, r.digest, r.Vouchers), Proof: proof}
		return nil
	})
	return p, err
}

// ProveConsistency proves that the journal of the first size is the beginning
// of the journal of the second.
func (j *Journal) ProveConsistency(ctx context.Context, older, newer Position) (tlog.TreeProof, error) {
	if older < 1 || newer < older {
		return nil, fault.New(fault.Invalid, "consistency is proved from a smaller to a larger journal, %d and %d were given", older, newer)
	}
	var proof tlog.TreeProof
	err := j.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		q := db.New(tx)
		if err := sealedTo(ctx, q, newer); err != nil {
			return err
		}
		proof, err = tlog.ProveTree(int64(newer), int64(older), newTree(ctx, q, newer))
		return err
	})
	return proof, err
}

// VerifyConsistency checks such a proof against two checkpoints.
func VerifyConsistency(proof tlog.TreeProof, older, newer Checkpoint) error {
	if err := tlog.CheckTree(proof, int64(newer.Position), newer.Root, int64(older.Position), older.Root); err != nil {
		return fault.New(fault.Invalid, "the journal of %d entries does not begin with that of %d: %w", newer.Position, older.Position, err)
	}
	return nil
}

func sealedTo(ctx context.Context, q *db.Queries, size Position) error {
	head, err := q.ReadHead(ctx, headSealed)
	if err == nil && (size < 1 || int64(size) > head) {
		return fault.New(fault.NotFound, "the journal has %d sealed entries, a tree of %d was asked", head, size)
	}
	return err
}
