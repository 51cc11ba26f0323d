package ledger

import (
	"bytes"
	"strconv"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// maxBlock is how many lines of an account go into one row. A row per line
// would cost a key-value pair per line; a block keeps the work to find one
// position of a long account bounded all the same. The lines of one entry are
// never divided.
const maxBlock = 200

// accountLine is one line of an account as the projection keeps it.
type accountLine struct {
	position Position
	leg      int // index of the posting in its entry
	date     civil.Date
	side     accounts.Side
	amount   accounts.Fen
	entry    uuid.UUID
}

// appendLine writes [position, leg, date, side, fen, entry].
func appendLine(b []byte, l accountLine) []byte {
	b = strconv.AppendInt(append(b, '['), int64(l.position), 10)
	b = strconv.AppendInt(append(b, ','), int64(l.leg), 10)
	b = append(accounts.AppendDate(append(b, `,"`...), l.date), `","`...)
	b = append(append(b, l.side...), `",`...)
	b = strconv.AppendInt(b, int64(l.amount), 10)
	return append(append(append(b, `,"`...), l.entry.String()...), `"]`...)
}

// decodeLines reads what appendLine writes, with the spaces that a database puts
// in. A page of a statement reads thousands of lines, so it is not left to
// reflection.
func decodeLines(data []byte) ([]accountLine, error) {
	r := lineReader{rest: data}
	lines := make([]accountLine, 0, len(data)/90+1)
	r.expect('[')
	for !r.bad && !r.next(']') {
		if len(lines) > 0 {
			r.expect(',')
		}
		var l accountLine
		r.expect('[')
		l.position = Position(r.number())
		r.expect(',')
		l.leg = int(r.number())
		r.expect(',')
		date, err := civil.ParseDate(r.text())
		r.expect(',')
		l.side = accounts.Side(r.text())
		r.expect(',')
		l.amount = accounts.Fen(r.number())
		r.expect(',')
		id, idErr := uuid.Parse(r.text())
		r.expect(']')
		if l.date, l.entry = date, id; err != nil || idErr != nil || (l.side != accounts.Debit && l.side != accounts.Credit) {
			r.bad = true
		}
		lines = append(lines, l)
	}
	if r.space(); r.bad || len(r.rest) > 0 {
		return nil, fault.New(fault.Internal, "a block of account lines cannot be read")
	}
	return lines, nil
}

// lineReader reads the JSON of a block. After bad it returns zeros.
type lineReader struct {
	rest []byte
	bad  bool
}

func (r *lineReader) space() { r.rest = bytes.TrimLeft(r.rest, " ") }

// next tells whether the byte follows, and takes it.
func (r *lineReader) next(c byte) bool {
	r.space()
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *lineReader) expect(c byte) {
	if !r.next(c) {
		r.bad = true
	}
}

// number reads an integer.
func (r *lineReader) number() int64 {
	r.space()
	n := 0
	for n < len(r.rest) && (r.rest[n] == '-' || r.rest[n] >= '0' && r.rest[n] <= '9') {
		n++
	}
	value, err := strconv.ParseInt(string(r.rest[:n]), 10, 64)
	r.rest, r.bad = r.rest[n:], r.bad || err != nil
	return value
}

// text reads a string in which nothing is escaped.
func (r *lineReader) text() string {
	r.expect('"')
	end := bytes.IndexAny(r.rest, `"\`)
	if r.bad || end < 0 || r.rest[end] != '"' {
		r.bad = true
		return ""
	}
	value := string(r.rest[:end])
	r.rest = r.rest[end+1:]
	return value
}

// turnover adds the line to its side.
func (l accountLine) turnover(debit, credit *accounts.Fen) {
	if l.side == accounts.Debit {
		*debit += l.amount
	} else {
		*credit += l.amount
	}
}
