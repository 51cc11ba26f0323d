package calls

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts"
	"fundledger/internal/calls/internal/db"
	"fundledger/internal/fault"
)

const (
	defaultPage = 100
	largestPage = 1000
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
	size := query.PageSize
	if size == 0 {
		size = defaultPage
	}
	if size < 0 || size > largestPage {
		return nil, fault.New(fault.Invalid, "a page has 1 to %d calls, %d were asked", largestPage, size).With("field", "page_size")
	}
	before, beforeID, err := parseToken(query.PageToken)
	if err != nil {
		return nil, err
	}
	if err := l.Flush(ctx); err != nil {
		return nil, err
	}
	p := db.ListCallsParams{
		Subject: query.Subject, Action: query.Action, Method: query.Method, Key: query.Key, RequestID: query.RequestID,
		Region: query.Region, Outcome: string(query.Outcome), Everything: query.Visible == nil, Visible: query.Visible,
		FromTime: bound(query.From), UntilTime: bound(query.Until), BeforeTime: bound(before), BeforeID: beforeID, Page: int32(size) + 1,
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
			page.NextPageToken = token(rows[size-1].Call.BegunAt, rows[size-1].Call.ID)
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
		End: End{Outcome: Outcome(r.Outcome), JobID: r.JobID, Time: r.EndedAt.Time},
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

// token names the last call of a page by its time in microseconds and its id.
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
		return time.Time{}, uuid.UUID{}, fault.New(fault.Invalid, "page token %q was not given out by a list of calls", token).With("field", "page_token")
	}
	return time.UnixMicro(n), id, nil
}
