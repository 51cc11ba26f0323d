package jobs

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/jobs/internal/db"
)

const (
	defaultPage = 100
	largestPage = 1000
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
	size := query.PageSize
	if size == 0 {
		size = defaultPage
	}
	if size < 0 || size > largestPage {
		return nil, fault.New(fault.Invalid, "a page has 1 to %d jobs, %d were asked", largestPage, size).With("field", "page_size")
	}
	before, beforeID, err := parseToken(query.PageToken)
	if err != nil {
		return nil, err
	}
	p := db.ListJobsParams{
		State: string(query.State), Action: query.Action, Subject: query.Subject,
		FromTime: bound(query.From), UntilTime: bound(query.Until), Everything: query.Reader == nil,
		BeforeTime: bound(before), BeforeID: beforeID, Page: int32(size) + 1,
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
			page.NextPageToken = token(rows[size-1].CreatedAt, rows[size-1].ID)
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

// token names the last job of a page by its time in microseconds and its id.
func token(at time.Time, id uuid.UUID) string {
	return strconv.FormatInt(at.UnixMicro(), 10) + "." + id.String()
}

func parseToken(token string) (before time.Time, id uuid.UUID, err error) {
	if token == "" {
		return time.Time{}, uuid.UUID{}, nil
	}
	at, name, _ := strings.Cut(token, ".")
	n, err := strconv.ParseInt(at, 10, 64)
	if err == nil {
		id, err = uuid.Parse(name)
	}
	if err != nil {
		return time.Time{}, uuid.UUID{}, fault.New(fault.Invalid, "page token %q was not given out by a list of jobs", token).With("field", "page_token")
	}
	return time.UnixMicro(n), id, nil
}
