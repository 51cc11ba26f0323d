package ledger

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/uuid"
)

// maxIDs is how many ids are held in memory; more are sorted and put aside
// in a file.
const maxIDs = 1 << 20

// idSet finds ids that come twice, in memory that does not grow with them.
type idSet struct {
	ids  []uuid.UUID
	runs []int64 // where each sorted run ends in the file
	file *os.File
	err  error
}

func (s *idSet) add(id uuid.UUID) {
	if len(s.ids) == maxIDs {
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
	next := []func() (uuid.UUID, bool, error){func() (id uuid.UUID, ok bool, err error) {
		if len(s.ids) == 0 {
			return id, false, nil
		}
		id, s.ids = s.ids[0], s.ids[1:]
		return id, true, nil
	}}
	start := int64(0)
	for _, end := range s.runs {
		run := bufio.NewReaderSize(io.NewSectionReader(s.file, start, end-start), 1<<16)
		start = end
		next = append(next, func() (id uuid.UUID, ok bool, err error) {
			if _, err = io.ReadFull(run, id[:]); err == io.EOF {
				return id, false, nil
			}
			return id, err == nil, err
		})
	}
	return mergeIDs(next, found)
}

// mergeIDs walks sorted sources together.
func mergeIDs(next []func() (uuid.UUID, bool, error), found func(uuid.UUID)) error {
	heads := make([]uuid.UUID, len(next))
	advance := func(i int) error {
		id, ok, err := next[i]()
		if heads[i] = id; !ok {
			heads, next = slices.Delete(heads, i, i+1), slices.Delete(next, i, i+1)
		}
		return err
	}
	for i := len(next) - 1; i >= 0; i-- {
		if err := advance(i); err != nil {
			return err
		}
	}
	var last, reported uuid.UUID
	for first := true; len(heads) > 0; first = false {
		least := 0
		for i := range heads {
			if bytes.Compare(heads[i][:], heads[least][:]) < 0 {
				least = i
			}
		}
		id := heads[least]
		if !first && id == last && id != reported {
			found(id)
			reported = id
		}
		last = id
		if err := advance(least); err != nil {
			return err
		}
	}
	return nil
}

func (s *idSet) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}
