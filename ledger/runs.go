package ledger

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"os"
)

// runs are sorted sequences of records in a temporary file, put aside when
// there are too many for memory.
type runs struct {
	file *os.File
	ends []int64
}

// write puts a run aside; its records come in their order.
func (r *runs) write(records iter.Seq[[]byte]) error {
	if r.file == nil {
		file, err := os.CreateTemp("", "fundledger-verify-")
		if err != nil {
			return fmt.Errorf("no room to put aside what has to be compared: %w", err)
		}
		r.file = file
	}
	w := bufio.NewWriterSize(r.file, 1<<16)
	end := int64(0)
	if len(r.ends) > 0 {
		end = r.ends[len(r.ends)-1]
	}
	for record := range records {
		var length [binary.MaxVarintLen64]byte
		n := binary.PutUvarint(length[:], uint64(len(record)))
		end += int64(n + len(record))
		if _, err := w.Write(length[:n]); err != nil {
			return err
		}
		if _, err := w.Write(record); err != nil {
			return err
		}
	}
	r.ends = append(r.ends, end)
	return w.Flush()
}

// merge calls fn for each record of the runs and of rest, which is sorted too,
// in their order. A record is valid during the call.
func (r *runs) merge(rest iter.Seq[[]byte], fn func([]byte)) error {
	var heads runHeads
	start := int64(0)
	for _, end := range r.ends { // none is empty
		h := &runHead{rest: bufio.NewReaderSize(io.NewSectionReader(r.file, start, end-start), 1<<14)}
		if err := h.next(); err != nil {
			return err
		}
		heads, start = append(heads, h), end
	}
	heap.Init(&heads)
	// until passes on what stands before the record, nil: all that is left.
	until := func(limit []byte) error {
		for len(heads) > 0 && (limit == nil || bytes.Compare(heads[0].record, limit) < 0) {
			fn(heads[0].record)
			switch err := heads[0].next(); {
			case err == io.EOF:
				heap.Pop(&heads)
			case err != nil:
				return err
			default:
				heap.Fix(&heads, 0)
			}
		}
		return nil
	}
	for record := range rest {
		if err := until(record); err != nil {
			return err
		}
		fn(record)
	}
	return until(nil)
}

func (r *runs) close() {
	if r.file != nil {
		r.file.Close()
		os.Remove(r.file.Name())
	}
}

// runHead is a run in the file and its next record.
type runHead struct {
	record []byte
	rest   *bufio.Reader
}

func (h *runHead) next() error {
	length, err := binary.ReadUvarint(h.rest)
	if err != nil {
		return err
	}
	if uint64(cap(h.record)) < length {
		h.record = make([]byte, length)
	}
	h.record = h.record[:length]
	_, err = io.ReadFull(h.rest, h.record)
	return err
}

// runHeads is a heap of runs, the one with the least record first.
type runHeads []*runHead

func (r runHeads) Len() int           { return len(r) }
func (r runHeads) Less(i, k int) bool { return bytes.Compare(r[i].record, r[k].record) < 0 }
func (r runHeads) Swap(i, k int)      { r[i], r[k] = r[k], r[i] }
func (r *runHeads) Push(x any)        { *r = append(*r, x.(*runHead)) }

// Pop implements heap.Interface.
func (r *runHeads) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}
