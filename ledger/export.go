package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Exported says what a bundle holds.
type Exported struct {
	Position Position `json:"position"`
	Entries  int64    `json:"entries"`
	Bytes    int64    `json:"bytes"`
}

// ExportBundle writes the sealed and projected journal as one self-contained
// file that VerifyBundle proves without a database: rules, entries with
// digests, vouchers and floor versions, signed checkpoints, balances. All of
// it is one snapshot, at the position that the bundle names; CatchUp first to
// have it all. It is written as a stream. Progress, if given, hears from time
// to time how far it is. An entry that the journal has lost is left out, for
// the verification to find. Errors: those of the writer and of the database.
func (j *Journal) ExportBundle(ctx context.Context, w io.Writer, progress func(done, of Position)) (Exported, error) {
	var exported Exported
	started := false
	err := j.store.Snapshot(ctx, func(tx pgx.Tx) error {
		if started { // what is written cannot be taken back
			return fault.New(fault.Unavailable, "the database gave up the snapshot while it was exported: export again")
		}
		started = true
		frames, err := newFrameWriter(w)
		if err != nil {
			return err
		}
		e := &export{journal: j, ctx: ctx, q: db.New(tx), frames: frames, progress: progress}
		if err := e.run(); err != nil {
			return err
		}
		exported = Exported{e.position, e.counts.entries, frames.bytes}
		return nil
	})
	return exported, err
}

// export is one run of ExportBundle.
type export struct {
	journal  *Journal
	ctx      context.Context
	q        *db.Queries
	frames   *frameWriter
	progress func(done, of Position)

	position  Position
	counts    bundleCounts
	page      []*Record // waiting for their vouchers
	entries   []byte    // content of the frame that is being filled
	canonical []byte
	batch     uuid.UUID // of the last entry in it
	noted     db.PageOfCheckpointsParams
}

// exportPage is how many entries ask for their vouchers at once.
const exportPage = 2000

func (e *export) run() error {
	if err := e.header(); err != nil {
		return err
	}
	err := walk(e.ctx, e.q, e.position, func(r *Record) error {
		if r.Position > e.position {
			return nil
		}
		e.page = append(e.page, r)
		if len(e.page) < exportPage {
			return nil
		}
		return e.writePage()
	}, func(Position, uuid.UUID) error { return nil })
	if err != nil {
		return err
	}
	for _, rest := range []func() error{e.writePage, func() error { return e.writeEntries(e.position) }, e.balances, e.floors} {
		if err := rest(); err != nil {
			return err
		}
	}
	return e.frames.frame(frameEnd, e.counts.append(nil))
}

func (e *export) header() error {
	head, err := e.q.ReadHead(e.ctx, headProjected)
	if err != nil {
		return err
	}
	e.position = Position(head)
	root := (&peaks{}).root()
	if head > 0 {
		if root, err = tlog.TreeHash(head, newTree(e.ctx, e.q, e.position)); err != nil {
			return err
		}
	}
	periods, err := e.q.AllPeriods(e.ctx)
	if err != nil {
		return err
	}
	h := bundleHeader{Origin: e.journal.origin(), Position: e.position, Root: root[:], Subjects: e.journal.book.Chart.Subjects()}
	for _, p := range periods {
		h.Periods = append(h.Periods, bundlePeriod{accounts.Book(p.Book), accounts.Month(p.Month), p.State})
	}
	content, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return e.frames.frame(frameHeader, content)
}

// writePage adds the waiting entries, now with their vouchers, to frames.
func (e *export) writePage() error {
	ids := make([]uuid.UUID, len(e.page))
	for i, r := range e.page {
		ids[i] = r.ID
	}
	rows, err := e.q.VouchersOf(e.ctx, ids)
	if err != nil {
		return err
	}
	vouchers := map[uuid.UUID][]Voucher{}
	for _, v := range rows { // ordered by book
		vouchers[v.EntryID] = append(vouchers[v.EntryID], Voucher{accounts.Book(v.Book), accounts.Month(v.Period), v.Number})
	}
	for _, r := range e.page {
		r.Vouchers = vouchers[r.ID]
		if len(r.digest) != sha256.Size {
			r.digest = make([]byte, sha256.Size) // which is the digest of nothing
		}
		e.canonical = appendCanonical(e.canonical[:0], &r.Entry, nil)
		e.entries = appendBundleEntry(e.entries, r, e.batch, e.canonical)
		e.batch = r.Batch
		e.counts.entries++
		if len(e.entries) >= aimFrame {
			if err := e.writeEntries(r.Position); err != nil {
				return err
			}
		}
	}
	e.page = e.page[:0]
	return nil
}

// writeEntries writes the checkpoints up to the position and then the frame
// of entries that ends there.
func (e *export) writeEntries(until Position) error {
	for e.noted.Page = comparePage; ; {
		rows, err := e.q.PageOfCheckpoints(e.ctx, e.noted)
		if err != nil {
			return err
		}
		var notes []byte
		for _, c := range rows {
			if Position(c.Position) > until {
				rows = nil
				break
			}
			notes = appendText(notes, c.Note)
			e.noted.Position, e.noted.Signer = c.Position, c.Signer
			e.counts.checkpoints++
		}
		if err := e.frames.frame(frameCheckpoints, notes); err != nil {
			return err
		}
		if len(rows) < comparePage {
			break
		}
	}
	if err := e.frames.frame(frameEntries, e.entries); err != nil {
		return err
	}
	e.entries, e.batch = e.entries[:0], uuid.Nil
	if e.progress != nil {
		e.progress(until, e.position)
	}
	return nil
}

func (e *export) balances() error {
	after := db.PageOfBalancesParams{Page: comparePage}
	for {
		rows, err := e.q.PageOfBalances(e.ctx, after)
		if err != nil {
			return err
		}
		var content []byte
		for _, r := range rows {
			content = bundleBalance{r.Account, accounts.Fen(r.DebitFen), accounts.Fen(r.CreditFen), r.LineCount, Position(r.Position)}.append(content)
			after.Account = r.Account
			e.counts.balances++
		}
		if err := e.frames.frame(frameBalances, content); err != nil || len(rows) < comparePage {
			return err
		}
	}
}

func (e *export) floors() error {
	floors, err := e.journal.floorsAt(e.ctx, e.q, e.position)
	if err != nil {
		return err
	}
	var content []byte
	for _, key := range slices.Sorted(maps.Keys(floors)) {
		content = floors[key].append(content)
		e.counts.floors++
		if len(content) >= aimFrame {
			if err := e.frames.frame(frameFloors, content); err != nil {
				return err
			}
			content = content[:0]
		}
	}
	return e.frames.frame(frameFloors, content)
}

// laterPage is how many batches behind a position are read at a time.
const laterPage = 100

// floorsAt takes back from the floor balances, which run ahead of the
// sequence, what batches behind the position have done to them.
func (j *Journal) floorsAt(ctx context.Context, q *db.Queries, position Position) (map[string]bundleFloor, error) {
	rows, err := q.AllFloors(ctx)
	if err != nil {
		return nil, err
	}
	floors := make(map[string]bundleFloor, len(rows))
	for _, r := range rows {
		floors[r.Account] = bundleFloor{r.Account, accounts.Fen(r.BalanceFen), r.Version}
	}
	earliest := map[string]int64{} // version of each floor among the batches behind
	later := db.LaterBatchesParams{Position: int64(position), Page: laterPage}
	for {
		batches, err := q.LaterBatches(ctx, later)
		if err != nil {
			return nil, err
		}
		for _, b := range batches {
			later.After = b.ID
			var versions map[string]int64
			if err := json.Unmarshal(b.Floors, &versions); err != nil {
				return nil, fault.New(fault.Internal, "batch %s cannot be read: %w", b.ID, err)
			}
			for key, version := range versions {
				if before, ok := earliest[key]; !ok || version < before {
					earliest[key] = version
				}
			}
			if err := j.takeBack(ctx, q, floors, b.Entries); err != nil {
				return nil, err
			}
		}
		if len(batches) < laterPage {
			break
		}
	}
	for key, version := range earliest {
		f := floors[key]
		if f.version = version - 1; f.version == 0 && f.balance == 0 {
			delete(floors, key) // it did not exist yet
		} else {
			floors[key] = f
		}
	}
	return floors, nil
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
				f.key, f.balance = x.key, f.balance-x.amount
				floors[x.key] = f
			}
		}
	}
	return nil
}
