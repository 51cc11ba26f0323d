package ledger

import (
	"bytes"
	"slices"
)

// maxSpool is how many bytes of records are held in memory.
const maxSpool = 4 << 20

// spool sorts records of any length by their bytes. It holds up to limit bytes
// of them in memory; more are sorted and put aside.
type spool struct {
	limit   int
	room    []byte
	records [][2]int // where each begins and ends in the room
	aside   runs
	err     error
}

func (s *spool) add(record []byte) {
	if len(s.records) > 0 && len(s.room)+len(record) > s.limit && s.err == nil {
		s.err = s.aside.write(s.sorted)
		s.room, s.records = s.room[:0], s.records[:0]
	}
	if s.err == nil {
		start := len(s.room)
		s.room = append(s.room, record...)
		s.records = append(s.records, [2]int{start, len(s.room)})
	}
}

// sorted yields the records that are held in memory.
func (s *spool) sorted(yield func([]byte) bool) {
	record := func(at [2]int) []byte { return s.room[at[0]:at[1]] }
	slices.SortFunc(s.records, func(a, b [2]int) int { return bytes.Compare(record(a), record(b)) })
	for _, at := range s.records {
		if !yield(record(at)) {
			return
		}
	}
}

// each calls fn for each record in order, valid during the call; nothing is
// added after it.
func (s *spool) each(fn func([]byte)) error {
	if s.err != nil {
		return s.err
	}
	return s.aside.merge(s.sorted, fn)
}

func (s *spool) close() { s.aside.close() }
