package ledger

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// What belongs together and stands far apart in a bundle meets in a spool, which
// sorts it by what it is about: an entry and those that correct it in the order
// of the sequence, a finished pending and the entry that it became. So memory
// stays flat however many of them there are.
const (
	joinOriginal   = 1 // about an entry that others correct: how many, and its encoding
	joinCorrection = 2 // about the entry that it corrects: id, batch, link, encoding
	joinPending    = 3 // about the entry that it becomes: whether that waits, who finished it, encoding
	joinFinish     = 4 // an entry that may have been pending: encoding
)

// joinHead is id, kind and position.
const joinHead = 16 + 1 + 8

func appendJoin(b []byte, about uuid.UUID, kind byte, position Position) []byte {
	return binary.BigEndian.AppendUint64(append(append(b, about[:]...), kind), uint64(position))
}

// joinCheck takes the records in their order.
type joinCheck struct {
	report  *CheckReport
	about   uuid.UUID
	waiting int64 // finished pendings whose entries have no place yet
	raw     *rawEntry

	original        *original
	said, corrected int64
	pending         *bundlePending
	posted          bool
}

func (j *joinCheck) record(b []byte) {
	about, kind := uuid.UUID(b[:16]), b[16]
	position := Position(binary.BigEndian.Uint64(b[17:]))
	if about != j.about {
		j.end()
		*j = joinCheck{report: j.report, about: about, waiting: j.waiting, raw: j.raw}
	}
	c := cursor{rest: b[joinHead:]}
	switch kind {
	case joinOriginal:
		j.said = int64(c.position())
		if e, ok := j.raw.read(c.rest); ok {
			j.original = newOriginal(about, &e, position)
		}
	case joinCorrection:
		j.corrected++
		j.correction(&c, position)
	case joinPending:
		p := &bundlePending{waits: c.byte() == 1}
		p.By = string(c.text())
		p.Entry, _ = j.raw.read(c.rest)
		j.pending = p
	case joinFinish:
		if j.pending == nil {
			return
		}
		j.posted = true
		if e, ok := j.raw.read(c.rest); ok {
			j.report.became(&j.pending.Pending, about, &e)
		}
	}
}

func (j *joinCheck) correction(c *cursor, position Position) {
	l := link{id: uuid.UUID(c.bytes(16)), batch: uuid.UUID(c.bytes(16)), position: position}
	var stored bundleLink
	stored.read(c)
	l.version, l.measured, l.amounts = stored.version, stored.kind == linkMeasured, stored.amounts
	if j.said == 0 {
		j.report.find(checkCorrections, "", l.id.String(), "it corrects entry %s, which the journal lacks or does not link to it", j.about)
	}
	e, ok := j.raw.read(c.rest)
	if j.original == nil || !ok {
		return // whose content is reported
	}
	j.original.follow(j.report, &l)
	if l.measured || e.Kind == reversalKind {
		j.original.reversal(j.report, &l, &e)
	}
}

// end closes the group that was read.
func (j *joinCheck) end() {
	if j.said > 0 && j.said != j.corrected {
		j.report.find(checkCorrections, "", j.about.String(), "%d entries are linked to it as corrections, %d stand in the journal", j.said, j.corrected)
	}
	if j.pending == nil {
		return
	}
	switch {
	case j.pending.waits && j.posted:
		j.report.find(checkReservations, "", j.about.String(), "pending entry %q is finished, and its entry is said to wait for its place and has one", j.pending.Key)
	case j.pending.waits:
		j.waiting++
	case !j.posted:
		j.report.notPosted(j.pending.Key, j.about)
	}
}
