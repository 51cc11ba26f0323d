package clearing

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
)

// RemittedUnder returns the remittances that RemitAll has made under the
// reference so far, who pays the province first. Errors: NotFound when the month
// has no notices; AlreadyExists when the reference was used for another month or
// date.
func (c *Clearing) RemittedUnder(ctx context.Context, month accounts.Month, date civil.Date, reference string) ([]*Remittance, error) {
	notices, err := c.PageOfNotices(ctx, NoticeQuery{Month: month, PageSize: 1})
	if err != nil {
		return nil, err
	}
	if len(notices.Notices) == 0 {
		return nil, fault.New(fault.NotFound, "there are no notices of service month %s: clear it first", month).With("month", string(month))
	}
	var rows []db.Remittance
	err = c.store.Read(ctx, func(r accounts.Reader) (err error) {
		rows, err = db.New(r).RemittancesUnder(ctx, reference)
		return err
	})
	if err != nil {
		return nil, err
	}
	var under []*Remittance
	for _, row := range rows {
		r := remittanceOf(row)
		if !strings.HasPrefix(r.Notice, string(month)+"/") || r.Date != date {
			return nil, fault.New(fault.AlreadyExists, "reference %q stands with a remittance on %s of %s: give another reference", reference, r.Notice, r.Date).
				With("reference", reference).With("notice", r.Notice)
		}
		under = append(under, r)
	}
	slices.SortStableFunc(under, func(a, b *Remittance) int { return wayOf(a) - wayOf(b) })
	return under, nil
}

// wayOf orders remittances as rank orders their notices.
func wayOf(r *Remittance) int {
	if strings.HasSuffix(r.Notice, "/"+string(Pay)) {
		return 0
	}
	return 1
}
