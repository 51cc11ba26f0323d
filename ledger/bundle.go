package ledger

import (
	"encoding/binary"
	"encoding/json"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/accounts"
)

// bundleHeader says of which journal a bundle is, at which position it was
// taken, and the rules that one needs to check it.
type bundleHeader struct {
	Origin   string             `json:"origin"`
	Position Position           `json:"position"`
	Root     []byte             `json:"root"` // of the Merkle tree at the position, as the journal keeps it
	Periods  []bundlePeriod     `json:"periods"`
	Subjects []accounts.Subject `json:"subjects"`
}

// bundlePeriod is a month of a book; the first of a book is its opening.
type bundlePeriod struct {
	Book  accounts.Book  `json:"book"`
	Month accounts.Month `json:"month"`
	State string         `json:"state"`
}

func parseHeader(content []byte) (h bundleHeader, ok bool) {
	err := json.Unmarshal(content, &h)
	return h, err == nil && len(h.Root) == tlog.HashSize && h.Position >= 0
}

// bundleEntry is the record of one entry in a frame of entries.
type bundleEntry struct {
	position  Position
	id        uuid.UUID
	digest    []byte
	batch     uuid.UUID
	vouchers  []bundleVoucher
	versions  []int64 // of the floors of its lines; empty where no line has one
	canonical []byte
}

type bundleVoucher struct {
	book, period []byte
	number       int64
}

// appendBundleEntry appends the record of an entry; before is the batch of
// the record before it in the frame.
func appendBundleEntry(b []byte, r *Record, before uuid.UUID, canonical []byte) []byte {
	b = binary.AppendUvarint(b, uint64(r.Position))
	b = append(append(b, r.ID[:]...), r.digest...)
	if r.Batch == before {
		b = append(b, 0)
	} else {
		b = append(append(b, 1), r.Batch[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Vouchers)))
	for _, v := range r.Vouchers {
		b = appendText(b, string(v.Book))
		b = appendText(b, string(v.Period))
		b = binary.AppendUvarint(b, uint64(v.Number))
	}
	lines := 0
	for _, l := range r.legs {
		if l.Version != 0 {
			lines = len(r.legs)
		}
	}
	b = binary.AppendUvarint(b, uint64(lines))
	for _, l := range r.legs[:lines] {
		b = binary.AppendUvarint(b, uint64(l.Version))
	}
	b = binary.AppendUvarint(b, uint64(len(canonical)))
	return append(b, canonical...)
}

// read reads the next record of a frame.
func (e *bundleEntry) read(c *cursor) {
	e.position = c.position()
	copy(e.id[:], c.bytes(len(e.id)))
	e.digest = c.bytes(tlog.HashSize)
	switch c.byte() {
	case 0:
	case 1:
		copy(e.batch[:], c.bytes(len(e.batch)))
	default:
		c.fail()
	}
	e.vouchers = e.vouchers[:0]
	for range c.count(3) {
		e.vouchers = append(e.vouchers, bundleVoucher{c.text(), c.text(), int64(c.position())})
	}
	e.versions = e.versions[:0]
	for range c.count(1) {
		e.versions = append(e.versions, int64(c.position()))
	}
	e.canonical = c.text()
}

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

// bundleFloor is a floor balance at the end of the journal.
type bundleFloor struct {
	key     string
	balance accounts.Fen
	version int64
}

func (x bundleFloor) append(b []byte) []byte {
	b = appendText(b, x.key)
	b = binary.AppendVarint(b, int64(x.balance))
	return binary.AppendUvarint(b, uint64(x.version))
}

func readBundleFloor(c *cursor) bundleFloor {
	return bundleFloor{string(c.text()), accounts.Fen(c.varint()), int64(c.position())}
}

// bundleCounts are the last frame: how many of each there are before it.
type bundleCounts struct{ entries, checkpoints, balances, floors int64 }

func (n bundleCounts) append(b []byte) []byte {
	for _, count := range []int64{n.entries, n.checkpoints, n.balances, n.floors} {
		b = binary.AppendUvarint(b, uint64(count))
	}
	return b
}

func readBundleCounts(c *cursor) bundleCounts {
	return bundleCounts{int64(c.position()), int64(c.position()), int64(c.position()), int64(c.position())}
}
