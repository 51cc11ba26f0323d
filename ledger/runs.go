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

// heads returns the runs, each with its first record.
func (r *runs) heads() (heads runHeads, err error) {
	start := int64(0)
	for _, end := range r.ends { // none is empty
		h := &runHead{}
		h.next = fileRun(bufio.NewReaderSize(io.NewSectionReader(r.file, start, end-start), 1<<14))
		if h.record, err = h.next(); err != nil {
			return nil, err
		}
		heads, start = append(heads, h), end
	}
	return heads, nil
}

// fileRun reads one record after the other, each valid until the next.
func fileRun(rest *bufio.Reader) func() ([]byte, error) {
	var room []byte
	return func() ([]byte, error) {
		length, err := binary.ReadUvarint(rest)
		if err != nil {
			return nil, err
		}
		if uint64(cap(room)) < length {
			room = make([]byte, length)
		}
		room = room[:length]
		_, err = io.ReadFull(rest, room)
		return room, err
	}
}

// merge calls fn for each record of the runs in their order, valid during the call.
func (heads runHeads) merge(fn func([]byte)) error {
	heap.Init(&heads)
	for len(heads) > 0 {
		h := heads[0]
		fn(h.record)
		var err error
		switch h.record, err = h.next(); {
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

func (r *runs) close() {
	if r.file != nil {
		r.file.Close()
		os.Remove(r.file.Name())
	}
}

// runHead is a run: its next record, and what gives those behind it, io.EOF at
// the end.
type runHead struct {
	record []byte
	next   func() ([]byte, error)
}

// memoryRun is the run of n sorted records in memory, at least one.
func memoryRun(n int, record func(int) []byte) *runHead {
	i := 0
	return &runHead{record(0), func() ([]byte, error) {
		if i++; i == n {
			return nil, io.EOF
		}
		return record(i), nil
	}}
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
