package ledger

import (
	"context"
	"time"

	"fundledger/ledger/internal/db"
)

// SealerStatus says how far sealing and projection are behind posting, and who
// seals.
type SealerStatus struct {
	At time.Time `json:"at"` // of this status, by the clock of the database

	WaitingBatches int64     `json:"waiting_batches"` // committed and without a place in the sequence
	WaitingEntries int64     `json:"waiting_entries"` // in them
	OldestWaiting  time.Time `json:"oldest_waiting,omitzero"`
	Sealed         Position  `json:"sealed"`    // how long the sequence is
	Projected      Position  `json:"projected"` // up to where lines and balances have followed

	Leader string    `json:"leader,omitempty"` // who runs the sealer; empty: nobody
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"` // unless renewed, which it is while the leader lives
	Term   int64     `json:"term"`           // how often the lead was taken
}

// Age is how long the oldest waiting batch waits, 0 when none does.
func (s *SealerStatus) Age() time.Duration {
	if s.WaitingBatches == 0 {
		return 0
	}
	return max(0, s.At.Sub(s.OldestWaiting))
}

// SealerStatus reads the state of sealing, in one snapshot. It works whether a
// sealer runs or not.
func (j *Journal) SealerStatus(ctx context.Context) (*SealerStatus, error) {
	var s *SealerStatus
	err := j.read(ctx, func(q *db.Queries) error {
		lease, err := q.ReadLease(ctx, sealerLease)
		if err != nil {
			return err
		}
		ahead, err := q.LookAhead(ctx)
		if err != nil {
			return err
		}
		waiting, err := q.ReadWaiting(ctx)
		if err != nil {
			return err
		}
		s = &SealerStatus{
			At: lease.ReadAt, WaitingBatches: waiting.Batches, WaitingEntries: waiting.Entries,
			Sealed: Position(ahead.Sealed), Projected: Position(ahead.Projected), Term: lease.Term,
		}
		if s.WaitingBatches > 0 {
			s.OldestWaiting = waiting.Oldest
		}
		if lease.ExpiresAt.After(lease.ReadAt) {
			s.Leader, s.Since, s.Until = lease.Leader, lease.TakenAt, lease.ExpiresAt
		}
		return nil
	})
	return s, err
}
