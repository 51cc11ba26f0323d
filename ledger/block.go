package ledger

import (
	"encoding/json"
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
	b = append(append(append(b, `,"`...), l.date.String()...), `","`...)
	b = append(append(b, l.side...), `",`...)
	b = strconv.AppendInt(b, int64(l.amount), 10)
	return append(append(append(b, `,"`...), l.entry.String()...), `"]`...)
}

func decodeLines(data []byte) ([]accountLine, error) {
	var rows [][6]json.RawMessage
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, unreadableBlock(err)
	}
	lines := make([]accountLine, len(rows))
	for i, row := range rows {
		l := &lines[i]
		for k, into := range []any{&l.position, &l.leg, &l.date, &l.side, (*int64)(&l.amount), &l.entry} {
			if err := json.Unmarshal(row[k], into); err != nil {
				return nil, unreadableBlock(err)
			}
		}
	}
	return lines, nil
}

func unreadableBlock(err error) error {
	return fault.New(fault.Internal, "a block of account lines cannot be read: %w", err)
}

// turnover adds the line to its side.
func (l accountLine) turnover(debit, credit *accounts.Fen) {
	if l.side == accounts.Debit {
		*debit += l.amount
	} else {
		*credit += l.amount
	}
}
