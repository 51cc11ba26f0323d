package settlement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/settlement/internal/db"
)

// postRefunds posts the waiting refunds, of all months, whose original is
// posted and has enough left; the others are told what they wait for. They are
// taken in the order of their dates, so that of two refunds that do not both
// fit the earlier one is posted.
func (s *Settlements) postRefunds(ctx context.Context) (int64, error) {
	var posted int64
	after := db.NextWaitingParams{SettledOn: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), RowLimit: reconcileChunk}
	for {
		var page refundPage
		err := s.store.InTx(ctx, func(tx pgx.Tx) (err error) {
			page = refundPage{s: s, q: db.New(tx)}
			if page.waiting, err = page.q.NextWaiting(ctx, after); err != nil || len(page.waiting) == 0 {
				return err
			}
			return page.settle(ctx, tx)
		})
		if err != nil {
			return posted, err
		}
		if len(page.waiting) == 0 {
			return posted, nil
		}
		posted += page.posted
		last := page.waiting[len(page.waiting)-1]
		after.SettledOn, after.SetlID = last.SettledOn, last.SetlID
	}
}

// refundPage is a number of waiting refunds that one transaction takes.
type refundPage struct {
	s       *Settlements
	q       *db.Queries
	waiting []db.NextWaitingRow
	posted  int64
	explain db.ExplainWaitingParams
}

// settle locks the refunds and all others of their originals, since two refunds
// of one original must not both be measured against the same rest.
func (p *refundPage) settle(ctx context.Context, tx pgx.Tx) error {
	ids, origs := make([]string, len(p.waiting)), make([]string, len(p.waiting))
	for i, w := range p.waiting {
		ids[i], origs[i] = w.SetlID, w.OrigSetlID
	}
	slices.Sort(origs)
	origs = slices.Compact(origs)
	rows, err := p.q.LockRefunds(ctx, db.LockRefundsParams{SetlIds: ids, Origs: origs})
	if err != nil {
		return err
	}
	refunds, refunded := make(map[string]*db.SettlementsApart, len(rows)), map[string]parts{}
	for i := range rows {
		r := &rows[i]
		refunds[r.SetlID] = r
		if r.Refund && r.State == statePosted {
			refunded[r.OrigSetlID] = refunded[r.OrigSetlID].plus(partsOfApart(r))
		}
	}
	reductions, err := p.q.ReductionsOf(ctx, origs)
	if err != nil {
		return err
	}
	for _, r := range reductions {
		if !r.Released {
			refunded[r.SetlID] = refunded[r.SetlID].plus(PartsOf(r.PartsFen...).negative())
		}
	}
	posted, err := postedNegatives(ctx, p.q, origs)
	if err != nil {
		return err
	}
	for i := range rows {
		if r := &rows[i]; r.Refund && r.State == statePosted {
			posted[r.OrigSetlID] = posted[r.OrigSetlID].plus(partsOfApart(r))
		}
	}
	originals, err := p.originals(ctx, tx, origs)
	if err != nil {
		return err
	}
	var records []*record
	for _, w := range p.waiting {
		refund := refunds[w.SetlID]
		if refund == nil || refund.State != stateWaiting {
			continue // another process was faster
		}
		rec := refundRecord(refund)
		if reason := refuseRefund(rec, originals[w.OrigSetlID], refunded[w.OrigSetlID]); reason != "" {
			p.explain.SetlIds, p.explain.Reasons = append(p.explain.SetlIds, w.SetlID), append(p.explain.Reasons, reason)
			continue
		}
		rec.of, rec.before = originals[w.OrigSetlID], posted[w.OrigSetlID]
		records = append(records, rec)
		refunded[w.OrigSetlID] = refunded[w.OrigSetlID].plus(rec.parts)
		posted[w.OrigSetlID] = posted[w.OrigSetlID].plus(rec.parts)
	}
	if len(p.explain.SetlIds) > 0 {
		if err := p.q.ExplainWaiting(ctx, p.explain); err != nil {
			return err
		}
	}
	if len(records) == 0 {
		return nil
	}
	return p.post(ctx, tx, records)
}

// post posts the refunds; one in which no fund paid anything needs no entry.
func (p *refundPage) post(ctx context.Context, tx pgx.Tx, records []*record) error {
	ids := make([]string, len(records))
	var entered []*record
	for i, r := range records {
		ids[i] = r.id
		if r.parts != (parts{}) {
			entered = append(entered, r)
		}
	}
	if _, err := p.s.post(ctx, tx, entered); err != nil {
		return err
	}
	if err := p.q.PostRefunds(ctx, ids); err != nil {
		return err
	}
	p.posted = int64(len(ids))
	return p.s.insertBlocks(ctx, p.q, records, false)
}

// originals reads the originals that are posted, and those that can be none
// because they are refunds. A posted settlement stays as it was, so any side's
// record tells its content.
func (p *refundPage) originals(ctx context.Context, tx pgx.Tx, ids []string) (map[string]*record, error) {
	posted, err := p.s.posted(ctx, tx, p.q, ids)
	if err != nil {
		return nil, err
	}
	rows, err := p.q.ReadContent(ctx, db.ReadContentParams{SetlIds: ids, Sides: []string{string(Center)}})
	originals := make(map[string]*record, len(rows))
	for i := range rows {
		if posted[rows[i].SetlID] || rows[i].Refund {
			originals[rows[i].SetlID] = recordOf(&rows[i])
		}
	}
	return originals, err
}

// refuseRefund says why the refund cannot be posted now, or returns "".
func refuseRefund(refund, orig *record, refunded parts) string {
	switch {
	case orig == nil:
		return fmt.Sprintf("original %s is not posted", refund.orig)
	case orig.refund:
		return fmt.Sprintf("original %s is a refund itself", orig.id)
	case orig.insured != refund.insured || orig.treating != refund.treating || orig.insutype != refund.insutype || orig.provider != refund.provider:
		return fmt.Sprintf("original %s is of insutype %s, insured in %s, treated in %s by %s: not those of the refund",
			orig.id, orig.insutype, orig.insured, orig.treating, orig.provider)
	}
	left := orig.parts.plus(refunded)
	for part, amount := range refund.parts {
		if left[part]+amount < 0 {
			return fmt.Sprintf("%s: %s is refunded and %s is left of original %s", partField(part), -amount, left[part], orig.id)
		}
	}
	return ""
}

func partsOfApart(r *db.SettlementsApart) parts {
	return PartsOf(r.HifpFen, r.CvlservFen, r.HifesFen, r.HifmiFen, r.HifobFen, r.MafFen, r.OthFen, r.AcctFen)
}

// refundRecord is what an entry needs of a refund.
func refundRecord(r *db.SettlementsApart) *record {
	discharge := lastDayOf(r.BenefitYear)
	return &record{
		id: r.SetlID, insutype: r.Insutype, insured: r.Insured, treating: r.Treating, provider: r.Provider,
		medType: r.MedType, refund: true, orig: r.OrigSetlID, parts: partsOfApart(r),
		begndate: discharge, enddate: discharge, setlTime: civil.DateOf(r.SettledOn).In(shanghai),
	}
}
