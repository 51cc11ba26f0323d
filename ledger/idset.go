package ledger

import (
	"bufio"
	"bytes"
	"container/heap"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/uuid"
)

// maxIDs is how many ids are held in memory.
const maxIDs = 1 << 18

// idSet finds ids that come twice. It holds up to limit ids in memory; more
// are sorted and put aside in a file.
type idSet struct {
	limit int
	ids   []uuid.UUID
	runs  []int64 // where each sorted run ends in the file
	file  *os.File
	err   error
}

func (s *idSet) add(id uuid.UUID) {
	if len(s.ids) == s.limit {
		s.err = s.putAside()
	}
	if s.err != nil {
		return
	}
	s.ids = append(s.ids, id)
}

func (s *idSet) sort() {
	slices.SortFunc(s.ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// putAside writes the ids as a sorted run.
func (s *idSet) putAside() error {
	if s.file == nil {
		file, err := os.CreateTemp("", "fundledger-ids-")
		if err != nil {
			return fmt.Errorf("no room to look for entries that come twice: %w", err)
		}
		s.file = file
	}
	s.sort()
	w := bufio.NewWriterSize(s.file, 1<<16)
	for _, id := range s.ids {
		if _, err := w.Write(id[:]); err != nil {
			return err
		}
	}
	end := int64(len(s.ids) * len(uuid.UUID{}))
	if len(s.runs) > 0 {
		end += s.runs[len(s.runs)-1]
	}
	s.runs, s.ids = append(s.runs, end), s.ids[:0]
	return w.Flush()
}

// twice calls found for each id that comes more than once; nothing is added after it.
func (s *idSet) twice(found func(uuid.UUID)) error {
	if s.err != nil {
		return s.err
	}
	s.sort()
	var runs idRuns
	start := int64(0)
	for _, end := range s.runs {
		runs = append(runs, &idRun{rest: bufio.NewReaderSize(io.NewSectionReader(s.file, start, end-start), 1<<14)})
		start = end
	}
	for _, r := range runs { // none is empty
		if err := r.next(); err != nil {
			return err
		}
	}
	heap.Init(&runs)
	var last, reported uuid.UUID
	follow := func(id uuid.UUID) {
		if id == last && id != reported {
			found(id)
			reported = id
		}
		last = id
	}
	for len(runs) > 0 {
		r := runs[0]
		for len(s.ids) > 0 && bytes.Compare(s.ids[0][:], r.id[:]) <= 0 {
			follow(s.ids[0])
			s.ids = s.ids[1:]
		}
		follow(r.id)
		switch err := r.next(); {
		case err == io.EOF:
			heap.Pop(&runs)
		case err != nil:
			return err
		default:
			heap.Fix(&runs, 0)
		}
	}
	for _, id := range s.ids {
		follow(id)
	}
	return nil
}

// idRun is a sorted run in the file and its next id.
type idRun struct {
	id   uuid.UUID
	rest *bufio.Reader
}

func (r *idRun) next() error {
	_, err := io.ReadFull(r.rest, r.id[:])
	return err
}

// idRuns is a heap of runs, the one with the least id first.
type idRuns []*idRun

func (r idRuns) Len() int           { return len(r) }
func (r idRuns) Less(i, k int) bool { return bytes.Compare(r[i].id[:], r[k].id[:]) < 0 }
func (r idRuns) Swap(i, k int)      { r[i], r[k] = r[k], r[i] }
func (r *idRuns) Push(x any)        { *r = append(*r, x.(*idRun)) }

// Pop implements heap.Interface.
func (r *idRuns) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

func (s *idSet) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}
