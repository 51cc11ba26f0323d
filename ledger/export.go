package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"

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
// file that VerifyBundle proves without a database: rules, periods with their
// history, entries with digests, vouchers, floor versions and what they
// correct, signed checkpoints, balances, pending entries. All of it is one
// snapshot, at the position that the bundle names; CatchUp first to have it
// all. It is written as a stream. Progress, if given, hears before the first
// frame and then from time to time how far it is. An entry that the journal has
// lost is left out, for the verification to find. Errors: those of the writer
// and of the database.
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
	page      []*exportedEntry // waiting for their vouchers and links
	entries   []byte           // content of the frame that is being filled
	canonical []byte
	batch     uuid.UUID // of the last entry in it
	noted     db.PageOfCheckpointsParams
}

// exportPage is how many entries ask for their vouchers and links at once.
const exportPage = 2000

func (e *export) run() error {
	if err := e.header(); err != nil {
		return err
	}
	if err := e.periods(); err != nil {
		return err
	}
	err := walk(e.ctx, e.q, e.position, func(r *Record) error {
		if r.Position > e.position {
			return nil
		}
		e.page = append(e.page, &exportedEntry{Record: r})
		if len(e.page) < exportPage {
			return nil
		}
		return e.writePage()
	}, func(Position, uuid.UUID) error { return nil })
	if err != nil {
		return err
	}
	for _, rest := range []func() error{e.writePage, func() error { return e.writeEntries(e.position) }, e.balances, e.floors, e.pendings} {
		if err := rest(); err != nil {
			return err
		}
	}
	return e.frames.frame(frameEnd, e.counts.append(nil))
}

func (e *export) told(done Position) {
	if e.progress != nil {
		e.progress(done, e.position)
	}
}

func (e *export) header() error {
	head, err := e.q.ReadHead(e.ctx, headProjected)
	if err != nil {
		return err
	}
	e.position = Position(head)
	e.told(0)
	root := (&peaks{}).root()
	if head > 0 {
		if root, err = tlog.TreeHash(head, newTree(e.ctx, e.q, e.position)); err != nil {
			return err
		}
	}
	h := bundleHeader{Origin: e.journal.origin(), Position: e.position, Root: root[:], Subjects: e.journal.rules().book.Chart.Subjects()}
	content, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return e.frames.frame(frameHeader, content)
}

// writePage adds the waiting entries, now with their vouchers and links, to frames.
func (e *export) writePage() error {
	ids := make([]uuid.UUID, len(e.page))
	for i, r := range e.page {
		ids[i] = r.ID
	}
	if err := e.links(ids); err != nil {
		return err
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

// links tells of the entries on the page how many correct them, and of those
// that correct others what the link says.
func (e *export) links(ids []uuid.UUID) error {
	counted, err := e.q.CountCorrections(e.ctx, db.CountCorrectionsParams{Originals: ids, Position: int64(e.position)})
	if err != nil {
		return err
	}
	corrected := make(map[uuid.UUID]int64, len(counted))
	for _, c := range counted {
		corrected[c.Original] = c.Corrections
	}
	var wanted db.LinksOfParams
	for _, r := range e.page {
		r.corrected = corrected[r.ID]
		if r.Corrects.Valid {
			wanted.Originals, wanted.Corrections = append(wanted.Originals, r.Corrects.UUID), append(wanted.Corrections, r.ID)
		}
	}
	if len(wanted.Originals) == 0 {
		return nil
	}
	rows, err := e.q.LinksOf(e.ctx, wanted)
	if err != nil {
		return err
	}
	links := make(map[uuid.UUID]bundleLink, len(rows))
	for _, l := range rows {
		link := bundleLink{kind: linkPlain, version: l.Version}
		if l.Amounts != nil {
			link.kind = linkMeasured
			link.amounts, _ = decodeAmounts(l.Correction, l.Amounts) // none where they cannot be read, for the verification to find
		}
		links[l.Correction] = link
	}
	for _, r := range e.page {
		r.link = links[r.ID]
	}
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
	e.told(until)
	return nil
}
