package ledger

import (
	"bytes"
	"encoding/binary"
)

// checkedPending is what a worker hands on of a pending entry.
type checkedPending struct {
	key   string
	holds holds // while it is open
}

var finishKey = []byte(finishPrefix)

// pending checks a pending entry by itself. Its account does not count among
// those that entries name.
func (w *blockCheck) pending(b *checkedBlock, p *bundlePending) {
	e, ok := w.raw.read(p.canonical)
	if p.Entry = e; !ok || p.key != e.Key {
		b.report.find(checkReservations, "", "", "the entry of pending entry %q cannot be read or has another key", p.key)
	} else {
		b.report.pending(&p.Pending, p.digest, w.rules.chart)
	}
	checked := checkedPending{key: p.key}
	switch p.State {
	case Open:
		checked.holds = p.Holds
	case Finished:
		waits := byte(0)
		if p.waits {
			waits = 1
		}
		w.join = appendText(append(appendJoin(w.join[:0], FinishID(p.key), joinPending, 0), waits), p.By)
		b.join(w.join, p.canonical)
	}
	b.pendings = append(b.pendings, checked)
}

// joinsOf notes what has to be compared with other entries.
func (w *blockCheck) joinsOf(b *checkedBlock) {
	e, raw := &w.entry, &w.raw
	if e.corrected > 0 {
		w.join = binary.AppendUvarint(appendJoin(w.join[:0], e.id, joinOriginal, e.position), uint64(e.corrected))
		b.join(w.join, e.canonical)
	}
	if e.link.kind != linkNone {
		b.links++
	}
	switch linked := e.link.kind != linkNone; {
	case linked && raw.corrects == nil:
		b.report.find(checkCorrections, "", e.id.String(), "it is linked as a correction, and the entry at position %d corrects none", e.position)
	case !linked && raw.corrects != nil:
		b.report.find(checkCorrections, "", e.id.String(), "it corrects entry %x, which is not linked to it", raw.corrects)
	case linked:
		w.join = appendJoin(w.join[:0], [16]byte(raw.corrects), joinCorrection, e.position)
		w.join = append(append(w.join, e.id[:]...), e.batch.id[:]...)
		w.join = e.link.append(w.join)
		b.join(w.join, e.canonical)
	}
	if bytes.HasPrefix(raw.key, finishKey) {
		w.join = appendJoin(w.join[:0], e.id, joinFinish, e.position)
		b.join(w.join, e.canonical)
	}
}

// join adds a record for the spool.
func (b *checkedBlock) join(head, canonical []byte) {
	b.joined = append(append(b.joined, head...), canonical...)
	b.joins = append(b.joins, len(b.joined))
}
