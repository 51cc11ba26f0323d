package settlement

import (
	"context"
	"fmt"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// Parts are the amounts of a settlement that funds pay, in the order of
// PartFields.
type Parts = parts

// Fen writes the parts for the database, in their order.
func (p parts) Fen() []int64 {
	list := make([]int64, len(p))
	for i, amount := range p {
		list[i] = int64(amount)
	}
	return list
}

// Sum is the total of all parts.
func (p parts) Sum() accounts.Fen { return p.sum() }

// Plus adds part by part.
func (p parts) Plus(q Parts) Parts { return p.plus(q) }

// Minus subtracts part by part.
func (p parts) Minus(q Parts) Parts { return p.plus(q.negative()) }

// Standing is a posted settlement with what has been taken back of it.
type Standing struct {
	SetlID                                            string
	Kind                                              RunKind
	Insutype, Insured, Treating, Provider, Category   string
	SettledOn                                         civil.Date
	Run                                               string // clearing run that it was taken into; empty while in none
	Amount, Refunded, Deducted, ClawedBack, Withdrawn Parts  // not negative, of a settlement that is no refund
	record                                            *record
}

// Left is what can still be taken back.
func (s *Standing) Left() Parts {
	return s.Amount.Minus(s.Refunded).Minus(s.Deducted).Minus(s.ClawedBack).Minus(s.Withdrawn)
}

// Payable is what its provider is to be paid for it, and was. Clawbacks do not
// lower it: the provider was paid before, and pays back.
func (s *Standing) Payable() Parts {
	return s.Amount.Minus(s.Refunded).Minus(s.Deducted).Minus(s.Withdrawn)
}

// Standings reads the settlements that are posted and are no refunds; of others
// there is none in the answer.
func (s *Settlements) Standings(ctx context.Context, tx pgx.Tx, setlIDs []string) (map[string]*Standing, error) {
	q := db.New(tx)
	posted, err := s.posted(ctx, tx, q, setlIDs)
	if err != nil {
		return nil, err
	}
	contents, err := q.ReadContent(ctx, db.ReadContentParams{SetlIds: setlIDs, Sides: []string{string(Center)}})
	if err != nil {
		return nil, err
	}
	standings := make(map[string]*Standing, len(contents))
	months, ids := []string{}, []string{}
	for i := range contents {
		rec := recordOf(&contents[i])
		if !posted[rec.id] || rec.refund {
			continue
		}
		kind, _ := s.rules.kindOf(rec.insured, rec.treating)
		standings[rec.id] = &Standing{SetlID: rec.id, Kind: kind, Insutype: rec.insutype, Insured: rec.insured, Treating: rec.treating,
			Provider: rec.provider, Category: rec.medType, SettledOn: rec.settledOn(), Amount: rec.parts, record: rec}
		months, ids = append(months, string(rec.month())), append(ids, rec.id)
	}
	refunds, err := q.RefundsAmong(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range refunds {
		st := standings[refunds[i].OrigSetlID]
		st.Refunded = st.Refunded.Minus(partsOfApart(&refunds[i]))
	}
	reductions, err := q.ReductionsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range reductions {
		if r.Released {
			continue
		}
		standings[r.SetlID].take(ReductionKind(r.Kind), PartsOf(r.PartsFen...))
	}
	blocks, err := q.BlocksAmong(ctx, db.BlocksAmongParams{Months: months, SetlIds: ids})
	for _, b := range blocks {
		for _, id := range b.SetlIds {
			if st := standings[id]; st != nil {
				st.Run = b.Run
			}
		}
	}
	return standings, err
}

// ReductionKind is why a settlement is lowered other than by a refund.
type ReductionKind string

const (
	Deducted   ReductionKind = "deduction"  // 审核扣款, before the provider is paid
	ClawedBack ReductionKind = "clawback"   // 追回, claimed after it
	Withdrawn  ReductionKind = "withdrawal" // 冲正, by all sides
)

// Require refuses amounts that are more than what is left. Errors: Insufficient,
// with field, asked, left and shortfall as details.
func (s *Standing) Require(amounts Parts) error {
	left := s.Left()
	for part, amount := range amounts {
		if amount > left[part] {
			return fault.New(fault.Insufficient, "%s: %s is to be taken back and %s is left of settlement %s", partField(part), amount, left[part], s.SetlID).
				With("setl_id", s.SetlID).With("field", partField(part)).With("asked", amount.String()).With("left", left[part].String()).
				With("shortfall", (amount - left[part]).String())
		}
	}
	return nil
}

// Reduce notes that the amounts, none negative, are taken off what is left of
// the settlement, and the standing with it; the id is unique. Errors as Require.
func (s *Settlements) Reduce(ctx context.Context, tx pgx.Tx, of *Standing, kind ReductionKind, id string, on civil.Date, amounts Parts) error {
	if err := of.Require(amounts); err != nil {
		return err
	}
	of.take(kind, amounts)
	return db.New(tx).InsertReduction(ctx, db.InsertReductionParams{ID: id, SetlID: of.SetlID, Kind: string(kind), LoweredOn: dateParam(on), PartsFen: amounts.Fen()})
}

func (s *Standing) take(kind ReductionKind, amounts Parts) {
	switch kind {
	case Deducted:
		s.Deducted = s.Deducted.Plus(amounts)
	case ClawedBack:
		s.ClawedBack = s.ClawedBack.Plus(amounts)
	case Withdrawn:
		s.Withdrawn = s.Withdrawn.Plus(amounts)
	}
}

// Release gives back what Reduce has taken under the id.
func Release(ctx context.Context, tx pgx.Tx, id string) error {
	n, err := db.New(tx).ReleaseReduction(ctx, id)
	if err == nil && n != 1 {
		err = fault.New(fault.Internal, "there is no reduction %q to release", id)
	}
	return err
}

// Negative is a negative record that no side's file has.
type Negative struct {
	ID      string // unique, with the settlement's after its last slash
	Of      *Standing
	On      civil.Date
	Amounts Parts // not negative
	// Title of the entry's summary, its source and who signs it.
	Title, Source, Preparer, Reviewer string
}

// LoweredBy is the settlement that a negative record lowers; of the id of a
// settlement, that settlement.
func LoweredBy(record string) string { return record[strings.LastIndexByte(record, '/')+1:] }

func (n *Negative) key() string { return "negative/" + n.ID }

// PostNegatives posts the records: the lines of acceptance in red, in the first
// period that is open from their date on, linked with the entries that they
// correct, and into the next clearing run. It returns the entries' ids.
func (s *Settlements) PostNegatives(ctx context.Context, tx pgx.Tx, negatives []Negative) ([]uuid.UUID, error) {
	if len(negatives) == 0 {
		return nil, nil
	}
	q := db.New(tx)
	ids := make([]string, len(negatives))
	for i, n := range negatives {
		ids[i] = n.Of.SetlID
	}
	before, err := postedNegatives(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	entries, records, drafter := make([]ledger.Entry, len(negatives)), make([]*record, len(negatives)), s.drafter()
	for i, n := range negatives {
		rec := *n.Of.record
		rec.id, rec.orig, rec.refund = n.ID, n.Of.SetlID, true
		rec.parts, rec.setlTime = n.Amounts.negative(), n.On.In(shanghai)
		rec.of, rec.before = n.Of.record, before[n.Of.SetlID].Minus(n.Of.Refunded)
		before[n.Of.SetlID] = before[n.Of.SetlID].plus(rec.parts)
		records[i] = &rec
		if err := q.InsertNegative(ctx, db.InsertNegativeParams{ID: n.ID, SetlID: n.Of.SetlID, PartsFen: n.Amounts.Fen()}); err != nil {
			return nil, err
		}
		e, err := drafter.entry(&rec)
		if err != nil {
			return nil, err
		}
		e.Key, e.Source, e.Preparer, e.Reviewer = n.key(), n.Source, n.Preparer, n.Reviewer
		e.Summary = fmt.Sprintf("%s %s", n.Title, n.Of.SetlID)
		entries[i] = e
	}
	if err := s.setPeriods(ctx, tx, entries); err != nil {
		return nil, err
	}
	results, err := s.journal.PostTx(ctx, tx, entries)
	if err != nil {
		return nil, err
	}
	posted := make([]uuid.UUID, len(results))
	for i, r := range results {
		if r.Err != nil {
			return nil, r.Err
		}
		posted[i] = r.ID
	}
	return posted, s.insertBlocks(ctx, q, records, true)
}

// postedNegatives are the sums of the negative records of each settlement, not
// positive.
func postedNegatives(ctx context.Context, q *db.Queries, setlIDs []string) (map[string]parts, error) {
	rows, err := q.NegativesAmong(ctx, setlIDs)
	sums := make(map[string]parts, len(setlIDs))
	for _, r := range rows {
		sums[r.SetlID] = sums[r.SetlID].plus(PartsOf(r.PartsFen...).negative())
	}
	return sums, err
}

// FundOf is the fund that a part, by its place in PartFields, belongs to.
func (s *Settlements) FundOf(part int, insutype string, on civil.Date) (string, error) {
	return s.rules.fundOf(part, insutype, on)
}

// PartName is what lines carry of a part: "account" for 个人账户, else empty.
func PartName(part int) string { return partName(part) }

// NegativesOfRun are the ids of the negative records that a run has taken in.
func NegativesOfRun(ctx context.Context, tx pgx.Tx, run string) (records []string, err error) {
	blocks, err := db.New(tx).NegativesOfRun(ctx, run)
	for _, ids := range blocks {
		records = append(records, ids...)
	}
	return records, err
}

// RunsOfNegatives tells the run of each of the negative records; of those in no
// run there is none in the answer.
func RunsOfNegatives(ctx context.Context, tx pgx.Tx, records []string) (map[string]string, error) {
	blocks, err := db.New(tx).RunsOfNegatives(ctx, records)
	runs := map[string]string{}
	for _, b := range blocks {
		for _, id := range b.SetlIds {
			if b.Run != "" {
				runs[id] = b.Run
			}
		}
	}
	return runs, err
}
