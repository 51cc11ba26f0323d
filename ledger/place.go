package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"

	"fundledger/ledger/internal/db"
)

// place writes positions and voucher numbers of the batches behind the head.
func place(ctx context.Context, q *db.Queries, head Position, batches []*waiting) error {
	var sealed db.InsertSealedParams
	var due []voucherDue
	var entries []uuid.UUID
	var until time.Time
	last, err := q.SealedAt(ctx, int64(head))
	if err != nil {
		return err
	}
	for _, s := range last { // none at the beginning
		until = s.PostedUntil
	}
	for _, b := range batches {
		if b.postedAt.After(until) {
			until = b.postedAt
		}
		sealed.PostedUntil = append(sealed.PostedUntil, until)
		sealed.Positions = append(sealed.Positions, int64(head)+int64(len(entries))+1)
		sealed.Batches = append(sealed.Batches, b.id)
		sealed.Counts = append(sealed.Counts, int64(len(b.entries)))
		for _, v := range b.vouchers {
			v.Ordinal += len(entries)
			due = append(due, v)
		}
		entries = append(entries, b.entries...)
	}
	vouchers, err := number(ctx, q, head, due, entries)
	if err != nil {
		return err
	}
	if err := grow(newTree(ctx, q, head), batches, vouchers); err != nil {
		return err
	}
	if err := q.InsertSealed(ctx, sealed); err != nil {
		return err
	}
	if err := q.ClearInbox(ctx, sealed.Batches); err != nil {
		return err
	}
	return q.MoveHead(ctx, db.MoveHeadParams{Name: headSealed, Position: int64(head) + int64(len(entries))})
}

// grow appends the batches' leaves to the tree.
func grow(t *tree, batches []*waiting, vouchers map[int][]Voucher) error {
	head := Position(t.size)
	ordinal := 0
	var leaf []byte
	for _, b := range batches {
		for i, id := range b.entries {
			leaf = appendLeaf(leaf[:0], head+Position(ordinal)+1, id, nthDigest(b.digests, i), vouchers[ordinal])
			if err := t.add(leaf); err != nil {
				return err
			}
			ordinal++
		}
	}
	return t.write(head)
}

// number gives the vouchers the next numbers of their book and month, and
// returns them by the ordinal of their entry.
func number(ctx context.Context, q *db.Queries, head Position, due []voucherDue, entries []uuid.UUID) (map[int][]Voucher, error) {
	if len(due) == 0 {
		return nil, nil
	}
	type series struct{ book, period string }
	last := map[series]int64{}
	var arg db.LastVouchersParams
	for _, v := range due {
		s := series{string(v.Book), string(v.Period)}
		if _, ok := last[s]; !ok {
			last[s] = 0
			arg.Books, arg.Periods = append(arg.Books, s.book), append(arg.Periods, s.period)
		}
	}
	rows, err := q.LastVouchers(ctx, arg)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		last[series{r.Book, r.Period}] = r.Number
	}
	numbered := map[int][]Voucher{}
	var vouchers db.InsertVouchersParams
	for _, v := range due {
		s := series{string(v.Book), string(v.Period)}
		last[s]++
		numbered[v.Ordinal] = append(numbered[v.Ordinal], Voucher{v.Book, v.Period, last[s]})
		vouchers.Books = append(vouchers.Books, s.book)
		vouchers.Periods = append(vouchers.Periods, s.period)
		vouchers.Numbers = append(vouchers.Numbers, last[s])
		vouchers.Entries = append(vouchers.Entries, entries[v.Ordinal])
		vouchers.Positions = append(vouchers.Positions, int64(head)+int64(v.Ordinal)+1)
	}
	return numbered, q.InsertVouchers(ctx, vouchers)
}
