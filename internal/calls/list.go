package calls

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts"
	"fundledger/internal/calls/internal/db"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
)

// Query selects calls; zero fields select all.
type Query struct {
	Subject, Action, Method, Key, RequestID string
	Region                                  string // that they touch
	Outcome                                 Outcome
	From                                    time.Time // begun then or later
	Until                                   time.Time // begun before
	// Visible are the regions of the reader, who sees the calls that touch one of
	// them; nil sees all.
	Visible   []string
	PageSize  int // at most 1000; 0 means 100
	PageToken string
}

// Page is a page of calls, the newest first.
type Page struct {
	Calls         []Call
	NextPageToken string
}

// List returns a page of calls, after what this server knows of them is written.
// Errors: Invalid for a page size out of range or a token that was not given out.
func (l *Log) List(ctx context.Context, query Query) (*Page, error) {
	size, err := paging.Size(query.PageSize, "calls")
	if err != nil {
		return nil, err
	}
	before, err := paging.ParsePlace(query.PageToken, "a list of calls")
	if err != nil {
		return nil, err
	}
	if err := l.Flush(ctx); err != nil {
		return nil, err
	}
	p := db.ListCallsParams{
		Subject: query.Subject, Action: query.Action, Method: query.Method, Key: query.Key, RequestID: query.RequestID,
		Region: query.Region, Outcome: string(query.Outcome), Everything: query.Visible == nil, Visible: query.Visible,
		FromTime: bound(query.From), UntilTime: bound(query.Until), BeforeTime: bound(before.At), BeforeID: before.ID, Page: int32(size) + 1,
	}
	page := &Page{}
	err = l.store.Read(ctx, func(r accounts.Reader) error {
		rows, err := db.New(r).ListCalls(ctx, p)
		if err != nil {
			return err
		}
		*page = Page{Calls: []Call{}}
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = paging.Place{At: rows[size-1].Call.BegunAt, ID: rows[size-1].Call.ID}.Token()
		}
		for _, row := range rows {
			call, err := decode(row)
			if err != nil {
				return err
			}
			page.Calls = append(page.Calls, call)
		}
		return nil
	})
	return page, err
}

func decode(r db.ListCallsRow) (Call, error) {
	c := Call{
		ID: r.Call.ID, RequestID: r.Call.RequestID, Subject: r.Call.Subject, Role: r.Call.Role, Method: r.Call.Method, Action: r.Call.Action,
		Key: r.Call.Key, Regions: r.Call.Regions, RequestHash: r.Call.RequestHash, Begun: r.Call.BegunAt,
		End: End{Outcome: Outcome(r.EndedAs), JobID: r.JobID, Time: r.EndedAt.Time},
	}
	if r.Call.Outcome != "" { // recorded with what it did
		c.End.Time = r.Call.BegunAt
	}
	if r.Error != "" {
		c.End.Err = &fault.Error{}
		if err := json.Unmarshal([]byte(r.Error), c.End.Err); err != nil {
			return Call{}, fault.New(fault.Internal, "the error of call %s cannot be read: %w", r.Call.ID, err)
		}
	}
	return c, nil
}

func bound(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }
