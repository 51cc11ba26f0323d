package ledger

import (
	"bytes"
	"context"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"fundledger/ledger/internal/db"
)

// treeCheck makes the tree's hashes anew from the entries and compares them
// with the stored ones, as a stream.
type treeCheck struct {
	*checker
	ctx  context.Context
	q    *db.Queries
	size int64
	left [64]tlog.Hash // per level the complete subtree that waits for its right neighbour

	stored []byte // hashes read and not yet compared
	last   int64  // first index of the row read last
	lost   bool   // an entry is missing or differs: what follows cannot be compared
}

func (t *treeCheck) entry(r *Record) error {
	if t.lost {
		return nil
	}
	h := tlog.RecordHash(appendLeaf(nil, r.Position, r.ID, digest(&r.Entry), r.Vouchers))
	same, err := t.compare(h)
	for level := range bits.TrailingZeros64(^uint64(t.size)) { // one node for each subtree that is now complete
		if err != nil || !same {
			break
		}
		h = tlog.NodeHash(t.left[level], h)
		same, err = t.compare(h)
	}
	if err != nil {
		return err
	}
	if !same {
		t.lost = true
		t.find(checkTree, "", r.ID.String(), "the hash of the entry at position %d is not the sealed one: it or an entry before it was changed", r.Position)
		return nil
	}
	t.left[bits.TrailingZeros64(^uint64(t.size))] = h
	t.size++
	t.items[checkTree]++
	return nil
}

// compare takes the next stored hash.
func (t *treeCheck) compare(h tlog.Hash) (bool, error) {
	for len(t.stored) < tlog.HashSize {
		rows, err := t.q.NextTreeHashes(t.ctx, t.last)
		if err != nil || len(rows) == 0 {
			return false, err
		}
		t.last = rows[0].FirstIndex
		t.stored = append(t.stored, rows[0].Hashes...)
	}
	same := bytes.Equal(t.stored[:tlog.HashSize], h[:])
	t.stored = t.stored[tlog.HashSize:]
	return same, nil
}

// end checks that the tree ends where the sequence does.
func (t *treeCheck) end() error {
	if t.lost {
		return nil
	}
	rows, err := t.q.NextTreeHashes(t.ctx, t.last)
	if err == nil && (len(t.stored) > 0 || len(rows) > 0) {
		t.find(checkTree, "", "", "the tree has hashes beyond the %d sealed entries", t.size)
	}
	return err
}
