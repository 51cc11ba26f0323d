package ledger

import (
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/accounts"
)

// replay follows what depends on the order of the entries: their places, the
// floors, the voucher numbers and the tree. It sees the frames of a bundle in
// their order, each after a worker has checked it.
type replay struct {
	report *CheckReport
	header bundleHeader
	items  map[string]int64
	counts bundleCounts
	ended  bool

	tree   peaks
	lost   bool // an entry is missing: the tree cannot be followed any more
	notes  *noteCheck
	ids    idSet
	floors []floorState
	series map[voucherNumbers]int64 // the last number of each

	totals   map[string]*accountTotal // set once all entries are seen
	floorIDs map[string]int32
	account  string // of the balance or floor that was compared last
	floor    string
}

type floorState struct {
	balance accounts.Fen
	version int64
	batch   uuid.UUID
	own     bool
	moved   bool
}

type voucherNumbers struct {
	book  *knownBook
	month uint32
}

func newReplay(header bundleHeader, report *CheckReport, keys []note.Verifier) *replay {
	return &replay{
		report: report, header: header, items: map[string]int64{checkFormat: 1},
		notes: newNoteCheck(report, header.Origin, keys), series: map[voucherNumbers]int64{},
		ids: idSet{limit: maxIDs},
	}
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
	switch b.kind {
	case frameCheckpoints:
		for _, signed := range b.notes {
			r.notes.take(signed)
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
	case frameBalances:
		r.balances(b.balances, workers)
	case frameFloors:
		r.floorBalances(b.floors, workers)
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
		return
	}
	if !r.lost {
		r.lost = true
		r.report.find(checkSequence, "", e.id.String(), "position %d is followed by %d: entries are missing, come twice or were moved; the tree ends here", next-1, e.position)
	}
}

// moves applies what an entry does to floors. What raises a balance is never wrong.
func (r *replay) moves(e *checkedEntry, moves []floorMove, workers []*blockCheck) {
	for _, m := range moves {
		for int(m.floor) >= len(r.floors) {
			r.floors = append(r.floors, floorState{})
		}
		f := &r.floors[m.floor]
		f.moved, f.own = true, m.own
		f.balance += accounts.Fen(m.amount)
		if f.balance < 0 && m.amount < 0 {
			r.report.find(checkFloors, workers[0].rules.floorAt(m.floor), e.id.String(), "the balance falls to %s at position %d", f.balance, e.position)
		}
		if !m.own {
			continue
		}
		switch {
		case m.version <= 0:
			r.report.find(checkFloors, workers[0].rules.floorAt(m.floor), e.id.String(), "a line at position %d lacks the version of the account's floor", e.position)
		case f.batch == e.batch && m.version != f.version, f.batch != e.batch && m.version <= f.version:
			r.report.find(checkFloors, workers[0].rules.floorAt(m.floor), e.id.String(), "version %d of the floor follows version %d at position %d", m.version, f.version, e.position)
		}
		f.version, f.batch = m.version, e.batch
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
		var want floorState
		if id, ok := r.floorIDs[f.key]; ok {
			want = r.floors[id]
		}
		if f.balance != want.balance {
			r.report.find(checkFloors, f.key, "", "the floor balance is %s, the journal's lines sum to %s", f.balance, want.balance)
		}
		if want.own && f.version != want.version {
			r.report.find(checkFloors, f.key, "", "the floor has version %d, its last line has %d", f.version, want.version)
		}
		delete(r.floorIDs, f.key)
	}
}

// end compares what is left when the bundle is read.
func (r *replay) end(workers []*blockCheck) error {
	r.sum(workers)
	for _, name := range unionOf(r.totals, map[string]bool{}) {
		if t := r.totals[name]; t.lines > 0 {
			r.report.find(checkBalances, name, "", "the account has %d lines and no balance", t.lines)
		}
	}
	for _, key := range unionOf(r.floorIDs, map[string]bool{}) {
		r.report.find(checkFloors, key, "", "the floor has no balance, the journal's lines sum to %s", r.floors[r.floorIDs[key]].balance)
	}
	r.notes.end(&r.tree)
	if Position(r.report.Entries) != r.header.Position {
		r.report.find(checkSequence, "", "", "there are %d entries, the bundle was taken at position %d", r.report.Entries, r.header.Position)
	}
	if root := r.tree.root(); root != tlog.Hash(r.header.Root) {
		r.report.find(checkTree, "", "", "the root over %d entries is %s, the journal's is %s", r.tree.size, root, tlog.Hash(r.header.Root))
	}
	seen := bundleCounts{r.report.Entries, r.notes.items, r.items[checkBalances], r.items[checkFloors]}
	switch {
	case !r.ended:
		r.damaged("the bundle ends before its last frame")
	case seen != r.counts:
		r.damaged("the bundle has %d entries, %d checkpoints, %d balances and %d floors; it was written with %d, %d, %d and %d",
			seen.entries, seen.checkpoints, seen.balances, seen.floors, r.counts.entries, r.counts.checkpoints, r.counts.balances, r.counts.floors)
	}
	err := r.ids.twice(func(id uuid.UUID) {
		r.report.find(checkIDs, "", id.String(), "the entry stands in the journal more than once")
	})
	for _, name := range []string{checkSequence, checkIDs, checkContent, checkPeriods, checkBalance} {
		r.items[name] = r.report.Entries
	}
	r.items[checkTree], r.items[checkNotes] = r.tree.size, r.notes.items
	r.report.list(r.items, checkFormat, checkSequence, checkIDs, checkContent, checkPeriods, checkBalance, checkFloors,
		checkTree, checkNotes, checkVouchers, checkBalances)
	r.report.count()
	return err
}
