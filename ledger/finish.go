package ledger

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Finishing asks to post a pending entry: the second of two phases.
type Finishing struct {
	Key string `json:"key"` // of the pending entry
	By  string `json:"by"`  // who finishes it: the posted entry's reviewer, unless the pending names one
	// Amounts is what each posting comes to, with the sign that it has in the
	// pending entry and not more; 0 leaves the posting out. Nil is all of it.
	Amounts []accounts.Fen `json:"amounts,omitempty"`
	// Date and Period replace those of the pending entry, whose month may be
	// closed by now; zero keeps them.
	Date   civil.Date     `json:"date,omitzero"`
	Period accounts.Month `json:"period,omitempty"`
}

// Finish posts a pending entry in full or in part, as an ordinary entry with
// the id FinishID, and releases all that the pending has reserved. Of several
// finishers one wins; another that asks for the same gets its result as a
// replay. Errors: NotFound (no such pending), Precondition (it was voided, has
// expired or was finished otherwise), Invalid (amounts that do not fit or do
// not balance), Permission (a manual entry by its preparer), and those of PostTx,
// upon which it stays pending.
func (j *Journal) Finish(ctx context.Context, f Finishing) (Result, error) {
	var late error
	result, err := j.once(ctx, func(tx pgx.Tx) (result Result, err error) {
		result, late, err = j.finish(ctx, tx, f)
		return result, err
	})
	if err == nil {
		err = late
	}
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// finish returns as late why a pending cannot be finished any more, where the
// transaction has something to commit all the same.
func (j *Journal) finish(ctx context.Context, tx pgx.Tx, f Finishing) (result Result, late, err error) {
	q := db.New(tx)
	p, floors, err := j.decide(ctx, q, f.Key)
	if err != nil {
		return result, nil, err
	}
	e, err := f.entry(p.Pending)
	if err == nil {
		err = p.confirmable(f.By)
	}
	if err != nil {
		return result, nil, err
	}
	switch {
	case p.State == Finished:
		result, err = finishedBefore(ctx, q, p.Pending, &e)
		return result, nil, err
	case p.State != Open:
		return result, nil, p.over()
	case p.due:
		late, err = p.lapse(floors)
		return result, late, err
	}
	if err := p.end(ctx, q, floors, Finished, f.By, ""); err != nil {
		return result, nil, err
	}
	// The money is free in this transaction and only in it.
	results, err := j.PostTx(ctx, tx, []Entry{e})
	if err != nil {
		return result, nil, err
	}
	return results[0], nil, results[0].Err
}

// decide reads a pending and, while it is open, locks the floors that it moves.
func (j *Journal) decide(ctx context.Context, q *db.Queries, key string) (*storedPending, *floors, error) {
	p, err := readPending(ctx, q, key)
	if err != nil {
		return nil, nil, err
	}
	if p == nil {
		return nil, nil, noPending(key)
	}
	if p.State != Open {
		return p, nil, nil
	}
	// All the floors that the entry moves, so that posting it locks no other.
	keys := maps.Clone(p.Holds)
	maps.Copy(keys, netOf(j.effectsOf(&p.Entry)))
	f, err := lockFloors(ctx, q, slices.Sorted(maps.Keys(keys)))
	return p, f, err
}

// end releases the pending's reservation and sets its state.
func (p *storedPending) end(ctx context.Context, q *db.Queries, f *floors, state PendingState, by, reason string) error {
	f.release(p.Holds)
	if err := f.write(); err != nil {
		return err
	}
	n, err := q.DecidePendings(ctx, db.DecidePendingsParams{State: string(state), DecidedBy: by, Reason: reason, Keys: []string{p.Key}})
	if err == nil && n != 1 {
		err = fault.New(fault.Internal, "pending entry %q was decided by another transaction", p.Key)
	}
	return err
}

// lapse expires the pending that nobody has swept yet.
func (p *storedPending) lapse(f *floors) (late, err error) {
	if _, err := f.expire(map[string]holds{p.Key: p.Holds}); err != nil {
		return nil, err
	}
	p.State = Expired
	return p.over(), f.write()
}

// over says what has become of a pending that is not open.
func (p *storedPending) over() error {
	switch p.State {
	case Expired:
		return fault.New(fault.Precondition, "pending entry %q has expired at %s: reserve again", p.Key, p.Expires.Format("2006-01-02 15:04:05 MST")).With("key", p.Key)
	case Voided:
		return fault.New(fault.Precondition, "pending entry %q was voided by %s: %s", p.Key, p.By, p.Reason).With("key", p.Key)
	}
	return fault.New(fault.Precondition, "pending entry %q was finished by %s", p.Key, p.By).With("key", p.Key)
}

// finishedBefore answers who comes second.
func finishedBefore(ctx context.Context, q *db.Queries, p *Pending, e *Entry) (Result, error) {
	records, err := readEntries(ctx, q, []uuid.UUID{e.ID()})
	if err != nil {
		return Result{}, err
	}
	stored := records[e.ID()]
	if stored == nil {
		return Result{}, fault.New(fault.Internal, "pending entry %q is finished, and the journal lacks its entry %s: run fundledger check", p.Key, e.ID())
	}
	if !bytes.Equal(stored.digest, digest(e)) {
		field, before, now := difference(&stored.Entry, e)
		return Result{}, fault.New(fault.Precondition, "pending entry %q was finished by %s with other content: %s is %s there, %s here", p.Key, p.By, field, before, now).
			With("key", p.Key).With("field", field).With("stored", before).With("given", now)
	}
	return Result{ID: e.ID(), Replayed: true}, nil
}

// entry writes the entry that the pending becomes.
func (f Finishing) entry(p *Pending) (Entry, error) {
	e := p.Entry
	e.Key = finishPrefix + p.Key
	if e.Reviewer == "" {
		e.Reviewer = f.By
	}
	if !f.Date.IsZero() {
		e.Date = f.Date
	}
	if f.Period != "" {
		e.Period = f.Period
	}
	fail := func(format string, args ...any) (Entry, error) {
		return e, fault.New(fault.Invalid, format, args...).With("key", p.Key)
	}
	if strings.TrimSpace(f.By) == "" {
		return fail("say who finishes pending entry %q", p.Key)
	}
	if f.Amounts == nil {
		return e, nil
	}
	if len(f.Amounts) != len(p.Postings) {
		return fail("pending entry %q has %d postings, %d amounts were given", p.Key, len(p.Postings), len(f.Amounts))
	}
	e.Postings = nil
	for i, amount := range f.Amounts {
		posting := p.Postings[i]
		if amount != 0 && (amount < 0) != (posting.Amount < 0) || abs(amount) > abs(posting.Amount) {
			return fail("posting %d of pending entry %q is %s, which cannot become %s", i+1, p.Key, posting.Amount, amount)
		}
		if amount != 0 {
			posting.Amount = amount
			e.Postings = append(e.Postings, posting)
		}
	}
	return e, nil
}

// Void gives up a pending entry, releases what it has reserved and returns it
// as it stands. By the same person for the same reason it may be asked again,
// which is a replay. Errors: NotFound, Invalid (no person or no reason),
// Precondition (it was finished, has expired, or was voided otherwise).
func (j *Journal) Void(ctx context.Context, key, by, reason string) (*Pending, error) {
	if strings.TrimSpace(by) == "" || strings.TrimSpace(reason) == "" {
		return nil, fault.New(fault.Invalid, "say who voids pending entry %q, and why", key).With("key", key)
	}
	var late error
	var voided *Pending
	replayed, err := j.replayed(ctx, func(tx pgx.Tx) (replayed bool, err error) {
		late = nil
		q := db.New(tx)
		p, floors, err := j.decide(ctx, q, key)
		switch {
		case err != nil:
			return false, err
		case p.State == Voided && p.By == by && p.Reason == reason:
			voided = p.Pending
			return true, nil
		case p.State != Open:
			return false, p.over()
		case p.due:
			late, err = p.lapse(floors)
			return false, err
		}
		if err := p.end(ctx, q, floors, Voided, by, reason); err != nil {
			return false, err
		}
		if p, err = readPending(ctx, q, key); err == nil {
			voided = p.Pending
		}
		return false, err
	})
	if err == nil {
		err = late
	}
	if err != nil {
		return nil, err
	}
	voided.Replayed = replayed
	return voided, nil
}

// Expire releases pending entries whose time has passed, the longest passed
// first and at most limit of them, and returns how many. A posting that would
// be refused for a reservation does the same for the floors that it needs, so
// that nothing is refused for an expired one; Expire keeps balances and lists
// true when nobody posts.
func (j *Journal) Expire(ctx context.Context, limit int) (int, error) {
	if limit < 1 || limit > maxBatch {
		return 0, fault.New(fault.Invalid, "1 to %d pending entries can expire at once, %d were asked", maxBatch, limit).With("field", "limit")
	}
	var expired int64
	err := j.again(ctx, func(tx pgx.Tx) error {
		expired = 0
		q := db.New(tx)
		rows, err := q.ExpiredPendings(ctx, int32(limit))
		if err != nil || len(rows) == 0 {
			return err
		}
		due := make(map[string]holds, len(rows))
		for _, r := range rows {
			if due[r.Key], err = decodeHolds(r.Key, r.Holds); err != nil {
				return err
			}
		}
		f, err := lockFloors(ctx, q, nil)
		if err != nil {
			return err
		}
		if expired, err = f.expire(due); err != nil {
			return err
		}
		return f.write()
	})
	return int(expired), err
}
