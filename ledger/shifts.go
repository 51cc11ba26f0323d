package ledger

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// shift is an account, the month of business dates and the accounting period
// of lines in which the two differ: what came too late for its month, and what
// was adjusted before it was closed. Most accounts have none, so periods cost
// nothing to project beside the turnover by day.
type shift struct {
	account       string
	month, period accounts.Month
}

// addShift counts a line whose entry counts in another period.
func addShift(shifts map[shift]*dayTurnover, account string, l accountLine, period accounts.Month) {
	month := accounts.MonthOf(l.date)
	if month == period {
		return
	}
	key := shift{account, month, period}
	if shifts[key] == nil {
		shifts[key] = &dayTurnover{}
	}
	shifts[key].line(l)
}

func compareShifts(a, b shift) int {
	return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.month, b.month), cmp.Compare(a.period, b.period))
}

func (p *projection) writeShifts(ctx context.Context, q *db.Queries) error {
	if len(p.shifts) == 0 {
		return nil
	}
	var arg db.AddShiftsParams
	for _, key := range slices.SortedFunc(maps.Keys(p.shifts), compareShifts) {
		t := p.shifts[key]
		arg.Accounts, arg.Months, arg.Periods = append(arg.Accounts, key.account), append(arg.Months, string(key.month)), append(arg.Periods, string(key.period))
		arg.Debits, arg.Credits = append(arg.Debits, int64(t.debit)), append(arg.Credits, int64(t.credit))
		arg.Firsts, arg.Lasts = append(arg.Firsts, int64(t.first)), append(arg.Lasts, int64(t.last))
	}
	return q.AddShifts(ctx, arg)
}

// headShifted is how far account_shifts goes: as the projection, unless a
// server of a version that did not know it has projected since.
const headShifted = "shifted"

// catchUpShifts shifts what was projected without it, by one step, and returns
// how far it goes then.
func catchUpShifts(ctx context.Context, q *db.Queries, projected Position) (reached Position, err error) {
	head, err := q.ReadHead(ctx, headShifted)
	if err != nil || Position(head) >= projected {
		return projected, err
	}
	entries, err := sealedEntries(ctx, q, Position(head), min(int64(projected), head+projectEntries))
	if err != nil {
		return 0, err
	}
	p := newProjection()
	if err := p.add(ctx, q, Position(head)+1, entries); err != nil {
		return 0, err
	}
	reached = Position(head) + Position(len(entries))
	if err := p.writeShifts(ctx, q); err != nil {
		return 0, err
	}
	return reached, q.MoveHeads(ctx, db.MoveHeadsParams{Names: []string{headShifted}, Position: int64(reached)})
}

// shiftedToo asks that account_shifts goes as far as the projection.
func shiftedToo(ctx context.Context, q *db.Queries, projected Position) error {
	head, err := q.ReadHead(ctx, headShifted)
	if err == nil && Position(head) < projected {
		err = &behindError{Position(head), projected}
	}
	return err
}

// compareShifts compares what the projection has shifted with the entries.
func (c *checker) compareShifts(ctx context.Context, q *db.Queries) error {
	after := db.PageOfShiftsParams{Page: comparePage}
	stored := map[shift]dayTurnover{}
	for {
		rows, err := q.PageOfShifts(ctx, after)
		if err != nil {
			return err
		}
		for _, r := range rows {
			after.Account, after.Month, after.Period = r.Account, r.Month, r.Period
			stored[shift{r.Account, accounts.Month(r.Month), accounts.Month(r.Period)}] = dayTurnover{
				accounts.Fen(r.DebitFen), accounts.Fen(r.CreditFen), Position(r.FirstPosition), Position(r.LastPosition),
			}
		}
		if len(rows) < comparePage {
			break
		}
	}
	for key, want := range c.shifts {
		c.items[checkTurnover]++
		if got, ok := stored[key]; !ok || got != *want {
			c.find(checkTurnover, key.account, "", "what of %s counts in %s is not that of the journal's entries", key.month, key.period)
		}
		delete(stored, key)
	}
	for _, key := range slices.SortedFunc(maps.Keys(stored), compareShifts) {
		c.find(checkTurnover, key.account, "", "nothing of %s counts in %s, the projection says so", key.month, key.period)
	}
	return nil
}
