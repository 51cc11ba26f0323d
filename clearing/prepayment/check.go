package prepayment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/ledger"
)

const keyPrefix = "prepayment/"

// moveCheck checks that every move has its entry with the same event, date and
// amounts, that every such entry has its move, and that none was taken back behind
// it: what notices and cases have got is the sum of the moves.
type moveCheck struct {
	entries map[uuid.UUID]posted
	undone  map[uuid.UUID]string // keys of what corrects them
}

// posted is what an entry of a move says.
type posted struct {
	key, event string
	date       civil.Date
	amounts    map[string]accounts.Fen // by fund
}

// Check is an observer of a walk of the journal that ties the moves to it.
func Check() ledger.Observer {
	return &moveCheck{entries: map[uuid.UUID]posted{}, undone: map[uuid.UUID]string{}}
}

func (c *moveCheck) Name() string { return "moves of prepayments" }

func (c *moveCheck) Observe(r *ledger.Record) {
	if r.Corrects.Valid {
		c.undone[r.Corrects.UUID] = r.Key
	}
	if !strings.HasPrefix(r.Key, keyPrefix) {
		return
	}
	e := posted{key: r.Key, event: r.Kind, date: r.Date, amounts: map[string]accounts.Fen{}}
	for i := range r.Postings { // every line of a fund has the amount that moved
		e.amounts[r.Postings[i].Account.Fund] = r.Postings[i].Amount
	}
	c.entries[r.ID] = e
}

func (c *moveCheck) Findings(ctx context.Context, tx pgx.Tx) ([]ledger.Finding, error) {
	rows, err := db.New(tx).AllMoves(ctx)
	if err != nil {
		return nil, err
	}
	var findings []ledger.Finding
	find := func(entry uuid.UUID, format string, args ...any) {
		findings = append(findings, ledger.Finding{Check: c.Name(), Entry: entry.String(), Message: fmt.Sprintf(format, args...)})
	}
	for _, row := range rows {
		e, ok := c.entries[row.Entry]
		delete(c.entries, row.Entry)
		amounts := map[string]accounts.Fen{}
		for i, fund := range row.Funds {
			amounts[fund] = accounts.Fen(row.AmountsFen[i])
		}
		switch {
		case !ok:
			find(row.Entry, "move %s has no entry in the journal", row.Reference)
		case e.key != keyPrefix+row.Reference || e.event != row.Event || e.date != civil.DateOf(row.MovedOn) || !maps.Equal(e.amounts, amounts):
			find(row.Entry, "move %s (%s on %s, %v) is not what its entry %s says: %s on %s, %v", row.Reference, row.Event, civil.DateOf(row.MovedOn), amounts, e.key, e.event, e.date, e.amounts)
		case c.undone[row.Entry] != "":
			find(row.Entry, "entry %s of move %s is corrected by %s, and the move still counts on notice %s", e.key, row.Reference, c.undone[row.Entry], row.Notice)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(c.entries), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) }) {
		find(id, "entry %s has no move", c.entries[id].key)
	}
	return findings, nil
}
