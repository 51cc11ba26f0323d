package provider

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/internal/paging"
	"fundledger/settlement/provider/internal/db"
)

// FeeCheck returns a fee check with its history, or NotFound.
func (d *Desk) FeeCheck(ctx context.Context, id string) (*FeeCheck, error) {
	var c *FeeCheck
	err := d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		rows, err := q.GetFeeCheck(ctx, id)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return noCheck(id)
		}
		c = checkOf(rows[0])
		c.Events, err = history(ctx, q, checkSubject(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// CheckQuery selects a page of fee checks.
type CheckQuery struct {
	Region    string // insured or treating; empty: every one
	State     CheckState
	AsOf      civil.Date // those asked until then; what is overdue is counted by it
	Overdue   bool       // only those whose next step is late
	Regions   []string   // that the reader may see; nil for all
	PageSize  int        // at most 1000; 0 means 100
	PageToken string
}

// CheckPage is a page of fee checks, by id.
type CheckPage struct {
	Checks        []*FeeCheck `json:"checks"`
	NextPageToken string      `json:"next_page_token,omitempty"`
}

// FeeChecks lists fee checks as they stand. Errors: Invalid.
func (d *Desk) FeeChecks(ctx context.Context, query CheckQuery) (*CheckPage, error) {
	size, err := paging.Size(query.PageSize, "checks")
	if err != nil {
		return nil, err
	}
	if err := needDate(query.AsOf, "as_of"); err != nil {
		return nil, err
	}
	page := &CheckPage{}
	err = d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		*page = CheckPage{Checks: []*FeeCheck{}}
		rows, err := db.New(tx).PageOfFeeChecks(ctx, db.PageOfFeeChecksParams{Region: query.Region, State: string(query.State), Overdue: query.Overdue,
			AsOf: dateParam(query.AsOf), AllRegions: query.Regions == nil, Regions: query.Regions, After: query.PageToken, Page: int32(size) + 1})
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = rows[size-1].ID
		}
		for _, row := range rows {
			c := checkOf(row)
			c.Overdue = c.overdue(query.AsOf)
			page.Checks = append(page.Checks, c)
		}
		return err
	})
	return page, err
}
