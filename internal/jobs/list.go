package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts"
	"fundledger/internal/jobs/internal/db"
	"fundledger/internal/paging"
)

// Query selects jobs; zero fields select all.
type Query struct {
	State   State
	Action  string
	Subject string
	From    time.Time // begun then or later
	Until   time.Time // begun before
	// Reader sees the own jobs and those of the actions; nil sees all.
	Reader    *Reader
	PageSize  int // at most 1000; 0 means 100
	PageToken string
}

// Reader is who looks, and the actions that the reader may do.
type Reader struct {
	Subject string
	Actions []string
}

// Page is a page of jobs, the newest first.
type Page struct {
	Jobs          []Job
	NextPageToken string
}

// List returns a page of jobs. Errors: Invalid for a page size out of range or a
// token that was not given out.
func (j *Jobs) List(ctx context.Context, query Query) (*Page, error) {
	size, err := paging.Size(query.PageSize, "jobs")
	if err != nil {
		return nil, err
	}
	before, err := paging.ParsePlace(query.PageToken, "a list of jobs")
	if err != nil {
		return nil, err
	}
	p := db.ListJobsParams{
		State: string(query.State), Action: query.Action, Subject: query.Subject,
		FromTime: bound(query.From), UntilTime: bound(query.Until), Everything: query.Reader == nil,
		BeforeTime: bound(before.At), BeforeID: before.ID, Page: int32(size) + 1,
	}
	if query.Reader != nil {
		p.Reader, p.Actions = query.Reader.Subject, query.Reader.Actions
	}
	page := &Page{}
	err = j.store.Read(ctx, func(r accounts.Reader) error {
		rows, err := db.New(r).ListJobs(ctx, p)
		if err != nil {
			return err
		}
		*page = Page{Jobs: []Job{}}
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = paging.Place{At: rows[size-1].CreatedAt, ID: rows[size-1].ID}.Token()
		}
		for _, row := range rows {
			job, err := decode(row)
			if err != nil {
				return err
			}
			page.Jobs = append(page.Jobs, job)
		}
		return nil
	})
	return page, err
}

func bound(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }
