package provider

import (
	"context"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement/provider/internal/db"
)

// Payable is what a provider has in one fund.
type Payable struct {
	Fund        string       `json:"fund"`
	Balance     accounts.Fen `json:"balance"`     // of the payable account in the journal: the sum of what follows, except SetOff
	Open        accounts.Fen `json:"open"`        // of settlements up to the day, in no list; negative where more was paid than is owed
	SetOff      accounts.Fen `json:"set_off"`     // what Open has of negative items: refunds and deductions of what was paid
	Later       accounts.Fen `json:"later"`       // of settlements after the day
	Listed      accounts.Fen `json:"listed"`      // in lists that are not paid yet
	Unassigned  accounts.Fen `json:"unassigned"`  // of no settlement: openings and manual entries, which no list pays
	Settlements int64        `json:"settlements"` // that Open has items of
}

// Payables tells what is payable to a provider for settlements up to the day,
// by fund. Errors: Invalid.
func (d *Desk) Payables(ctx context.Context, treating, provider string, through civil.Date) ([]Payable, ledger.Position, error) {
	if err := d.city(treating, "treating"); err != nil {
		return nil, 0, err
	}
	if err := needDate(through, "through"); err != nil {
		return nil, 0, err
	}
	reached, err := d.journal.CatchUp(ctx)
	if err != nil {
		return nil, 0, err
	}
	var list []Payable
	var seen ledger.Position
	err = d.journal.View(ctx, reached, func(tx pgx.Tx, at ledger.Position) (err error) {
		seen = at
		list, err = d.payablesTx(ctx, tx, at, treating, provider, through)
		return err
	})
	return list, seen, err
}

func (d *Desk) payablesTx(ctx context.Context, tx pgx.Tx, at ledger.Position, treating, provider string, through civil.Date) ([]Payable, error) {
	subject, err := d.payable()
	if err != nil {
		return nil, err
	}
	p, err := d.readTx(ctx, tx, at, treating, provider)
	if err != nil {
		return nil, err
	}
	funds := map[string]*Payable{}
	of := func(fund string) *Payable {
		if funds[fund] == nil {
			funds[fund] = &Payable{Fund: fund}
		}
		return funds[fund]
	}
	last := map[string]string{}
	for _, i := range p.sorted(bySettlement) {
		switch f := of(i.Fund); {
		case !i.assigned():
			f.Unassigned += i.Amount
		case i.Amount > 0 && i.On.After(through):
			f.Later += i.Amount
		default:
			if f.Open += i.Amount; last[i.Fund] != i.SetlID {
				f.Settlements++
				last[i.Fund] = i.SetlID
			}
			f.SetOff += min(i.Amount, 0)
		}
	}
	q := db.New(tx)
	made, err := q.ListsInState(ctx, db.ListsInStateParams{Treating: treating, Provider: provider, State: string(ListMade)})
	if err != nil {
		return nil, err
	}
	for _, r := range made {
		for _, line := range listOf(r).Lines {
			of(line.Fund).Listed += line.Amount
		}
	}
	list := []Payable{}
	for _, fund := range slices.Sorted(maps.Keys(funds)) {
		f := *funds[fund]
		account := accounts.Account{Book: accounts.BookOf(treating, accounts.Agency), Fund: fund, Subject: subject, Counterparty: provider}
		balance, err := d.journal.BalanceTx(ctx, tx, account, civil.Date{})
		if err != nil {
			return nil, err
		}
		f.Balance = -balance.Balance
		list = append(list, f)
	}
	return list, nil
}

// Claim is what the journal owes a provider in one fund.
type Claim struct {
	Treating string       `json:"treating"`
	Provider string       `json:"provider"`
	Fund     string       `json:"fund"`
	Amount   accounts.Fen `json:"amount"` // negative where the provider was paid too much
}

// Claims lists what a region owes its providers by the journal now, by
// provider and fund; what is settled is left out. Errors: Invalid.
func (d *Desk) Claims(ctx context.Context, treating string) ([]Claim, ledger.Position, error) {
	if err := d.city(treating, "treating"); err != nil {
		return nil, 0, err
	}
	subject, err := d.payable()
	if err != nil {
		return nil, 0, err
	}
	if _, err := d.journal.CatchUp(ctx); err != nil {
		return nil, 0, err
	}
	balances, at, err := d.journal.Balances(ctx, ledger.Filter{Book: accounts.BookOf(treating, accounts.Agency), Subject: subject}, ledger.AsOf{})
	claims := []Claim{}
	for _, b := range balances {
		if b.Balance != 0 {
			claims = append(claims, Claim{treating, b.Account.Counterparty, b.Account.Fund, -b.Balance})
		}
	}
	slices.SortFunc(claims, func(a, b Claim) int { return strings.Compare(a.Provider+" "+a.Fund, b.Provider+" "+b.Fund) })
	return claims, at, err
}
