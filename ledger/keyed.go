package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Keyed makes changes of the journal under an idempotency key. The key is
// written in the transaction of the change: the same change under it again does
// nothing, even when others have changed the books since, and another change is
// refused with AlreadyExists. A refused change leaves its key free. Each method
// has its own keys. Without a key a change is done before when the books stand
// so already.
type Keyed struct {
	journal *Journal
	key     string
}

// Under makes changes under the key.
func (j *Journal) Under(key string) Keyed { return Keyed{j, key} }

// claim notes the key in the transaction of a change, and tells whether the
// same change has happened under it before.
func (k Keyed) claim(ctx context.Context, tx pgx.Tx, operation string, content any) (before bool, err error) {
	if k.key == "" {
		return false, nil
	}
	if len(k.key) > maxKey {
		return false, fault.New(fault.Invalid, "the key %q… has %d bytes, at most %d are allowed", k.key[:20], len(k.key), maxKey).With("field", "idempotency_key")
	}
	q := db.New(tx)
	if before, err := k.used(ctx, q, operation, content); before || err != nil {
		return before, err
	}
	sum, err := digestOf(content)
	if err != nil {
		return false, err
	}
	return false, q.InsertChangeKey(ctx, db.InsertChangeKeyParams{Operation: operation, Key: k.key, Digest: sum})
}

// used tells whether the key stands for the content.
func (k Keyed) used(ctx context.Context, q *db.Queries, operation string, content any) (bool, error) {
	sum, err := digestOf(content)
	if err != nil {
		return false, err
	}
	digests, err := q.FindChangeKey(ctx, db.FindChangeKeyParams{Operation: operation, Key: k.key})
	switch {
	case err != nil || len(digests) == 0:
		return false, err
	case !bytes.Equal(digests[0], sum):
		return true, fault.New(fault.AlreadyExists, "key %q is already used for another change (%s)", k.key, operation).With("key", k.key)
	}
	return true, nil
}

func digestOf(content any) ([]byte, error) {
	encoded, err := json.Marshal(content)
	sum := sha256.Sum256(encoded)
	return sum[:], err
}

// OpenBooks is Journal.OpenBooks under the key.
func (k Keyed) OpenBooks(ctx context.Context, from accounts.Month, by string, books ...accounts.Book) ([]accounts.Book, error) {
	return k.journal.openBooks(ctx, k, from, by, books)
}

// BeginClose is Journal.BeginClose under the key.
func (k Keyed) BeginClose(ctx context.Context, book accounts.Book, month accounts.Month, by string) (PeriodResult, error) {
	return k.journal.changePeriod(ctx, periodChange{k, book, month, PeriodClosing, by, ""})
}

// Close is Journal.Close under the key.
func (k Keyed) Close(ctx context.Context, book accounts.Book, month accounts.Month, by string) (PeriodResult, error) {
	return k.journal.changePeriod(ctx, periodChange{k, book, month, PeriodShut, by, ""})
}

// Reopen is Journal.Reopen under the key.
func (k Keyed) Reopen(ctx context.Context, book accounts.Book, month accounts.Month, by, reason string) (PeriodResult, error) {
	return k.journal.reopen(ctx, periodChange{k, book, month, PeriodReopened, by, reason})
}

// PostOpenings is Journal.PostOpenings under the key.
func (k Keyed) PostOpenings(ctx context.Context, openings []Opening) (Opened, error) {
	return k.journal.postOpenings(ctx, k, openings)
}

// claim claims the key for the change of a period.
func (c periodChange) claim(ctx context.Context, tx pgx.Tx) (before bool, err error) {
	return c.keyed.claim(ctx, tx, "period "+string(c.state), c.content())
}

// content is what the key stands for: of an override the reason alone, since
// what is open may be worded otherwise when the request comes again.
func (c periodChange) content() []string {
	reason := c.reason
	if c.state == PeriodShut {
		reason, _, _ = strings.Cut(reason, "\n")
	}
	return []string{string(c.book), string(c.month), c.by, reason}
}

// ClosedBefore tells whether the month was closed under the key before, by the
// person and for the reason of the override if there was one, whatever has
// become of it since. Errors: AlreadyExists when the key closed something else.
func (k Keyed) ClosedBefore(ctx context.Context, book accounts.Book, month accounts.Month, by, reason string) (before bool, err error) {
	if k.key == "" {
		return false, nil
	}
	c := periodChange{k, book, month, PeriodShut, by, reason}
	err = k.journal.store.Snapshot(ctx, func(tx pgx.Tx) error {
		before, err = k.used(ctx, db.New(tx), "period "+string(PeriodShut), c.content())
		return err
	})
	return before, err
}

// claimOpenings claims the key for opening balances, by what they come to.
func (k Keyed) claimOpenings(ctx context.Context, tx pgx.Tx, entries []Entry) error {
	content := make([]string, len(entries))
	for i := range entries {
		content[i] = fmt.Sprintf("%x", digest(&entries[i]))
	}
	_, err := k.claim(ctx, tx, "post openings", content)
	return err
}
