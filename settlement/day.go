package settlement

import (
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/settlement/internal/db"
)

// DayReport is how a day stands after its reconciliation (日对账).
type DayReport struct {
	Day civil.Date `json:"day"`
	// Totals are what each side says of the day, by 险种 × 清算类别 × pair of
	// regions; Differ counts the groups in which they differ.
	Totals []TotalDifference `json:"totals"`
	Differ int               `json:"differ"`
	// Settlements are those that any side has on the day, withdrawn ones left out;
	// Matched those of them that are equal on all three sides.
	Settlements int64 `json:"settlements"`
	Matched     int64 `json:"matched"`
	Posted      int64 `json:"posted"`   // by this call, refunds of other days too
	Resolved    int64 `json:"resolved"` // exceptions of the month that agree now
	// Differences are the settlements of the day that are not equal, at most
	// 1000 of them. They become exceptions when the month is reconciled.
	Differences     []Exception `json:"differences"`
	MoreDifferences int64       `json:"more_differences"`
	HalfLoadedFiles []string    `json:"half_loaded_files"`
}

// ReconcileDay compares the three sides of one day (J41–43), posts what they
// agree on exactly as the reconciliation of the month would, and lists the rest.
// It keeps no exceptions and leaves the month to be reconciled: a month of which
// days were reconciled before comes out the same. Run again it posts only what
// has newly come to agree.
//
// Records of a file that is not fully loaded are left alone until it is.
// Errors: NotFound when no file has a row of the day's month.
func (s *Settlements) ReconcileDay(ctx context.Context, day civil.Date) (*DayReport, error) {
	d := dayRun{
		reconciliation: reconciliation{s: s, month: accounts.MonthOf(day), totals: totals{}},
		report:         &DayReport{Day: day, Differences: []Exception{}},
	}
	if err := d.begin(ctx); err != nil {
		return nil, err
	}
	d.report.HalfLoadedFiles = d.half
	var ids []string
	err := s.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		from := day.In(shanghai)
		ids, err = db.New(tx).SettlementsBetween(ctx, db.SettlementsBetweenParams{Month: string(d.month), FromTime: from, EndTime: from.AddDate(0, 0, 1)})
		return err
	})
	if err != nil {
		return nil, err
	}
	d.report.Settlements = int64(len(ids))
	for chunk := range slices.Chunk(ids, reconcileChunk) {
		if err := d.settleIDs(ctx, chunk); err != nil {
			return nil, err
		}
	}
	refunds, err := s.postRefunds(ctx)
	if err != nil {
		return nil, err
	}
	d.report.Posted += refunds
	d.report.Totals = d.totals.groups()
	for i := range d.report.Totals {
		if d.report.Totals[i].differs() {
			d.report.Differ++
		}
	}
	return d.report, nil
}

// dayRun is one run of ReconcileDay.
type dayRun struct {
	reconciliation
	report *DayReport
}

// settleIDs posts those of the settlements that are equal, in one transaction.
func (d *dayRun) settleIDs(ctx context.Context, ids []string) error {
	var done settled
	var found []Exception
	var matched, over int
	err := d.s.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		done, found, over = settled{totals: totals{}}, nil, 0
		loading, err := q.LoadingFiles(ctx)
		if err != nil {
			return err
		}
		half := make([]uuid.UUID, len(loading))
		for i, f := range loading {
			half[i] = f.ID
		}
		sides, err := readSides(ctx, q, ids)
		if err != nil {
			return err
		}
		contents, err := readContents(ctx, q, ids)
		if err != nil {
			return err
		}
		var equal []*record
		var unequal []string
		differ := map[string]*finding{}
		for _, id := range ids {
			said := sides[id]
			for i, side := range said {
				if rec := contents[id][Sides()[i]]; side != nil && side.Status == statusValid && rec.settledOn() == d.report.Day {
					done.totals.add(rec, i)
				}
			}
			withdrawn, _ := said.withdrawn()
			switch kind := said.kind(); {
			case said.touches(half):
			case kind == "" && withdrawn: // by all sides that had it
				over++
			case kind == "":
				equal = append(equal, contents[id][Center])
			default:
				unequal, differ[id] = append(unequal, id), &finding{id: id, sides: said, kind: kind}
			}
		}
		matched = len(equal)
		if equal, unequal, err = d.unsettled(ctx, tx, q, equal, unequal); err != nil {
			return err
		}
		if found, err = d.tell(ctx, q, unequal, differ, contents); err != nil {
			return err
		}
		if done.posted, err = d.accept(ctx, tx, q, equal); err != nil {
			return err
		}
		done.resolved, err = d.resolve(ctx, q, equal)
		return err
	})
	if err != nil {
		return err
	}
	d.totals.merge(done.totals)
	r := d.report
	r.Settlements -= int64(over)
	r.Matched, r.Posted, r.Resolved = r.Matched+int64(matched), r.Posted+int64(done.posted), r.Resolved+int64(done.resolved)
	room := min(listed-len(r.Differences), len(found))
	r.Differences = append(r.Differences, found[:room]...)
	r.MoreDifferences += int64(len(found) - room)
	return nil
}

// tell words the differences of settlements that are not posted.
func (d *dayRun) tell(ctx context.Context, q *db.Queries, ids []string, differ map[string]*finding, contents map[string]map[Side]*record) ([]Exception, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list := make([]*finding, len(ids))
	for i, id := range ids {
		list[i] = differ[id]
	}
	if err := explain(ctx, q, list, contents); err != nil {
		return nil, err
	}
	told := make([]Exception, len(list))
	for i, f := range list {
		told[i] = Exception{SetlID: f.id, Kind: f.kind, Detail: f.detail, Month: d.month, Refund: f.sides.refund()}
	}
	return told, nil
}
