package ledger

import (
	"encoding/json"
	"maps"
	"slices"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// holds are what a pending entry reserves: of each floor that posting it would
// lower, by how much. What it would raise counts only when it is posted.
type holds map[string]accounts.Fen

func holdsOf(effects []floorEffect) holds {
	h := holds{}
	for key, change := range netOf(effects) {
		if change < 0 {
			h[key] = -change
		}
	}
	return h
}

// encode writes fen as numbers.
func (h holds) encode() []byte {
	fen := make(map[string]int64, len(h))
	for key, amount := range h {
		fen[key] = int64(amount)
	}
	data, err := json.Marshal(fen)
	if err != nil {
		panic(err) // a map of numbers
	}
	return data
}

func decodeHolds(key string, data []byte) (holds, error) {
	var fen map[string]int64
	if err := json.Unmarshal(data, &fen); err != nil {
		return nil, fault.New(fault.Internal, "what pending entry %q reserves cannot be read: %w", key, err)
	}
	h := make(holds, len(fen))
	for floor, amount := range fen {
		h[floor] = accounts.Fen(amount)
	}
	return h, nil
}

// reserve takes the holds out of what is free.
func (f *floors) reserve(h holds) {
	for key, amount := range h {
		f.reserved[key] += amount
		f.changed[key] = true
	}
}

// release gives them back.
func (f *floors) release(h holds) {
	for key, amount := range h {
		f.reserved[key] -= amount
		f.changed[key] = true
	}
}

// sweep releases the expired pendings that hold any of the locked floors, once
// in a transaction.
func (f *floors) sweep() {
	if f.swept || f.err != nil {
		return
	}
	f.swept = true
	var rows []db.ExpiredHoldingRow
	if rows, f.err = f.queries.ExpiredHolding(f.ctx, slices.Sorted(maps.Keys(f.balance))); f.err != nil {
		return
	}
	expired := make(map[string]holds, len(rows))
	for _, r := range rows {
		if expired[r.Key], f.err = decodeHolds(r.Key, r.Holds); f.err != nil {
			return
		}
	}
	_, f.err = f.expire(expired)
}

// expire ends pendings by key and releases what they hold. The floors are
// locked before the pendings, as everywhere.
func (f *floors) expire(expired map[string]holds) (int64, error) {
	if len(expired) == 0 {
		return 0, nil
	}
	floors := map[string]bool{}
	for _, h := range expired {
		for floor := range h {
			floors[floor] = true
		}
	}
	if err := f.lock(slices.Sorted(maps.Keys(floors))); err != nil {
		return 0, err
	}
	for _, h := range expired {
		f.release(h)
	}
	n, err := f.queries.DecidePendings(f.ctx, db.DecidePendingsParams{
		State: string(Expired), Keys: slices.Sorted(maps.Keys(expired)), Reason: "its time has passed",
	})
	if err == nil && n != int64(len(expired)) {
		err = fault.New(fault.Internal, "%d of %d expired pending entries were decided by another transaction", int64(len(expired))-n, len(expired))
	}
	return n, err
}
