package provider

import (
	"context"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/paging"
	"fundledger/settlement/provider/internal/db"
)

// Reimbursement returns an application with its history, or NotFound.
func (d *Desk) Reimbursement(ctx context.Context, region, document string) (*Reimbursement, error) {
	var r *Reimbursement
	err := d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		rows, err := q.GetReimbursement(ctx, db.GetReimbursementParams{Region: region, Document: document})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return noApplication(region, document)
		}
		r = reimbursementOf(rows[0])
		r.Events, err = history(ctx, q, reimbursementSubject(region, document))
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// ReimbursementQuery selects a page of applications.
type ReimbursementQuery struct {
	Region    string // empty: every one
	State     ReimbursementState
	AsOf      civil.Date // those received until then; what is overdue is counted by it
	Overdue   bool       // only what is neither paid nor declined after its due date
	Regions   []string   // that the reader may see; nil for all
	PageSize  int        // at most 1000; 0 means 100
	PageToken string
}

// ReimbursementPage is a page of applications, by due date.
type ReimbursementPage struct {
	Reimbursements []*Reimbursement `json:"reimbursements"`
	NextPageToken  string           `json:"next_page_token,omitempty"`
}

// Reimbursements lists applications as they stand, by due date. Errors: Invalid.
func (d *Desk) Reimbursements(ctx context.Context, query ReimbursementQuery) (*ReimbursementPage, error) {
	size, err := paging.Size(query.PageSize, "applications")
	if err != nil {
		return nil, err
	}
	if err := needDate(query.AsOf, "as_of"); err != nil {
		return nil, err
	}
	p := db.PageOfReimbursementsParams{Region: query.Region, State: string(query.State), Overdue: query.Overdue, AsOf: dateParam(query.AsOf),
		AllRegions: query.Regions == nil, Regions: query.Regions, AfterDue: dateParam(civil.Date{Year: 1, Month: 1, Day: 1}), Page: int32(size) + 1}
	if token := query.PageToken; token != "" {
		parts := strings.SplitN(token, "/", 3)
		due, err := accounts.ParseDate(parts[0])
		if err != nil || len(parts) < 3 {
			return nil, paging.BadToken(token, "a list of applications")
		}
		p.AfterDue, p.AfterRegion, p.AfterDocument = dateParam(due), parts[1], parts[2]
	}
	page := &ReimbursementPage{}
	err = d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		*page = ReimbursementPage{Reimbursements: []*Reimbursement{}}
		rows, err := db.New(tx).PageOfReimbursements(ctx, p)
		if len(rows) > size {
			rows = rows[:size]
			last := rows[size-1]
			page.NextPageToken = civil.DateOf(last.DueOn).String() + "/" + last.Region + "/" + last.Document
		}
		for _, row := range rows {
			r := reimbursementOf(row)
			open := r.State == ReimbursementReceived || r.State == ReimbursementApproved
			r.Overdue = open && r.Due.Before(query.AsOf)
			page.Reimbursements = append(page.Reimbursements, r)
		}
		return err
	})
	return page, err
}
