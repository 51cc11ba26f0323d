package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// write stores what was applied: corrections, and the batch with its entries
// and floors.
func (p *posting) write(ctx context.Context, how manner) error {
	if len(p.drafts) == 0 {
		if p.floors == nil {
			return nil
		}
		return p.floors.write() // what an expired pending has held
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	versions := p.floors.next()
	floors := p.floors.rows(versions)
	if err := p.writeCorrections(ctx, versions); err != nil {
		return err
	}
	batch, err := p.batch(id, versions)
	if err != nil {
		return err
	}
	batch.Accounts, batch.Balances, batch.Reserved, batch.Versions = floors.Accounts, floors.Balances, floors.Reserved, floors.Versions
	if how == presuming {
		p.presume(&batch)
	}
	p.addCalls(&batch)
	written, err := p.queries.InsertBatch(ctx, batch)
	switch {
	case metKey(err):
		p.journal.looks.Store(looksAfterMeeting)
	case err == nil && written == 0:
		return errLookFirst
	}
	return err
}

// presume leaves it to the insert to see that the months of the books take postings.
func (p *posting) presume(batch *db.InsertBatchParams) {
	type bookMonth struct {
		book  accounts.Book
		month accounts.Month
	}
	seen := map[bookMonth]bool{}
	var last bookMonth
	for _, d := range p.drafts {
		e := &p.entries[d.index]
		for i := range e.Postings {
			one := bookMonth{e.Postings[i].Account.Book, e.Period}
			if one == last || seen[one] {
				continue
			}
			seen[one], last = true, one
			batch.OpenBooks, batch.OpenMonths = append(batch.OpenBooks, string(one.book)), append(batch.OpenMonths, string(one.month))
		}
	}
}

// metKey tells whether an insert has failed at a key that the journal has.
func metKey(err error) bool {
	const uniqueViolation = "23505"
	var known interface{ SQLState() string }
	return errors.As(err, &known) && known.SQLState() == uniqueViolation
}

// batch is the batch and the rows of its entries, by columns.
func (p *posting) batch(id uuid.UUID, versions map[string]int64) (rows db.InsertBatchParams, err error) {
	rows = newBatch(id, len(p.drafts))
	legs, ends := make([]byte, 0, 512*len(p.drafts)), make([]int, 0, len(p.drafts))
	vouchers := []voucherDue{}
	for ordinal, d := range p.drafts {
		e := &p.entries[d.index]
		rows.Ids = append(rows.Ids, p.results[d.index].ID)
		rows.Keys = append(rows.Keys, e.Key)
		rows.Dates = append(rows.Dates, e.Date.In(time.UTC))
		rows.Periods = append(rows.Periods, string(e.Period))
		rows.Kinds = append(rows.Kinds, e.Kind)
		rows.Summaries = append(rows.Summaries, e.Summary)
		rows.Sources = append(rows.Sources, e.Source)
		rows.Attachments = append(rows.Attachments, int64(e.Attachments))
		rows.Preparers = append(rows.Preparers, e.Preparer)
		rows.Reviewers = append(rows.Reviewers, e.Reviewer)
		corrects := ""
		if e.Corrects.Valid {
			corrects = e.Corrects.UUID.String()
		}
		rows.Corrects = append(rows.Corrects, corrects)
		legs = appendLegs(legs, e.Postings, d.keys, versions)
		ends = append(ends, len(legs))
		rows.Digests = append(rows.Digests, d.digest)
		rows.BatchDigests = append(rows.BatchDigests, d.digest...)
		if d.cash {
			vouchers = p.journal.vouchersDue(vouchers, ordinal, e)
		}
	}
	all, start := string(legs), 0
	for _, end := range ends {
		rows.Legs = append(rows.Legs, all[start:end])
		start = end
	}
	if rows.Vouchers, err = json.Marshal(vouchers); err != nil {
		return rows, err
	}
	rows.Floors, err = json.Marshal(versions)
	return rows, err
}

// newBatch makes room for n entries.
func newBatch(id uuid.UUID, n int) db.InsertBatchParams {
	texts := func() []string { return make([]string, 0, n) }
	return db.InsertBatchParams{
		BatchID: id, Ids: make([]uuid.UUID, 0, n), Keys: texts(), Dates: make([]time.Time, 0, n), Periods: texts(),
		Kinds: texts(), Summaries: texts(), Sources: texts(), Attachments: make([]int64, 0, n), Preparers: texts(),
		Reviewers: texts(), Corrects: texts(), Legs: texts(), Digests: make([][]byte, 0, n),
		BatchDigests: make([]byte, 0, n*sha256.Size),
	}
}
