package settlement

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// States of a settlement that all sides agree on.
const (
	statePosted  = "posted"
	stateWaiting = "waiting" // a refund whose original is not posted, or has too little left
)

// reconciliation is one run of Reconcile.
type reconciliation struct {
	s       *Settlements
	month   accounts.Month
	options ReconcileOptions

	due    bool        // a file has come since the month was last reconciled
	loaded []uuid.UUID // the files that are fully loaded
	half   []string    // and those that are not
	groups int
	differ []TotalDifference
	open   map[string]bool // settlements with an open exception

	lanes            *lanes
	posted, resolved atomic.Int64
}

// chunk is a number of settlements that one transaction takes, by id in
// ascending order; waiting are those of them that wait already.
// Seen counts those too that are posted already.
type chunk struct {
	ids, waiting []string
	seen         int
}

// settle compares the sides of a chunk, posts what agrees and writes the
// exceptions, in one transaction. The records are read before it: while no
// file is being loaded and none has come since, they are the same inside it.
// Where that does not hold they are read again.
func (r *reconciliation) settle(ctx context.Context, c chunk) error {
	var early, p *prepared
	err := r.s.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		early, err = r.prepare(ctx, db.New(tx), c)
		return err
	})
	if err != nil {
		return err
	}
	if err := r.lanes.enter(ctx); err != nil {
		return err
	}
	attempts, posted, resolved := 0, 0, 0
	defer func() { r.lanes.leave(attempts > 1) }()
	err = r.s.store.InTx(ctx, func(tx pgx.Tx) error {
		attempts++
		q := db.New(tx)
		files, err := q.FilesStamp(ctx)
		if err != nil {
			return err
		}
		if p = early; files.Loading > 0 || files != p.files {
			if p, err = r.prepare(ctx, q, c); err != nil {
				return err
			}
		}
		if posted, err = r.accept(ctx, tx, q, p); err != nil {
			return err
		}
		if err := r.except(ctx, q, p.found); err != nil {
			return err
		}
		resolved, err = resolve(ctx, q, p.agreed)
		return err
	})
	if err != nil {
		return err
	}
	r.posted.Add(int64(posted))
	r.resolved.Add(int64(resolved))
	return nil
}

// prepared is all that a chunk's transaction writes.
type prepared struct {
	files   db.FilesStampRow // the state of the files that it was read in
	claim   db.ClaimSettlementsParams
	waiting []string
	entries []ledger.Entry
	agreed  []*finding // exceptions until now
	found   []*finding // exceptions
}

// prepare reads a chunk and decides what becomes of it.
func (r *reconciliation) prepare(ctx context.Context, q *db.Queries, c chunk) (*prepared, error) {
	p := &prepared{claim: db.ClaimSettlementsParams{Month: string(r.month)}, waiting: c.waiting}
	var err error
	if p.files, err = q.FilesStamp(ctx); err != nil {
		return nil, err
	}
	var matched []string
	if matched, p.agreed, p.found, err = r.compare(ctx, q, c); err != nil {
		return nil, err
	}
	if err := explain(ctx, q, p.found); err != nil || len(matched) == 0 {
		return p, err
	}
	rows, err := q.ReadContent(ctx, db.ReadContentParams{SetlIds: matched, Sides: []string{string(Center)}})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b db.ReadContentRow) int { return strings.Compare(a.SetlID, b.SetlID) })
	p.entries = make([]ledger.Entry, 0, len(rows))
	for i := range rows {
		rec := recordOf(&rows[i])
		var e ledger.Entry
		if !rec.refund {
			if e, err = r.s.entry(rec); err != nil {
				return nil, err
			}
			p.entries = append(p.entries, e)
		}
		r.s.addClaim(&p.claim, rec, &e)
	}
	return p, nil
}

// compare sorts the settlements of the chunk that belong to the month:
// matched, those of them that were an exception until now, and exceptions.
func (r *reconciliation) compare(ctx context.Context, q *db.Queries, c chunk) (matched []string, agreed, found []*finding, err error) {
	half := map[uuid.UUID]string{}
	loading, err := q.LoadingFiles(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, f := range loading {
		half[f.ID] = f.Name
	}
	rows, err := q.ReadSides(ctx, c.ids)
	if err != nil {
		return nil, nil, nil, err
	}
	records := make(map[string]*sides, len(c.ids))
	for i := range rows {
		s := records[rows[i].SetlID]
		if s == nil {
			s = &sides{}
			records[rows[i].SetlID] = s
		}
		s.add(&rows[i])
	}
	for _, id := range c.ids {
		s := records[id]
		if s == nil || s.month() != r.month || s.touches(half) {
			continue
		}
		kind := s.kind()
		f := &finding{id: id, sides: s, kind: kind}
		switch {
		case kind != "":
			found = append(found, f)
			continue
		case r.open[id]:
			agreed = append(agreed, f)
		}
		matched = append(matched, id)
	}
	return matched, agreed, found, nil
}

// accept stores what agrees and posts it, refunds excepted: they wait until
// their originals are posted. What another process has accepted in the
// meantime stays as it is.
func (r *reconciliation) accept(ctx context.Context, tx pgx.Tx, q *db.Queries, p *prepared) (posted int, err error) {
	if len(p.waiting) > 0 {
		if err := q.DropWaiting(ctx, p.waiting); err != nil {
			return 0, err
		}
	}
	if len(p.claim.SetlIds) == 0 {
		return 0, nil
	}
	claimed, err := q.ClaimSettlements(ctx, p.claim)
	if err != nil {
		return 0, err
	}
	entries := p.entries
	if len(claimed) < len(p.claim.SetlIds) {
		ours := make(map[string]bool, len(claimed))
		for _, id := range claimed {
			ours[entryKey(id)] = true
		}
		entries = slices.DeleteFunc(slices.Clone(entries), func(e ledger.Entry) bool { return !ours[e.Key] })
	}
	return len(entries), r.s.post(ctx, tx, entries)
}

// addClaim adds the row of a settlement; a refund's waits.
func (s *Settlements) addClaim(p *db.ClaimSettlementsParams, r *record, e *ledger.Entry) {
	kind, _ := s.rules.kindOf(r.insured, r.treating)
	state, entry := statePosted, ""
	if r.refund {
		state = stateWaiting
	} else if len(e.Postings) > 0 {
		entry = e.ID().String()
	}
	p.SetlIds, p.States, p.Kinds = append(p.SetlIds, r.id), append(p.States, state), append(p.Kinds, string(kind))
	p.Dates, p.Insutypes = append(p.Dates, dateParam(r.settledOn())), append(p.Insutypes, r.insutype)
	p.Insured, p.Treating, p.Providers = append(p.Insured, r.insured), append(p.Treating, r.treating), append(p.Providers, r.provider)
	p.ClrTypes, p.MedTypes = append(p.ClrTypes, r.clrType), append(p.MedTypes, r.medType)
	p.BenefitYears = append(p.BenefitYears, int64(r.benefitYear()))
	into := [partCount]*[]int64{&p.Hifp, &p.Cvlserv, &p.Hifes, &p.Hifmi, &p.Hifob, &p.Maf, &p.Oth, &p.Acct}
	for i, list := range into {
		*list = append(*list, int64(r.parts[i]))
	}
	p.Refunds, p.Origs, p.EntryIds = append(p.Refunds, r.refund), append(p.Origs, r.orig), append(p.EntryIds, entry)
}
