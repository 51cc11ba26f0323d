package settlement

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/internal/db"
)

// group is what the settlements of a block have in common.
type group struct {
	Insutype    string `json:"insutype"`
	Insured     string `json:"insured"`
	Treating    string `json:"treating"`
	MedType     string `json:"med_type"`
	BenefitYear int    `json:"benefit_year"`
	Refund      bool   `json:"refund,omitempty"`
}

func (g group) compare(h group) int {
	return cmp.Or(cmp.Compare(g.Insured, h.Insured), cmp.Compare(g.Treating, h.Treating), cmp.Compare(g.Insutype, h.Insutype),
		cmp.Compare(g.MedType, h.MedType), cmp.Compare(g.BenefitYear, h.BenefitYear))
}

// groupSum is what a group sums to. Touched counts the records that have the
// part; Pooled those that have 统筹 or 个人账户, since a record with both
// touches fund 310 once. A record of several benefit years is counted in the
// last one only.
type groupSum struct {
	group
	Records int64            `json:"records"`
	Touched [partCount]int64 `json:"touched"`
	Pooled  int64            `json:"pooled"`
	Amounts parts            `json:"amounts"`
}

// count counts a record.
func (s *groupSum) count(r *record) {
	s.Records++
	for part, amount := range r.parts {
		if amount != 0 {
			s.Touched[part]++
		}
	}
	if r.parts[pHifp] != 0 || r.parts[pAcct] != 0 {
		s.Pooled++
	}
}

// sumUp sums records by group, in a fixed order.
func (r *rules) sumUp(records []*record) ([]groupSum, error) {
	sums := map[group]*groupSum{}
	for _, rec := range records {
		years, err := r.byYear(rec)
		if err != nil {
			return nil, err
		}
		for i, y := range years {
			g := group{rec.insutype, rec.insured, rec.treating, rec.medType, y.year, rec.refund}
			if sums[g] == nil {
				sums[g] = &groupSum{group: g}
			}
			sums[g].Amounts = sums[g].Amounts.plus(y.parts)
			if i == len(years)-1 {
				sums[g].count(rec)
			}
		}
	}
	list := make([]groupSum, 0, len(sums))
	for _, s := range sums {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b groupSum) int { return a.compare(b.group) })
	return list, nil
}

// insertBlocks notes settlements as posted: a block for each kind and month.
// Negative records that no file has stand in blocks of their own.
func (s *Settlements) insertBlocks(ctx context.Context, q *db.Queries, posted []*record, negative bool) error {
	type key struct {
		kind  RunKind
		month accounts.Month
	}
	blocks := map[key][]*record{}
	for _, r := range posted {
		kind, _ := s.rules.kindOf(r.insured, r.treating)
		k := key{kind, r.month()}
		blocks[k] = append(blocks[k], r)
	}
	keys := slices.SortedFunc(maps.Keys(blocks), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.kind, b.kind))
	})
	for _, k := range keys { // at most three in the chunks of a month
		records := blocks[k]
		ids := make([]string, len(records))
		for i, r := range records {
			ids[i] = r.id
		}
		grouped, err := s.rules.sumUp(records)
		if err != nil {
			return err
		}
		sums, err := json.Marshal(grouped)
		if err != nil {
			return err
		}
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		err = q.InsertBlock(ctx, db.InsertBlockParams{ID: id, Month: string(k.month), Kind: string(k.kind), Records: int64(len(records)), SetlIds: ids, Sums: sums, Negative: negative})
		if err != nil {
			return err
		}
	}
	return nil
}

func decodeSums(data []byte) ([]groupSum, error) {
	var sums []groupSum
	if err := json.Unmarshal(data, &sums); err != nil {
		return nil, fault.New(fault.Internal, "the sums of a block of settlements cannot be read: %w", err)
	}
	return sums, nil
}
