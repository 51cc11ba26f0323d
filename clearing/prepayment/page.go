package prepayment

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"fundledger/internal/paging"
	"fundledger/ledger"
)

// Seen returns the position of the journal that everything read from now on has
// seen. NotFound when the journal is shorter than the given one.
func (p *Prepayments) Seen(ctx context.Context, atLeast ledger.Position) (at ledger.Position, err error) {
	err = p.journal.View(ctx, atLeast, func(_ pgx.Tx, seen ledger.Position) error {
		at = seen
		return nil
	})
	return at, err
}

// Cut returns the page of a list that begins behind the token, which is the id of
// the last item before it, and the token of the next page, empty on the last. The
// list is in order of id; what is added to it in between moves nothing. Invalid
// for a size out of range.
func Cut[T any](list []T, id func(*T) string, size int, token string) ([]T, string, error) {
	size, err := paging.Size(size, "items")
	if err != nil {
		return nil, "", err
	}
	first := slices.IndexFunc(list, func(item T) bool { return id(&item) > token })
	if first < 0 {
		return nil, "", nil
	}
	page := list[first:]
	if len(page) <= size {
		return page, "", nil
	}
	page = page[:size]
	return page, id(&page[size-1]), nil
}
