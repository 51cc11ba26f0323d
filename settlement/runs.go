package settlement

import (
	"cmp"
	"context"
	"slices"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/settlement/internal/db"
)

// RunKind is what a clearing run collects.
type RunKind string

const (
	InProvince RunKind = "in-province" // 省内
	CrossOut   RunKind = "cross-out"   // 跨省, our patients elsewhere
	CrossIn    RunKind = "cross-in"    // 跨省, patients of other provinces here
)

// TagRun puts the posted settlements of the kind, with a service month not
// after the given one and in no run yet, into the run, and returns how many.
// Whoever calls it holds the run.
func TagRun(ctx context.Context, tx pgx.Tx, run string, kind RunKind, month accounts.Month) (taken int64, err error) {
	blocks, err := db.New(tx).TagRun(ctx, db.TagRunParams{Run: run, Kind: string(kind), Month: string(month)})
	for _, records := range blocks {
		taken += records
	}
	return taken, err
}

// RunTotal is what a run has for one pair of regions in one fund, category,
// part and benefit year. Records counts the settlements that touch it (a part
// of 0.00 does not), refunds included; CarriedOver those of them whose service
// month is earlier than the run's.
type RunTotal struct {
	Insured, Treating, Fund, Category, Part string
	BenefitYear                             int
	Records                                 int64
	CarriedOver                             int64
	Amount                                  accounts.Fen
}

// RunTotals sums the settlements of a run, in order of insured region,
// treating region, fund, category, part and benefit year.
func RunTotals(ctx context.Context, tx pgx.Tx, book *accounts.Rulebook, run string, month accounts.Month) ([]RunTotal, error) {
	blocks, err := db.New(tx).BlocksOfRun(ctx, run)
	if err != nil {
		return nil, err
	}
	return totalsOf(book, blocks, month)
}

// WaitingTotals sums the posted settlements that TagRun would put into a run of
// the kind and month now, in the same order.
func WaitingTotals(ctx context.Context, tx pgx.Tx, book *accounts.Rulebook, kind RunKind, month accounts.Month) ([]RunTotal, error) {
	waiting, err := db.New(tx).WaitingBlocks(ctx, db.WaitingBlocksParams{Kind: string(kind), Month: string(month)})
	if err != nil {
		return nil, err
	}
	blocks := make([]db.BlocksOfRunRow, len(waiting))
	for i, b := range waiting {
		blocks[i] = db.BlocksOfRunRow(b)
	}
	return totalsOf(book, blocks, month)
}

func totalsOf(book *accounts.Rulebook, blocks []db.BlocksOfRunRow, month accounts.Month) ([]RunTotal, error) {
	funds := newRules(book)
	var totals []RunTotal
	for _, b := range blocks {
		sums, err := decodeSums(b.Sums)
		if err != nil {
			return nil, err
		}
		for i := range sums {
			s := &sums[i]
			for part, n := range s.Touched {
				if n == 0 && s.Amounts[part] == 0 {
					continue
				}
				fund, err := funds.fundOf(part, s.Insutype, month.Last())
				if err != nil {
					return nil, err
				}
				t := RunTotal{Insured: s.Insured, Treating: s.Treating, Fund: fund, Category: s.MedType, Part: partName(part),
					BenefitYear: s.BenefitYear, Records: n, Amount: s.Amounts[part]}
				if b.ServiceMonth < string(month) {
					t.CarriedOver = n
				}
				totals = append(totals, t)
			}
		}
		slices.SortFunc(totals, RunTotal.compare)
		totals = mergeTotals(totals) // block by block, so that memory follows the pairs and not the records
	}
	return totals, nil
}

func (t RunTotal) compare(u RunTotal) int {
	return cmp.Or(cmp.Compare(t.Insured, u.Insured), cmp.Compare(t.Treating, u.Treating), cmp.Compare(t.Fund, u.Fund),
		cmp.Compare(t.Category, u.Category), cmp.Compare(t.Part, u.Part), cmp.Compare(t.BenefitYear, u.BenefitYear))
}

// mergeTotals adds up neighbours with the same key.
func mergeTotals(sorted []RunTotal) []RunTotal {
	merged := sorted[:0]
	for _, t := range sorted {
		if n := len(merged); n > 0 && merged[n-1].compare(t) == 0 {
			last := &merged[n-1]
			last.Records += t.Records
			last.CarriedOver += t.CarriedOver
			last.Amount += t.Amount
			continue
		}
		merged = append(merged, t)
	}
	return merged
}

// PartsOf reads the fen that Parts.Fen has written.
func PartsOf(fen ...int64) (p Parts) {
	for i := range p {
		p[i] = accounts.Fen(fen[i])
	}
	return p
}

// partName is the part that a line carries: "account" for 个人账户, else empty.
func partName(part int) string {
	if part == pAcct {
		return "account"
	}
	return ""
}

// CarriedOverRecord is a settlement that missed the cut-off of its own month.
// Overdue tells that it is past the limits of J49.
type CarriedOverRecord struct {
	SetlID       string         `json:"setl_id"`
	ServiceMonth accounts.Month `json:"service_month"`
	Overdue      bool           `json:"overdue"`
	Lateness     Lateness       `json:"lateness"` // which limit it is past
}

// CarriedOver lists the settlements of the run whose service month is earlier
// than the run's month, oldest first. NotFound when the policy lacks a limit.
func CarriedOver(ctx context.Context, tx pgx.Tx, book *accounts.Rulebook, run string, month accounts.Month) ([]CarriedOverRecord, error) {
	limits, err := deferralLimits(book, month)
	if err != nil {
		return nil, err
	}
	rows, err := db.New(tx).CarriedOver(ctx, db.CarriedOverParams{Run: run, Month: string(month)})
	if err != nil {
		return nil, err
	}
	records := []CarriedOverRecord{}
	for _, r := range rows {
		service := accounts.Month(r.ServiceMonth)
		late := limits.lateness(service, month)
		slices.Sort(r.SetlIds)
		for _, id := range r.SetlIds {
			records = append(records, CarriedOverRecord{SetlID: id, ServiceMonth: service, Overdue: late.Overdue(), Lateness: late})
		}
	}
	slices.SortStableFunc(records, func(a, b CarriedOverRecord) int {
		return cmp.Or(cmp.Compare(a.ServiceMonth, b.ServiceMonth), cmp.Compare(a.SetlID, b.SetlID))
	})
	return records, nil
}

// RegionsOf returns the insured and the treating region of posted settlements,
// and of negative records by the settlements that they lower.
func RegionsOf(ctx context.Context, tx pgx.Tx, setlIDs []string) (map[string][]string, error) {
	lowered := make([]string, len(setlIDs))
	for i, id := range setlIDs {
		lowered[i] = LoweredBy(id)
	}
	rows, err := db.New(tx).ReadContent(ctx, db.ReadContentParams{SetlIds: lowered, Sides: []string{string(Center)}})
	of := make(map[string][]string, len(rows))
	for _, r := range rows {
		of[r.SetlID] = []string{r.Insured, r.Treating}
	}
	regions := make(map[string][]string, len(setlIDs))
	for i, id := range setlIDs {
		if of[lowered[i]] != nil {
			regions[id] = of[lowered[i]]
		}
	}
	return regions, err
}

// deferral is how long a record may wait for its clearing (J49).
type deferral struct {
	months       int // after its service month
	yearEndMonth int // month of the next year in which a year's records are cleared at the latest
}

func deferralLimits(book *accounts.Rulebook, run accounts.Month) (deferral, error) {
	return deferralOn(book, run.Last())
}

func deferralOn(book *accounts.Rulebook, on civil.Date) (d deferral, err error) {
	if d.months, err = book.Policy.Int("clearing.deferral_months", on); err != nil {
		return d, err
	}
	d.yearEndMonth, err = book.Policy.Int("clearing.year_end_month", on)
	return d, err
}

// lateness tells whether the run comes too late for the service month. A
// month's run is cleared in the month after it.
func (d deferral) lateness(service, run accounts.Month) Lateness {
	latest := accounts.MonthOf(civil.Date{Year: service.Year() + 1, Month: time.Month(d.yearEndMonth), Day: 1})
	switch {
	case run.Add(1) > latest:
		return OverdueYear
	case run.Sub(service) > d.months:
		return OverdueDeferral
	case run > service:
		return CarriedLate
	}
	return InTime
}

// ExceptionCount is how many settlements of a month stand open for a reason.
type ExceptionCount struct {
	Month accounts.Month `json:"month"`
	Kind  string         `json:"kind"`
	Count int64          `json:"count"`
}

// OpenExceptions counts the open exceptions, and the refunds that wait for
// their original (kind refund_waiting), by month and kind.
func OpenExceptions(ctx context.Context, tx pgx.Tx) ([]ExceptionCount, error) {
	rows, err := db.New(tx).CountOpen(ctx)
	if err != nil {
		return nil, err
	}
	counts := make([]ExceptionCount, len(rows))
	for i, r := range rows {
		counts[i] = ExceptionCount{Month: accounts.Month(r.ServiceMonth), Kind: r.Kind, Count: r.Records}
	}
	return counts, nil
}
