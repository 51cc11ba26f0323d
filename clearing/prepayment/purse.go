package prepayment

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// purse names where prepayment money stands in the agency book of the province:
// the account that an event of the posting table writes there.
type purse struct {
	event string
	side  accounts.Side
}

var (
	paidByCity     = purse{"prepayment.paid.in_province", accounts.Credit} // received from a city for the in-province pool
	collected      = purse{"prepayment.collected.cross", accounts.Credit}  // received from a city for other provinces
	atProvince     = purse{"prepayment.forwarded.cross", accounts.Debit}   // ours, lying at another province
	ofProvince     = purse{"prepayment.received.cross", accounts.Credit}   // another province's, lying here
	usedOfPool     = purse{"pool.refilled.in_province", accounts.Credit}   // what the in-province pool has advanced
	usedOfProvince = purse{"pool.refilled.in", accounts.Credit}            // what another province's prepayment has advanced
)

// account is that of the purse for the counterparty in the fund; the cash
// account that the event moves too is told apart by having no counterparty of
// the event.
func (p *Prepayments) account(of purse, fund, counterparty string, on civil.Date) (accounts.Account, error) {
	for _, rule := range p.book.Postings.Event(of.event, on) {
		subject, ok := p.book.Chart.Find(rule.Role, rule.Subject, on)
		if rule.Region == "P" && rule.Role == accounts.Agency && rule.Side == of.side && ok && (counterparty != "") == (subject.Counterparty == "region") {
			return accounts.Account{Book: accounts.BookOf(p.home(), accounts.Agency), Fund: fund, Subject: rule.Subject, Counterparty: counterparty}, nil
		}
	}
	return accounts.Account{}, fault.New(fault.Internal, "event %s has no line for %s at the province", of.event, of.side)
}

// at is a purse of a party in a fund.
type at struct {
	purse       purse
	party, fund string
}

// held is what of each purse a posting in this transaction may take, with what is
// reserved taken off; the accounts stay locked until the transaction ends.
func (p *Prepayments) held(ctx context.Context, tx pgx.Tx, on civil.Date, list ...at) (map[at]accounts.Fen, error) {
	of := make([]accounts.Account, len(list))
	for i, a := range list {
		var err error
		if of[i], err = p.account(a.purse, a.fund, a.party, on); err != nil {
			return nil, err
		}
	}
	free, err := p.journal.FloorBalances(ctx, tx, of)
	held := make(map[at]accounts.Fen, len(list))
	for i, a := range list {
		held[a] = free[of[i]]
	}
	return held, err
}

// unforwarded is what the cities have paid in for other provinces and still lies
// here, by fund: no more can go to a province or back to a city (专款专用, J29).
func (p *Prepayments) unforwarded(ctx context.Context, tx pgx.Tx, on civil.Date, funds []string) (map[string]accounts.Fen, error) {
	var list []at
	for _, fund := range funds {
		for _, region := range p.book.Regions {
			switch region.Kind {
			case accounts.City:
				list = append(list, at{collected, region.Code, fund})
			case accounts.Counterparty:
				list = append(list, at{atProvince, region.Code, fund})
			}
		}
	}
	held, err := p.held(ctx, tx, on, list...)
	here := map[string]accounts.Fen{}
	for a, amount := range held {
		if a.purse == atProvince {
			amount = -amount
		}
		here[a.fund] += amount
	}
	return here, err
}
