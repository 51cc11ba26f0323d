package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// A lease is renewed each second, so that it outlives a few renewals that a busy
// or restarting database loses, and short enough that a leader that is killed is
// replaced after six seconds at most. The margin covers what the clocks of
// process and database may drift apart within one lease.
const (
	leaseLength = 5 * time.Second
	leaseRenew  = time.Second
	leaseMargin = 200 * time.Millisecond
)

// lease is the claim of one process to lead a job. It saves work and does not
// make anything safe: a process that is paused in a transaction cannot know
// that its lease is over. What the leader does must be safe without it, or be
// fenced by the term, which rises each time that the lead is taken. Renewing
// and giving up name the term, so that a leader of the past touches nobody
// else's lease, not even one taken under the same name.
//
// Times in the row are those of the database, so that processes need not agree
// on the time. A process trusts its lease for less time than the database
// does, by its own monotonic clock from before it has asked.
type lease struct {
	store   accounts.Store
	job     string // the row's name
	leader  string
	term    int64
	trusted time.Time // until when
}

func newLease(store accounts.Store, job, leader string) *lease {
	return &lease{store: store, job: job, leader: leader}
}

// take takes the lead if nobody has it.
func (l *lease) take(ctx context.Context) (taken bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaseLength) // it would be over by then
	defer cancel()
	return l.ask(ctx, func(q *db.Queries) (bool, error) {
		terms, err := q.TakeLease(ctx, db.TakeLeaseParams{Name: l.job, Leader: l.leader, Milliseconds: leaseLength.Milliseconds()})
		if len(terms) == 1 {
			l.term = terms[0]
		}
		return len(terms) == 1, err
	})
}

// renew keeps the lead for another length, unless it was lost.
func (l *lease) renew(ctx context.Context) (kept bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaseRenew) // one that hangs leaves time for others
	defer cancel()
	return l.ask(ctx, func(q *db.Queries) (bool, error) {
		n, err := q.RenewLease(ctx, db.RenewLeaseParams{Name: l.job, Leader: l.leader, Term: l.term, Milliseconds: leaseLength.Milliseconds()})
		return n == 1, err
	})
}

func (l *lease) ask(ctx context.Context, fn func(*db.Queries) (bool, error)) (held bool, err error) {
	asked := time.Now()
	err = l.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		q := db.New(tx)
		if err := q.LimitIdle(ctx); err != nil { // as in lockHead
			return err
		}
		held, err = fn(q)
		return err
	})
	if err != nil {
		return false, err
	}
	if held {
		l.trusted = asked.Add(leaseLength - leaseMargin)
	}
	return held, nil
}

// giveUp ends the lease at once, if it is still held.
func (l *lease) giveUp(ctx context.Context) error {
	return l.store.InTx(ctx, func(tx pgx.Tx) error {
		_, err := db.New(tx).ReleaseLease(ctx, db.ReleaseLeaseParams{Name: l.job, Leader: l.leader, Term: l.term})
		return err
	})
}
