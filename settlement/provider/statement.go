package provider

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
)

// StatementLine is a month of a provider in one fund, by business date:
// opening + accepted + refunds + deductions + recovered + other − paid = closing.
type StatementLine struct {
	Fund       string       `json:"fund"`
	Opening    accounts.Fen `json:"opening"`
	Accepted   accounts.Fen `json:"accepted"`
	Refunds    accounts.Fen `json:"refunds"`    // negative
	Deductions accounts.Fen `json:"deductions"` // negative: deductions, corrections, and the records by which clawbacks are offset
	Recovered  accounts.Fen `json:"recovered"`  // payments taken back by a clawback
	Other      accounts.Fen `json:"other"`      // opening balances and manual entries
	Paid       accounts.Fen `json:"paid"`       // what came back from the bank taken off
	Closing    accounts.Fen `json:"closing"`    // the balance of the payable account in the journal
}

// Statement (定点机构对账单) is how a provider stands with a region.
type Statement struct {
	Treating string          `json:"treating"`
	Provider string          `json:"provider"`
	Month    accounts.Month  `json:"month"`
	Lines    []StatementLine `json:"lines"`
	Position ledger.Position `json:"position"`
}

// Statement makes a provider's statement of a month from the journal, funds
// without turnover and balance left out. Errors: Invalid, Internal (the lines do not lead from
// the opening to the closing balance).
func (d *Desk) Statement(ctx context.Context, treating, provider string, month accounts.Month) (*Statement, error) {
	if err := d.city(treating, "treating"); err != nil {
		return nil, err
	}
	if err := required("provider", provider); err != nil {
		return nil, err
	}
	subject, err := d.payable()
	if err != nil {
		return nil, err
	}
	reached, err := d.journal.CatchUp(ctx)
	if err != nil {
		return nil, err
	}
	var s *Statement
	err = d.journal.View(ctx, reached, func(tx pgx.Tx, at ledger.Position) error {
		s = &Statement{Treating: treating, Provider: provider, Month: month, Lines: []StatementLine{}, Position: at}
		for _, fund := range d.book.Funds {
			account := accounts.Account{Book: accounts.BookOf(treating, accounts.Agency), Fund: fund.Code, Subject: subject, Counterparty: provider}
			line, err := d.statementLine(ctx, tx, at, account, month)
			if err != nil {
				return err
			}
			if *line != (StatementLine{Fund: fund.Code}) {
				s.Lines = append(s.Lines, *line)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (d *Desk) statementLine(ctx context.Context, tx pgx.Tx, at ledger.Position, account accounts.Account, month accounts.Month) (*StatementLine, error) {
	s := &StatementLine{Fund: account.Fund}
	opening, err := d.journal.BalanceTx(ctx, tx, account, month.First().AddDays(-1))
	if err != nil {
		return nil, err
	}
	closing, err := d.journal.BalanceTx(ctx, tx, account, month.Last())
	if err != nil {
		return nil, err
	}
	s.Opening, s.Closing = -opening.Balance, -closing.Balance
	err = d.journal.LinesTx(ctx, tx, account, 0, at, month.First(), month.Last(), func(lines []ledger.EntryLine) error {
		for _, l := range lines {
			s.add(l)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if sum := s.Opening + s.Accepted + s.Refunds + s.Deductions + s.Recovered + s.Other - s.Paid; sum != s.Closing {
		return nil, fault.New(fault.Internal, "%s in %s: the lines lead to %s and the balance is %s: run fundledger check", account, month, sum, s.Closing).
			With("account", account.String())
	}
	return s, nil
}

// settled begins the names of the events by which settlements are accepted.
const settled = "settlement."

func (s *StatementLine) add(l ledger.EntryLine) {
	amount := -l.Signed()
	switch e := l.Entry; {
	case strings.HasPrefix(e.Key, ownKey):
		s.Paid -= amount
	case l.Side == accounts.Debit && l.Amount < 0:
		s.Recovered += amount
	case settlement.SettlementOf(e.Key) != "" && !e.Corrects.Valid:
		s.Accepted += amount
	case settlement.SettlementOf(e.Key) != "":
		s.Refunds += amount
	case strings.HasPrefix(e.Kind, settled), e.Corrects.Valid:
		s.Deductions += amount
	default:
		s.Other += amount
	}
}
