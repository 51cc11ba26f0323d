package prepayment

import (
	"context"
	"maps"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/ledger"
	"fundledger/settlement"
)

// Level is how near the prepayment at a province is to its end.
type Level string

const (
	Green  Level = "green"
	Yellow Level = "yellow" // 黄色预警
	Red    Level = "red"    // 红色预警: a top-up case opens
)

// Usage (使用率) is a month's clearing amount as a share of our prepayment.
type Usage struct {
	Cleared accounts.Fen `json:"cleared"`
	Held    accounts.Fen `json:"held"`
	// Percent with two decimals, cut off and not rounded, so that it never shows
	// a limit that is not reached; absent where nothing is held.
	Percent string `json:"percent,omitempty"`
	Level   Level  `json:"level"`
}

// Utilisation is how far the prepayment at one other province is used in a month,
// per fund that has prepayments and over these funds.
type Utilisation struct {
	Month        accounts.Month   `json:"month"`
	Province     string           `json:"province"`
	ProvinceName string           `json:"province_name"`
	Funds        map[string]Usage `json:"funds"`
	Total        Usage            `json:"total"`
	// Projected from the accepted settlements that are in no run yet, against
	// what is held now; else of the frozen run, against what was held at the end
	// of its notice date.
	Projected  bool       `json:"projected"`
	Run        string     `json:"run,omitempty"`
	MeasuredOn civil.Date `json:"measured_on,omitzero"`
	TopUp      string     `json:"top_up,omitempty"` // the case that the month has opened
}

// Level is the worst of all funds and of their total.
func (u *Utilisation) Level() Level {
	worst := u.Total.Level
	for _, of := range u.Funds {
		if of.Level == Red || of.Level == Yellow && worst == Green {
			worst = of.Level
		}
	}
	return worst
}

// usage compares exactly: at the very limit it is reached. Nothing held with any
// use is red; a clearing amount that refunds turn negative uses nothing.
func (p *Prepayments) usage(cleared, held accounts.Fen, on civil.Date) (Usage, error) {
	yellow, err := p.book.Policy.Decimal(policyYellow, on)
	if err != nil {
		return Usage{}, err
	}
	red, err := p.book.Policy.Decimal(policyRed, on)
	if err != nil {
		return Usage{}, err
	}
	u := Usage{Cleared: cleared, Held: held, Level: Green}
	used, all := decimal.NewFromInt(int64(cleared)).Shift(2), decimal.NewFromInt(int64(held))
	switch {
	case cleared > 0 && (held <= 0 || used.GreaterThanOrEqual(red.Mul(all))):
		u.Level = Red
	case cleared > 0 && used.GreaterThanOrEqual(yellow.Mul(all)):
		u.Level = Yellow
	}
	if held > 0 {
		quotient, _ := used.QuoRem(all, 2)
		u.Percent = quotient.StringFixed(2)
	}
	return u, nil
}

// Utilisation returns how far our prepayments are used by the service month, by
// province: of its frozen run, or projected where it is not frozen yet. Provinces
// where nothing is held and nothing is cleared are left out.
func (p *Prepayments) Utilisation(ctx context.Context, month accounts.Month) ([]Utilisation, error) {
	list, _, err := p.utilisation(ctx, month)
	return list, err
}

// utilisation tells too whether the run of the month is frozen.
func (p *Prepayments) utilisation(ctx context.Context, month accounts.Month) (list []Utilisation, frozen bool, err error) {
	if _, err := p.journal.CatchUp(ctx); err != nil {
		return nil, false, err
	}
	var totals []clearing.ProvinceTotal
	var run clearing.Run
	cases := map[string]string{}
	err = p.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		if run, totals, err = p.cleared(ctx, tx, month); err != nil {
			return err
		}
		cases, err = topUpsOf(ctx, tx, month)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	on, as := month.Last(), ledger.AsOf{}
	if frozen = run.State == clearing.Frozen; frozen {
		on, as.Date = run.NoticeDate, run.NoticeDate
	}
	held, err := p.heldAtProvinces(ctx, as, on)
	if err != nil {
		return nil, false, err
	}
	funds, err := p.fundsOn(on)
	if err != nil {
		return nil, false, err
	}
	cleared := map[partyFund]accounts.Fen{}
	provinces := map[string]bool{}
	for _, t := range totals {
		if slices.Contains(funds, t.Fund) {
			cleared[partyFund{t.Province, t.Fund}] += t.Amount
			provinces[t.Province] = true
		}
	}
	for at, amount := range held {
		provinces[at.party] = provinces[at.party] || amount != 0
	}
	list = []Utilisation{}
	for _, province := range slices.Sorted(maps.Keys(provinces)) {
		if !provinces[province] {
			continue
		}
		u := Utilisation{Month: month, Province: province, ProvinceName: p.name(province), Funds: map[string]Usage{}, Projected: !frozen, TopUp: cases[province]}
		if !u.Projected {
			u.MeasuredOn, u.Run = on, run.ID
		}
		var sum Usage
		for _, fund := range funds {
			key := partyFund{province, fund}
			if u.Funds[fund], err = p.usage(cleared[key], held[key], on); err != nil {
				return nil, false, err
			}
			sum.Cleared += cleared[key]
			sum.Held += held[key]
		}
		if u.Total, err = p.usage(sum.Cleared, sum.Held, on); err != nil {
			return nil, false, err
		}
		list = append(list, u)
	}
	return list, frozen, nil
}

// cleared is what we owe the other provinces for the month: by its frozen run,
// or by what would go into the run now.
func (p *Prepayments) cleared(ctx context.Context, tx pgx.Tx, month accounts.Month) (clearing.Run, []clearing.ProvinceTotal, error) {
	runs, err := p.clearing.RunsTx(ctx, tx, month)
	if err != nil {
		return clearing.Run{}, nil, err
	}
	for _, run := range runs {
		if run.Kind == clearing.CrossOut && run.State == clearing.Frozen {
			return p.clearing.ProvinceTotals(ctx, tx, month, clearing.CrossOut)
		}
	}
	waiting, err := settlement.WaitingTotals(ctx, tx, p.book, settlement.CrossOut, month)
	totals := make([]clearing.ProvinceTotal, len(waiting))
	for i, t := range waiting {
		totals[i] = clearing.ProvinceTotal{Province: t.Treating, Fund: t.Fund, Amount: t.Amount}
	}
	return clearing.Run{}, totals, err
}

// heldAtProvinces is our prepayment at each other province, by fund.
func (p *Prepayments) heldAtProvinces(ctx context.Context, as ledger.AsOf, on civil.Date) (map[partyFund]accounts.Fen, error) {
	any := p.book.Regions.Of(accounts.Counterparty)[0].Code
	account, err := p.account(atProvince, "", any, on)
	if err != nil {
		return nil, err
	}
	balances, _, err := p.journal.Balances(ctx, ledger.Filter{Book: account.Book, Subject: account.Subject}, as)
	held := map[partyFund]accounts.Fen{}
	for _, b := range balances {
		held[partyFund{b.Account.Counterparty, b.Account.Fund}] += b.Balance
	}
	return held, err
}
