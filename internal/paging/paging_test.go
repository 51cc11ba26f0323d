package paging_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"fundledger/internal/fault"
	"fundledger/internal/paging"
)

func TestAPageIsOfASizeThatALimitBounds(t *testing.T) {
	t.Parallel()
	for asked, want := range map[int]int{0: paging.Default, 1: 1, paging.Largest: paging.Largest} {
		if got, err := paging.Size(asked, "things"); got != want || err != nil {
			t.Errorf("%d gives %d, %v", asked, got, err)
		}
	}
	for _, asked := range []int{-1, paging.Largest + 1} {
		if _, err := paging.Size(asked, "things"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d: %v", asked, err)
		}
	}
}

func TestATokenLeadsBackToItsPlace(t *testing.T) {
	t.Parallel()
	p := paging.Place{At: time.Date(2025, 1, 15, 9, 30, 0, 123456000, time.UTC), ID: uuid.New()}
	if got, err := paging.ParsePlace(p.Token(), "a list"); err != nil || !got.At.Equal(p.At) || got.ID != p.ID {
		t.Errorf("%v %v", got, err)
	}
	if got, err := paging.ParsePlace("", "a list"); err != nil || got != (paging.Place{}) {
		t.Errorf("%v %v", got, err)
	}
	for _, token := range []string{"x", "1.x", "x." + p.ID.String(), p.ID.String(), "1"} {
		if _, err := paging.ParsePlace(token, "a list"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", token, err)
		}
	}
}
