package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

const (
	headSealed    = "sealed"
	headProjected = "projected"
)

// maxSealed bounds the batches that one transaction gives their place.
const maxSealed = 1000

// voucherDue says that the entry at the ordinal of its batch needs a voucher
// (记账凭证) in the book: it has lines in the cash layer.
type voucherDue struct {
	Ordinal int            `json:"n"`
	Book    accounts.Book  `json:"b"`
	Period  accounts.Month `json:"p"`
}

func (j *Journal) vouchersDue(due []voucherDue, ordinal int, e *Entry) []voucherDue {
	first := len(due)
	for i := range e.Postings {
		a := e.Postings[i].Account
		subject, _ := j.book.Chart.Find(a.Book.Role(), a.Subject, e.Date)
		if subject.Layer != accounts.Cash {
			continue
		}
		v := voucherDue{ordinal, a.Book, e.Period}
		if !slices.Contains(due[first:], v) {
			due = append(due, v)
		}
	}
	slices.SortFunc(due[first:], func(a, b voucherDue) int { return strings.Compare(string(a.Book), string(b.Book)) })
	return due
}

// waiting is a committed batch that has no place in the sequence yet.
type waiting struct {
	id       uuid.UUID
	entries  []uuid.UUID
	vouchers []voucherDue
	floors   map[string]int64 // the version of each floor after the batch
}

// seal gives waiting batches their place, at most maxSealed of them, and
// tells whether more are left.
func (j *Journal) seal(ctx context.Context) (more bool, err error) {
	err = j.store.InTx(ctx, func(tx pgx.Tx) error {
		more = false
		q := db.New(tx)
		head, err := q.LockHead(ctx, headSealed)
		if err != nil {
			return err
		}
		rows, err := q.ReadInbox(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		batches := make([]*waiting, len(rows))
		for i, r := range rows {
			batches[i] = &waiting{id: r.ID, entries: r.Entries}
			if err := cmp.Or(json.Unmarshal(r.Vouchers, &batches[i].vouchers), json.Unmarshal(r.Floors, &batches[i].floors)); err != nil {
				return fault.New(fault.Internal, "batch %s cannot be read: %w", r.ID, err)
			}
		}
		batches, err = inOrder(batches)
		if err != nil {
			return err
		}
		if len(batches) > maxSealed {
			batches, more = batches[:maxSealed], true
		}
		return place(ctx, q, Position(head), batches)
	})
	return more, err
}

// inOrder sorts the batches so that each floor's versions ascend, and keeps
// the given order (time of posting, then id) where floors leave it open. All
// waiting batches are given, and one that depends on another was committed
// after it, so a version whose predecessor is not among them follows one that
// is sealed already.
func inOrder(batches []*waiting) ([]*waiting, error) {
	type floorVersion struct {
		floor   string
		version int64
	}
	writer := map[floorVersion]*waiting{}
	for _, b := range batches {
		for floor, version := range b.floors {
			writer[floorVersion{floor, version}] = b
		}
	}
	const (
		visiting = 1
		done     = 2
	)
	state := make(map[*waiting]int, len(batches))
	ordered := make([]*waiting, 0, len(batches))
	// An explicit stack, because a chain of versions can be as long as the backlog.
	for _, b := range batches {
		stack := []*waiting{b}
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			if state[top] == done {
				stack = stack[:len(stack)-1]
				continue
			}
			first := state[top] == 0
			state[top] = visiting
			open := false
			for floor, version := range top.floors {
				before := writer[floorVersion{floor, version - 1}]
				if before == nil || before == top || state[before] == done {
					continue
				}
				if state[before] == visiting && !first {
					return nil, fault.New(fault.Internal, "batches %s and %s each come before the other", top.id, before.id)
				}
				stack, open = append(stack, before), true
			}
			if !open {
				state[top] = done
				ordered = append(ordered, top)
				stack = stack[:len(stack)-1]
			}
		}
	}
	return ordered, nil
}

// place writes positions and voucher numbers of the batches behind the head.
func place(ctx context.Context, q *db.Queries, head Position, batches []*waiting) error {
	var sealed db.InsertSealedParams
	var due []voucherDue
	var entries []uuid.UUID
	for _, b := range batches {
		sealed.Positions = append(sealed.Positions, int64(head)+int64(len(entries))+1)
		sealed.Batches = append(sealed.Batches, b.id)
		sealed.Counts = append(sealed.Counts, int64(len(b.entries)))
		for _, v := range b.vouchers {
			v.Ordinal += len(entries)
			due = append(due, v)
		}
		entries = append(entries, b.entries...)
	}
	if err := number(ctx, q, head, due, entries); err != nil {
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

// number gives the vouchers the next numbers of their book and month.
func number(ctx context.Context, q *db.Queries, head Position, due []voucherDue, entries []uuid.UUID) error {
	if len(due) == 0 {
		return nil
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
		return err
	}
	for _, r := range rows {
		last[series{r.Book, r.Period}] = r.Number
	}
	var vouchers db.InsertVouchersParams
	for _, v := range due {
		s := series{string(v.Book), string(v.Period)}
		last[s]++
		vouchers.Books = append(vouchers.Books, s.book)
		vouchers.Periods = append(vouchers.Periods, s.period)
		vouchers.Numbers = append(vouchers.Numbers, last[s])
		vouchers.Entries = append(vouchers.Entries, entries[v.Ordinal])
		vouchers.Positions = append(vouchers.Positions, int64(head)+int64(v.Ordinal)+1)
	}
	return q.InsertVouchers(ctx, vouchers)
}
