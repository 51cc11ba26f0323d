package ledger

import (
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// period takes a month of a book, before any entry.
func (r *replay) period(h *monthHistory) {
	r.items[checkHistory]++ // for the count of the last frame; events are counted in the end
	if h.book < r.last.book || h.book == r.last.book && h.month <= r.last.month {
		r.report.find(checkHistory, string(h.book), "", "%s stands behind %s of book %s", h.month, r.last.month, r.last.book)
	}
	r.last = h.bookMonth
	r.months.follow(h)
	for _, e := range h.events {
		r.until = max(r.until, e.Position)
	}
}

// pendings sums up what open pending entries hold.
func (r *replay) pendings(checked []checkedPending) {
	for _, p := range checked {
		r.items[checkReservations]++
		if p.key <= r.pending {
			r.report.find(checkReservations, "", "", "pending entry %q stands behind %q", p.key, r.pending)
		}
		r.pending = p.key
		for floor, amount := range p.holds {
			r.held[floor] += amount
		}
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
	seen := bundleCounts{r.report.Entries, r.notes.items, r.items[checkHistory], r.items[checkBalances], r.items[checkFloors], r.items[checkReservations], r.counts.behind}
	switch {
	case !r.ended:
		r.damaged("the bundle ends before its last frame")
	case seen != r.counts:
		r.damaged("the bundle has %d entries, %d checkpoints, %d months, %d balances, %d floors and %d pending entries; it was written with %d, %d, %d, %d, %d and %d",
			seen.entries, seen.checkpoints, seen.months, seen.balances, seen.floors, seen.pendings,
			r.counts.entries, r.counts.checkpoints, r.counts.months, r.counts.balances, r.counts.floors, r.counts.pendings)
	}
	r.behind()
	if err := r.join(); err != nil {
		return err
	}
	err := r.ids.twice(func(id uuid.UUID) {
		r.report.find(checkIDs, "", id.String(), "the entry stands in the journal more than once")
	})
	for _, name := range []string{checkSequence, checkIDs, checkContent, checkPeriods, checkBalance} {
		r.items[name] = r.report.Entries
	}
	r.items[checkTree], r.items[checkNotes], r.items[checkHistory] = r.tree.size, r.notes.items, r.months.items
	r.report.list(r.items, checkFormat, checkSequence, checkIDs, checkContent, checkPeriods, checkBalance, checkFloors,
		checkTree, checkNotes, checkVouchers, checkBalances, checkReservations, checkCorrections, checkHistory)
	r.report.count()
	return err
}

// behind checks what has no place in the sequence, or is told of the entries
// that were posted and had none up to the position.
func (r *replay) behind() {
	r.report.Behind = r.counts.behind
	if r.until > r.header.Position+Position(r.counts.behind) {
		r.report.find(checkHistory, "", "", "a period was changed at position %d, the journal had %d entries", r.until, r.header.Position+Position(r.counts.behind))
	}
	for _, key := range unionOf(r.stored, r.held) {
		f := r.stored[key]
		if f.ahead != 0 && r.counts.behind == 0 {
			r.report.find(checkFloors, key, "", "no entry stands behind the position, and the floor was moved by %s there", f.ahead)
		}
		r.report.reserved(key, f.reserved, r.held[key], f.balance+f.ahead)
	}
}

// join compares what belongs together and stands far apart.
func (r *replay) join() error {
	j := joinCheck{report: r.report, raw: &rawEntry{}}
	if err := r.joins.each(j.record); err != nil {
		return err
	}
	j.end()
	if j.waiting > r.counts.behind {
		r.report.find(checkReservations, "", "", "%d finished pending entries are said to wait for their place, the journal has %d entries that do", j.waiting, r.counts.behind)
	}
	return nil
}
