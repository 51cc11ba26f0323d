package ledger

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"fundledger/accounts"
)

// bundleBalance is the balance of an account at the end of the journal.
type bundleBalance struct {
	account       string
	debit, credit accounts.Fen
	lines         int64
	last          Position
}

func (x bundleBalance) append(b []byte) []byte {
	b = appendText(b, x.account)
	b = binary.AppendVarint(b, int64(x.debit))
	b = binary.AppendVarint(b, int64(x.credit))
	b = binary.AppendUvarint(b, uint64(x.lines))
	return binary.AppendUvarint(b, uint64(x.last))
}

func readBundleBalance(c *cursor) bundleBalance {
	return bundleBalance{string(c.text()), accounts.Fen(c.varint()), accounts.Fen(c.varint()), int64(c.position()), c.position()}
}

// bundleFloor is a floor balance at the end of the journal, and what is
// reserved of it.
type bundleFloor struct {
	key      string
	balance  accounts.Fen
	version  int64
	reserved accounts.Fen
	ahead    accounts.Fen // what entries behind the position have done to the balance
}

func (x bundleFloor) append(b []byte) []byte {
	b = appendText(b, x.key)
	b = binary.AppendVarint(b, int64(x.balance))
	b = binary.AppendUvarint(b, uint64(x.version))
	b = binary.AppendVarint(b, int64(x.reserved))
	return binary.AppendVarint(b, int64(x.ahead))
}

func readBundleFloor(c *cursor) bundleFloor {
	return bundleFloor{string(c.text()), accounts.Fen(c.varint()), int64(c.position()), accounts.Fen(c.varint()), accounts.Fen(c.varint())}
}

// append writes the record of a month of a book.
func (h *monthHistory) append(b []byte) []byte {
	b = appendText(b, h.book)
	b = appendText(b, h.month)
	b = appendText(b, h.state)
	b = binary.AppendUvarint(b, uint64(len(h.events)))
	for _, e := range h.events {
		b = binary.AppendUvarint(b, uint64(e.Number))
		b = appendText(b, e.State)
		b = appendText(b, e.By)
		b = appendText(b, e.Reason)
		b = appendTime(b, e.At)
		b = binary.AppendUvarint(b, uint64(e.Position))
	}
	return b
}

// minEvent is the fewest bytes that the record of an event can have.
const minEvent = 6

func readMonthHistory(c *cursor) monthHistory {
	h := monthHistory{bookMonth: bookMonth{accounts.Book(c.text()), accounts.Month(c.text())}, state: PeriodState(c.text())}
	for range c.count(minEvent) {
		h.events = append(h.events, PeriodEvent{
			Book: h.book, Month: h.month, Number: int64(c.position()), State: PeriodState(c.text()),
			By: string(c.text()), Reason: string(c.text()), At: readTime(c), Position: c.position(),
		})
	}
	return h
}

// bundlePending is the record of a pending entry.
type bundlePending struct {
	Pending          // without the entry where that is read
	digest    []byte // as stored with it
	waits     bool   // it is finished, and its entry has no place up to the position yet
	key       string
	canonical []byte // of the entry
}

func (p *bundlePending) append(b []byte) []byte {
	b = appendText(b, p.key)
	b = appendText(b, p.State)
	b = appendTime(b, p.Expires)
	b = binary.AppendUvarint(b, uint64(len(p.Holds)))
	for _, floor := range slices.Sorted(maps.Keys(p.Holds)) {
		b = binary.AppendVarint(appendText(b, floor), int64(p.Holds[floor]))
	}
	b = appendTime(b, p.Made)
	b = appendTime(b, p.Decided)
	b = appendText(b, p.By)
	b = appendText(b, p.Reason)
	waits := byte(0)
	if p.waits {
		waits = 1
	}
	b = append(b, waits)
	b = appendText(b, p.digest)
	return appendText(b, p.canonical)
}

func readBundlePending(c *cursor) *bundlePending {
	p := &bundlePending{key: string(c.text())}
	p.State, p.Expires, p.Holds = PendingState(c.text()), readTime(c), holds{}
	n := c.count(2)
	for before := ""; len(p.Holds) < n && !c.bad; {
		floor := string(c.text())
		if floor <= before {
			c.fail()
		}
		p.Holds[floor], before = accounts.Fen(c.varint()), floor
	}
	p.Made, p.Decided = readTime(c), readTime(c)
	p.By, p.Reason = string(c.text()), string(c.text())
	switch c.byte() {
	case 0:
	case 1:
		p.waits = true
	default:
		c.fail()
	}
	p.digest, p.canonical = c.text(), c.text()
	return p
}

// appendTime writes µs since 1970, and 0 for no time.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.AppendVarint(b, t.UnixMicro())
}

func readTime(c *cursor) time.Time {
	if micros := c.varint(); micros != 0 {
		t := time.UnixMicro(micros).UTC()
		if t.IsZero() { // which is written as 0
			c.fail()
		}
		return t
	}
	return time.Time{}
}
