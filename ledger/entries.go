package ledger

import (
	"context"
	"strconv"

	"fundledger/internal/paging"
	"fundledger/ledger/internal/db"
)

// EntryQuery selects a page of the sequence.
type EntryQuery struct {
	Selection
	// AsOf is the journal that is wanted: at a position or time of posting it
	// ends there, at a date it has the entries of that business date and earlier.
	AsOf
	PageSize  int // at most 1000; 0 means 100
	PageToken string
}

// EntryPage is a page of entries in journal order.
type EntryPage struct {
	Entries       []*Record `json:"entries"`
	NextPageToken string    `json:"next_page_token,omitempty"`
	Position      Position  `json:"position"` // of the journal, as seen
}

// scanLimit bounds the entries that one page looks at, so that a filter that
// nothing fits costs a page as much as one that all fits, about: the page then
// holds fewer entries, even none, and has a token to go on.
const scanLimit = 20_000

// Entries lists entries that have their place in the sequence, without their
// vouchers and corrections. The token of a page is the position that it has
// come to, so pages neither miss nor repeat an entry whatever is posted in
// between. A page can hold fewer entries than asked, or none, and still have a
// next one: the last page is the one without a token. Errors: Invalid, NotFound (the
// journal is shorter than a position that is asked).
func (j *Journal) Entries(ctx context.Context, query EntryQuery) (*EntryPage, error) {
	size, err := paging.Size(query.PageSize, "entries")
	if err != nil {
		return nil, err
	}
	after, err := parseEntryToken(query.PageToken)
	if err != nil {
		return nil, err
	}
	if err := query.Selection.check(); err != nil {
		return nil, err
	}
	if err := query.AsOf.check(); err != nil {
		return nil, err
	}
	until := query.Position
	if !query.PostedAt.IsZero() {
		if until, err = j.positionAt(ctx, query.PostedAt); err != nil {
			return nil, err
		}
	}
	selection := query.Selection
	if date := query.AsOf.Date; !date.IsZero() && (selection.To.IsZero() || date.Before(selection.To)) {
		selection.To = date
	}
	var page *EntryPage
	err = j.read(ctx, func(q *db.Queries) error {
		page = &EntryPage{Entries: []*Record{}}
		head, err := sealed(ctx, q, max(until, query.AtLeast, after))
		if err != nil {
			return err
		}
		page.Position = head
		if until != 0 || !query.PostedAt.IsZero() {
			page.Position = until
		}
		at, err := selection.scan(ctx, q, after, page.Position, scanLimit, func(r *Record) bool {
			page.Entries = append(page.Entries, r)
			return len(page.Entries) < size
		})
		if at < page.Position {
			page.NextPageToken = strconv.FormatInt(int64(at), 10)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func parseEntryToken(token string) (Position, error) {
	if token == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(token, 10, 64)
	if err != nil || n < 1 {
		return 0, paging.BadToken(token, "a list of entries")
	}
	return Position(n), nil
}

// sealed returns how long the sequence is, which must have reached wanted.
func sealed(ctx context.Context, q *db.Queries, wanted Position) (Position, error) {
	head, err := q.ReadHead(ctx, headSealed)
	if err == nil && Position(head) < wanted {
		err = &behindError{Position(head), wanted}
	}
	return Position(head), err
}
