package ledger

import (
	"encoding/binary"
	"math"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
)

// cursor reads the elements that appendCanonical and appendText write. After
// the first that is malformed it reads nothing more and stays bad. What it
// returns lies in the bytes that it was given.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) fail() { c.rest, c.bad = nil, true }

// bytes takes the next n bytes.
func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.fail()
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) byte() byte {
	if len(c.rest) == 0 {
		c.fail()
		return 0
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return b
}

// uvarint reads a number in its shortest form, the only one that is canonical.
func (c *cursor) uvarint() uint64 {
	if len(c.rest) > 0 && c.rest[0] < 0x80 {
		v := c.rest[0]
		c.rest = c.rest[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(c.rest)
	if n <= 0 || c.rest[n-1] == 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) varint() int64 {
	u := c.uvarint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

// count reads how many elements follow, each of at least the given size, so
// that nobody makes room for more than can be there.
func (c *cursor) count(size int) int {
	n := c.uvarint()
	if n > uint64(len(c.rest)/size) {
		c.fail()
		return 0
	}
	return int(n)
}

// position reads a place in the sequence.
func (c *cursor) position() Position {
	n := c.uvarint()
	if n > math.MaxInt64 {
		c.fail()
	}
	return Position(n)
}

func (c *cursor) text() []byte { return c.bytes(c.count(1)) }

// rawEntry is an entry as its canonical encoding has it, without copies.
type rawEntry struct {
	key, date, period, kind, summary, source []byte
	attachments                              int64
	preparer, reviewer, corrects             []byte // corrects is nil where there is none
	lines                                    []rawLine
}

type rawLine struct {
	account             []byte
	credit              bool
	amount              int64
	run, category, part []byte
	benefitYear         int64
}

// minLine is the fewest bytes that a line can have.
const minLine = 8

// decode reads a canonical encoding and refuses whatever appendCanonical
// would not have written: another version, numbers that are not in their
// shortest form, a side that is neither, a byte too few or too many. It tells
// whether the bytes are one. Dates and accounts stay texts.
func (e *rawEntry) decode(data []byte) bool {
	c := cursor{rest: data}
	if c.byte() != encodingVersion {
		return false
	}
	e.key, e.date, e.period = c.text(), c.text(), c.text()
	e.kind, e.summary, e.source = c.text(), c.text(), c.text()
	e.attachments = c.varint()
	e.preparer, e.reviewer, e.corrects = c.text(), c.text(), nil
	switch c.byte() {
	case 0:
	case 1:
		e.corrects = c.bytes(len(uuid.UUID{}))
	default:
		return false
	}
	n := c.count(minLine)
	e.lines = e.lines[:0]
	for range n {
		l := rawLine{account: c.text()}
		side := c.text()
		if len(side) != 1 || (side[0] != 'D' && side[0] != 'C') {
			return false
		}
		l.credit = side[0] == 'C'
		l.amount = c.varint()
		l.run, l.category, l.part = c.text(), c.text(), c.text()
		l.benefitYear = c.varint()
		e.lines = append(e.lines, l)
	}
	return !c.bad && len(c.rest) == 0
}

// entry copies the entry, or tells that its date, its period or an account is none.
func (e *rawEntry) entry() (Entry, bool) {
	date, err := civil.ParseDate(string(e.date))
	month, monthErr := accounts.ParseMonth(string(e.period))
	entry := Entry{
		Key: string(e.key), Date: date, Period: month, Kind: string(e.kind), Summary: string(e.summary), Source: string(e.source),
		Attachments: int(e.attachments), Preparer: string(e.preparer), Reviewer: string(e.reviewer),
		Postings: make([]Posting, len(e.lines)),
	}
	ok := err == nil && monthErr == nil
	if e.corrects != nil {
		entry.Corrects = uuid.NullUUID{UUID: uuid.UUID(e.corrects), Valid: true}
	}
	for i, l := range e.lines {
		account, err := accounts.ParseAccount(string(l.account))
		ok = ok && err == nil
		side := accounts.Debit
		if l.credit {
			side = accounts.Credit
		}
		entry.Postings[i] = Posting{
			Account: account, Side: side, Amount: accounts.Fen(l.amount),
			Dimensions: Dimensions{Run: string(l.run), Category: string(l.category), Part: string(l.part), BenefitYear: int(l.benefitYear)},
		}
	}
	return entry, ok
}

// read decodes a canonical encoding and copies the entry.
func (e *rawEntry) read(canonical []byte) (Entry, bool) {
	if !e.decode(canonical) {
		return Entry{}, false
	}
	return e.entry()
}
