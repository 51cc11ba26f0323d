package settlement

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/paging"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// KindRefundWaiting is the kind under which a refund is listed that all sides
// agree on and that waits for its original.
const KindRefundWaiting = "refund_waiting"

// reconciledKinds are those of exceptions that reconciliation itself finds,
// where no row was rejected.
var reconciledKinds = []string{KindMissingCenter, KindMissingTreating, KindMissingInsured, KindAmountDiffers, KindFieldsDiffer, KindConflictingRow, KindWithdrawalPending}

// ExceptionQuery selects a page of exceptions; an empty field selects all.
type ExceptionQuery struct {
	Month accounts.Month // service month
	// Kind is that of an exception, KindRefundWaiting, or KindDuplicateRow, which
	// lists the settlements of which a file had a row twice: these are no
	// exceptions and not among all.
	Kind string
	// Region is the insured or the treating one, by what any side says. Regions
	// are those that may be seen, by the same rule; nil is all. So one of which no
	// side has a valid record is listed only where all regions may be seen.
	Region    string
	Regions   []string
	Resolved  bool            // those that agree by now instead of the open ones
	AtLeast   ledger.Position // that the answer must have seen
	PageSize  int             // at most 1000; 0 means 100
	PageToken string
}

// ExceptionPage is a page of exceptions, by month and settlement.
type ExceptionPage struct {
	Exceptions    []Exception     `json:"exceptions"`
	NextPageToken string          `json:"next_page_token,omitempty"`
	Position      ledger.Position `json:"position"` // of the journal, as seen
}

// Exceptions lists the settlements that the sides do not agree on, and refunds
// that wait. Errors: Invalid, NotFound (the journal is shorter than a position
// that is asked).
func (s *Settlements) Exceptions(ctx context.Context, query ExceptionQuery) (*ExceptionPage, error) {
	size, err := paging.Size(query.PageSize, "exceptions")
	if err != nil {
		return nil, err
	}
	after := strings.Split(query.PageToken, "/")
	switch {
	case query.PageToken == "":
		after = []string{"", "", ""}
	case len(after) != 3:
		return nil, paging.BadToken(query.PageToken, "a list of exceptions")
	}
	var page *ExceptionPage
	err = s.journal.View(ctx, query.AtLeast, func(tx pgx.Tx, at ledger.Position) error {
		page = &ExceptionPage{Exceptions: []Exception{}, Position: at}
		q := db.New(tx)
		read := query.exceptions
		if query.Kind == KindDuplicateRow {
			read = query.duplicates
		}
		list, err := read(ctx, q, after, int32(size)+1)
		if err != nil {
			return err
		}
		if len(list) > size {
			list = list[:size]
			last := list[size-1]
			page.NextPageToken = string(last.Month) + "/" + last.SetlID + "/" + last.Kind
		}
		page.Exceptions = append(page.Exceptions, list...)
		return describe(ctx, q, page.Exceptions)
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// wanted are the regions of which one must be that of a record.
func (query *ExceptionQuery) wanted() (all bool, regions []string) {
	switch {
	case query.Region == "":
		return query.Regions == nil, query.Regions
	case query.Regions == nil || slices.Contains(query.Regions, query.Region):
		return false, []string{query.Region}
	}
	return false, nil
}

func (query *ExceptionQuery) exceptions(ctx context.Context, q *db.Queries, after []string, limit int32) ([]Exception, error) {
	all, regions := query.wanted()
	rows, err := q.PageOfExceptions(ctx, db.PageOfExceptionsParams{
		Resolved: query.Resolved, Month: string(query.Month), Kind: query.Kind, AllRegions: all, Regions: regions,
		AfterMonth: after[0], AfterID: after[1], AfterKind: after[2], Page: limit,
	})
	list := make([]Exception, len(rows))
	for i, r := range rows {
		e := Exception{SetlID: r.SetlID, Month: accounts.Month(r.ServiceMonth), Kind: r.Kind, Detail: r.Detail, Refund: r.Refund, Found: r.FoundAt, ResolvedBy: r.ResolvedBy}
		if r.ResolvedAt.Valid {
			e.Resolved = r.ResolvedAt.Time
		}
		list[i] = e
	}
	return list, err
}

func (query *ExceptionQuery) duplicates(ctx context.Context, q *db.Queries, after []string, limit int32) ([]Exception, error) {
	if query.Resolved {
		return nil, nil
	}
	all, regions := query.wanted()
	rows, err := q.PageOfDuplicates(ctx, db.PageOfDuplicatesParams{
		Month: string(query.Month), AllRegions: all, Regions: regions, Reconciled: reconciledKinds,
		AfterMonth: after[0], AfterID: after[1], Page: limit,
	})
	list := make([]Exception, len(rows))
	for i, r := range rows {
		list[i] = Exception{SetlID: r.SetlID, Month: accounts.Month(r.ServiceMonth), Kind: KindDuplicateRow, Detail: r.Detail}
	}
	return list, err
}

// describe adds what the first side that has a valid record says of regions and
// original.
func describe(ctx context.Context, q *db.Queries, list []Exception) error {
	ids := make([]string, len(list))
	for i, e := range list {
		ids[i] = e.SetlID
	}
	contents, err := readContents(ctx, q, ids)
	for i := range list {
		for _, side := range Sides() {
			if r := contents[list[i].SetlID][side]; r != nil {
				e := &list[i]
				e.Insured, e.Treating, e.Refund, e.Original = r.insured, r.treating, r.refund, r.orig
				break
			}
		}
	}
	return err
}
