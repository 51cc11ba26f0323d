package prepayment

import (
	"context"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/ledger"
)

// Place is where prepayment money of one kind lies.
type Place string

const (
	CityInProvince Place = "city-in-province"    // a city's, in the in-province pool
	CityCross      Place = "city-cross-province" // a city's, for other provinces
	AtProvince     Place = "at-province"         // ours, at another province
	OfProvince     Place = "of-province"         // another province's, here
	Pool           Place = "pool"                // what the in-province pool has advanced to creditors
)

// Figure is an amount and the entries that it is made of.
type Figure struct {
	Amount  accounts.Fen `json:"amount"`
	Entries []uuid.UUID  `json:"entries,omitempty"`
}

func (f *Figure) add(amount accounts.Fen, entry uuid.UUID) {
	f.Amount += amount
	f.Entries = append(f.Entries, entry)
}

// Holding is the prepayment of one party in one fund over a year: carried over +
// paid + topped up - returned + other = balance, which is that of the journal.
// What the pool or the prepayment has advanced and not got back is used - refilled.
type Holding struct {
	Place       Place            `json:"place"`
	Party       string           `json:"party"`
	PartyName   string           `json:"party_name"`
	Fund        string           `json:"fund"`
	Account     accounts.Account `json:"account"`
	Quota       accounts.Fen     `json:"quota"`        // of the year's plan
	CarriedOver Figure           `json:"carried_over"` // of the year before, with the entries of opening balances
	Paid        Figure           `json:"paid"`
	ToppedUp    Figure           `json:"topped_up"`
	Returned    Figure           `json:"returned"`
	Other       Figure           `json:"other"` // reversals, manual entries
	Balance     accounts.Fen     `json:"balance"`
	Used        Figure           `json:"used"`
	Refilled    Figure           `json:"refilled"`
	Advanced    accounts.Fen     `json:"advanced"` // used and not refilled, of all years
	// Months is how far what lies at another province was used, by month.
	Months []MonthUsage `json:"months,omitempty"`
}

// MonthUsage is the utilisation of one service month in the holding's fund.
type MonthUsage struct {
	Month     accounts.Month `json:"month"`
	Run       string         `json:"run,omitempty"` // whose clearing it is; empty where it is projected
	Projected bool           `json:"projected,omitempty"`
	Usage
}

// HoldingQuery selects holdings of a year; an empty field selects all.
type HoldingQuery struct {
	Year    int
	Party   string   // city or other province
	Regions []string // that may be seen; nil is all
}

// Holdings shows the prepayments of a year: per city and per other province, by
// place and fund. Parties without quota, lines and balance are left out.
func (p *Prepayments) Holdings(ctx context.Context, query HoldingQuery) ([]Holding, ledger.Position, error) {
	position, err := p.journal.CatchUp(ctx)
	if err != nil {
		return nil, 0, err
	}
	on := civil.Date{Year: query.Year, Month: 12, Day: 31}
	funds, err := p.fundsOn(on)
	if err != nil {
		return nil, 0, err
	}
	facts, err := p.factsOf(ctx, query.Year)
	if err != nil {
		return nil, 0, err
	}
	holdings := []Holding{}
	for _, place := range p.places(query) {
		for _, fund := range funds {
			h := Holding{Place: place.place, Party: place.party, PartyName: p.name(place.party), Fund: fund}
			if err := p.fillHolding(ctx, &h, place, facts, on, position); err != nil {
				return nil, 0, err
			}
			if h.Quota != 0 || h.CarriedOver.Amount != 0 || h.Balance != 0 || h.moved() {
				holdings = append(holdings, h)
			}
		}
	}
	return holdings, position, p.addMonths(ctx, query.Year, holdings)
}

func (h *Holding) moved() bool {
	for _, f := range []Figure{h.Paid, h.ToppedUp, h.Returned, h.Other, h.Used, h.Refilled} {
		if len(f.Entries) > 0 {
			return true
		}
	}
	return h.Advanced != 0
}

// place is a party's prepayment of one kind: the purse that holds it, and the one
// that tells what of it is advanced.
type place struct {
	place    Place
	party    string
	scheme   Scheme
	purse    purse
	advances *purse
}

func (p *Prepayments) places(query HoldingQuery) (list []place) {
	wanted := func(party string) bool {
		return (query.Party == "" || query.Party == party) && p.clearing.Sees(query.Regions, party)
	}
	for _, region := range p.book.Regions.Of(accounts.City) {
		if wanted(region.Code) {
			list = append(list, place{CityInProvince, region.Code, InProvince, paidByCity, nil}, place{CityCross, region.Code, CrossProvince, collected, nil})
		}
	}
	for _, region := range p.book.Regions.Of(accounts.Counterparty) {
		if wanted(region.Code) {
			list = append(list, place{AtProvince, region.Code, CrossProvince, atProvince, nil}, place{OfProvince, region.Code, "", ofProvince, &usedOfProvince})
		}
	}
	if wanted(p.home()) {
		list = append(list, place{Pool, p.home(), "", purse{}, &usedOfPool})
	}
	return list
}

// facts are what the journal's lines do not say.
type facts struct {
	quotas map[Scheme]map[partyFund]accounts.Fen
	topUps map[uuid.UUID]bool // entries of moves on notices of top-ups
}

func (p *Prepayments) factsOf(ctx context.Context, year int) (facts, error) {
	var f facts
	err := p.store.Snapshot(ctx, func(tx pgx.Tx) error {
		f = facts{map[Scheme]map[partyFund]accounts.Fen{}, map[uuid.UUID]bool{}}
		q := db.New(tx)
		for _, scheme := range Schemes() {
			f.quotas[scheme] = map[partyFund]accounts.Fen{}
			positions, err := q.PlanPositions(ctx, PlanID(year, scheme))
			if err != nil {
				return err
			}
			for _, at := range positions {
				f.quotas[scheme][partyFund{at.Party, at.Fund}] = accounts.Fen(at.QuotaFen)
			}
		}
		moves, err := q.MovesUnder(ctx, topUpPrefix)
		for _, m := range moves {
			f.topUps[m.Entry] = true
		}
		return err
	})
	return f, err
}

func (p *Prepayments) fillHolding(ctx context.Context, h *Holding, of place, facts facts, on civil.Date, position ledger.Position) error {
	h.Quota = facts.quotas[of.scheme][partyFund{h.Party, h.Fund}]
	if of.place != Pool {
		account, err := p.account(of.purse, h.Fund, h.Party, on)
		if err != nil {
			return err
		}
		h.Account = account
		sign := accounts.Fen(1)
		if of.purse.side == accounts.Credit {
			sign = -1
		}
		before, err := p.eachLine(ctx, account, on.Year, position, func(l ledger.Line, signed accounts.Fen) {
			switch {
			case l.Kind == openingKind:
				h.CarriedOver.add(sign*signed, l.Entry)
			case facts.topUps[l.Entry]:
				h.ToppedUp.add(sign*signed, l.Entry)
			case l.Kind == of.purse.event:
				h.Paid.add(sign*signed, l.Entry)
			case moveKind(l.Kind):
				h.Returned.add(-sign*signed, l.Entry)
			default:
				h.Other.add(sign*signed, l.Entry)
			}
		})
		if err != nil {
			return err
		}
		h.CarriedOver.Amount += sign * before
	}
	h.Balance = h.CarriedOver.Amount + h.Paid.Amount + h.ToppedUp.Amount - h.Returned.Amount + h.Other.Amount
	if of.advances == nil {
		return nil
	}
	counterparty := h.Party
	if of.place == Pool {
		counterparty = ""
	}
	account, err := p.account(*of.advances, h.Fund, counterparty, on)
	if err != nil {
		return err
	}
	if of.place == Pool {
		h.Account = account
	}
	before, err := p.eachLine(ctx, account, on.Year, position, func(l ledger.Line, signed accounts.Fen) {
		if l.Side == accounts.Debit {
			h.Used.add(signed, l.Entry)
		} else {
			h.Refilled.add(-signed, l.Entry)
		}
	})
	h.Advanced = before + h.Used.Amount - h.Refilled.Amount
	return err
}

// openingKind is the kind of entries that open the books (期初余额).
const openingKind = "opening"

// moveKind tells whether an event moves prepayments.
func moveKind(kind string) bool { return strings.HasPrefix(kind, "prepayment.") }

// eachLine calls fn with every line of the account in the year, debits positive,
// and returns the balance before it.
func (p *Prepayments) eachLine(ctx context.Context, account accounts.Account, year int, position ledger.Position, fn func(ledger.Line, accounts.Fen)) (accounts.Fen, error) {
	first := civil.Date{Year: year, Month: 1, Day: 1}
	before, _, err := p.journal.Balance(ctx, account, ledger.AsOf{Date: first.AddDays(-1)})
	if err != nil {
		return 0, err
	}
	query := ledger.StatementQuery{From: first, To: civil.Date{Year: year, Month: 12, Day: 31}, Until: position, PageSize: 1000}
	for {
		page, err := p.journal.Statement(ctx, account, query)
		if err != nil {
			return 0, err
		}
		for _, l := range page.Lines {
			signed := l.Amount
			if l.Side == accounts.Credit {
				signed = -signed
			}
			fn(l, signed)
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return before.Balance, nil
		}
	}
}

// addMonths adds the utilisation of the year's frozen runs, and of the month
// behind them as it is projected, to what lies at other provinces.
func (p *Prepayments) addMonths(ctx context.Context, year int, holdings []Holding) error {
	if len(holdings) == 0 {
		return nil
	}
	for month := accounts.MonthOf(civil.Date{Year: year, Month: 1, Day: 1}); month.Year() == year; month = month.Add(1) {
		list, err := p.Utilisation(ctx, month)
		if err != nil {
			return err
		}
		projected := false
		for _, u := range list {
			projected = projected || u.Projected && u.Total.Cleared != 0
			for i := range holdings {
				h := &holdings[i]
				if h.Place != AtProvince || h.Party != u.Province || u.Projected && u.Funds[h.Fund].Cleared == 0 {
					continue
				}
				of := MonthUsage{Month: month, Projected: u.Projected, Usage: u.Funds[h.Fund]}
				if !u.Projected {
					of.Run = u.Run
				}
				h.Months = append(h.Months, of)
			}
		}
		if projected { // later months have nothing of their own yet
			return nil
		}
	}
	return nil
}
