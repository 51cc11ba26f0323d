package ledger

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/ledger/internal/db"
)

// checkCorrections: entries that correct others are linked to them and stand
// behind them, in the order of the links, and reversals are the red-letter
// lines of no more than their originals.
const checkCorrections = "corrections"

// original is an entry that others correct, while they are followed.
type original struct {
	id       uuid.UUID
	entry    *Entry
	position Position       // 0: it waits for its place
	left     []accounts.Fen // of each posting, to take back

	version int64     // of the last correction that was followed in order
	batch   uuid.UUID // that it was posted with
}

func newOriginal(id uuid.UUID, e *Entry, position Position) *original {
	o := &original{id: id, entry: e, position: position, left: make([]accounts.Fen, len(e.Postings))}
	for i, p := range e.Postings {
		o.left[i] = p.Amount
	}
	return o
}

// link is what the journal keeps of a correction beside its entry.
type link struct {
	id       uuid.UUID // of the correction
	batch    uuid.UUID
	position Position
	version  int64
	measured bool           // it says how much it takes back
	amounts  []accounts.Fen // of each posting; nil where that cannot be read
}

// follow checks that the next correction in the order of the sequence stands
// behind its original, and that versions ascend with the batches.
func (o *original) follow(report *CheckReport, l *link) {
	if o.position == 0 || l.position <= o.position {
		report.find(checkCorrections, "", l.id.String(), "it stands at position %d and corrects entry %s at position %d, which is not before it", l.position, o.id, o.position)
	}
	if same := l.batch == o.batch; same && l.version != o.version || !same && l.version != o.version+1 {
		report.find(checkCorrections, "", l.id.String(), "version %d of the corrections of entry %s follows version %d", l.version, o.id, o.version)
	}
	o.version, o.batch = l.version, l.batch
}

// reversal checks one reversal against its original and takes it from what is left.
func (o *original) reversal(report *CheckReport, l *link, e *Entry) {
	find := func(account, format string, args ...any) {
		report.find(checkCorrections, account, l.id.String(), format, args...)
	}
	first := ""
	if len(e.Postings) > 0 {
		first = e.Postings[0].Account.String()
	}
	if e.Kind != reversalKind {
		find(first, "it takes back of entry %s and is no reversal but of kind %s", o.id, e.Kind)
	}
	if len(l.amounts) != len(o.left) {
		find(first, "it does not say how much it takes back of each posting of entry %s", o.id)
		return
	}
	var lines []Posting
	for i, amount := range l.amounts {
		p := o.entry.Postings[i]
		if amount == 0 {
			continue
		}
		if (amount < 0) != (p.Amount < 0) || abs(amount) > abs(o.left[i]) {
			find(p.Account.String(), "it takes back %s of posting %d of entry %s, of which %s is left", amount, i+1, o.id, o.left[i])
		}
		o.left[i] -= amount
		p.Amount = -amount
		lines = append(lines, p)
	}
	if !slices.Equal(lines, e.Postings) {
		find(first, "its lines are not the red-letter lines of entry %s", o.id)
	}
	switch {
	case e.Date.Before(o.entry.Date) || e.Period < o.entry.Period:
		find(first, "it is dated %s in %s, before entry %s on %s in %s, which it reverses", e.Date, e.Period, o.id, o.entry.Date, o.entry.Period)
	case fiscalYear(o.entry.Period) != fiscalYear(e.Period):
		find(first, "it counts in %s and reverses entry %s of another fiscal year", e.Period, o.id)
	}
}

// fiscalYear is that of a month that may be none.
func fiscalYear(m accounts.Month) string { return string(m[:min(4, len(m))]) }

// correcting is an entry of the walk that corrects another.
type correcting struct {
	original, batch uuid.UUID
	position        Position
}

// linkPage is how many links are compared at a time, with the entries of both ends.
const linkPage = 500

// linkWalk compares the links of a database with the entries, by original.
type linkWalk struct {
	*checker
	q       *db.Queries
	now     *original
	ordered []link // of the original, those that have a place
}

// compareCorrections: entries that wait for their place have links too; those
// walked must all have theirs.
func (c *checker) compareCorrections(ctx context.Context, q *db.Queries) error {
	w := linkWalk{checker: c, q: q}
	after := db.PageOfCorrectionsParams{Page: linkPage}
	for {
		links, err := q.PageOfCorrections(ctx, after)
		if err != nil {
			return err
		}
		if err := w.page(ctx, links); err != nil {
			return err
		}
		if len(links) < linkPage {
			break
		}
		last := links[len(links)-1]
		after.Original, after.Correction = last.Original, last.Correction
	}
	w.next(nil)
	for correction, of := range c.correcting {
		c.find(checkCorrections, "", correction.String(), "it corrects entry %s, which is not linked to it", of.original)
	}
	return nil
}

func (w *linkWalk) page(ctx context.Context, links []db.Correction) error {
	var ids, originals []uuid.UUID
	for _, l := range links {
		ids, originals = append(ids, l.Original, l.Correction), append(originals, l.Original)
	}
	records, err := readEntries(ctx, w.q, ids)
	if err != nil {
		return err
	}
	placed, err := w.q.PlacesOf(ctx, slices.Compact(originals))
	if err != nil {
		return err
	}
	places := make(map[uuid.UUID]Position, len(placed))
	for _, p := range placed {
		places[p.ID] = Position(p.Position)
	}
	for _, row := range links {
		w.items[checkCorrections]++
		of, walked := w.correcting[row.Correction]
		delete(w.correcting, row.Correction)
		corrected, correction := records[row.Original], records[row.Correction]
		if corrected == nil || correction == nil || correction.Corrects.UUID != row.Original {
			w.find(checkCorrections, "", row.Correction.String(), "it is said to correct entry %s, and the journal does not say so", row.Original)
			continue
		}
		if w.now == nil || w.now.id != row.Original {
			w.next(newOriginal(row.Original, &corrected.Entry, places[row.Original]))
		}
		l := link{id: row.Correction, version: row.Version, measured: row.Amounts != nil}
		if l.measured {
			l.amounts, _ = decodeAmounts(row.Correction, row.Amounts) // reversal reports what cannot be read
		}
		if l.measured || correction.Kind == reversalKind {
			w.now.reversal(w.report, &l, &correction.Entry)
		}
		if walked {
			l.batch, l.position, l.amounts = of.batch, of.position, nil
			w.ordered = append(w.ordered, l)
		}
	}
	return nil
}

// next ends what is checked of one original and takes up another.
func (w *linkWalk) next(o *original) {
	slices.SortFunc(w.ordered, func(a, b link) int { return cmp.Compare(a.position, b.position) })
	for i := range w.ordered {
		w.now.follow(w.report, &w.ordered[i])
	}
	w.now, w.ordered = o, w.ordered[:0]
}
