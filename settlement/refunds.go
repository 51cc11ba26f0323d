package settlement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/ledger"
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
		posted += int64(len(page.posted))
		last := page.waiting[len(page.waiting)-1]
		after.SettledOn, after.SetlID = last.SettledOn, last.SetlID
	}
}

// refundPage is a number of waiting refunds that one transaction takes.
type refundPage struct {
	s       *Settlements
	q       *db.Queries
	waiting []db.NextWaitingRow
	posted  []string
	explain db.ExplainWaitingParams
}

// settle locks the refunds and their originals, since two refunds of one
// original must not both be measured against the same rest.
func (p *refundPage) settle(ctx context.Context, tx pgx.Tx) error {
	ids, origs := []string{}, []string{}
	for _, w := range p.waiting {
		ids, origs = append(ids, w.SetlID, w.OrigSetlID), append(origs, w.OrigSetlID)
	}
	rows, err := p.q.LockSettlements(ctx, ids)
	if err != nil {
		return err
	}
	settlements := make(map[string]*db.Settlement, len(rows))
	for i := range rows {
		settlements[rows[i].SetlID] = &rows[i]
	}
	refunded, err := p.refunded(ctx, origs)
	if err != nil {
		return err
	}
	var entries []ledger.Entry
	for _, w := range p.waiting {
		refund := settlements[w.SetlID]
		if refund == nil || refund.State != stateWaiting {
			continue // another process was faster
		}
		reason := p.s.refuseRefund(refund, settlements[w.OrigSetlID], refunded)
		if reason != "" {
			p.explain.SetlIds, p.explain.Reasons = append(p.explain.SetlIds, w.SetlID), append(p.explain.Reasons, reason)
			continue
		}
		e, err := p.s.entry(refundRecord(refund))
		if err != nil {
			return err
		}
		entries = append(entries, e)
		p.posted = append(p.posted, w.SetlID)
		refunded[w.OrigSetlID] = refunded[w.OrigSetlID].plus(partsOfSettlement(refund))
	}
	if len(p.posted) > 0 {
		if err := p.q.PostRefunds(ctx, p.posted); err != nil {
			return err
		}
	}
	if len(p.explain.SetlIds) > 0 {
		if err := p.q.ExplainWaiting(ctx, p.explain); err != nil {
			return err
		}
	}
	return p.s.post(ctx, tx, entries)
}

// refunded sums the posted refunds by original; they are negative.
func (p *refundPage) refunded(ctx context.Context, origs []string) (map[string]parts, error) {
	slices.Sort(origs)
	rows, err := p.q.Refunded(ctx, slices.Compact(origs))
	if err != nil {
		return nil, err
	}
	sums := make(map[string]parts, len(rows))
	for _, r := range rows {
		sums[r.OrigSetlID] = partsOf(r.HifpFen, r.CvlservFen, r.HifesFen, r.HifmiFen, r.HifobFen, r.MafFen, r.OthFen, r.AcctFen)
	}
	return sums, nil
}

// refuseRefund says why the refund cannot be posted now, or returns "".
func (s *Settlements) refuseRefund(refund, orig *db.Settlement, refunded map[string]parts) string {
	switch {
	case orig != nil && orig.Refund:
		return fmt.Sprintf("original %s is a refund itself", orig.SetlID)
	case orig == nil || orig.State != statePosted:
		return fmt.Sprintf("original %s is not posted", refund.OrigSetlID)
	case orig.Insured != refund.Insured || orig.Treating != refund.Treating || orig.Insutype != refund.Insutype || orig.Provider != refund.Provider:
		return fmt.Sprintf("original %s is of insutype %s, insured in %s, treated in %s by %s: not those of the refund",
			orig.SetlID, orig.Insutype, orig.Insured, orig.Treating, orig.Provider)
	}
	left := partsOfSettlement(orig).plus(refunded[orig.SetlID])
	for part, amount := range partsOfSettlement(refund) {
		if left[part]+amount < 0 {
			return fmt.Sprintf("%s: %s is refunded and %s is left of original %s", partField(part), -amount, left[part], orig.SetlID)
		}
	}
	return ""
}

func partsOfSettlement(r *db.Settlement) parts {
	return partsOf(r.HifpFen, r.CvlservFen, r.HifesFen, r.HifmiFen, r.HifobFen, r.MafFen, r.OthFen, r.AcctFen)
}

// refundRecord is what an entry needs of a refund.
func refundRecord(r *db.Settlement) *record {
	return &record{
		id: r.SetlID, insutype: r.Insutype, insured: r.Insured, treating: r.Treating, provider: r.Provider,
		clrType: r.ClrType, medType: r.MedType, refund: true, orig: r.OrigSetlID, parts: partsOfSettlement(r),
		enddate:  lastDayOf(r.BenefitYear),
		setlTime: civil.DateOf(r.SettledOn).In(shanghai),
	}
}
