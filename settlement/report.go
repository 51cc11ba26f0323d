package settlement

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement/internal/db"
)

// MonthReport is what a service month came to. Matched records are equal on
// all three sides, waiting refunds among them; a refund is a record of its
// own, and negative.
type MonthReport struct {
	Month accounts.Month `json:"month"`
	// Records are the settlements that any side has a row of, refunds not
	// counted, rejected ones counted.
	Records        int64        `json:"records"`
	MatchedRecords int64        `json:"matched_records"`
	MatchedAmount  accounts.Fen `json:"matched_amount"` // all fund and account parts
	// Exceptions counts settlements by kind, and under duplicate_row_ignored
	// those of which a file had a row twice.
	Exceptions       map[string]int64    `json:"exceptions"`
	ExceptionIDs     map[string][]string `json:"exception_ids"`
	InProvince       []PairAmount        `json:"in_province"`
	CrossProvinceOut []PairAmount        `json:"cross_province_out"`
	CrossProvinceIn  []PairAmount        `json:"cross_province_in"`
	InProvinceNet    []CityNet           `json:"in_province_net"`
	// TakenBack counts the negative records of the month that no side's file has:
	// deductions, clawbacks that are offset, withdrawals. They are in none of the
	// figures above, and in the clearing runs.
	TakenBack       int64        `json:"taken_back,omitempty"`
	TakenBackAmount accounts.Fen `json:"taken_back_amount,omitempty"`
}

// PairAmount is what a pair of regions comes to in a fund: the matched records
// that touch the fund and their net amount.
type PairAmount struct {
	Insured  string       `json:"insured"`
	Treating string       `json:"treating"`
	Fund     string       `json:"fund"`
	Count    int64        `json:"count"`
	Amount   accounts.Fen `json:"amount"`
}

// CityNet is payable less receivable of a city in a fund: positive for a debtor.
type CityNet struct {
	City       string       `json:"city"`
	Fund       string       `json:"fund"`
	Payable    accounts.Fen `json:"payable"`
	Receivable accounts.Fen `json:"receivable"`
	Net        accounts.Fen `json:"net"`
}

// MonthReport reports a service month. Errors: NotFound when no file has a row
// of the month, Precondition when files came after its last reconciliation.
func (s *Settlements) MonthReport(ctx context.Context, month accounts.Month) (*MonthReport, error) {
	return s.MonthReportOf(ctx, month, nil)
}

// MonthReportOf is the MonthReport of those settlements that touch one of the
// regions, as insured or as treating, and of the regions' own nets; nil is all.
// A settlement of two regions counts for each, so reports of several regions do
// not add up to that of all. What was rejected before its regions could be read
// counts for none.
func (s *Settlements) MonthReportOf(ctx context.Context, month accounts.Month, regions []string) (*MonthReport, error) {
	seen := sight{regions == nil, regions}
	var report *MonthReport
	err := s.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if err := requireReconciled(ctx, q, month); err != nil {
			return err
		}
		report = &MonthReport{Month: month, Exceptions: map[string]int64{}, ExceptionIDs: map[string][]string{}}
		if err := report.readExceptions(ctx, q, seen); err != nil {
			return err
		}
		return report.readSettlements(ctx, q, s.rules, seen)
	})
	return report, err
}

func requireReconciled(ctx context.Context, q *db.Queries, month accounts.Month) error {
	files, err := q.MonthFiles(ctx, string(month))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fault.New(fault.NotFound, "no imported file has a row of service month %s", month)
	}
	for _, f := range files {
		if f.State != fileLoaded {
			return fault.New(fault.Precondition, "%s file %s is half loaded: import it again, then run fundledger reconcile --month %s", f.Side, f.Name, month)
		}
	}
	for _, f := range files {
		if !f.Reconciled {
			return fault.New(fault.Precondition, "%s file %s has rows of %s and came after its last reconciliation: run fundledger reconcile --month %s", f.Side, f.Name, month, month)
		}
	}
	return nil
}

// sight is what of a report may be seen.
type sight struct {
	all     bool
	regions []string
}

func (v sight) of(insured, treating string) bool {
	return v.all || slices.Contains(v.regions, insured) || slices.Contains(v.regions, treating)
}

func (r *MonthReport) readExceptions(ctx context.Context, q *db.Queries, seen sight) error {
	rows, err := q.ReportExceptions(ctx, db.ReportExceptionsParams{Month: string(r.Month), AllRegions: seen.all, Regions: seen.regions})
	if err != nil {
		return err
	}
	rejected := map[string]bool{}
	for _, row := range rows {
		r.Exceptions[row.Kind]++
		r.ExceptionIDs[row.Kind] = append(r.ExceptionIDs[row.Kind], row.SetlID)
		if !row.Refund {
			r.Records++
		}
		rejected[row.SetlID] = isRejection(row.Kind)
	}
	for _, ids := range r.ExceptionIDs {
		slices.Sort(ids)
	}
	duplicates, err := q.ReportDuplicates(ctx, db.ReportDuplicatesParams{Month: string(r.Month), AllRegions: seen.all, Regions: seen.regions})
	if err != nil {
		return err
	}
	for _, id := range duplicates {
		if !rejected[id] {
			r.Exceptions[KindDuplicateRow]++
		}
	}
	return nil
}

// isRejection tells the kinds of rejected rows from those of reconciliation.
func isRejection(kind string) bool { return !slices.Contains(reconciledKinds, kind) }

// pair is what amounts are reported by.
type pair struct{ insured, treating, fund string }

// readSettlements sums the matched settlements of the month that may be seen.
func (r *MonthReport) readSettlements(ctx context.Context, q *db.Queries, rules *rules, seen sight) error {
	pairs := map[RunKind]map[pair]PairAmount{InProvince: {}, CrossOut: {}, CrossIn: {}}
	blocks, err := q.BlocksOfMonth(ctx, string(r.Month))
	if err != nil {
		return err
	}
	for _, b := range blocks {
		sums, err := decodeSums(b.Sums)
		if err != nil {
			return err
		}
		sums = slices.DeleteFunc(sums, func(s groupSum) bool { return !seen.of(s.Insured, s.Treating) })
		if b.Negative {
			for _, sum := range sums {
				r.TakenBack += sum.Records
				r.TakenBackAmount += sum.Amounts.sum()
			}
			continue
		}
		if err := r.add(rules, pairs[RunKind(b.Kind)], sums); err != nil {
			return err
		}
	}
	waiting, err := q.WaitingOfMonth(ctx, string(r.Month))
	if err != nil {
		return err
	}
	for i := range waiting {
		rec := refundRecord(&waiting[i])
		if !seen.of(rec.insured, rec.treating) {
			continue
		}
		kind, _ := rules.kindOf(rec.insured, rec.treating)
		sums, err := rules.sumUp([]*record{rec})
		if err != nil {
			return err
		}
		if err := r.add(rules, pairs[kind], sums); err != nil {
			return err
		}
	}
	sorted := func(kind RunKind) []PairAmount {
		list := slices.SortedFunc(maps.Values(pairs[kind]), func(a, b PairAmount) int {
			return cmp.Or(cmp.Compare(a.Insured, b.Insured), cmp.Compare(a.Treating, b.Treating), cmp.Compare(a.Fund, b.Fund))
		})
		return append([]PairAmount{}, list...)
	}
	r.InProvince, r.CrossProvinceOut, r.CrossProvinceIn = sorted(InProvince), sorted(CrossOut), sorted(CrossIn)
	r.InProvinceNet = slices.DeleteFunc(net(r.InProvince), func(n CityNet) bool { return !seen.of(n.City, n.City) })
	return nil
}

// add adds sums of one kind.
func (r *MonthReport) add(rules *rules, pairs map[pair]PairAmount, sums []groupSum) error {
	for i := range sums {
		s := &sums[i]
		r.MatchedRecords += s.Records
		if !s.Refund {
			r.Records += s.Records
		}
		r.MatchedAmount += s.Amounts.sum()
		for part, count := range s.Touched {
			if count == 0 && s.Amounts[part] == 0 {
				continue
			}
			fund, err := rules.fundOf(part, s.Insutype, r.Month.Last())
			if err != nil {
				return err
			}
			if part == pAcct && fund == s.Insutype { // a record that has both parts touches the fund once
				count = s.Pooled - s.Touched[pHifp]
			}
			key := pair{s.Insured, s.Treating, fund}
			p := pairs[key]
			p.Insured, p.Treating, p.Fund = key.insured, key.treating, key.fund
			p.Count += count
			p.Amount += s.Amounts[part]
			pairs[key] = p
		}
	}
	return nil
}

// net adds up what each city pays and gets.
func net(pairs []PairAmount) []CityNet {
	type key struct{ city, fund string }
	cities := map[key]CityNet{}
	for _, p := range pairs {
		owes := cities[key{p.Insured, p.Fund}]
		owes.Payable += p.Amount
		cities[key{p.Insured, p.Fund}] = owes
		gets := cities[key{p.Treating, p.Fund}]
		gets.Receivable += p.Amount
		cities[key{p.Treating, p.Fund}] = gets
	}
	list := make([]CityNet, 0, len(cities))
	for k, c := range cities {
		c.City, c.Fund, c.Net = k.city, k.fund, c.Payable-c.Receivable
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b CityNet) int { return cmp.Or(cmp.Compare(a.City, b.City), cmp.Compare(a.Fund, b.Fund)) })
	return list
}
