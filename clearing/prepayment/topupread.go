package prepayment

import (
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/prepayment/internal/db"
)

// TopUp is the case of an emergency top-up (紧急调增) of our prepayment at one
// other province: what has come of the cities and what has gone on.
type TopUp struct {
	ID           string         `json:"top_up"`
	Month        accounts.Month `json:"month"` // whose clearing has opened it
	Province     string         `json:"province"`
	ProvinceName string         `json:"province_name"`
	OpenedOn     civil.Date     `json:"opened_on"`
	State        TopUpState     `json:"state"`
	Funds        []TopUpFund    `json:"funds"`
	Cities       []TopUpCity    `json:"cities"`
	Notices      []Notice       `json:"notices"`
	Steps        []Step         `json:"steps"`
	Replayed     bool           `json:"replayed,omitempty"`
}

// TopUpFund is where a fund of the case stands.
type TopUpFund struct {
	Fund      string       `json:"fund"`
	Cleared   accounts.Fen `json:"cleared"` // of the month that has opened the case
	Held      accounts.Fen `json:"held"`    // at the province then
	Proposed  accounts.Fen `json:"proposed"`
	Approved  accounts.Fen `json:"approved"`
	Collected accounts.Fen `json:"collected"` // of the cities
	Forwarded accounts.Fen `json:"forwarded"` // to the province
}

// TopUpCity is a city's part of a fund.
type TopUpCity struct {
	Fund      string       `json:"fund"`
	City      string       `json:"city"`
	CityName  string       `json:"city_name"`
	Amount    accounts.Fen `json:"amount"`
	Collected accounts.Fen `json:"collected"`
	Due       civil.Date   `json:"due,omitzero"`
	Late      bool         `json:"late,omitempty"` // not paid in full by then
}

// TopUpQuery selects cases; an empty field selects all.
type TopUpQuery struct {
	TopUp    string
	Month    accounts.Month
	Province string
	State    TopUpState
	Regions  []string   // whose parts may be seen, and only they where the case's province may not; nil is all
	On       civil.Date // the day on which cities are looked at as late; zero: none is
}

// TopUps lists the cases by month and province. NotFound for a case that is named
// and does not exist.
func (p *Prepayments) TopUps(ctx context.Context, query TopUpQuery) (cases []TopUp, err error) {
	err = p.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		cases, err = p.topUps(ctx, db.New(tx), query)
		return err
	})
	if err == nil && query.TopUp != "" && len(cases) == 0 {
		err = missingTopUp(query.TopUp)
	}
	return cases, err
}

func (p *Prepayments) topUps(ctx context.Context, q *db.Queries, query TopUpQuery) ([]TopUp, error) {
	rows, err := q.ListTopUps(ctx, db.ListTopUpsParams{ID: query.TopUp, Month: string(query.Month), Province: query.Province})
	if err != nil {
		return nil, err
	}
	cases := []TopUp{}
	for _, row := range rows {
		c := TopUp{ID: row.ID, Month: accounts.Month(row.Month), Province: row.Province, ProvinceName: p.name(row.Province),
			OpenedOn: civil.DateOf(row.OpenedOn), State: TopUpState(row.State), Cities: []TopUpCity{}}
		if err := p.fillTopUp(ctx, q, &c, query); err != nil {
			return nil, err
		}
		if query.State != "" && query.State != c.State {
			continue
		}
		if !p.clearing.Sees(query.Regions, c.Province) {
			if len(c.Cities) == 0 {
				continue
			}
			c.Funds, c.Steps = []TopUpFund{}, nil // the province's; a city sees its part
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func (p *Prepayments) fillTopUp(ctx context.Context, q *db.Queries, c *TopUp, query TopUpQuery) (err error) {
	if c.Steps, err = stepsOf(ctx, q, c.ID); err != nil {
		return err
	}
	notices, err := p.notices(ctx, q, NoticeQuery{Origin: c.ID})
	if err != nil {
		return err
	}
	moved := map[partyFund]NoticeLine{}
	due := map[string]civil.Date{}
	for _, n := range notices {
		due[n.Party] = n.Due
		for _, l := range n.Lines {
			moved[partyFund{n.Party, l.Fund}] = l
		}
	}
	parts, err := q.TopUpParts(ctx, []string{c.ID})
	if err != nil {
		return err
	}
	collected := map[string]accounts.Fen{}
	for _, part := range parts {
		l := moved[partyFund{part.City, part.Fund}]
		collected[part.Fund] += l.Moved
		city := TopUpCity{Fund: part.Fund, City: part.City, CityName: p.name(part.City), Amount: accounts.Fen(part.AmountFen), Collected: l.Moved, Due: due[part.City]}
		city.Late = l.Open > 0 && city.Due.Before(query.On)
		if p.clearing.Sees(query.Regions, part.City) {
			c.Cities = append(c.Cities, city)
		}
	}
	funds, err := q.TopUpFunds(ctx, []string{c.ID})
	if err != nil {
		return err
	}
	for _, f := range funds {
		c.Funds = append(c.Funds, TopUpFund{Fund: f.Fund, Cleared: accounts.Fen(f.ClearedFen), Held: accounts.Fen(f.HeldFen), Proposed: accounts.Fen(f.ProposedFen),
			Approved: accounts.Fen(f.ApprovedFen), Collected: collected[f.Fund], Forwarded: moved[partyFund{c.Province, f.Fund}].Moved})
	}
	if c.State == Notified && !slices.ContainsFunc(notices, func(n Notice) bool { return n.Open > 0 }) {
		c.State = Closed
	}
	c.Notices = slices.DeleteFunc(notices, func(n Notice) bool { return !p.clearing.Sees(query.Regions, n.Party) })
	return nil
}
