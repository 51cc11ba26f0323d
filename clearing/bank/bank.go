package bank

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/bank/internal/db"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Desk is where the books are compared with money, for one deployment. It is
// safe for concurrent use, by several processes on one database too.
type Desk struct {
	store   accounts.Store
	journal *ledger.Journal
	book    *accounts.Rulebook
}

// New returns the desk that reads the journal under the rules of the book.
func New(store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook) *Desk {
	return &Desk{store: store, journal: journal, book: book}
}

// maxKey is how many bytes an idempotency key may have, as in the journal.
const maxKey = 200

// claim notes the key in the transaction of a change, and tells whether the same
// change has happened under it before. Without a key it claims nothing.
func claim(ctx context.Context, tx pgx.Tx, operation, key string, content any) (before bool, err error) {
	if key == "" {
		return false, nil
	}
	if len(key) > maxKey {
		return false, fault.New(fault.Invalid, "the key %q… has %d bytes, at most %d are allowed", key[:20], len(key), maxKey).With("field", "idempotency_key")
	}
	encoded, err := json.Marshal(content)
	if err != nil {
		return false, err
	}
	q, sum := db.New(tx), sha256.Sum256(encoded)
	digests, err := q.FindChangeKey(ctx, db.FindChangeKeyParams{Operation: operation, Key: key})
	switch {
	case err != nil:
		return false, err
	case len(digests) == 0:
		return false, q.InsertChangeKey(ctx, db.InsertChangeKeyParams{Operation: operation, Key: key, Digest: sum[:]})
	case !bytes.Equal(digests[0], sum[:]):
		return true, fault.New(fault.AlreadyExists, "key %q is already used for another change (%s)", key, operation).With("key", key)
	}
	return true, nil
}

// person refuses what nobody has done.
func person(by, act string) error {
	if by == "" || len(by) > maxKey {
		return fault.New(fault.Invalid, "say who wants to %s, in at most %d bytes", act, maxKey).With("field", "by")
	}
	return nil
}

func dateParam(d civil.Date) time.Time { return d.In(time.UTC) }
