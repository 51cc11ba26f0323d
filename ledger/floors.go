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
	subject, ok := j.rules().book.Chart.Find(p.Account.Book.Role(), p.Account.Subject, on)
	if !ok {
		return effects
	}
	return subjectFloors(effects, &subject, p, account)
}

func subjectFloors(effects []floorEffect, subject *accounts.Subject, p *Posting, account string) []floorEffect {
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

// floors are the floor balances that a posting transaction holds locked, and
// what pending entries have reserved of them.
type floors struct {
	ctx     context.Context
	queries *db.Queries

	balance  map[string]accounts.Fen
	reserved map[string]accounts.Fen
	version  map[string]int64
	log      []floorEffect   // what was applied, in order
	changed  map[string]bool // floors whose reservation the transaction has changed
	swept    bool            // expired pendings were looked for
	err      error           // of the database, while applying
}

func lockFloors(ctx context.Context, q *db.Queries, keys []string) (*floors, error) {
	f := &floors{
		ctx: ctx, queries: q, balance: map[string]accounts.Fen{}, reserved: map[string]accounts.Fen{},
		version: map[string]int64{}, changed: map[string]bool{},
	}
	return f, f.lock(keys)
}

// lock adds floors to those held, in order of key.
func (f *floors) lock(keys []string) error {
	var missing []string
	for _, key := range keys {
		if _, held := f.balance[key]; !held {
			missing = append(missing, key)
			f.balance[key] = 0
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	rows, err := f.queries.LockFloors(f.ctx, missing)
	for _, r := range rows {
		f.balance[r.Account], f.reserved[r.Account], f.version[r.Account] = accounts.Fen(r.BalanceFen), accounts.Fen(r.ReservedFen), r.Version
	}
	return err
}

// free is what an entry may still take.
func (f *floors) free(key string) accounts.Fen { return f.balance[key] - f.reserved[key] }

// refuse says why the floors cannot bear the changes, or returns nil. What
// raises a balance is never refused. Reservations that have expired are
// released before they are a reason.
func (f *floors) refuse(e *Entry, net map[string]accounts.Fen) *fault.Error {
	for _, key := range slices.Sorted(maps.Keys(net)) {
		change := net[key]
		if change < 0 && f.free(key)+change < 0 && f.reserved[key] > 0 {
			f.sweep()
		}
		free := f.free(key)
		if change >= 0 || free+change >= 0 {
			continue
		}
		held := f.balance[key].String()
		if f.reserved[key] > 0 {
			held += " of which " + f.reserved[key].String() + " is reserved"
		}
		return fault.New(fault.Insufficient, "%s holds %s, %s is needed, short by %s", key, held, -change, -(free+change)).
			With("key", e.Key).With("account", key).With("balance", f.balance[key].String()).With("reserved", f.reserved[key].String()).
			With("needed", (-change).String()).With("shortfall", (-(free + change)).String())
	}
	return nil
}

// netOf sums the effects by floor.
func netOf(effects []floorEffect) map[string]accounts.Fen {
	net := make(map[string]accounts.Fen, len(effects))
	for _, x := range effects {
		net[x.key] += x.amount
	}
	return net
}

// apply moves the floors by the effects of one entry, all or, where one would
// fall below what is reserved of it, none.
func (f *floors) apply(e *Entry, effects []floorEffect) *fault.Error {
	if len(effects) == 0 {
		return nil
	}
	net := netOf(effects)
	if err := f.refuse(e, net); err != nil {
		return err
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

// rows are the floors that were touched, with their versions, and those whose
// reservations were changed.
func (f *floors) rows(versions map[string]int64) (rows db.WriteFloorsParams) {
	touched := maps.Clone(f.changed)
	for key := range versions {
		touched[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(touched)) {
		version, ok := versions[key]
		if !ok { // a reservation has no place in the sequence, so it takes no version
			version = f.version[key]
		}
		rows.Accounts = append(rows.Accounts, key)
		rows.Balances = append(rows.Balances, int64(f.balance[key]))
		rows.Reserved = append(rows.Reserved, int64(f.reserved[key]))
		rows.Versions = append(rows.Versions, version)
	}
	return rows
}

// write stores the reservations that were changed, where nothing is posted.
func (f *floors) write() error {
	rows := f.rows(nil)
	if len(rows.Accounts) == 0 {
		return nil
	}
	return f.queries.WriteFloors(f.ctx, rows)
}

// next gives every touched floor its next version.
func (f *floors) next() map[string]int64 {
	versions := map[string]int64{}
	for _, x := range f.log {
		versions[x.key] = f.version[x.key] + 1
	}
	return versions
}

// FloorBalance returns how much a posting in this transaction may take of an
// account that has a floor: its balance on the normal side less what pending
// entries reserve. The account stays locked until the transaction ends. It is
// zero for an account never posted to.
func (j *Journal) FloorBalance(ctx context.Context, tx pgx.Tx, account accounts.Account) (accounts.Fen, error) {
	free, err := lockFree(ctx, tx, account.String())
	return free[account.String()], err
}

// FloorBalances is FloorBalance of many accounts at once.
func (j *Journal) FloorBalances(ctx context.Context, tx pgx.Tx, list []accounts.Account) (map[accounts.Account]accounts.Fen, error) {
	keys := make([]string, len(list))
	for i, account := range list {
		keys[i] = account.String()
	}
	free, err := lockFree(ctx, tx, keys...)
	balances := make(map[accounts.Account]accounts.Fen, len(list))
	for i, account := range list {
		balances[account] = free[keys[i]]
	}
	return balances, err
}

// GroupBalance does the same for a group floor; counterparty is empty where
// the group is not kept by counterparty.
func (j *Journal) GroupBalance(ctx context.Context, tx pgx.Tx, book accounts.Book, fund, group, counterparty string) (accounts.Fen, error) {
	key := groupKey(book, fund, group, counterparty)
	free, err := lockFree(ctx, tx, key)
	return free[key], err
}

// lockFree locks floors and returns what is free of each; what is reserved by
// entries that have expired is released first.
func lockFree(ctx context.Context, tx pgx.Tx, keys ...string) (map[string]accounts.Fen, error) {
	f, err := lockFloors(ctx, db.New(tx), keys)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(keys, func(key string) bool { return f.reserved[key] > 0 }) {
		if f.sweep(); f.err == nil {
			f.err = f.write()
		}
	}
	free := make(map[string]accounts.Fen, len(keys))
	for _, key := range keys {
		free[key] = f.free(key)
	}
	return free, f.err
}
