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
// touches fund 310 once.
type groupSum struct {
	group
	Records int64            `json:"records"`
	Touched [partCount]int64 `json:"touched"`
	Pooled  int64            `json:"pooled"`
	Amounts parts            `json:"amounts"`
}

func (s *groupSum) add(r *record) {
	s.Records++
	s.Amounts = s.Amounts.plus(r.parts)
	for part, amount := range r.parts {
		if amount != 0 {
			s.Touched[part]++
		}
	}
	if r.parts[pHifp] != 0 || r.parts[pAcct] != 0 {
		s.Pooled++
	}
}

// groupOf is the group of a record.
func groupOf(r *record) group {
	return group{r.insutype, r.insured, r.treating, r.medType, r.benefitYear(), r.refund}
}

// sumUp sums records by group, in a fixed order.
func sumUp(records []*record) []groupSum {
	sums := map[group]*groupSum{}
	for _, r := range records {
		g := groupOf(r)
		if sums[g] == nil {
			sums[g] = &groupSum{group: g}
		}
		sums[g].add(r)
	}
	list := make([]groupSum, 0, len(sums))
	for _, s := range sums {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b groupSum) int { return a.compare(b.group) })
	return list
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
		sums, err := json.Marshal(sumUp(records))
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
