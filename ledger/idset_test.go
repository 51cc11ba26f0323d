package ledger

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/uuid"
)

func TestIDsThatComeTwiceAreFoundInMemoryAndOnDisk(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, limit := range []int{1, 7, 100, 1000} {
		r := rand.New(rand.NewPCG(uint64(limit), 1))
		s := idSet{run: limit, keep: 2}
		count := map[uuid.UUID]int{}
		for range 500 {
			id := uuid.UUID{5: byte(r.IntN(3)), 15: byte(1 + r.IntN(255))}
			count[id]++
			s.add(id)
		}
		var got []uuid.UUID
		if err := s.twice(func(id uuid.UUID) { got = append(got, id) }); err != nil {
			t.Fatal(err)
		}
		s.close()
		for id, n := range count {
			if slices.Contains(got, id) != (n > 1) {
				t.Errorf("limit %d: %s comes %d times", limit, id, n)
			}
			if n > 1 {
				got = slices.DeleteFunc(got, func(x uuid.UUID) bool { return x == id })
			}
		}
		if len(got) > 0 {
			t.Errorf("limit %d: found besides %v", limit, got)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}
