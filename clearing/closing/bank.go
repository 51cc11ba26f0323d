package closing

import (
	"context"
	"fmt"

	"fundledger/accounts"
	"fundledger/clearing/bank"
	"fundledger/internal/fault"
)

// bankPoint looks at the 银行存款余额调节表 of the bank accounts that hold the
// book's money at the end of the month: a statement has the day, the adjusted
// balances agree, and no line of a statement has stayed unexplained for too long.
type bankPoint struct{ desk *bank.Desk }

const (
	bankName  = "bank"
	bankTitle = "银行存款余额调节表 Bank reconciliation"
)

func (p bankPoint) Look(ctx context.Context, book accounts.Book, month accounts.Month) (Item, error) {
	day := month.Last()
	list, err := p.desk.Accounts(ctx, day)
	if err != nil {
		return Item{}, err
	}
	kept := false
	var open []string
	for _, account := range list {
		if account.Book != book {
			continue
		}
		kept = true
		table, err := p.desk.Reconcile(ctx, account.Number, day, 0)
		switch {
		case fault.KindOf(err) == fault.Precondition:
			open = append(open, fmt.Sprintf("bank account %s has no statement of %s", account.Number, day))
			continue
		case err != nil:
			return Item{}, err
		case !table.Ties():
			open = append(open, fmt.Sprintf("bank account %s: the adjusted balances differ by %s on %s", account.Number, table.Difference, day))
		}
		for _, item := range table.Items {
			if item.Alert {
				open = append(open, fmt.Sprintf("bank account %s: %s of %s is unexplained for %d days", account.Number, item.Amount, item.Date, item.Age))
			}
		}
	}
	if !kept {
		return Item{Name: bankName, Title: bankTitle, State: NotKept, Details: []string{"no bank account of the book is entered"}}, nil
	}
	return itemOf(bankName, bankTitle, open), nil
}
