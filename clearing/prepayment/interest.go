package prepayment

import (
	"context"
	"fmt"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Deposit is the bank account that earns interest.
type Deposit string

const (
	FiscalAccount     Deposit = "fiscal"     // 财政专户 of the holder
	SettlementAccount Deposit = "settlement" // 省级异地就医结算户
)

// Charge is what a bank has paid or taken on an account, per fund.
type Charge struct {
	Holder    string // whose account it is
	Deposit   Deposit
	Lines     []clearing.Line
	Date      civil.Date
	Reference string // of the bank's voucher, the idempotency key
	By        string
}

// Credited is interest as posted.
type Credited struct {
	Entry    uuid.UUID `json:"entry"`
	Replayed bool      `json:"replayed,omitempty"`
}

var interestEvents = map[Deposit]string{FiscalAccount: "interest.fiscal", SettlementAccount: "interest.settlement"}

// Interest posts interest to the side that holds the account, whoever has
// prepaid what lies on it (N四(三)). The same reference with the same content
// gives the first result again.
//
// Errors: Invalid (form; a holder without books here, whose interest is its own;
// an amount that is not positive: a fee taken off interest is no interest),
// AlreadyExists (the reference stands with other content), PeriodClosed.
func (p *Prepayments) Interest(ctx context.Context, c Charge) (*Credited, error) {
	if err := p.checkCharge(c); err != nil {
		return nil, err
	}
	for _, line := range c.Lines {
		if line.Amount <= 0 {
			return nil, fault.New(fault.Invalid, "fund %s: %s is no interest; a wrong one is taken back with reverse, and a bank's fee never comes out of a fund (N四(三))", line.Fund, line.Amount).With("field", "amount")
		}
	}
	e := ledger.Entry{Key: "interest/" + c.Reference, Date: c.Date, Kind: interestEvents[c.Deposit], Source: c.Reference, Preparer: c.By,
		Summary: fmt.Sprintf("%s 利息收入", p.name(c.Holder))}
	for _, line := range c.Lines {
		lines, err := ledger.Draft(p.book, ledger.Facts{Event: e.Kind, Date: c.Date, Fund: line.Fund, Regions: map[string]string{"H": c.Holder, "P": p.home()},
			Amounts: map[string][]ledger.Part{"amount": ledger.Total(line.Amount)}})
		if err != nil {
			return nil, err
		}
		e.Postings = append(e.Postings, lines...)
	}
	var credited *Credited
	err := p.store.InTx(ctx, func(tx pgx.Tx) error {
		before, err := p.journal.EntryTx(ctx, tx, e.ID())
		if err == nil { // its period may be closed by now
			e.Period = before.Period
			results, err := p.journal.PostTx(ctx, tx, []ledger.Entry{e})
			if err != nil {
				return err
			}
			credited = &Credited{results[0].ID, true}
			return results[0].Err
		}
		if fault.KindOf(err) != fault.NotFound {
			return err
		}
		id, err := p.post(ctx, tx, &e)
		credited = &Credited{Entry: id}
		return err
	})
	if err != nil {
		return nil, err
	}
	return credited, nil
}

// BankFee refuses every fee or charge of a bank against a fund: 划拨跨省异地就医资金
// 过程中发生的银行手续费、银行票据工本费不得在基金中列支 (N四(三)). The error is always a
// Precondition that names the article, or Invalid for a request that is not whole.
func (p *Prepayments) BankFee(_ context.Context, c Charge) error {
	if err := p.checkCharge(c); err != nil {
		return err
	}
	line := c.Lines[0]
	return fault.New(fault.Precondition, "a bank fee of %s cannot be charged to fund %s: bank fees and the cost of bank forms are never borne by a fund (N四(三): 银行手续费、银行票据工本费不得在基金中列支); pay it out of the working funds of %s, and have the bank put back what it took",
		line.Amount, line.Fund, p.name(c.Holder)).With("article", "N四(三)").With("fund", line.Fund).With("amount", line.Amount.String()).With("holder", c.Holder)
}

func (p *Prepayments) checkCharge(c Charge) error {
	kind, err := p.kindOf(c.Holder)
	switch {
	case err != nil:
		return err
	case kind == accounts.Counterparty:
		return fault.New(fault.Invalid, "%s keeps no books here: interest on a prepayment is the holder's own (N四(三))", p.name(c.Holder)).With("field", "holder")
	case interestEvents[c.Deposit] == "":
		return fault.New(fault.Invalid, "%q is none of the accounts %s and %s", c.Deposit, FiscalAccount, SettlementAccount).With("field", "deposit")
	case c.Deposit == SettlementAccount && kind != accounts.Province:
		return fault.New(fault.Invalid, "%s has no settlement account: it is the province's", p.name(c.Holder)).With("field", "holder")
	case c.Reference == "" || len(c.Reference) > maxReference:
		return fault.New(fault.Invalid, "a bank's voucher needs its reference, at most %d bytes", maxReference).With("field", "reference")
	case !c.Date.IsValid():
		return fault.New(fault.Invalid, "a bank's voucher needs its date").With("field", "date")
	case len(c.Lines) == 0:
		return fault.New(fault.Invalid, "say how much, per fund").With("field", "lines")
	}
	for i, line := range c.Lines {
		switch {
		case slices.ContainsFunc(c.Lines[:i], func(l clearing.Line) bool { return l.Fund == line.Fund }):
			return fault.New(fault.Invalid, "fund %s is given twice", line.Fund).With("field", "fund")
		case !slices.ContainsFunc(p.book.Funds, func(f accounts.Fund) bool { return f.Code == line.Fund }):
			return fault.New(fault.NotFound, "there is no fund %q", line.Fund).With("field", "fund")
		}
	}
	return person(c.By)
}
