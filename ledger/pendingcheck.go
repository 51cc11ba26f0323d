package ledger

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// checkReservations: what floors have reserved is what open pendings hold, and
// pendings hold what their entries would take.
const checkReservations = "reservations"

func (c *checker) compareReservations(ctx context.Context, q *db.Queries) error {
	held := map[string]accounts.Fen{}
	after := db.ListPendingsParams{Page: comparePage}
	for {
		rows, err := q.ListPendings(ctx, after)
		if err != nil {
			return err
		}
		finished := map[uuid.UUID]string{}
		for _, r := range rows {
			after.After = r.Key
			c.items[checkReservations]++
			p, err := decodePending(r)
			if err != nil {
				c.find(checkReservations, "", "", "%v", err)
				continue
			}
			if !bytes.Equal(digest(&p.Entry), r.Digest) || !maps.Equal(p.Holds, holdsOf(c.journal.effectsOf(&p.Entry))) {
				c.find(checkReservations, p.Postings[0].Account.String(), "", "pending entry %q is not what was reserved", r.Key)
			}
			if p.State == Open {
				for key, amount := range p.Holds {
					held[key] += amount
				}
			}
			if p.State == Finished {
				finished[FinishID(r.Key)] = r.Key
			}
		}
		if err := c.mustBePosted(ctx, q, finished); err != nil {
			return err
		}
		if len(rows) < comparePage {
			break
		}
	}
	rows, err := q.AllFloors(ctx)
	if err != nil {
		return err
	}
	reserved := map[string]accounts.Fen{}
	for _, r := range rows {
		reserved[r.Account] = accounts.Fen(r.ReservedFen)
	}
	for _, key := range unionOf(reserved, held) {
		if reserved[key] != held[key] {
			c.find(checkReservations, key, "", "%s is reserved, open pending entries hold %s", reserved[key], held[key])
		}
	}
	return nil
}

// mustBePosted finds finished pendings, by the id of their entry, that the
// journal lacks.
func (c *checker) mustBePosted(ctx context.Context, q *db.Queries, finished map[uuid.UUID]string) error {
	if len(finished) == 0 {
		return nil
	}
	rows, err := q.FindEntries(ctx, slices.Collect(maps.Keys(finished)))
	for _, r := range rows {
		delete(finished, r.ID)
	}
	for id, key := range finished {
		c.find(checkReservations, "", id.String(), "pending entry %q is finished and the journal lacks its entry", key)
	}
	return err
}
