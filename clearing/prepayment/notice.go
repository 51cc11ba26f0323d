package prepayment

import (
	"context"
	"maps"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
)

// Notice tells a city or another province what it pays or gets, per fund: the
// adjustment of a year's plan (annexes 3 and 5) or its part of a top-up (annex
// 6). Amounts are positive; what is negative stands on the notice of the other
// direction.
type Notice struct {
	ID        string             `json:"notice"`
	Origin    string             `json:"origin"` // the plan or top-up
	Scheme    Scheme             `json:"scheme"`
	Party     string             `json:"party"`
	PartyName string             `json:"party_name"`
	Direction clearing.Direction `json:"direction"` // of the party
	Annex     string             `json:"annex,omitempty"`
	Issued    civil.Date         `json:"issued"`
	ApplyBy   civil.Date         `json:"apply_by,omitzero"` // the agency applies to its finance department
	Due       civil.Date         `json:"due,omitzero"`      // zero: promptly (及时)
	Lines     []NoticeLine       `json:"lines"`
	Amount    accounts.Fen       `json:"amount"`
	Open      accounts.Fen       `json:"open"`
	Moves     []Moved            `json:"moves,omitempty"`
	// Superseded by a later plan of the scheme, which has set off what is held:
	// no more money moves on it.
	Superseded string `json:"superseded,omitempty"`
}

// NoticeLine is the amount of one fund.
type NoticeLine struct {
	Fund   string       `json:"fund"`
	Amount accounts.Fen `json:"amount"`
	Moved  accounts.Fen `json:"moved"`
	Open   accounts.Fen `json:"open"`
}

// NoticeQuery selects notices; an empty field selects all.
type NoticeQuery struct {
	Notice, Origin, Party string
	Year                  int
	Regions               []string   // that may be seen; nil is all
	LateOn                civil.Date // only those due before the date with something open
	OpenOnly              bool
}

// Notices lists the notices with what has moved on them, by id.
func (p *Prepayments) Notices(ctx context.Context, query NoticeQuery) (notices []Notice, err error) {
	err = p.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		notices, err = p.notices(ctx, db.New(tx), query)
		return err
	})
	return notices, err
}

func (p *Prepayments) notices(ctx context.Context, q *db.Queries, query NoticeQuery) ([]Notice, error) {
	rows, err := q.ListNotices(ctx, db.ListNoticesParams{ID: query.Notice, Origin: query.Origin, Year: int64(query.Year), Party: query.Party})
	if err != nil {
		return nil, err
	}
	found := map[string]*Notice{}
	for _, row := range rows {
		if p.clearing.Sees(query.Regions, row.Party) {
			found[row.ID] = p.noticeOf(row)
		}
	}
	if err := fillNotices(ctx, q, found); err != nil {
		return nil, err
	}
	later, err := latest(ctx, q)
	if err != nil {
		return nil, err
	}
	notices := []Notice{}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		n := found[id]
		if n.Superseded = later.over(n.Scheme, n.Origin); n.Superseded != "" && (query.OpenOnly || !query.LateOn.IsZero()) {
			continue
		}
		late := n.Open > 0 && !n.Due.IsZero() && n.Due.Before(query.LateOn)
		if (query.LateOn.IsZero() || late) && (!query.OpenOnly || n.Open > 0) {
			notices = append(notices, *n)
		}
	}
	return notices, nil
}

// fillNotices adds lines and moves to the notices.
func fillNotices(ctx context.Context, q *db.Queries, found map[string]*Notice) error {
	ids := slices.Sorted(maps.Keys(found))
	lines, err := q.NoticeLines(ctx, ids)
	if err != nil {
		return err
	}
	for _, l := range lines {
		n := found[l.Notice]
		n.Lines = append(n.Lines, NoticeLine{Fund: l.Fund, Amount: accounts.Fen(l.AmountFen), Open: accounts.Fen(l.AmountFen)})
		n.Amount += accounts.Fen(l.AmountFen)
		n.Open += accounts.Fen(l.AmountFen)
	}
	moves, err := q.MovesOf(ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range moves {
		n, m := found[row.Notice], movedOf(row)
		n.Moves = append(n.Moves, m)
		for _, l := range m.Lines {
			i := slices.IndexFunc(n.Lines, func(of NoticeLine) bool { return of.Fund == l.Fund })
			n.Lines[i].Moved += l.Amount
			n.Lines[i].Open -= l.Amount
			n.Open -= l.Amount
		}
	}
	return nil
}

func (p *Prepayments) noticeOf(row db.PrepaymentNotice) *Notice {
	return &Notice{ID: row.ID, Origin: row.Origin, Scheme: Scheme(row.Scheme), Party: row.Party, PartyName: p.name(row.Party),
		Direction: clearing.Direction(row.Direction), Annex: row.Annex, Issued: civil.DateOf(row.Issued), ApplyBy: dateOf(row.ApplyBy), Due: dateOf(row.Due)}
}

// lockNotice reads a notice that money is about to move on.
func (p *Prepayments) lockNotice(ctx context.Context, q *db.Queries, id string) (*Notice, error) {
	row, err := q.LockNotice(ctx, id)
	if err == pgx.ErrNoRows {
		return nil, fault.New(fault.NotFound, "there is no prepayment notice %s: prepayment notices lists those there are", id).With("notice", id)
	}
	if err != nil {
		return nil, err
	}
	n := p.noticeOf(row)
	if err := fillNotices(ctx, q, map[string]*Notice{id: n}); err != nil {
		return nil, err
	}
	later, err := latest(ctx, q)
	n.Superseded = later.over(n.Scheme, n.Origin)
	return n, err
}

// plansByScheme is the last plan of each scheme.
type plansByScheme map[Scheme]db.PrepaymentPlan

func latest(ctx context.Context, q *db.Queries) (plansByScheme, error) {
	rows, err := q.ListPlans(ctx, db.ListPlansParams{})
	last := plansByScheme{}
	for _, row := range rows {
		last[Scheme(row.Scheme)] = row // in order of year
	}
	return last, err
}

// over names the plan that stands over a notice of the origin; a top-up stands
// beside the plans.
func (last plansByScheme) over(scheme Scheme, origin string) string {
	if plan, ok := last[scheme]; ok && isPlan(origin) && plan.ID != origin {
		return plan.ID
	}
	return ""
}

// insertNotices writes notices of one origin, issued on one day.
func insertNotices(ctx context.Context, q *db.Queries, year int, notices []Notice) error {
	if len(notices) == 0 {
		return nil
	}
	first := notices[0]
	n := db.InsertNoticesParams{Origin: first.Origin, Scheme: string(first.Scheme), Year: int64(year), Issued: dateParam(first.Issued)}
	var l db.InsertNoticeLinesParams
	for _, notice := range notices {
		n.Ids, n.Parties = append(n.Ids, notice.ID), append(n.Parties, notice.Party)
		n.Directions, n.Annexes = append(n.Directions, string(notice.Direction)), append(n.Annexes, notice.Annex)
		n.ApplyBy, n.Due = append(n.ApplyBy, dateText(notice.ApplyBy)), append(n.Due, dateText(notice.Due))
		for _, line := range notice.Lines {
			l.Notices, l.Funds, l.Amounts = append(l.Notices, notice.ID), append(l.Funds, line.Fund), append(l.Amounts, int64(line.Amount))
		}
	}
	if err := q.InsertNotices(ctx, n); err != nil {
		return err
	}
	return q.InsertNoticeLines(ctx, l)
}
