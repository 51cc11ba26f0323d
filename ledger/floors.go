package ledger

import (
	"context"
	"maps"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// floorKey is the row of an account's floor balance; groups have rows of
// their own beside it.
func groupKey(book accounts.Book, fund, group, counterparty string) string {
	key := "group:" + string(book) + "/" + fund + "/" + group
	if counterparty != "" {
		key += "/" + counterparty
	}
	return key
}

// floorEffect is what a posting does to one floor: by how much it moves the
// balance that may not go below zero.
type floorEffect struct {
	key    string
	amount accounts.Fen
}

// floorEffects lists the floors that a posting moves: its account's own and
// that of its group. Own floors count on the normal side, groups on the
// credit side.
func (j *Journal) floorEffects(effects []floorEffect, p *Posting, account string, on civil.Date) []floorEffect {
	subject, ok := j.book.Chart.Find(p.Account.Book.Role(), p.Account.Subject, on)
	if !ok {
		return effects
	}
	return subjectFloors(effects, subject, p, account)
}

func subjectFloors(effects []floorEffect, subject accounts.Subject, p *Posting, account string) []floorEffect {
	if subject.Floor {
		amount := p.Signed()
		if subject.Normal == accounts.Credit {
			amount = -amount
		}
		effects = append(effects, floorEffect{account, amount})
	}
	if subject.Group != "" {
		counterparty := ""
		if subject.GroupByCounterparty {
			counterparty = p.Account.Counterparty
		}
		effects = append(effects, floorEffect{groupKey(p.Account.Book, p.Account.Fund, subject.Group, counterparty), -p.Signed()})
	}
	return effects
}

// floors are the floor balances that a posting transaction holds locked.
type floors struct {
	balance map[string]accounts.Fen
	version map[string]int64
	log     []floorEffect // what was applied, in order
}

func lockFloors(ctx context.Context, q *db.Queries, keys []string) (*floors, error) {
	f := &floors{map[string]accounts.Fen{}, map[string]int64{}, nil}
	if len(keys) == 0 {
		return f, nil
	}
	rows, err := q.LockFloors(ctx, keys)
	for _, r := range rows {
		f.balance[r.Account], f.version[r.Account] = accounts.Fen(r.BalanceFen), r.Version
	}
	return f, err
}

// apply moves the floors by the effects of one entry, all or, where one would
// fall below zero, none. What raises a balance is never refused.
func (f *floors) apply(e *Entry, effects []floorEffect) *fault.Error {
	net := make(map[string]accounts.Fen, len(effects))
	for _, x := range effects {
		net[x.key] += x.amount
	}
	for _, key := range slices.Sorted(maps.Keys(net)) {
		before, change := f.balance[key], net[key]
		if change < 0 && before+change < 0 {
			return fault.New(fault.Insufficient, "%s holds %s, %s is needed, short by %s", key, before, -change, -(before+change)).
				With("key", e.Key).With("account", key).With("balance", before.String()).
				With("needed", (-change).String()).With("shortfall", (-(before + change)).String())
		}
	}
	for key, change := range net {
		f.balance[key] += change
		f.log = append(f.log, floorEffect{key, change})
	}
	return nil
}

// takeBack undoes what was applied since the log had the given length.
func (f *floors) takeBack(length int) {
	for _, x := range f.log[length:] {
		f.balance[x.key] -= x.amount
	}
	f.log = f.log[:length]
}

// write stores the touched balances with their versions.
func (f *floors) write(ctx context.Context, q *db.Queries, versions map[string]int64) error {
	if len(versions) == 0 {
		return nil
	}
	var arg db.WriteFloorsParams
	for _, key := range slices.Sorted(maps.Keys(versions)) {
		arg.Accounts = append(arg.Accounts, key)
		arg.Balances = append(arg.Balances, int64(f.balance[key]))
		arg.Versions = append(arg.Versions, versions[key])
	}
	return q.WriteFloors(ctx, arg)
}

// next gives every touched floor its next version.
func (f *floors) next() map[string]int64 {
	versions := map[string]int64{}
	for _, x := range f.log {
		versions[x.key] = f.version[x.key] + 1
	}
	return versions
}

// FloorBalance returns the balance, on its normal side, of an account that
// has a floor, as a posting in this transaction would find it, and locks it
// until the transaction ends. It is zero for an account never posted to.
func (j *Journal) FloorBalance(ctx context.Context, tx pgx.Tx, account accounts.Account) (accounts.Fen, error) {
	return lockOne(ctx, tx, account.String())
}

// GroupBalance does the same for a group floor; counterparty is empty where
// the group is not kept by counterparty.
func (j *Journal) GroupBalance(ctx context.Context, tx pgx.Tx, book accounts.Book, fund, group, counterparty string) (accounts.Fen, error) {
	return lockOne(ctx, tx, groupKey(book, fund, group, counterparty))
}

func lockOne(ctx context.Context, tx pgx.Tx, key string) (accounts.Fen, error) {
	f, err := lockFloors(ctx, db.New(tx), []string{key})
	if err != nil {
		return 0, err
	}
	return f.balance[key], nil
}
