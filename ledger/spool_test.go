package ledger

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

func TestASpoolSortsRecordsInMemoryAndOnDisk(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, limit := range []int{1, 50, 3000, 1 << 20} {
		r := rand.New(rand.NewPCG(uint64(limit), 1))
		s := spool{limit: limit}
		var want [][]byte
		for range 400 {
			record := make([]byte, 1+r.IntN(300))
			for i := range record {
				record[i] = byte(r.IntN(3))
			}
			s.add(record)
			want = append(want, record)
		}
		slices.SortFunc(want, bytes.Compare)
		var got [][]byte
		if err := s.each(func(record []byte) { got = append(got, bytes.Clone(record)) }); err != nil {
			t.Fatal(err)
		}
		s.close()
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("limit %d: the records are not those that were added, in order", limit)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}

func TestASpoolWithoutRoomSaysSo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/none")
	s := spool{limit: 1}
	for range 3 {
		s.add([]byte("record"))
	}
	if err := s.each(func([]byte) {}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
