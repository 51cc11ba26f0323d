package ledger

import (
	"context"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Balance returns the balance of one account, without its sub-accounts, and
// the position of the journal that it shows; zero for an account never posted
// to. It is one statement, found by key, however long the history: prefer it
// to Balances where the account is known. It reads the projection: CatchUp
// first for what was posted last. Errors as of Balances.
func (j *Journal) Balance(ctx context.Context, account accounts.Account, as AsOf) (Balance, Position, error) {
	if err := Filter(account).check(); err != nil {
		return Balance{}, 0, err
	}
	if account.Book == "" || account.Fund == "" || account.Subject == "" {
		return Balance{}, 0, fault.New(fault.Invalid, "the account %s lacks its book, fund or subject", account)
	}
	if err := as.check(); err != nil {
		return Balance{}, 0, err
	}
	at := as.Position
	if !as.PostedAt.IsZero() {
		var err error
		if at, err = j.positionAt(ctx, as.PostedAt); err != nil || at == 0 {
			return Balance{Account: account}, 0, err
		}
	}
	var b Balance
	var head Position
	err := j.caughtUp(ctx, func() error {
		err := j.store.Read(ctx, func(r accounts.Reader) (err error) {
			b, head, err = balance(ctx, db.New(r), account, as.Date, at)
			return err
		})
		if wanted := max(at, as.AtLeast); err == nil && head < wanted {
			err = &behindError{head, wanted}
		}
		return err
	})
	if err != nil {
		return Balance{}, 0, err
	}
	b.Balance = b.Debit - b.Credit
	if at == 0 {
		at = head
	}
	return b, at, nil
}

// balance asks one statement: for a position, a date, or what is now.
func balance(ctx context.Context, q *db.Queries, account accounts.Account, date civil.Date, at Position) (b Balance, head Position, err error) {
	b.Account = account
	name := account.String()
	switch {
	case at != 0:
		head, err = b.atPosition(ctx, q, name, at)
		return b, head, err
	case !date.IsZero():
		rows, err := q.BalanceAtDate(ctx, db.BalanceAtDateParams{Account: name, Month: string(accounts.MonthOf(date))})
		for i := range rows {
			head = Position(rows[i].Position)
			if err := b.addMonth(&rows[i], date); err != nil {
				return b, head, err
			}
		}
		return b, head, err
	}
	row, err := q.BalanceNow(ctx, name)
	b.Debit, b.Credit, b.Reserved = accounts.Fen(row.DebitFen), accounts.Fen(row.CreditFen), accounts.Fen(row.ReservedFen)
	return b, Position(row.Position), err
}

// atPosition reads the block in which the position lies.
func (b *Balance) atPosition(ctx context.Context, q *db.Queries, account string, at Position) (head Position, err error) {
	row, err := q.BalanceAtPosition(ctx, db.BalanceAtPositionParams{Account: account, Position: int64(at)})
	if err != nil {
		return 0, err
	}
	b.Debit, b.Credit = accounts.Fen(row.DebitFen), accounts.Fen(row.CreditFen)
	return Position(row.Position), addLines(row.Lines, at, &b.Debit, &b.Credit)
}

// addMonth adds a month's turnover, of the last month only up to the date.
func (b *Balance) addMonth(row *db.BalanceAtDateRow, date civil.Date) (err error) {
	debit, credit := accounts.Fen(row.DebitFen), accounts.Fen(row.CreditFen)
	if row.Month == string(accounts.MonthOf(date)) {
		if debit, credit, err = daysUntil(b.Account.String(), row.Days, date); err != nil {
			return err
		}
	}
	b.Debit, b.Credit = b.Debit+debit, b.Credit+credit
	return nil
}
