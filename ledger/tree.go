package ledger

import (
	"context"
	"encoding/binary"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// appendLeaf appends the data of one leaf of the Merkle tree: version,
// position, the entry's id and digest, and its voucher numbers. With the
// entry's canonical encoding it says everything that the journal says of it.
func appendLeaf(b []byte, position Position, id uuid.UUID, digest []byte, vouchers []Voucher) []byte {
	b = appendLeafHead(b, position, id, digest, len(vouchers))
	for _, v := range vouchers {
		b = appendLeafVoucher(b, v.Book, v.Period, v.Number)
	}
	return b
}

func appendLeafHead(b []byte, position Position, id uuid.UUID, digest []byte, vouchers int) []byte {
	b = append(b, encodingVersion)
	b = binary.AppendUvarint(b, uint64(position))
	b = append(append(b, id[:]...), digest...)
	return binary.AppendUvarint(b, uint64(vouchers))
}

func appendLeafVoucher[B, P ~string | ~[]byte](b []byte, book B, period P, number int64) []byte {
	return binary.AppendUvarint(appendText(appendText(b, book), period), uint64(number))
}

// tree extends the Merkle tree (RFC 6962) over the sequence. Its hashes are
// kept in the dense order of tlog, so that the tree only ever grows at its end.
type tree struct {
	ctx   context.Context
	q     *db.Queries
	size  int64               // leaves
	known map[int64]tlog.Hash // by index, read or made in this transaction
	added []byte              // hashes made in this transaction
}

func newTree(ctx context.Context, q *db.Queries, size Position) *tree {
	return &tree{ctx: ctx, q: q, size: int64(size), known: map[int64]tlog.Hash{}}
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var missing []int64
	for _, i := range indexes {
		if _, ok := t.known[i]; !ok {
			missing = append(missing, i)
		}
	}
	if len(missing) > 0 {
		rows, err := t.q.TreeHashesAt(t.ctx, missing)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if len(r.Hash) == tlog.HashSize {
				t.known[r.Wanted] = tlog.Hash(r.Hash)
			}
		}
	}
	hashes := make([]tlog.Hash, len(indexes))
	for k, i := range indexes {
		h, ok := t.known[i]
		if !ok {
			return nil, fault.New(fault.Internal, "the Merkle tree lacks its hash %d: run fundledger check", i)
		}
		hashes[k] = h
	}
	return hashes, nil
}

// add appends a leaf.
func (t *tree) add(leaf []byte) error {
	hashes, err := tlog.StoredHashes(t.size, leaf, t)
	if err != nil {
		return err
	}
	index := tlog.StoredHashIndex(0, t.size)
	for i, h := range hashes {
		t.known[index+int64(i)] = h
		t.added = append(t.added, h[:]...)
	}
	t.size++
	return nil
}

// write stores the hashes that were added since the tree had the given size.
func (t *tree) write(from Position) error {
	if len(t.added) == 0 {
		return nil
	}
	return t.q.InsertTreeHashes(t.ctx, db.InsertTreeHashesParams{
		FirstIndex: tlog.StoredHashCount(int64(from)), Hashes: t.added,
	})
}
