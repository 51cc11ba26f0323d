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
// no more than there is; pendings hold what their entries would take; those
// that are finished became an entry of no more than they were.
const checkReservations = "reservations"

// holdsUnder is what the entry would reserve under the chart.
func holdsUnder(chart accounts.Chart, e *Entry) holds {
	var effects []floorEffect
	for i := range e.Postings {
		p := &e.Postings[i]
		if subject, ok := chart.Find(p.Account.Book.Role(), p.Account.Subject, e.Date); ok {
			effects = subjectFloors(effects, &subject, p, p.Account.String())
		}
	}
	return holdsOf(effects)
}

// pending checks a pending entry by itself; digest is the one stored with it.
func (r *CheckReport) pending(p *Pending, stored []byte, chart accounts.Chart) {
	account := ""
	if len(p.Postings) > 0 {
		account = p.Postings[0].Account.String()
	}
	if !bytes.Equal(digest(&p.Entry), stored) || !maps.Equal(holds(p.Holds), holdsUnder(chart, &p.Entry)) {
		r.find(checkReservations, account, "", "pending entry %q is not what was reserved", p.Key)
	}
	limited := !p.Expires.IsZero()
	switch p.State {
	case Open:
		if !p.Decided.IsZero() {
			r.find(checkReservations, account, "", "pending entry %q is open and was decided at %s", p.Key, p.Decided)
		}
	case Finished, Voided:
		if p.Decided.IsZero() || p.By == "" || limited && !p.Decided.Before(p.Expires) {
			r.find(checkReservations, account, "", "pending entry %q was %s by %q at %s, it expires at %s", p.Key, p.State, p.By, p.Decided, p.Expires)
		}
	case Expired:
		if !limited || p.Decided.Before(p.Expires) {
			r.find(checkReservations, account, "", "pending entry %q has expired at %s, its time was %s", p.Key, p.Decided, p.Expires)
		}
	default:
		r.find(checkReservations, account, "", "pending entry %q is %q", p.Key, p.State)
	}
}

// became checks the entry that a finished pending became.
func (r *CheckReport) became(p *Pending, id uuid.UUID, e *Entry) {
	reviewer := p.Reviewer
	if reviewer == "" {
		reviewer = p.By
	}
	same := e.Kind == p.Kind && e.Summary == p.Summary && e.Source == p.Source && e.Attachments == p.Attachments &&
		e.Preparer == p.Preparer && e.Reviewer == reviewer && e.Corrects == p.Corrects
	rest := p.Postings
	for i := range e.Postings {
		for len(rest) > 0 && !within(&e.Postings[i], rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			same = false
			break
		}
		rest = rest[1:]
	}
	if !same {
		account := ""
		if len(e.Postings) > 0 {
			account = e.Postings[0].Account.String()
		}
		r.find(checkReservations, account, id.String(), "it is not what pending entry %q could become", p.Key)
	}
}

func (r *CheckReport) notPosted(key string, id uuid.UUID) {
	r.find(checkReservations, "", id.String(), "pending entry %q is finished and the journal lacks its entry", key)
}

// within tells whether a line is the whole or a part of what was reserved for.
func within(line *Posting, reserved Posting) bool {
	whole := reserved.Amount
	reserved.Amount = line.Amount
	return *line == reserved && (line.Amount < 0) == (whole < 0) && abs(line.Amount) <= abs(whole)
}

// reserved compares what a floor has reserved with what open pendings hold,
// and with its balance when everything posted is counted.
func (r *CheckReport) reserved(floor string, reserved, held, balance accounts.Fen) {
	if reserved != held {
		r.find(checkReservations, floor, "", "%s is reserved, open pending entries hold %s", reserved, held)
	}
	if reserved > 0 && reserved > balance {
		r.find(checkReservations, floor, "", "%s is reserved of %s", reserved, balance)
	}
}

func (c *checker) compareReservations(ctx context.Context, q *db.Queries) error {
	held := map[string]accounts.Fen{}
	after := db.ListPendingsParams{Page: linkPage}
	for {
		rows, err := q.ListPendings(ctx, after)
		if err != nil {
			return err
		}
		finished := map[uuid.UUID]*Pending{}
		for _, r := range rows {
			after.After = r.Key
			c.items[checkReservations]++
			p, err := decodePending(r)
			if err != nil {
				c.find(checkReservations, "", "", "%v", err)
				continue
			}
			if p.Key != r.Key {
				c.find(checkReservations, "", "", "the entry of pending entry %q has the key %q", r.Key, p.Key)
			}
			c.report.pending(p, r.Digest, c.journal.rules().book.Chart)
			if p.State == Open {
				for key, amount := range p.Holds {
					held[key] += amount
				}
			}
			if p.State == Finished {
				finished[FinishID(p.Key)] = p
			}
		}
		if err := c.mustBePosted(ctx, q, finished); err != nil {
			return err
		}
		if len(rows) < linkPage {
			break
		}
	}
	rows, err := q.AllFloors(ctx)
	if err != nil {
		return err
	}
	floors := make(map[string]db.Floor, len(rows))
	for _, r := range rows {
		floors[r.Account] = r
	}
	for _, key := range unionOf(floors, held) {
		f := floors[key]
		c.report.reserved(key, accounts.Fen(f.ReservedFen), held[key], accounts.Fen(f.BalanceFen))
	}
	return nil
}

// mustBePosted compares finished pendings with their entries, whose ids are given.
func (c *checker) mustBePosted(ctx context.Context, q *db.Queries, finished map[uuid.UUID]*Pending) error {
	if len(finished) == 0 {
		return nil
	}
	records, err := readEntries(ctx, q, slices.Collect(maps.Keys(finished)))
	if err != nil {
		return err
	}
	for id, p := range finished {
		if r := records[id]; r != nil {
			c.report.became(p, id, &r.Entry)
		} else {
			c.report.notPosted(p.Key, id)
		}
	}
	return nil
}
