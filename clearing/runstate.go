package clearing

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger"
	"fundledger/settlement"
)

// RunTables are a run with its tables, as amounts were fixed; a run that is not
// frozen has none.
type RunTables struct {
	Run     Run           `json:"run"`
	Balance *BalanceTable `json:"balance,omitempty"` // in the province only
	Detail  *DetailTable  `json:"detail,omitempty"`  // between provinces only
	Notices int64         `json:"notices"`           // of the run
	// CarriedOver counts the records of earlier months that were taken into it,
	// Overdue those of them past the limits of J49.
	CarriedOver int64 `json:"carried_over"`
	Overdue     int64 `json:"overdue"`
}

// RunTables returns one run and the position of the journal that it has seen,
// at least the given one. Of its tables it has the rows of the cities that may
// be seen, nil for all, and totals only where all may be seen. Errors: NotFound
// (no such run, or the journal is shorter).
func (c *Clearing) RunTables(ctx context.Context, id string, regions []string, atLeast ledger.Position) (*RunTables, ledger.Position, error) {
	var t *RunTables
	var seen ledger.Position
	err := c.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) error {
		seen = at
		q := db.New(tx)
		run, err := readRun(ctx, q, id)
		if err != nil {
			return err
		}
		t = &RunTables{Run: run}
		if t.Notices, err = q.CountNotices(ctx, id); err != nil {
			return err
		}
		carried, err := settlement.CarriedOver(ctx, tx, c.book, id, run.Month)
		if err != nil {
			return err
		}
		for _, r := range carried {
			t.CarriedOver++
			if r.Overdue {
				t.Overdue++
			}
		}
		if run.State != Frozen {
			return nil
		}
		shares, err := runShares(ctx, q, id)
		if err != nil {
			return err
		}
		if run.Kind == InProvince {
			t.Balance = c.balanceTable(run, shares)
		} else {
			t.Detail = c.detailTable(run, shares)
		}
		t.within(regions)
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return t, seen, nil
}

// within leaves the rows of the cities that may be seen.
func (t *RunTables) within(regions []string) {
	if regions == nil {
		return
	}
	if b := t.Balance; b != nil {
		b.Rows = slices.DeleteFunc(b.Rows, func(r BalanceRow) bool { return !slices.Contains(regions, r.City) })
		b.Funds, b.Total = nil, BalanceRow{}
	}
	if d := t.Detail; d != nil {
		other := func(r DetailRow) bool { return !slices.Contains(regions, r.City) }
		d.Rows, d.Cities, d.Total = slices.DeleteFunc(d.Rows, other), slices.DeleteFunc(d.Cities, other), DetailTotal{}
	}
}

func readRun(ctx context.Context, q *db.Queries, id string) (Run, error) {
	row, err := q.GetRun(ctx, id)
	if err == pgx.ErrNoRows {
		return Run{}, fault.New(fault.NotFound, "there is no clearing run %s", id)
	}
	return runOf(row), err
}

// RunDocuments returns the tables and notices of one frozen run. Errors:
// NotFound (no such run), Precondition (it is not frozen).
func (c *Clearing) RunDocuments(ctx context.Context, id string) (*Documents, error) {
	var documents Documents
	err := c.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		run, err := frozenRun(ctx, q, id)
		if err != nil {
			return err
		}
		notices, err := c.readNotices(ctx, q, run.Month)
		if err != nil {
			return err
		}
		documents, err = c.documentsOf(ctx, tx, run, notices)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &documents, nil
}

// CarriedOverQuery selects a page of the records that were carried over into a run.
type CarriedOverQuery struct {
	Run         string
	OverdueOnly bool            // those past the limits of J49
	Regions     []string        // of the insured or treating region, that may be seen; nil is all
	AtLeast     ledger.Position // that the answer must have seen
	PageSize    int             // at most 1000; 0 means 100
	PageToken   string
}

// CarriedOverPage is a page of records, oldest first.
type CarriedOverPage struct {
	Records       []settlement.CarriedOverRecord `json:"records"`
	NextPageToken string                         `json:"next_page_token,omitempty"`
	Position      ledger.Position                `json:"position"` // of the journal, as seen
}

// CarriedOver lists the records that missed the cut-off of their month and were
// taken into the run (J49). Errors: Invalid, NotFound (no such run, or the journal is
// shorter than a position that is asked).
func (c *Clearing) CarriedOver(ctx context.Context, query CarriedOverQuery) (*CarriedOverPage, error) {
	size, err := paging.Size(query.PageSize, "records")
	if err != nil {
		return nil, err
	}
	month, id, ok := strings.Cut(query.PageToken, "/")
	if query.PageToken != "" && !ok {
		return nil, paging.BadToken(query.PageToken, "a list of carried-over records")
	}
	after := settlement.CarriedOverRecord{ServiceMonth: accounts.Month(month), SetlID: id}
	var page *CarriedOverPage
	err = c.journal.View(ctx, query.AtLeast, func(tx pgx.Tx, at ledger.Position) error {
		page = &CarriedOverPage{Records: []settlement.CarriedOverRecord{}, Position: at}
		run, err := readRun(ctx, db.New(tx), query.Run)
		if err != nil {
			return err
		}
		records, err := settlement.CarriedOver(ctx, tx, c.book, run.ID, run.Month)
		if err != nil {
			return err
		}
		records = slices.DeleteFunc(records, func(r settlement.CarriedOverRecord) bool {
			return cmp.Or(cmp.Compare(r.ServiceMonth, after.ServiceMonth), cmp.Compare(r.SetlID, after.SetlID)) <= 0 || query.OverdueOnly && !r.Overdue
		})
		for chunk := range slices.Chunk(records, paging.Largest) {
			if chunk, err = c.visible(ctx, tx, chunk, query.Regions); err != nil {
				return err
			}
			for _, r := range chunk {
				if len(page.Records) == size {
					last := page.Records[size-1]
					page.NextPageToken = string(last.ServiceMonth) + "/" + last.SetlID
					return nil
				}
				page.Records = append(page.Records, r)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// visible returns those of the records whose insured or treating region may be seen.
func (c *Clearing) visible(ctx context.Context, tx pgx.Tx, records []settlement.CarriedOverRecord, regions []string) ([]settlement.CarriedOverRecord, error) {
	if regions == nil {
		return records, nil
	}
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.SetlID
	}
	of, err := settlement.RegionsOf(ctx, tx, ids)
	return slices.DeleteFunc(slices.Clone(records), func(r settlement.CarriedOverRecord) bool {
		return !slices.ContainsFunc(of[r.SetlID], func(region string) bool { return slices.Contains(regions, region) })
	}), err
}
