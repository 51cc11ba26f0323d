package ledger

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// EntryLine is one line of an account with the entry that it belongs to.
type EntryLine struct {
	Position Position
	Posting
	Entry *Record // without vouchers and corrections
}

// LinesTx streams the lines of the account that stand in the journal after the
// position and not after until, in journal order, some hundreds at a time. It
// reads the projection as the transaction sees it, within View. A zero From or
// To is no bound of the business date.
func (j *Journal) LinesTx(ctx context.Context, tx pgx.Tx, account accounts.Account, after, until Position, from, to civil.Date, fn func([]EntryLine) error) error {
	q := db.New(tx)
	query := StatementQuery{From: from, To: to, Until: until}
	first, last, err := query.span(ctx, q, account.String(), until, nil)
	if err != nil || first > last {
		return err
	}
	if first = max(first, after+1); first > 1 {
		if first, err = blockAt(ctx, q, account.String(), first); err != nil {
			return err
		}
	}
	for {
		blocks, err := q.ReadLines(ctx, db.ReadLinesParams{Account: account.String(), First: int64(first), Last: int64(last), Blocks: mostBlocks})
		if err != nil {
			return err
		}
		for _, b := range blocks {
			lines, err := decodeLines(b.Lines)
			if err != nil {
				return err
			}
			if err := entryLines(ctx, q, lines, func(l accountLine) bool { return l.position > after && query.selects(l) }, fn); err != nil {
				return err
			}
			first = Position(b.FirstPosition) + 1
		}
		if len(blocks) < mostBlocks {
			return nil
		}
	}
}

// entryLines hands the selected lines of a block on with their entries.
func entryLines(ctx context.Context, q *db.Queries, lines []accountLine, selects func(accountLine) bool, fn func([]EntryLine) error) error {
	var ids []uuid.UUID
	for _, l := range lines {
		if selects(l) {
			ids = append(ids, l.entry)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	records, err := readEntries(ctx, q, ids)
	if err != nil {
		return err
	}
	found := make([]EntryLine, 0, len(ids))
	for _, l := range lines {
		if !selects(l) {
			continue
		}
		r := records[l.entry]
		if r == nil || l.leg >= len(r.Postings) {
			return fault.New(fault.Internal, "entry %s at position %d is not what the account's line says: run fundledger check", l.entry, l.position)
		}
		found = append(found, EntryLine{Position: l.position, Posting: r.Postings[l.leg], Entry: r})
	}
	return fn(found)
}

// BalanceTx is Balance at the end of the business date as the transaction sees
// the projection, within View.
func (j *Journal) BalanceTx(ctx context.Context, tx pgx.Tx, account accounts.Account, on civil.Date) (Balance, error) {
	b, _, err := balance(ctx, db.New(tx), account, on, 0)
	b.Balance = b.Debit - b.Credit
	return b, err
}

// EntriesTx reads entries by id as the transaction sees them, without place,
// vouchers and corrections; those that do not exist are absent.
func (j *Journal) EntriesTx(ctx context.Context, tx pgx.Tx, ids []uuid.UUID) (map[uuid.UUID]*Record, error) {
	return readEntries(ctx, db.New(tx), ids)
}
