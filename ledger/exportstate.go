package ledger

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// filler fills frames of one type.
type filler struct {
	frames  *frameWriter
	kind    byte
	content []byte
}

// add takes the content with one more record, and writes it when it is much.
func (f *filler) add(content []byte) error {
	if f.content = content; len(content) < aimFrame {
		return nil
	}
	return f.flush()
}

func (f *filler) flush() error {
	err := f.frames.frame(f.kind, f.content)
	f.content = f.content[:0]
	return err
}

// periods writes every month that is known, which are few.
func (e *export) periods() error {
	histories, err := readHistories(e.ctx, e.q)
	if err != nil {
		return err
	}
	f := filler{frames: e.frames, kind: framePeriods}
	for i := range histories {
		e.counts.months++
		if err := f.add(histories[i].append(f.content)); err != nil {
			return err
		}
	}
	return f.flush()
}

func (e *export) balances() error {
	f := filler{frames: e.frames, kind: frameBalances}
	after := db.PageOfBalancesParams{Page: comparePage}
	for {
		rows, err := e.q.PageOfBalances(e.ctx, after)
		if err != nil {
			return err
		}
		for _, r := range rows {
			after.Account = r.Account
			e.counts.balances++
			b := bundleBalance{r.Account, accounts.Fen(r.DebitFen), accounts.Fen(r.CreditFen), r.LineCount, Position(r.Position)}
			if err := f.add(b.append(f.content)); err != nil {
				return err
			}
		}
		if len(rows) < comparePage {
			return f.flush()
		}
	}
}

func (e *export) floors() error {
	floors, behind, err := e.journal.floorsAt(e.ctx, e.q, e.position)
	if err != nil {
		return err
	}
	e.counts.behind = behind
	f := filler{frames: e.frames, kind: frameFloors}
	for _, key := range slices.Sorted(maps.Keys(floors)) {
		e.counts.floors++
		if err := f.add(floors[key].append(f.content)); err != nil {
			return err
		}
	}
	return f.flush()
}

func (e *export) pendings() error {
	f := filler{frames: e.frames, kind: framePendings}
	after := db.ListPendingsParams{Page: comparePage}
	for {
		rows, err := e.q.ListPendings(e.ctx, after)
		if err != nil {
			return err
		}
		waiting, err := e.waiting(rows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			after.After = r.Key
			e.counts.pendings++
			p := bundlePending{key: r.Key, digest: r.Digest, waits: waiting[FinishID(r.Key)]}
			if decoded, err := decodePending(r); err == nil {
				p.Pending, p.canonical = *decoded, appendCanonical(nil, &decoded.Entry, nil)
			} // else for the verification to find
			if err := f.add(p.append(f.content)); err != nil {
				return err
			}
		}
		if len(rows) < comparePage {
			return f.flush()
		}
	}
}

// waiting returns the entries that finished pendings became and that have no
// place up to the position.
func (e *export) waiting(rows []db.Pending) (map[uuid.UUID]bool, error) {
	var finished []uuid.UUID
	for _, r := range rows {
		if PendingState(r.State) == Finished {
			finished = append(finished, FinishID(r.Key))
		}
	}
	if len(finished) == 0 || e.counts.behind == 0 {
		return nil, nil
	}
	ids, err := e.q.WaitingOf(e.ctx, db.WaitingOfParams{Ids: finished, Position: int64(e.position)})
	waiting := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		waiting[id] = true
	}
	return waiting, err
}

// laterPage is how many batches behind a position are read at a time.
const laterPage = 100

// floorsAt takes back from the floor balances, which run ahead of the
// sequence, what batches behind the position have done to them, and counts the
// entries of those.
func (j *Journal) floorsAt(ctx context.Context, q *db.Queries, position Position) (_ map[string]bundleFloor, behind int64, err error) {
	rows, err := q.AllFloors(ctx)
	if err != nil {
		return nil, 0, err
	}
	floors := make(map[string]bundleFloor, len(rows))
	for _, r := range rows {
		floors[r.Account] = bundleFloor{key: r.Account, balance: accounts.Fen(r.BalanceFen), version: r.Version, reserved: accounts.Fen(r.ReservedFen)}
	}
	earliest := map[string]int64{} // version of each floor among the batches behind
	later := db.LaterBatchesParams{Position: int64(position), Page: laterPage}
	for {
		batches, err := q.LaterBatches(ctx, later)
		if err != nil {
			return nil, 0, err
		}
		for _, b := range batches {
			later.After = b.ID
			behind += int64(len(b.Entries))
			var versions map[string]int64
			if err := json.Unmarshal(b.Floors, &versions); err != nil {
				return nil, 0, fault.New(fault.Internal, "batch %s cannot be read: %w", b.ID, err)
			}
			for key, version := range versions {
				if strings.HasPrefix(key, correctedPrefix) {
					continue // which orders corrections and is no floor
				}
				if before, ok := earliest[key]; !ok || version < before {
					earliest[key] = version
				}
			}
			if err := j.takeBack(ctx, q, floors, b.Entries); err != nil {
				return nil, 0, err
			}
		}
		if len(batches) < laterPage {
			break
		}
	}
	for key, version := range earliest {
		f := floors[key]
		if f.version = version - 1; f.version == 0 && f.balance == 0 && f.reserved == 0 {
			delete(floors, key) // it did not exist yet
		} else {
			floors[key] = f
		}
	}
	return floors, behind, nil
}

func (j *Journal) takeBack(ctx context.Context, q *db.Queries, floors map[string]bundleFloor, entries []uuid.UUID) error {
	records, err := readEntries(ctx, q, entries)
	if err != nil {
		return err
	}
	var effects []floorEffect
	for _, r := range records {
		for i := range r.Postings {
			effects = j.floorEffects(effects[:0], &r.Postings[i], r.legs[i].Account, r.Date)
			for _, x := range effects {
				f := floors[x.key]
				f.key, f.balance, f.ahead = x.key, f.balance-x.amount, f.ahead+x.amount
				floors[x.key] = f
			}
		}
	}
	return nil
}
