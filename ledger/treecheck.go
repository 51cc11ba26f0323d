package ledger

import (
	"bytes"
	"context"
	"math"

	"golang.org/x/mod/sumdb/tlog"

	"fundledger/ledger/internal/db"
)

// treeCheck makes the tree's hashes anew from the entries and compares them
// with the stored ones, as a stream.
type treeCheck struct {
	*checker
	ctx context.Context
	q   *db.Queries
	peaks

	stored []byte // hashes read and not yet compared
	last   int64  // first index of the row read last
	lost   bool   // an entry is missing or differs: what follows cannot be compared

	signed []db.Checkpoint // read and not yet taken
	noted  db.PageOfCheckpointsParams
	noMore bool
}

// entry follows an entry that the checker has seen.
func (t *treeCheck) entry(r *Record) error {
	if t.lost {
		return nil
	}
	if err := t.takeNotes(r.Position); err != nil {
		return err
	}
	var err error
	same := t.add(tlog.RecordHash(appendLeaf(nil, r.Position, r.ID, r.now, r.Vouchers)), func(h tlog.Hash) bool {
		var same bool
		same, err = t.compare(h)
		return same && err == nil
	})
	if err != nil {
		return err
	}
	if !same {
		t.lost = true
		t.find(checkTree, "", r.ID.String(), "the hash of the entry at position %d is not the sealed one: it or an entry before it was changed", r.Position)
		return nil
	}
	t.items[checkTree]++
	t.checker.notes.reached(&t.peaks)
	return nil
}

// takeNotes takes the checkpoints up to a position.
func (t *treeCheck) takeNotes(until Position) error {
	for {
		for len(t.signed) > 0 && Position(t.signed[0].Position) <= until {
			t.checker.notes.take(t.checker.notes.open([]byte(t.signed[0].Note)))
			t.signed = t.signed[1:]
		}
		if len(t.signed) > 0 || t.noMore {
			return nil
		}
		t.noted.Page = comparePage
		rows, err := t.q.PageOfCheckpoints(t.ctx, t.noted)
		if err != nil {
			return err
		}
		t.signed, t.noMore = rows, len(rows) < comparePage
		if len(rows) > 0 {
			last := rows[len(rows)-1]
			t.noted.Position, t.noted.Signer = last.Position, last.Signer
		}
	}
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

// end checks that the tree and the checkpoints end where the sequence does.
func (t *treeCheck) end() error {
	if err := t.takeNotes(math.MaxInt64); err != nil {
		return err
	}
	t.checker.notes.end(&t.peaks)
	if t.lost {
		return nil
	}
	rows, err := t.q.NextTreeHashes(t.ctx, t.last)
	if err == nil && (len(t.stored) > 0 || len(rows) > 0) {
		t.find(checkTree, "", "", "the tree has hashes beyond the %d sealed entries", t.size)
	}
	return err
}
