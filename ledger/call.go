package ledger

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"fundledger/ledger/internal/db"
)

// Call is the call by which somebody gives entries to a service. It is written
// with them, in one statement: whatever stands in the journal, who has called is
// known, even when the server dies the moment after.
type Call struct {
	ID          uuid.UUID // its own, new for each call
	RequestID   string
	Subject     string // who called
	Role        string // by which it was allowed
	Method      string
	Action      string
	Key         string
	Regions     []string
	RequestHash []byte // SHA-256

	written bool
}

// Written tells, once the call has ended, that it was written. It was not where
// none of its entries was posted by it, or where that is not known.
func (c *Call) Written() bool { return c.written }

// PostCalled is PostGiven by a call.
func (j *Journal) PostCalled(ctx context.Context, call *Call, atomic bool, entries ...Entry) ([]Result, error) {
	return j.postGiven(ctx, call, atomic, entries)
}

// share is the part of a batch that one call has given.
type share struct {
	call     *Call
	from, to int // of the entries
}

// addCalls adds the calls of the drafts that are written.
func (p *posting) addCalls(batch *db.InsertBatchParams) {
	p.written = p.written[:0]
	next := 0
	for _, s := range p.shares {
		for next < len(p.drafts) && p.drafts[next].index < s.from {
			next++
		}
		if next == len(p.drafts) || p.drafts[next].index >= s.to {
			continue // nothing of it is posted
		}
		c := s.call
		p.written = append(p.written, c)
		batch.CallIds, batch.RequestIds, batch.Subjects = append(batch.CallIds, c.ID), append(batch.RequestIds, c.RequestID), append(batch.Subjects, c.Subject)
		batch.Roles, batch.Methods, batch.Actions = append(batch.Roles, c.Role), append(batch.Methods, c.Method), append(batch.Actions, c.Action)
		batch.CallKeys, batch.Regions = append(batch.CallKeys, c.Key), append(batch.Regions, strings.Join(c.Regions, ","))
		batch.RequestHashes = append(batch.RequestHashes, c.RequestHash)
	}
}
