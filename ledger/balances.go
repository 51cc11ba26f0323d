package ledger

import (
	"context"
	"fmt"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Filter selects accounts; an empty field selects all. A subject covers its
// sub-accounts: "2001" covers "2001.01.03".
type Filter struct {
	Book         accounts.Book `json:"book,omitempty"`
	Fund         string        `json:"fund,omitempty"`
	Subject      string        `json:"subject,omitempty"`
	Counterparty string        `json:"counterparty,omitempty"`
}

func (f Filter) check() error {
	for name, value := range map[string]string{"book": string(f.Book), "fund": f.Fund, "subject": f.Subject, "counterparty": f.Counterparty} {
		if value != "" && !isCode(value) {
			return fault.New(fault.Invalid, "%s %q has characters that a code may not have", name, value).With("field", name)
		}
	}
	return nil
}

// AsOf is the state that a balance is wanted of: now (zero), at the end of a
// business date, at a position of the journal, or at a time of posting. Only
// one of them is given.
type AsOf struct {
	Date     civil.Date `json:"date,omitzero"`
	Position Position   `json:"position,omitempty"`
	// PostedAt is a time by the clock of the database: it stands for the last
	// position up to which every batch was posted at the time or before it. So
	// a later time never shows less. It is final once anything posted after
	// the time is sealed.
	PostedAt time.Time `json:"posted_at,omitzero"`
	// AtLeast is a position that the answer must have seen, such as that of an
	// entry or of an earlier answer, with any of the above or with none.
	AtLeast Position `json:"at_least,omitempty"`
}

// Balance is an account's turnover on both sides since it was opened, and
// debits less credits. Reserved is what pending entries hold of an account
// with a floor at this moment; it is given with balances of now only.
type Balance struct {
	Account  accounts.Account `json:"account"`
	Debit    accounts.Fen     `json:"debit"`
	Credit   accounts.Fen     `json:"credit"`
	Balance  accounts.Fen     `json:"balance"`
	Reserved accounts.Fen     `json:"reserved,omitempty"`
}

func balanceOf(account string, debit, credit accounts.Fen) (Balance, error) {
	a, err := accounts.ParseAccount(account)
	return Balance{Account: a, Debit: debit, Credit: credit, Balance: debit - credit}, err
}

// Balances returns the balances of the accounts that the filter selects, in
// order of account, and the position of the journal that they show. It reads
// the projection, which follows posting (CatchUp first for what was posted
// last), and brings it itself up to a position that is asked. Errors: Invalid
// (a filter or state that makes no sense), NotFound (the journal is shorter).
func (j *Journal) Balances(ctx context.Context, filter Filter, as AsOf) ([]Balance, Position, error) {
	if err := filter.check(); err != nil {
		return nil, 0, err
	}
	if err := as.check(); err != nil {
		return nil, 0, err
	}
	at := as.Position
	if !as.PostedAt.IsZero() {
		var err error
		if at, err = j.positionAt(ctx, as.PostedAt); err != nil || at == 0 {
			return nil, 0, err
		}
	}
	var balances []Balance
	var seen Position
	err := j.read(ctx, func(q *db.Queries) (err error) {
		if seen, err = projected(ctx, q, max(at, as.AtLeast)); err != nil {
			return err
		}
		switch {
		case at != 0:
			balances, err = balancesAtPosition(ctx, q, filter, at)
			seen = at
		case !as.Date.IsZero():
			balances, err = balancesAtDate(ctx, q, filter, as.Date)
		default:
			balances, err = balancesNow(ctx, q, filter)
		}
		return err
	})
	return balances, seen, err
}

func (as AsOf) check() error {
	given := 0
	for _, zero := range []bool{as.Date.IsZero(), as.Position == 0, as.PostedAt.IsZero()} {
		if !zero {
			given++
		}
	}
	if given > 1 {
		return fault.New(fault.Invalid, "give a date, a position or a time of posting, not two of them")
	}
	return nil
}

// positionAt finds the last position up to which every batch was posted at the
// time or before it. What was true at a position stays true, so it may be read
// in another snapshot.
func (j *Journal) positionAt(ctx context.Context, at time.Time) (found Position, err error) {
	err = j.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		found, err = positionAt(ctx, db.New(tx), at)
		return err
	})
	return found, err
}

// The latest time up to each batch is stored with it and only rises, so halving
// finds the position.
func positionAt(ctx context.Context, q *db.Queries, at time.Time) (Position, error) {
	head, err := q.ReadHead(ctx, headSealed)
	if err != nil {
		return 0, err
	}
	found, low, high := int64(0), int64(1), head // the batch sought begins between low and high
	for low <= high {
		rows, err := q.SealedAt(ctx, (low+high+1)/2)
		if err != nil {
			return 0, err
		}
		if len(rows) == 0 {
			return 0, fault.New(fault.Internal, "the sequence does not begin at position 1: run fundledger check")
		}
		if r := rows[0]; r.PostedUntil.After(at) {
			high = r.FirstPosition - 1
		} else {
			found = r.FirstPosition + r.Entries - 1
			low = found + 1
		}
	}
	return Position(found), nil
}

func balancesNow(ctx context.Context, q *db.Queries, f Filter) ([]Balance, error) {
	rows, err := q.ListBalances(ctx, db.ListBalancesParams{Book: string(f.Book), Fund: f.Fund, Subject: f.Subject, Counterparty: f.Counterparty})
	if err != nil {
		return nil, err
	}
	balances := make([]Balance, len(rows))
	for i, r := range rows {
		if balances[i], err = balanceOf(r.Account, accounts.Fen(r.DebitFen), accounts.Fen(r.CreditFen)); err != nil {
			return nil, err
		}
		balances[i].Reserved = accounts.Fen(r.ReservedFen)
	}
	return balances, nil
}

func balancesAtPosition(ctx context.Context, q *db.Queries, f Filter, at Position) ([]Balance, error) {
	rows, err := q.ListBalancesAtPosition(ctx, db.ListBalancesAtPositionParams{
		Position: int64(at), Book: string(f.Book), Fund: f.Fund, Subject: f.Subject, Counterparty: f.Counterparty,
	})
	if err != nil {
		return nil, err
	}
	balances := make([]Balance, len(rows))
	for i, r := range rows {
		debit, credit := accounts.Fen(r.OpeningDebitFen), accounts.Fen(r.OpeningCreditFen)
		if err := addLines(r.Lines, at, &debit, &credit); err != nil {
			return nil, err
		}
		if balances[i], err = balanceOf(r.Account, debit, credit); err != nil {
			return nil, err
		}
	}
	return balances, nil
}

func balancesAtDate(ctx context.Context, q *db.Queries, f Filter, date civil.Date) ([]Balance, error) {
	month := accounts.MonthOf(date)
	rows, err := q.ListBalancesAtDate(ctx, db.ListBalancesAtDateParams{
		Month: string(month), Book: string(f.Book), Fund: f.Fund, Subject: f.Subject, Counterparty: f.Counterparty,
	})
	if err != nil {
		return nil, err
	}
	var balances []Balance
	last := ""
	for _, r := range rows {
		debit, credit := accounts.Fen(r.DebitFen), accounts.Fen(r.CreditFen)
		if r.Month == string(month) {
			var err error
			if debit, credit, err = daysUntil(r.Account, r.Days, date); err != nil {
				return nil, err
			}
		}
		if r.Account != last {
			last = r.Account
			b, err := balanceOf(r.Account, 0, 0)
			if err != nil {
				return nil, err
			}
			balances = append(balances, b)
		}
		b := &balances[len(balances)-1]
		b.Debit, b.Credit = b.Debit+debit, b.Credit+credit
		b.Balance = b.Debit - b.Credit
	}
	return balances, nil
}

// addLines adds the lines of a block up to and with the position.
func addLines(block []byte, at Position, debit, credit *accounts.Fen) error {
	lines, err := decodeLines(block)
	for _, l := range lines {
		if l.position <= at {
			l.turnover(debit, credit)
		}
	}
	return err
}

// daysUntil reads the turnover of the date's month up to and with the date.
func daysUntil(account string, data []byte, date civil.Date) (debit, credit accounts.Fen, err error) {
	days, err := decodeDays(account, string(accounts.MonthOf(date)), data)
	if err != nil {
		return 0, 0, err
	}
	debit, credit = days.until(date)
	return debit, credit, nil
}

// until sums the days up to and with the date.
func (m monthTurnover) until(date civil.Date) (debit, credit accounts.Fen) {
	last := fmt.Sprintf("%02d", date.Day)
	for day, t := range m {
		if day <= last {
			debit, credit = debit+t.debit, credit+t.credit
		}
	}
	return debit, credit
}
