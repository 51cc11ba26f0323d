package ledger

import (
	"math"
	"time"

	"golang.org/x/mod/sumdb/note"

	"fundledger/accounts"
)

// replay follows what depends on the order of the entries: their places and
// times, the floors, the voucher numbers and the tree. It sees the frames of a bundle in
// their order, each after a worker has checked it.
type replay struct {
	report *CheckReport
	header bundleHeader
	items  map[string]int64
	counts bundleCounts
	ended  bool

	tree   peaks
	lost   bool // an entry is missing: the tree cannot be followed any more
	batch  bundleBatch
	notes  *noteCheck
	months historyCheck
	last   bookMonth // that was taken last
	until  Position  // of the last change of a period
	ids    idSet
	joins  spool
	floors []floorState
	series map[voucherNumbers]int64 // the last number of each

	totals   map[string]*accountTotal // set once all entries are seen
	floorIDs map[string]int32
	account  string // of the balance, floor or pending that was compared last
	floor    string
	pending  string
	stored   map[string]bundleFloor // those that pendings and entries behind the position concern
	held     map[string]accounts.Fen
}

type voucherNumbers struct {
	book  *knownBook
	month uint32
}

func newReplay(header bundleHeader, report *CheckReport, keys []note.Verifier) *replay {
	return &replay{
		report: report, header: header, items: map[string]int64{checkFormat: 1},
		notes: newNoteCheck(report, header.Origin, keys), series: map[voucherNumbers]int64{},
		// How far the journal was sealed is known at the end.
		months: historyCheck{report: report, sealed: math.MaxInt64},
		ids:    idSet{run: idRun, keep: keepRuns}, joins: spool{limit: maxSpool},
		stored: map[string]bundleFloor{}, held: map[string]accounts.Fen{},
	}
}

func (r *replay) close() {
	r.ids.close()
	r.joins.close()
}

func (r *replay) damaged(format string, args ...any) {
	r.report.find(checkFormat, "", "", format, args...)
}

// block takes the next frame.
func (r *replay) block(b *block, workers []*blockCheck) {
	r.items[checkFormat]++
	for _, f := range b.report.Findings {
		r.report.add(f)
	}
	for name, n := range b.report.found { // those beyond the ones listed
		r.report.found[name] += max(0, n-MaxFindings)
	}
	r.report.Postings += b.report.Postings
	start := 0
	for _, end := range b.joins {
		r.joins.add(b.joined[start:end])
		start = end
	}
	switch b.kind {
	case frameCheckpoints:
		for _, opened := range b.notes {
			r.notes.take(opened)
		}
		r.notes.reached(&r.tree)
	case frameEntries:
		moves, vouchers := b.moves, b.vouchers
		for i := range b.entries {
			e := &b.entries[i]
			r.entry(e)
			r.moves(e, moves[:e.moves], workers)
			r.vouchers(e, vouchers[:e.vouchers])
			moves, vouchers = moves[e.moves:], vouchers[e.vouchers:]
		}
		r.items[checkCorrections] += b.links
	case frameBalances:
		r.balances(b.balances, workers)
	case frameFloors:
		r.floorBalances(b.floors, workers)
	case framePendings:
		r.pendings(b.pendings)
	case frameEnd:
		r.ended, r.counts = true, b.counts
	}
}

func (r *replay) entry(e *checkedEntry) {
	r.report.Entries++
	r.ids.add(e.id)
	next := Position(r.tree.size) + 1
	if e.position == next && !r.lost {
		r.tree.add(e.leaf, nil)
		r.notes.reached(&r.tree)
	} else if !r.lost {
		r.lost = true
		r.report.find(checkSequence, "", e.id.String(), "position %d is followed by %d: entries are missing, come twice or were moved; the tree ends here", next-1, e.position)
	}
	r.follow(e)
}

// follow checks the time of posting that the entry's batch has, and the latest
// up to it.
func (r *replay) follow(e *checkedEntry) {
	if e.batch == r.batch {
		return
	}
	until := max(r.batch.until, e.batch.posted)
	switch before := r.batch; {
	case e.batch.id == before.id:
		r.report.find(checkSequence, "", e.id.String(), "the entries of batch %s have several times of posting", e.batch.id)
	case e.batch.until != until && !r.lost:
		r.report.find(checkSequence, "", e.id.String(), "batch %s says that all up to it was posted by %s, its batches say %s", e.batch.id,
			time.UnixMicro(e.batch.until).UTC(), time.UnixMicro(until).UTC())
	}
	r.batch = e.batch
}

// moves applies what an entry does to floors.
func (r *replay) moves(e *checkedEntry, moves []floorMove, workers []*blockCheck) {
	for _, m := range moves {
		for int(m.floor) >= len(r.floors) {
			r.floors = append(r.floors, floorState{})
		}
		f := &r.floors[m.floor]
		if !f.moved {
			f.key = workers[0].rules.floorAt(m.floor)
		}
		f.move(r.report, e.id, e.position, accounts.Fen(m.amount))
		if m.own {
			f.follow(r.report, e.id, e.position, e.batch.id, m.version)
		}
	}
}

func (r *replay) vouchers(e *checkedEntry, vouchers []checkedVoucher) {
	for _, v := range vouchers {
		r.items[checkVouchers]++
		key := voucherNumbers{v.book, v.month}
		if last := r.series[key]; v.number != last+1 {
			r.report.find(checkVouchers, v.book.name, e.id.String(), "voucher number %d of %04d-%02d follows number %d", v.number, v.month/12, v.month%12+1, last)
		}
		r.series[key] = v.number
	}
}

// sum puts together what the workers have seen; no entries come after it.
func (r *replay) sum(workers []*blockCheck) {
	if r.totals != nil {
		return
	}
	r.totals, r.floorIDs = map[string]*accountTotal{}, map[string]int32{}
	rules := workers[0].rules
	rules.mu.Lock()
	defer rules.mu.Unlock()
	for name, a := range rules.accounts {
		total := &accountTotal{}
		for _, w := range workers {
			if a.id < len(w.totals) {
				t := w.totals[a.id]
				total.debit, total.credit, total.lines = total.debit+t.debit, total.credit+t.credit, total.lines+t.lines
				total.last = max(total.last, t.last)
			}
		}
		r.totals[name] = total
	}
	for id, key := range rules.floorKey {
		if id < len(r.floors) && r.floors[id].moved {
			r.floorIDs[key] = int32(id)
		}
	}
}

// balances compares stored balances and strikes off those that are as they must be.
func (r *replay) balances(stored []bundleBalance, workers []*blockCheck) {
	r.sum(workers)
	for _, b := range stored {
		r.items[checkBalances]++
		if b.account <= r.account {
			r.report.find(checkBalances, b.account, "", "the balance stands behind that of %s", r.account)
		}
		r.account = b.account
		want := r.totals[b.account]
		if want == nil {
			want = &accountTotal{}
		}
		if (accountTotal{b.debit, b.credit, b.lines, b.last}) != *want {
			r.report.find(checkBalances, b.account, "", "the balance says debit %s, credit %s over %d lines to position %d; the journal says debit %s, credit %s over %d lines to position %d",
				b.debit, b.credit, b.lines, b.last, want.debit, want.credit, want.lines, want.last)
		}
		delete(r.totals, b.account)
	}
}

func (r *replay) floorBalances(stored []bundleFloor, workers []*blockCheck) {
	r.sum(workers)
	for _, f := range stored {
		r.items[checkFloors]++
		if f.key <= r.floor {
			r.report.find(checkFloors, f.key, "", "the floor balance stands behind that of %s", r.floor)
		}
		r.floor = f.key
		var want *floorState
		if id, ok := r.floorIDs[f.key]; ok {
			want = &r.floors[id]
		}
		want.compare(r.report, f)
		if f.reserved != 0 || f.ahead != 0 {
			r.stored[f.key] = f
		}
		delete(r.floorIDs, f.key)
	}
}
