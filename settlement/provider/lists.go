package provider

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/internal/paging"
	"fundledger/ledger"
	"fundledger/settlement/provider/internal/db"
)

// List returns a payment list with its history, or NotFound.
func (d *Desk) List(ctx context.Context, id string) (*List, error) {
	var l *List
	err := d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		rows, err := q.GetList(ctx, id)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return noList(id)
		}
		l = listOf(rows[0])
		l.Events, err = history(ctx, q, listSubject(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ListQuery selects a page of payment lists.
type ListQuery struct {
	Treating, Provider string // empty: every one
	State              ListState
	Regions            []string // that the reader may see; nil for all
	PageSize           int      // at most 1000; 0 means 100
	PageToken          string
}

// ListPage is a page of payment lists, by id.
type ListPage struct {
	Lists         []*List         `json:"lists"`
	NextPageToken string          `json:"next_page_token,omitempty"`
	Position      ledger.Position `json:"position"` // of the journal, as seen
}

// Lists lists payment lists. Errors: Invalid, NotFound (the journal is shorter
// than the position).
func (d *Desk) Lists(ctx context.Context, query ListQuery, atLeast ledger.Position) (*ListPage, error) {
	size, err := paging.Size(query.PageSize, "lists")
	if err != nil {
		return nil, err
	}
	page := &ListPage{}
	err = d.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) error {
		*page = ListPage{Lists: []*List{}, Position: at}
		rows, err := db.New(tx).PageOfLists(ctx, db.PageOfListsParams{Treating: query.Treating, Provider: query.Provider, State: string(query.State),
			AllRegions: query.Regions == nil, Regions: query.Regions, After: query.PageToken, Page: int32(size) + 1})
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = rows[size-1].ID
		}
		for _, r := range rows {
			page.Lists = append(page.Lists, listOf(r))
		}
		return err
	})
	return page, err
}

// ItemPage is a page of what a list covers, by settlement.
type ItemPage struct {
	Items         []Item `json:"items"`
	NextPageToken string `json:"next_page_token,omitempty"`
}

// ListItems lists what a payment list pays of each settlement. What it covers
// never changes. Errors: Invalid, NotFound.
func (d *Desk) ListItems(ctx context.Context, id string, asked int, token string) (*ItemPage, error) {
	size, err := paging.Size(asked, "items")
	if err != nil {
		return nil, err
	}
	block, seen, err := parseItemToken(token)
	if err != nil {
		return nil, err
	}
	page := &ItemPage{}
	err = d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		*page = ItemPage{Items: []Item{}}
		q := db.New(tx)
		lists, err := q.GetList(ctx, id)
		if err != nil {
			return err
		}
		if len(lists) == 0 {
			return noList(id)
		}
		rows, err := q.ReadCoverage(ctx, db.ReadCoverageParams{ListID: id, After: block - 1, Blocks: blocksAtOnce})
		if err != nil {
			return err
		}
		for _, r := range rows {
			items, err := decodeItems(r.Block)
			if err != nil {
				return err
			}
			for n, i := range items {
				if r.Number == block && n < seen {
					continue
				}
				if len(page.Items) == size {
					page.NextPageToken = strconv.FormatInt(r.Number, 10) + "." + strconv.Itoa(n)
					return nil
				}
				page.Items = append(page.Items, i)
			}
		}
		return nil
	})
	return page, err
}

// parseItemToken reads "block.index", the first item of the page.
func parseItemToken(token string) (block int64, index int, err error) {
	if token == "" {
		return 1, 0, nil
	}
	number, at, ok := strings.Cut(token, ".")
	block, err = strconv.ParseInt(number, 10, 64)
	index, err2 := strconv.Atoi(at)
	if !ok || err != nil || err2 != nil || block < 1 || index < 0 {
		return 0, 0, paging.BadToken(token, "a payment list's items")
	}
	return block, index, nil
}
