package ledger

import (
	"testing"

	"github.com/google/uuid"
)

func TestOneTransactionSealsABoundedPartOfTheBacklog(t *testing.T) {
	t.Parallel()
	backlog := func(batches, entries int) []*waiting {
		list := make([]*waiting, batches)
		for i := range list {
			list[i] = &waiting{entries: make([]uuid.UUID, entries)}
		}
		return list
	}
	for _, c := range []struct {
		batches, entries int // each
		taken            int
	}{
		{0, 0, 0},
		{3, 10_000, 3},
		{maxSealed, 1, maxSealed},
		{maxSealed + 1, 1, maxSealed},
		{11, 10_000, 10},
		{4, 40_000, 3},  // it ends at the limit, and never within a batch
		{2, 200_000, 1}, // and takes one at least
	} {
		if n, entries := atOnce(backlog(c.batches, c.entries)); n != c.taken || entries != n*c.entries {
			t.Errorf("%d batches of %d: %d with %d entries are taken at once, want %d", c.batches, c.entries, n, entries, c.taken)
		}
	}
}
