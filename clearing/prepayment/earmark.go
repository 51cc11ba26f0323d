package prepayment

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
)

// leaves are the events by which money of the cities leaves the province.
var leaves = []string{atProvince.event, "prepayment.returned.cross"}

// spare refuses a move out of what the cities have paid in for other provinces
// beyond what still lies here. What was collected for a top-up is that case's
// own until it is forwarded (专款专用, J29): a case forwards what it has
// collected, and nothing else takes of it. The other floors are the journal's.
func (p *Prepayments) spare(ctx context.Context, tx pgx.Tx, m *Moved) error {
	if !slices.Contains(leaves, m.Event) {
		return nil
	}
	kept, err := collectedForTopUps(ctx, db.New(tx))
	if err != nil {
		return err
	}
	funds := make([]string, len(m.Lines))
	for i, line := range m.Lines {
		funds[i] = line.Fund
	}
	here, err := p.unforwarded(ctx, tx, m.Date, funds)
	if err != nil {
		return err
	}
	for _, line := range m.Lines {
		available := here[line.Fund]
		if own := kept[partyFund{m.origin, line.Fund}]; !isPlan(m.origin) {
			available = min(available, own)
		} else {
			for of, amount := range kept {
				if of.fund == line.Fund {
					available -= amount
				}
			}
		}
		if short := line.Amount - available; short > 0 {
			return fault.New(fault.Insufficient, "notice %s, fund %s: %s was asked, but %s of what the cities have paid in for it lies at the province: %s is missing; wait for the cities, or move less",
				m.Notice, line.Fund, line.Amount, max(available, 0), short).
				With("notice", m.Notice).With("fund", line.Fund).With("asked", line.Amount.String()).
				With("available", max(available, 0).String()).With("shortfall", short.String())
		}
	}
	return nil
}

// collectedForTopUps is what each case has got of the cities and not forwarded,
// by fund.
func collectedForTopUps(ctx context.Context, q *db.Queries) (map[partyFund]accounts.Fen, error) {
	rows, err := q.MovesUnder(ctx, topUpPrefix)
	kept := map[partyFund]accounts.Fen{}
	for _, row := range rows {
		sign := accounts.Fen(1)
		if row.Event == atProvince.event {
			sign = -1
		}
		for i, fund := range row.Funds {
			kept[partyFund{row.Origin, fund}] += sign * accounts.Fen(row.AmountsFen[i])
		}
	}
	return kept, err
}

// topUpPrefix begins the ids of top-ups, so that a notice tells whose it is.
const topUpPrefix = "topup/"
