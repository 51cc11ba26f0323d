package clearing

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
)

// Direction is which way the party of a notice moves money.
type Direction string

const (
	Pay     Direction = "pay"     // 付款通知书: the party pays
	Receive Direction = "receive" // 收款通知书: the party is paid
)

// Notice tells a city or another province what it pays or gets in a run, per
// fund. A total that refunds turn negative stands on the notice of the other
// direction, so amounts on a notice are not negative.
type Notice struct {
	ID        string         `json:"notice"`
	Run       string         `json:"run"`
	Party     string         `json:"party"`
	PartyName string         `json:"party_name"`
	Direction Direction      `json:"direction"`
	Annex     string         `json:"annex,omitempty"` // 附件 of the procedure that it is made after
	Issued    civil.Date     `json:"issued"`
	ApplyBy   civil.Date     `json:"apply_by,omitzero"` // the agency applies to its finance department
	Due       civil.Date     `json:"due,omitzero"`      // zero: promptly (及时)
	Lines     []NoticeLine   `json:"lines"`
	Amount    accounts.Fen   `json:"amount"`
	Open      accounts.Fen   `json:"open"`
	Paid      []NoticePaid   `json:"remittances,omitempty"`
	Month     accounts.Month `json:"month"`
}

// NoticeLine is the amount of one fund. A line of 0.00 can be open: money of
// two provinces that comes to nothing for the city still changes hands here.
type NoticeLine struct {
	Fund   string       `json:"fund"`
	Amount accounts.Fen `json:"amount"`
	Paid   accounts.Fen `json:"paid"`
	Open   accounts.Fen `json:"open"`
	Closed bool         `json:"closed"`
}

// NoticePaid is a remittance on the notice.
type NoticePaid struct {
	Reference string       `json:"reference"`
	Date      civil.Date   `json:"date"`
	Amount    accounts.Fen `json:"amount"`
}

// Closed tells whether every line is paid to the end.
func (n *Notice) Closed() bool {
	return !slices.ContainsFunc(n.Lines, func(l NoticeLine) bool { return !l.Closed })
}

// Notices returns the notices of the service month, or all if it is empty,
// with what is paid on them.
func (c *Clearing) Notices(ctx context.Context, month accounts.Month) ([]Notice, error) {
	var notices []Notice
	err := c.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		notices, err = c.readNotices(ctx, db.New(tx), month)
		return err
	})
	return notices, err
}

func (c *Clearing) readNotices(ctx context.Context, q *db.Queries, month accounts.Month) ([]Notice, error) {
	rows, err := q.ListNotices(ctx, string(month))
	if err != nil {
		return nil, err
	}
	notices := make([]Notice, len(rows))
	index := make(map[string]*Notice, len(rows))
	for i, row := range rows {
		notices[i] = c.noticeOf(row)
		index[row.ID] = &notices[i]
	}
	ids := slices.Sorted(maps.Keys(index))
	lines, err := q.NoticeLines(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		index[l.Notice].add(l)
	}
	paid, err := q.ListRemittances(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, p := range paid {
		index[p.Notice].addPaid(p)
	}
	return notices, nil
}

func (c *Clearing) readNotice(ctx context.Context, q *db.Queries, id string) (Notice, error) {
	row, err := q.GetNotice(ctx, id)
	if err == pgx.ErrNoRows {
		return Notice{}, fault.New(fault.NotFound, "there is no notice %s: notices lists those there are", id)
	}
	if err != nil {
		return Notice{}, err
	}
	n := c.noticeOf(row)
	lines, err := q.NoticeLines(ctx, []string{id})
	for _, l := range lines {
		n.add(l)
	}
	return n, err
}

func (n *Notice) add(l db.NoticeLine) {
	line := NoticeLine{Fund: l.Fund, Amount: accounts.Fen(l.AmountFen), Paid: accounts.Fen(l.PaidFen), Closed: l.Closed}
	line.Open = line.Amount - line.Paid
	n.Lines = append(n.Lines, line)
	n.Amount += line.Amount
	n.Open += line.Open
}

func (n *Notice) addPaid(p db.Remittance) {
	var sum accounts.Fen
	for _, a := range p.AmountsFen {
		sum += accounts.Fen(a)
	}
	n.Paid = append(n.Paid, NoticePaid{Reference: p.Reference, Date: civil.DateOf(p.PaidOn), Amount: sum})
}

func (c *Clearing) noticeOf(row db.Notice) Notice {
	n := Notice{ID: row.ID, Run: row.Run, Party: row.Party, PartyName: c.regionName(row.Party), Direction: Direction(row.Direction),
		Annex: row.Annex, Issued: civil.DateOf(row.Issued), Month: accounts.Month(row.Run[:7])}
	n.ApplyBy, n.Due = dateOf(row.ApplyBy), dateOf(row.Due)
	return n
}

func dateOf(d pgtype.Date) civil.Date {
	if !d.Valid {
		return civil.Date{}
	}
	return civil.DateOf(d.Time)
}

func (c *Clearing) regionName(code string) string {
	if region, ok := c.book.Regions.Find(code); ok {
		return region.Name
	}
	return code
}

func (c *Clearing) isCity(code string) bool {
	region, ok := c.book.Regions.Find(code)
	return ok && region.Kind == accounts.City
}

// draftNotices makes the notices of a frozen run from its totals.
func (c *Clearing) draftNotices(run Run, due schedule, t totals) []Notice {
	drafts := map[string]*Notice{}
	line := func(party string, direction Direction, fund string, amount accounts.Fen) {
		id := fmt.Sprintf("%s/%s/%s", run.ID, party, direction)
		n := drafts[id]
		if n == nil {
			n = &Notice{ID: id, Run: run.ID, Party: party, Direction: direction, Issued: run.NoticeDate}
			c.address(n, run.Kind, due)
			drafts[id] = n
		}
		n.Lines = append(n.Lines, NoticeLine{Fund: fund, Amount: amount})
	}
	for _, key := range t.keys() {
		party, fund, of := key.party, key.fund, t[key]
		toPay := of.Payable - of.Receivable // the city's or the other province's
		switch {
		case toPay > 0:
			line(party, Pay, fund, toPay)
		case toPay < 0:
			line(party, Receive, fund, -toPay)
		case run.Kind == CrossIn && of.pairs:
			line(party, Receive, fund, 0)
		}
	}
	notices := make([]Notice, 0, len(drafts))
	for _, id := range slices.Sorted(maps.Keys(drafts)) {
		notices = append(notices, *drafts[id])
	}
	return notices
}

// address sets the form of the notice and by when it is to be acted upon.
func (c *Clearing) address(n *Notice, kind Kind, due schedule) {
	city := c.isCity(n.Party)
	switch {
	case kind == InProvince:
		n.Annex = "10"
	case city && n.Direction == Pay:
		n.Annex = "12"
	case city:
		n.Annex = "13"
	}
	switch {
	case city && n.Direction == Pay:
		n.ApplyBy, n.Due = due.cityApplies, due.cityPays
	case !city:
		n.Due = due.provinces
	}
}

func insertNotices(ctx context.Context, q *db.Queries, run Run, notices []Notice) error {
	n := db.InsertNoticesParams{Run: run.ID, Issued: dateParam(run.NoticeDate)}
	var l db.InsertNoticeLinesParams
	text := func(d civil.Date) string {
		if d.IsZero() {
			return ""
		}
		return d.String()
	}
	for _, notice := range notices {
		n.Ids, n.Parties = append(n.Ids, notice.ID), append(n.Parties, notice.Party)
		n.Directions, n.Annexes = append(n.Directions, string(notice.Direction)), append(n.Annexes, notice.Annex)
		n.ApplyBy, n.Due = append(n.ApplyBy, text(notice.ApplyBy)), append(n.Due, text(notice.Due))
		for _, line := range notice.Lines {
			l.Notices, l.Funds, l.Amounts = append(l.Notices, notice.ID), append(l.Funds, line.Fund), append(l.Amounts, int64(line.Amount))
		}
	}
	if len(notices) == 0 {
		return nil
	}
	if err := q.InsertNotices(ctx, n); err != nil {
		return err
	}
	return q.InsertNoticeLines(ctx, l)
}
