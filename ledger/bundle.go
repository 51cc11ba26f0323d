package ledger

import (
	"encoding/binary"
	"encoding/json"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/accounts"
)

// bundleHeader says of which journal a bundle is, at which position it was
// taken, and the chart that one needs to check it.
type bundleHeader struct {
	Origin   string             `json:"origin"`
	Position Position           `json:"position"`
	Root     []byte             `json:"root"` // of the Merkle tree at the position, as the journal keeps it
	Subjects []accounts.Subject `json:"subjects"`
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
	batch     bundleBatch
	apart     int64 // µs from the batch's time of posting to the entry's own: none
	vouchers  []bundleVoucher
	versions  []int64 // of the floors of its lines; empty where no line has one
	corrected int64   // how many entries correct it
	link      bundleLink
	canonical []byte
}

// bundleBatch is what the records of one batch have in common.
type bundleBatch struct {
	id     uuid.UUID
	posted int64 // µs since 1970
	until  int64 // when all batches up to this one were posted
}

type bundleVoucher struct {
	book, period []byte
	number       int64
}

// bundleLink is what the journal keeps of a correction beside its entry.
type bundleLink struct {
	kind    byte // linkNone, …
	version int64
	amounts []accounts.Fen // taken back of each posting
}

const (
	linkNone     = 0
	linkPlain    = 1 // without amounts
	linkMeasured = 2 // of a reversal
)

// exportedEntry is a record with what the bundle tells of it besides.
type exportedEntry struct {
	*Record
	corrected int64
	link      bundleLink
}

// appendBundleEntry appends the record of an entry; before is the batch of
// the record before it in the frame.
func appendBundleEntry(b []byte, r *exportedEntry, before uuid.UUID, canonical []byte) []byte {
	b = binary.AppendUvarint(b, uint64(r.Position))
	b = append(append(b, r.ID[:]...), r.digest...)
	if r.Batch == before {
		b = append(b, 0)
	} else {
		b = append(append(b, 1), r.Batch[:]...)
		b = binary.AppendVarint(b, r.batchAt.UnixMicro())
		b = binary.AppendVarint(b, r.until.Sub(r.batchAt).Microseconds())
	}
	b = binary.AppendVarint(b, r.PostedAt.Sub(r.batchAt).Microseconds())
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
	b = binary.AppendUvarint(b, uint64(r.corrected))
	b = r.link.append(b)
	return appendText(b, canonical)
}

func (l bundleLink) append(b []byte) []byte {
	b = append(b, l.kind)
	if l.kind != linkNone {
		b = binary.AppendUvarint(b, uint64(l.version))
	}
	if l.kind == linkMeasured {
		b = binary.AppendUvarint(b, uint64(len(l.amounts)))
		for _, amount := range l.amounts {
			b = binary.AppendVarint(b, int64(amount))
		}
	}
	return b
}

func (l *bundleLink) read(c *cursor) {
	l.kind, l.version, l.amounts = c.byte(), 0, l.amounts[:0]
	switch l.kind {
	case linkNone:
		return
	case linkPlain, linkMeasured:
		l.version = int64(c.position())
	default:
		c.fail()
	}
	if l.kind == linkMeasured {
		for range c.count(1) {
			l.amounts = append(l.amounts, accounts.Fen(c.varint()))
		}
	}
}

// read reads the next record of a frame.
func (e *bundleEntry) read(c *cursor) {
	e.position = c.position()
	copy(e.id[:], c.bytes(len(e.id)))
	e.digest = c.bytes(tlog.HashSize)
	switch c.byte() {
	case 0:
	case 1:
		copy(e.batch.id[:], c.bytes(len(e.batch.id)))
		e.batch.posted = c.varint()
		e.batch.until = e.batch.posted + c.varint()
	default:
		c.fail()
	}
	e.apart = c.varint()
	e.vouchers = e.vouchers[:0]
	for range c.count(3) {
		e.vouchers = append(e.vouchers, bundleVoucher{c.text(), c.text(), int64(c.position())})
	}
	e.versions = e.versions[:0]
	for range c.count(1) {
		e.versions = append(e.versions, int64(c.position()))
	}
	e.corrected = int64(c.position())
	e.link.read(c)
	e.canonical = c.text()
}

// bundleCounts are the last frame: how many of each there are before it, and
// how many entries were posted that had no place up to the position yet.
type bundleCounts struct{ entries, checkpoints, months, balances, floors, pendings, behind int64 }

func (n bundleCounts) append(b []byte) []byte {
	for _, count := range []int64{n.entries, n.checkpoints, n.months, n.balances, n.floors, n.pendings, n.behind} {
		b = binary.AppendUvarint(b, uint64(count))
	}
	return b
}

func readBundleCounts(c *cursor) bundleCounts {
	next := func() int64 { return int64(c.position()) }
	return bundleCounts{next(), next(), next(), next(), next(), next(), next()}
}
