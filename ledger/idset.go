package ledger

import (
	"bytes"
	"slices"

	"github.com/google/uuid"
)

const (
	idRun    = 1 << 18 // ids that are sorted at once
	keepRuns = 8       // runs that stay in memory: 32 MiB, two million ids
)

// idSet finds ids that come twice. It sorts them in runs, of which the first
// stay in memory and the others are put aside: most journals need no file, and
// do not wait for a disk that others keep busy.
type idSet struct {
	run, keep int
	ids       []uuid.UUID
	kept      [][]uuid.UUID
	aside     runs
	err       error
}

func (s *idSet) add(id uuid.UUID) {
	if len(s.ids) == s.run && s.err == nil {
		s.endRun()
	}
	if s.err == nil {
		s.ids = append(s.ids, id)
	}
}

func (s *idSet) endRun() {
	s.sort()
	if len(s.kept) < s.keep {
		s.kept, s.ids = append(s.kept, s.ids), make([]uuid.UUID, 0, s.run)
		return
	}
	s.err = s.aside.write(func(yield func([]byte) bool) {
		for i := range s.ids {
			if !yield(s.ids[i][:]) {
				return
			}
		}
	})
	s.ids = s.ids[:0]
}

func (s *idSet) sort() {
	slices.SortFunc(s.ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// twice calls found for each id that comes more than once; nothing is added after it.
func (s *idSet) twice(found func(uuid.UUID)) error {
	if s.err != nil {
		return s.err
	}
	heads, err := s.aside.heads()
	if err != nil {
		return err
	}
	s.sort()
	for _, ids := range append(s.kept, s.ids) {
		if len(ids) > 0 {
			heads = append(heads, memoryRun(len(ids), func(i int) []byte { return ids[i][:] }))
		}
	}
	var last, reported uuid.UUID
	return heads.merge(func(record []byte) {
		id := uuid.UUID(record)
		if id == last && id != reported {
			found(id)
			reported = id
		}
		last = id
	})
}

func (s *idSet) close() { s.aside.close() }
