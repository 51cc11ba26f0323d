package ledger

import (
	"bytes"
	"slices"
)

// maxSpool is how many bytes of records are held in memory.
const maxSpool = 16 << 20

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
		s.sort()
		s.err = s.aside.write(func(yield func([]byte) bool) {
			for i := range s.records {
				if !yield(s.record(i)) {
					return
				}
			}
		})
		s.room, s.records = s.room[:0], s.records[:0]
	}
	if s.err == nil {
		start := len(s.room)
		s.room = append(s.room, record...)
		s.records = append(s.records, [2]int{start, len(s.room)})
	}
}

func (s *spool) record(i int) []byte { return s.room[s.records[i][0]:s.records[i][1]] }

func (s *spool) sort() {
	slices.SortFunc(s.records, func(a, b [2]int) int { return bytes.Compare(s.room[a[0]:a[1]], s.room[b[0]:b[1]]) })
}

// each calls fn for each record in order, valid during the call; nothing is
// added after it.
func (s *spool) each(fn func([]byte)) error {
	if s.err != nil {
		return s.err
	}
	heads, err := s.aside.heads()
	if err != nil {
		return err
	}
	if s.sort(); len(s.records) > 0 {
		heads = append(heads, memoryRun(len(s.records), s.record))
	}
	return heads.merge(fn)
}

func (s *spool) close() { s.aside.close() }
