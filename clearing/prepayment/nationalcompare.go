package prepayment

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

type provinceFund struct{ province, fund string }

// compare adds the differences from our figures, or why there are none to compare.
func (l *NationalList) compare(p *Prepayments, ours map[provinceFund][2]accounts.Fen, err error) error {
	l.Comparison = []Difference{}
	switch fault.KindOf(err) {
	case "":
	case fault.Precondition, fault.NotFound:
		l.Uncomparing = err.Error()
		return nil
	default:
		return err
	}
	l.Comparison = differences(nationalForms[l.Kind].amounts, l.figures, ours)
	for i := range l.Comparison {
		l.Comparison[i].ProvinceName = p.name(l.Comparison[i].Province)
	}
	return nil
}

// differences compares figure by figure, in order of province, fund and column.
func differences(columns []string, rows []db.NationalFigure, ours map[provinceFund][2]accounts.Fen) []Difference {
	list := []Difference{}
	note := func(key provinceFund, line int64, own, national [2]accounts.Fen) {
		for i, column := range columns {
			if own[i] != national[i] {
				list = append(list, Difference{Province: key.province, Fund: key.fund, Figure: column, Line: int(line), Ours: own[i], National: national[i], Difference: national[i] - own[i]})
			}
		}
	}
	known := map[provinceFund]bool{}
	for _, r := range rows {
		key := provinceFund{r.Province, r.Fund}
		known[key] = true
		note(key, r.Line, ours[key], [2]accounts.Fen{accounts.Fen(r.FirstFen), accounts.Fen(r.SecondFen)})
	}
	for key, own := range ours {
		if !known[key] {
			note(key, 0, own, [2]accounts.Fen{})
		}
	}
	slices.SortStableFunc(list, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Province, b.Province), cmp.Compare(a.Fund, b.Fund))
	})
	return list
}

// ourFigures are what we have for the list: of a clearing list the totals of the
// frozen runs, of approved top-ups what the cases of the month propose.
// Precondition or NotFound says why we have none yet.
func (p *Prepayments) ourFigures(ctx context.Context, tx pgx.Tx, l *NationalList) (map[provinceFund][2]accounts.Fen, error) {
	ours := map[provinceFund][2]accounts.Fen{}
	add := func(province, fund string, column int, amount accounts.Fen) {
		key := provinceFund{province, fund}
		of := ours[key]
		of[column] += amount
		ours[key] = of
	}
	switch l.Kind {
	case ClearingList:
		for column, kind := range []clearing.Kind{clearing.CrossOut, clearing.CrossIn} {
			_, totals, err := p.clearing.ProvinceTotals(ctx, tx, accounts.Month(l.Period), kind)
			if err != nil {
				return nil, err
			}
			for _, t := range totals {
				add(t.Province, t.Fund, column, t.Amount)
			}
		}
	case ApprovedTopUps:
		cases, err := p.topUps(ctx, db.New(tx), TopUpQuery{Month: accounts.Month(l.Period)})
		if err != nil {
			return nil, err
		}
		for _, c := range cases {
			for _, f := range c.Funds {
				if c.State != Declined {
					add(c.Province, f.Fund, 0, f.Proposed)
				}
			}
		}
	}
	return ours, nil
}

// ourQuotas are quota and adjustment at each province as last year's journal and
// what is held now make them.
func (p *Prepayments) ourQuotas(ctx context.Context, period string) (map[provinceFund][2]accounts.Fen, error) {
	year, err := strconv.Atoi(period)
	if err != nil {
		return nil, fault.New(fault.Internal, "a quota notice of the period %q", period)
	}
	bases, err := p.clearing.BasesOf(ctx, year)
	if err != nil {
		return nil, err
	}
	quotas, err := bases.Quotas(p.book)
	if err != nil {
		return nil, err
	}
	on, err := p.noticeDate(year, civil.Date{})
	if err != nil {
		return nil, err
	}
	held, err := p.heldAtProvinces(ctx, ledger.AsOf{}, on)
	if err != nil {
		return nil, err
	}
	ours := map[provinceFund][2]accounts.Fen{}
	for _, province := range quotas.CrossProvince {
		for _, fund := range province.Value {
			total := fund.Value.Total
			ours[provinceFund{province.Key, fund.Key}] = [2]accounts.Fen{total, total - held[partyFund{province.Key, fund.Key}]}
		}
	}
	return ours, nil
}
