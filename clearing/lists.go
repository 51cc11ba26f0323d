package clearing

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/paging"
	"fundledger/ledger"
)

// RunQuery selects a page of runs; an empty field selects all.
type RunQuery struct {
	Month     accounts.Month // service month
	Kind      Kind
	State     State
	AtLeast   ledger.Position // that the answer must have seen
	PageSize  int             // at most 1000; 0 means 100
	PageToken string
}

// RunPage is a page of runs, by month and in the order in which a month is cleared.
type RunPage struct {
	Runs          []Run           `json:"runs"`
	NextPageToken string          `json:"next_page_token,omitempty"`
	Position      ledger.Position `json:"position"` // of the journal, as seen
}

func (r *Run) compare(s *Run) int {
	return cmp.Or(cmp.Compare(r.Month, s.Month), cmp.Compare(slices.Index(Kinds(), r.Kind), slices.Index(Kinds(), s.Kind)))
}

// PageOfRuns lists clearing runs. Errors: Invalid, NotFound (the journal is
// shorter than a position that is asked).
func (c *Clearing) PageOfRuns(ctx context.Context, query RunQuery) (*RunPage, error) {
	size, err := paging.Size(query.PageSize, "runs")
	if err != nil {
		return nil, err
	}
	month, kind, _ := strings.Cut(query.PageToken, "/")
	after := Run{Month: accounts.Month(month), Kind: Kind(kind)}
	if query.PageToken != "" && !slices.Contains(Kinds(), after.Kind) {
		return nil, paging.BadToken(query.PageToken, "a list of runs")
	}
	var page *RunPage
	err = c.journal.View(ctx, query.AtLeast, func(tx pgx.Tx, at ledger.Position) error {
		page = &RunPage{Runs: []Run{}, Position: at}
		rows, err := db.New(tx).ListRuns(ctx, string(query.Month)) // three a month: all of them are few
		if err != nil {
			return err
		}
		for _, row := range rows {
			r := runOf(row)
			if (query.Kind == "" || r.Kind == query.Kind) && (query.State == "" || r.State == query.State) && (query.PageToken == "" || r.compare(&after) > 0) {
				page.Runs = append(page.Runs, r)
			}
		}
		slices.SortFunc(page.Runs, func(a, b Run) int { return a.compare(&b) })
		if len(page.Runs) > size {
			page.Runs = page.Runs[:size]
			page.NextPageToken = page.Runs[size-1].ID
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// NoticeQuery selects a page of notices; an empty field selects all.
type NoticeQuery struct {
	Month     accounts.Month // service month
	Run       string
	Kind      Kind
	Party     string
	Direction Direction
	OpenOnly  bool // those that are not paid to the end
	// DueUntil: those due on this day or before; what is to be paid promptly is
	// due when it is issued.
	DueUntil  civil.Date
	Regions   []string        // that may be seen, as Sees; nil is all
	AtLeast   ledger.Position // that the answer must have seen
	PageSize  int             // at most 1000; 0 means 100
	PageToken string
}

// NoticePage is a page of notices, by run, party and direction.
type NoticePage struct {
	Notices       []Notice        `json:"notices"`
	NextPageToken string          `json:"next_page_token,omitempty"`
	Position      ledger.Position `json:"position"` // of the journal, as seen
}

// PageOfNotices lists notices and what is open on them, without their payments.
// Errors: Invalid, NotFound (the journal is shorter than a position that is asked).
func (c *Clearing) PageOfNotices(ctx context.Context, query NoticeQuery) (*NoticePage, error) {
	size, err := paging.Size(query.PageSize, "notices")
	if err != nil {
		return nil, err
	}
	p := db.PageOfNoticesParams{Month: string(query.Month), Run: query.Run, Kind: string(query.Kind),
		Direction: string(query.Direction), OpenOnly: query.OpenOnly, Page: int32(size) + 1}
	p.AllParties, p.Parties = c.parties(query.Party, query.Regions)
	if !query.DueUntil.IsZero() {
		p.DueUntil = query.DueUntil.String()
	}
	if query.PageToken != "" { // the id of a notice
		parts := strings.Split(query.PageToken, "/")
		if len(parts) != 4 {
			return nil, paging.BadToken(query.PageToken, "a list of notices")
		}
		p.AfterRun, p.AfterParty, p.AfterDirection = parts[0]+"/"+parts[1], parts[2], parts[3]
	}
	var page *NoticePage
	err = c.journal.View(ctx, query.AtLeast, func(tx pgx.Tx, at ledger.Position) error {
		page = &NoticePage{Position: at}
		q := db.New(tx)
		rows, err := q.PageOfNotices(ctx, p)
		if err != nil {
			return err
		}
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = rows[size-1].ID
		}
		page.Notices = make([]Notice, len(rows))
		ids := make([]string, len(rows))
		index := make(map[string]*Notice, len(rows))
		for i, row := range rows {
			page.Notices[i], ids[i] = c.noticeOf(row), row.ID
			index[row.ID] = &page.Notices[i]
		}
		lines, err := q.NoticeLines(ctx, ids)
		for _, l := range lines {
			index[l.Notice].add(l)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// Notice returns one notice with what was paid on it, in order of date, and the
// position of the journal that it has seen, at least the given one. Errors:
// NotFound (no such notice, or the journal is shorter).
func (c *Clearing) Notice(ctx context.Context, id string, atLeast ledger.Position) (n Notice, seen ledger.Position, err error) {
	err = c.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) error {
		seen = at
		q := db.New(tx)
		if n, err = c.readNotice(ctx, q, id); err != nil {
			return err
		}
		paid, err := q.ListRemittances(ctx, []string{id})
		for _, p := range paid {
			n.addPaid(p)
		}
		return err
	})
	return n, seen, err
}

// RemittanceQuery selects a page of remittances; an empty field selects all.
type RemittanceQuery struct {
	Month     accounts.Month // service month
	Run       string
	Notice    string
	Party     string // of the notice
	Reference string
	From, To  civil.Date      // when the money moved, both inclusive
	Regions   []string        // that may be seen, as Sees; nil is all
	AtLeast   ledger.Position // that the answer must have seen
	PageSize  int             // at most 1000; 0 means 100
	PageToken string
}

// RemittancePage is a page of remittances, by notice and reference.
type RemittancePage struct {
	Remittances   []*Remittance   `json:"remittances"`
	NextPageToken string          `json:"next_page_token,omitempty"`
	Position      ledger.Position `json:"position"` // of the journal, as seen
}

// Remittances lists payments as recorded. Errors: Invalid, NotFound (the
// journal is shorter than a position that is asked).
func (c *Clearing) Remittances(ctx context.Context, query RemittanceQuery) (*RemittancePage, error) {
	size, err := paging.Size(query.PageSize, "remittances")
	if err != nil {
		return nil, err
	}
	p := db.PageOfRemittancesParams{Month: string(query.Month), Run: query.Run, Notice: query.Notice, Reference: query.Reference, Page: int32(size) + 1}
	p.AllParties, p.Parties = c.parties(query.Party, query.Regions)
	if !query.From.IsZero() {
		p.FromDate = query.From.String()
	}
	if !query.To.IsZero() {
		p.ToDate = query.To.String()
	}
	if query.PageToken != "" {
		ok := false
		if p.AfterNotice, p.AfterReference, ok = strings.Cut(query.PageToken, "|"); !ok {
			return nil, paging.BadToken(query.PageToken, "a list of remittances")
		}
	}
	var page *RemittancePage
	err = c.journal.View(ctx, query.AtLeast, func(tx pgx.Tx, at ledger.Position) error {
		page = &RemittancePage{Remittances: []*Remittance{}, Position: at}
		rows, err := db.New(tx).PageOfRemittances(ctx, p)
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = rows[size-1].Notice + "|" + rows[size-1].Reference
		}
		for _, row := range rows {
			page.Remittances = append(page.Remittances, remittanceOf(row))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}
