package ledger

import (
	"bytes"
	"slices"

	"github.com/google/uuid"
)

// maxIDs is how many ids are held in memory.
const maxIDs = 1 << 18

// idSet finds ids that come twice. It holds up to limit ids in memory; more
// are sorted and put aside.
type idSet struct {
	limit int
	ids   []uuid.UUID
	aside runs
	err   error
}

func (s *idSet) add(id uuid.UUID) {
	if len(s.ids) == s.limit && s.err == nil {
		s.err = s.aside.write(s.sorted)
		s.ids = s.ids[:0]
	}
	if s.err == nil {
		s.ids = append(s.ids, id)
	}
}

// sorted yields the ids that are held in memory.
func (s *idSet) sorted(yield func([]byte) bool) {
	slices.SortFunc(s.ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for i := range s.ids {
		if !yield(s.ids[i][:]) {
			return
		}
	}
}

// twice calls found for each id that comes more than once; nothing is added after it.
func (s *idSet) twice(found func(uuid.UUID)) error {
	if s.err != nil {
		return s.err
	}
	var last, reported uuid.UUID
	return s.aside.merge(s.sorted, func(record []byte) {
		id := uuid.UUID(record)
		if id == last && id != reported {
			found(id)
			reported = id
		}
		last = id
	})
}

func (s *idSet) close() { s.aside.close() }
