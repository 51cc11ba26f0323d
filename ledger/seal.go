package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

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
	digests  []byte
	vouchers []voucherDue
	floors   map[string]int64 // the version of each floor, and of what it corrects, after the batch
	postedAt time.Time
}

// seal gives waiting batches their place, at most maxSealed of them, and
// tells whether more are left.
func (j *Journal) seal(ctx context.Context) (more bool, err error) {
	err = j.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		more, err = seal(ctx, db.New(tx))
		return err
	})
	return more, err
}

// seal does so within a transaction.
func seal(ctx context.Context, q *db.Queries) (more bool, err error) {
	head, err := q.LockHead(ctx, headSealed)
	if err != nil {
		return false, err
	}
	rows, err := q.ReadInbox(ctx)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	batches := make([]*waiting, len(rows))
	for i, r := range rows {
		batches[i] = &waiting{id: r.ID, entries: r.Entries, digests: r.Digests, postedAt: r.PostedAt}
		if err := cmp.Or(json.Unmarshal(r.Vouchers, &batches[i].vouchers), json.Unmarshal(r.Floors, &batches[i].floors)); err != nil {
			return false, fault.New(fault.Internal, "batch %s cannot be read: %w", r.ID, err)
		}
	}
	if batches, err = inOrder(batches); err != nil {
		return false, err
	}
	if len(batches) > maxSealed {
		batches, more = batches[:maxSealed], true
	}
	return more, place(ctx, q, Position(head), batches)
}

// inOrder sorts the batches so that each floor's versions ascend and what is
// corrected comes before its corrections, and keeps the given order (time of posting, then id) where floors leave it open. All
// waiting batches are given, and one that depends on another was committed
// after it, so a version whose predecessor is not among them follows one that
// is sealed already.
func inOrder(batches []*waiting) ([]*waiting, error) {
	type floorVersion struct {
		floor   string
		version int64
	}
	writer := map[floorVersion]*waiting{}
	corrected := map[string]bool{} // by a waiting batch, for the first time
	for _, b := range batches {
		for floor, version := range b.floors {
			writer[floorVersion{floor, version}] = b
			if version == 1 && strings.HasPrefix(floor, correctedPrefix) {
				corrected[floor] = true
			}
		}
	}
	if len(corrected) > 0 {
		for _, b := range batches {
			for _, id := range b.entries {
				if name := correctedPrefix + id.String(); corrected[name] {
					writer[floorVersion{name, 0}] = b
				}
			}
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
