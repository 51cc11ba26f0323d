package closing

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/closing/internal/db"
	"fundledger/ledger"
)

// ItemState is what became of a point of the checklist.
type ItemState string

const (
	Clear   ItemState = "clear"    // nothing is open
	Open    ItemState = "open"     // the month is not closed with it, but by an override
	NotKept ItemState = "not_kept" // nobody keeps what would be looked at; it does not hinder closing
)

// Item is a point of the checklist of a month of a book.
type Item struct {
	Name    string    `json:"name"` // such as "exceptions"
	Title   string    `json:"title"`
	State   ItemState `json:"state"`
	Details []string  `json:"details,omitempty"` // what is open, at most 20 of it
}

// String is the point as it stands in an error and in the event of an override.
func (i Item) String() string { return i.Name + ": " + strings.Join(i.Details, "; ") }

// Source looks at a point of the checklist that is kept elsewhere, such as the
// bank reconciliation.
type Source interface {
	Look(ctx context.Context, book accounts.Book, month accounts.Month) (Item, error)
}

// maxDetails bounds what an item lists.
const maxDetails = 20

// itemOf is open when there are details.
func itemOf(name, title string, details []string) Item {
	item := Item{Name: name, Title: title, State: Clear}
	if len(details) > 0 {
		item.State = Open
	}
	if len(details) > maxDetails {
		details = append(details[:maxDetails:maxDetails], fmt.Sprintf("and %d more", len(details)-maxDetails))
	}
	item.Details = details
	return item
}

// Checklist looks at all that hinders closing the month of the book. It proves
// the whole journal (clearing.Check), so its work grows with it. Errors: Invalid, NotFound
// (no such book).
func (c *Closing) Checklist(ctx context.Context, book accounts.Book, month accounts.Month) ([]Item, error) {
	if err := c.known(book, month); err != nil {
		return nil, err
	}
	report, err := clearing.Check(ctx, c.journal, c.store, c.book)
	if err != nil {
		return nil, err
	}
	return c.checklist(ctx, book, month, report)
}

func (c *Closing) checklist(ctx context.Context, book accounts.Book, month accounts.Month, report *clearing.CheckReport) ([]Item, error) {
	sealing, err := c.sealing(ctx)
	if err != nil {
		return nil, err
	}
	items := []Item{sealing, findings(book, report)}
	if book.Role() == accounts.Agency {
		work, err := c.work(ctx, book, month)
		if err != nil {
			return nil, err
		}
		items = append(items, work...)
	}
	pending, err := c.pendings(ctx, book, month)
	if err != nil {
		return nil, err
	}
	items = append(items, pending)
	if month.Add(1).Year() != month.Year() {
		year, err := c.yearItem(ctx, book, month)
		if err != nil {
			return nil, err
		}
		items = append(items, year)
	}
	bank, err := c.bank.Look(ctx, book, month)
	if err != nil {
		return nil, err
	}
	return append(items, bank), nil
}

// sealing: what was posted before the look has its place in the journal, so
// that vouchers are numbered and statements show it.
func (c *Closing) sealing(ctx context.Context) (Item, error) {
	var details []string
	before, err := c.journal.SealerStatus(ctx)
	if err == nil {
		_, err = c.journal.CatchUp(ctx)
	}
	if err != nil {
		return Item{}, err
	}
	after, err := c.journal.SealerStatus(ctx)
	if err != nil {
		return Item{}, err
	}
	if after.WaitingBatches > 0 && after.OldestWaiting.Before(before.At) {
		details = append(details, fmt.Sprintf("%d entries wait for their place in the journal", after.WaitingEntries))
	}
	return itemOf("sealing", "封存 Entries have their place in the journal", details), err
}

// findings are those of the checks that concern the book's region, or no book at all.
func findings(book accounts.Book, report *clearing.CheckReport) Item {
	var details []string
	for _, f := range report.Findings {
		of, _, _ := strings.Cut(f.Account, "/")
		if region := accounts.Book(of).Region(); len(region) == 6 && region != book.Region() {
			continue
		}
		details = append(details, f.Check+": "+f.Message)
	}
	return itemOf("checks", "账簿查验 Checks of the books", details)
}

// work is what settlement and clearing have not done of the month.
func (c *Closing) work(ctx context.Context, book accounts.Book, month accounts.Month) (items []Item, err error) {
	region, everywhere := book.Region(), book.Region() == c.book.Regions.Home().Code
	err = c.store.Snapshot(ctx, func(tx pgx.Tx) error {
		items = nil
		q := db.New(tx)
		exceptions, err := q.OpenExceptions(ctx, db.OpenExceptionsParams{Month: string(month), Everywhere: everywhere, Region: region})
		if err != nil {
			return err
		}
		var open []string
		for _, e := range exceptions {
			open = append(open, fmt.Sprintf("%d of kind %s in %s", e.Settlements, e.Kind, e.ServiceMonth))
		}
		refunds, err := q.WaitingRefunds(ctx, db.WaitingRefundsParams{Month: string(month), Everywhere: everywhere, Region: region})
		if err != nil {
			return err
		}
		for _, r := range refunds {
			open = append(open, fmt.Sprintf("%d refunds of %s wait for their originals", r.Settlements, r.ServiceMonth))
		}
		items = append(items, itemOf("exceptions", "对账差异 Exceptions of the month", open))
		if open, err = openFiles(ctx, q, month); err != nil {
			return err
		}
		items = append(items, itemOf("files", "未处理批次 Uploads and files that are not reconciled", open))
		runs, err := q.OpenRuns(ctx, month.Last().In(utc))
		if err != nil {
			return err
		}
		open = nil
		for _, id := range runs {
			open = append(open, "run "+id+" is not frozen")
		}
		items = append(items, itemOf("runs", "清分批次 Clearing runs", open))
		return nil
	})
	return items, err
}

func openFiles(ctx context.Context, q *db.Queries, month accounts.Month) (open []string, err error) {
	uploads, err := q.OpenUploads(ctx, maxDetails+1)
	if err != nil {
		return nil, err
	}
	for _, u := range uploads {
		open = append(open, fmt.Sprintf("upload %s (%s) is %s", u.BatchID, u.FileName, u.State))
	}
	loading, err := q.LoadingFiles(ctx, maxDetails+1)
	if err != nil {
		return nil, err
	}
	for _, name := range loading {
		open = append(open, name+" is being loaded")
	}
	files, err := q.UnreconciledFiles(ctx, db.UnreconciledFilesParams{Month: string(month), Page: maxDetails + 1})
	for _, f := range files {
		open = append(open, fmt.Sprintf("%s has rows of %s that are not reconciled", f.Name, f.ServiceMonth))
	}
	return open, err
}

// pendings are reservations for entries of the month or earlier ones.
func (c *Closing) pendings(ctx context.Context, book accounts.Book, month accounts.Month) (Item, error) {
	var open []string
	query := ledger.PendingQuery{State: ledger.Open, Book: book, PageSize: 1000}
	for {
		page, err := c.journal.ListPending(ctx, query)
		if err != nil {
			return Item{}, err
		}
		for _, p := range page.Pendings {
			if p.Period <= month {
				open = append(open, fmt.Sprintf("%s of %s is neither finished nor voided", p.Key, p.Period))
			}
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return itemOf("pendings", "预占 Pending entries", open), nil
		}
	}
}
