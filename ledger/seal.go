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

// One transaction gives at most so many batches their place, and ends at so
// many entries: hashing these takes a quarter of a second, in which nobody else
// can seal.
const (
	maxSealed   = 1000
	sealEntries = 100_000
)

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
		subject, _ := j.rules().book.Chart.Find(a.Book.Role(), a.Subject, e.Date)
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

// stepTimeout is for one transaction that seals or projects. It takes a second
// or two; a connection that hangs must not hang a sealer for ever.
const stepTimeout = time.Minute

// lockHead takes the right to move a head, until the transaction ends. This row
// is what makes sealing and projection safe, not the lease: whoever holds it
// reads how far the work has come and carries it on from there, and whoever has
// waited for it while another moved it starts over. So nothing is done twice or
// from an old state, whatever a process believes about who leads.
//
// A process that is stopped or cut off while it holds the row would keep all
// others from it, so the database ends a session that says nothing for as long
// as a lease lasts; the transaction then runs again.
func lockHead(ctx context.Context, q *db.Queries, name string) (Position, error) {
	if err := q.LimitIdle(ctx); err != nil {
		return 0, err
	}
	head, err := q.LockHead(ctx, name)
	return Position(head), err
}

// Seal gives all committed batches their place in the sequence and adds their
// entries to the Merkle tree, without projecting account lines and balances.
// It is safe to run from several processes.
func (j *Journal) Seal(ctx context.Context) error {
	for {
		if _, more, err := j.seal(ctx); err != nil || !more {
			return err
		}
	}
}

// seal gives waiting batches their place, as many as one transaction takes. It
// returns how long the sequence is now and whether more are left.
func (j *Journal) seal(ctx context.Context) (head Position, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	err = j.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		head, more, err = seal(ctx, db.New(tx))
		return err
	})
	j.grown.give()
	return head, more, err
}

// seal does so within a transaction.
func seal(ctx context.Context, q *db.Queries) (head Position, more bool, err error) {
	if head, err = lockHead(ctx, q, headSealed); err != nil {
		return 0, false, err
	}
	rows, err := q.ReadInbox(ctx)
	if err != nil || len(rows) == 0 {
		return head, false, err
	}
	batches := make([]*waiting, len(rows))
	for i, r := range rows {
		batches[i] = &waiting{id: r.ID, entries: r.Entries, digests: r.Digests, postedAt: r.PostedAt}
		if err := cmp.Or(json.Unmarshal(r.Vouchers, &batches[i].vouchers), json.Unmarshal(r.Floors, &batches[i].floors)); err != nil {
			return 0, false, fault.New(fault.Internal, "batch %s cannot be read: %w", r.ID, err)
		}
	}
	if batches, err = inOrder(batches); err != nil {
		return 0, false, err
	}
	n, entries := atOnce(batches)
	return head + Position(entries), n < len(batches), place(ctx, q, head, batches[:n])
}

// atOnce tells how many of the batches one transaction takes, and their entries.
func atOnce(batches []*waiting) (n, entries int) {
	for n < min(len(batches), maxSealed) && entries < sealEntries {
		entries += len(batches[n].entries)
		n++
	}
	return n, entries
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
