package ledger

import (
	"crypto/sha256"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/accounts"
)

// checkedBlock is what a worker makes of a frame: what it found by itself and
// what has to be followed in the order of the sequence.
type checkedBlock struct {
	entries  []checkedEntry
	moves    []floorMove
	vouchers []checkedVoucher
	report   CheckReport // findings and postings of this block only
	notes    []openedNote
	balances []bundleBalance
	floors   []bundleFloor
	pendings []checkedPending
	counts   bundleCounts
	joined   []byte // records for the spool, and where each ends
	joins    []int
	links    int64
}

type checkedEntry struct {
	position        Position
	id              uuid.UUID
	batch           bundleBatch
	leaf            tlog.Hash
	moves, vouchers int // how many of the block's next ones are its own
}

// floorMove is what one entry does to one floor.
type floorMove struct {
	floor   int32
	own     bool  // the floor of an account, whose lines carry its version
	amount  int64 // fen
	version int64
}

type checkedVoucher struct {
	book   *knownBook
	month  uint32
	number int64
}

// blockCheck is a worker. It checks of entries what does not depend on the
// entries before them, and sums up the lines of accounts.
type blockCheck struct {
	rules  *bundleRules
	notes  *noteCheck
	frames *frameReader
	known  map[string]*knownAccount
	totals []accountTotal // by account

	entry bundleEntry
	raw   rawEntry
	hash  []byte // 0 and the leaf, or name space and key
	stamp uint64 // tells what the slots say of this entry from what they said before
	sums  []slot
	slots []slot // by floor: index of its move
	asked []int32
	cash  []*knownBook
	join  []byte
}

type slot struct {
	stamp uint64
	value int64
}

// accountTotal is what a worker has seen of an account.
type accountTotal struct {
	debit, credit accounts.Fen
	lines         int64
	last          Position
}

func newBlockCheck(rules *bundleRules, notes *noteCheck) (*blockCheck, error) {
	frames, err := newFrameReader()
	return &blockCheck{rules: rules, notes: notes, frames: frames, known: map[string]*knownAccount{}}, err
}

// check reads the content of a frame and tells whether it could.
func (w *blockCheck) check(b *block) bool {
	b.entries, b.moves, b.vouchers = b.entries[:0], b.moves[:0], b.vouchers[:0]
	b.notes, b.balances, b.floors, b.pendings = b.notes[:0], b.balances[:0], b.floors[:0], b.pendings[:0]
	b.joined, b.joins, b.links, b.report = b.joined[:0], b.joins[:0], 0, CheckReport{}
	content, ok := w.frames.open(&b.frame)
	if !ok {
		return false
	}
	c := cursor{rest: content}
	w.entry.batch = bundleBatch{}
	for !c.bad && len(c.rest) > 0 {
		switch b.kind {
		case frameEntries:
			if w.entry.read(&c); !c.bad {
				w.one(&b.checkedBlock)
			}
		case frameCheckpoints:
			if signed := c.text(); !c.bad {
				b.notes = append(b.notes, w.notes.open(signed))
			}
		case frameBalances:
			b.balances = append(b.balances, readBundleBalance(&c))
		case frameFloors:
			b.floors = append(b.floors, readBundleFloor(&c))
		case framePendings:
			if p := readBundlePending(&c); !c.bad {
				w.pending(&b.checkedBlock, p)
			}
		case frameEnd:
			b.counts = readBundleCounts(&c)
			if len(c.rest) > 0 {
				c.fail()
			}
		}
	}
	return !c.bad
}

// one checks an entry by itself.
func (w *blockCheck) one(b *checkedBlock) {
	e, raw := &w.entry, &w.raw
	seen := checkedEntry{position: e.position, id: e.id, batch: e.batch}
	moves, vouchers := len(b.moves), len(b.vouchers)
	sum := sha256.Sum256(e.canonical)
	known := raw.decode(e.canonical)
	if same := sum == [sha256.Size]byte(e.digest); !same || !known {
		first := ""
		if known && len(raw.lines) > 0 {
			first = string(raw.lines[0].account)
		}
		reason := "its digest differs"
		if same {
			reason = "it cannot be read"
		}
		b.report.find(checkContent, first, e.id.String(), "the entry at position %d is not what was posted: %s", e.position, reason)
	}
	if known {
		if w.hash = append(w.hash[:0], entrySpace[:]...); entryID(w.hash, raw.key) != e.id {
			b.report.find(checkIDs, "", e.id.String(), "the id of the entry at position %d does not belong to its key %q", e.position, raw.key)
		}
		w.lines(b)
		w.vouchersOf(b)
		w.joinsOf(b)
	}
	if e.apart != 0 {
		b.report.find(checkSequence, "", e.id.String(), "the entry at position %d says that it was posted %d µs after its batch", e.position, e.apart)
	}
	seen.leaf = w.leaf(sum)
	seen.moves, seen.vouchers = len(b.moves)-moves, len(b.vouchers)-vouchers
	b.entries = append(b.entries, seen)
}

// leaf is the hash of the entry's leaf in the tree, tlog.RecordHash of appendLeaf.
func (w *blockCheck) leaf(digest [sha256.Size]byte) tlog.Hash {
	e := &w.entry
	w.hash = appendLeafHead(append(w.hash[:0], 0), e.position, e.id, digest[:], len(e.vouchers))
	for _, v := range e.vouchers {
		w.hash = appendLeafVoucher(w.hash, v.book, v.period, v.number)
	}
	return sha256.Sum256(w.hash)
}

// lines checks the lines of the entry that w.raw holds.
func (w *blockCheck) lines(b *checkedBlock) {
	e, raw := &w.entry, &w.raw
	id := func() string { return e.id.String() }
	day, valid := dayNumber(raw.date)
	month, counts := monthNumber(raw.period)
	if !valid || !counts || len(raw.lines) == 0 {
		b.report.find(checkContent, "", id(), "the entry at position %d has no date, no period or no lines", e.position)
	}
	if n := len(e.versions); n != 0 && n != len(raw.lines) {
		b.report.find(checkContent, "", id(), "the entry at position %d has %d lines and %d versions of them", e.position, len(raw.lines), n)
		e.versions = e.versions[:0]
	}
	w.stamp++
	w.asked, w.cash = w.asked[:0], w.cash[:0]
	first := len(b.moves)
	var book *knownBook
	for i := range raw.lines {
		l := &raw.lines[i]
		a := w.account(l.account)
		signed := l.amount
		if l.credit {
			signed = -signed
		}
		if l.amount == 0 || l.amount > int64(maxAmount) || l.amount < -int64(maxAmount) {
			b.report.find(checkContent, a.name, id(), "the amount %s at position %d is zero or too large", accounts.Fen(l.amount), e.position)
		}
		sum := a.absent
		switch rule := a.on(day); {
		case rule == nil || !a.valid:
			b.report.find(checkContent, a.name, id(), "the chart has no such account on %s", raw.date)
		case !rule.postable:
			b.report.find(checkContent, a.name, id(), "the account takes no postings on %s", raw.date)
			fallthrough
		default:
			sum = rule.sum
			if rule.cash {
				w.addCash(a.book)
			}
			version := int64(0)
			if len(e.versions) > 0 {
				version = e.versions[i]
			}
			if rule.own >= 0 {
				w.move(b, first, floorMove{floor: rule.own, own: true, amount: rule.ownSign * signed, version: version})
			}
			if rule.group >= 0 {
				w.move(b, first, floorMove{floor: rule.group, amount: -signed})
			}
		}
		if month < a.book.opened {
			b.report.find(checkPeriods, a.name, id(), "the entry at position %d counts in %s, before its book opens", e.position, raw.period)
		}
		if a.book != book {
			book = a.book
			if events := book.shut[month]; events != nil && shutAt(events, e.position) && !takesInClosing(string(raw.kind)) {
				b.report.postedWhileClosed(a.name, id(), e.position, string(raw.period))
			}
		}
		s := at(&w.sums, sum)
		if s.stamp != w.stamp {
			*s = slot{w.stamp, 0}
			w.asked = append(w.asked, sum)
		}
		s.value += signed
		t := &w.totals[a.id]
		if l.credit {
			t.credit += accounts.Fen(l.amount)
		} else {
			t.debit += accounts.Fen(l.amount)
		}
		t.lines++
		t.last = max(t.last, e.position)
	}
	b.report.Postings += int64(len(raw.lines))
	for _, sum := range w.asked {
		if fen := w.sums[sum].value; fen != 0 {
			s := w.rules.sumAt(sum)
			b.report.find(checkBalance, string(s.book)+"/"+s.fund, id(), "the entry at position %d does not balance in layer %s: debits less credits are %s",
				e.position, s.layer, accounts.Fen(fen))
		}
	}
}

// at returns the slot of an index, and makes room for it.
func at(slots *[]slot, index int32) *slot {
	for int(index) >= len(*slots) {
		*slots = append(*slots, slot{})
	}
	return &(*slots)[index]
}

func (w *blockCheck) account(name []byte) *knownAccount {
	a := w.known[string(name)]
	if a == nil {
		a = w.rules.account(name)
		w.known[a.name] = a
		for a.id >= len(w.totals) {
			w.totals = append(w.totals, accountTotal{})
		}
	}
	return a
}

// move adds to what the entry does to the floor; first is its first move.
func (w *blockCheck) move(b *checkedBlock, first int, m floorMove) {
	s := at(&w.slots, m.floor)
	if s.stamp != w.stamp {
		*s = slot{w.stamp, int64(len(b.moves) - first)}
		b.moves = append(b.moves, m)
		return
	}
	before := &b.moves[first+int(s.value)]
	before.amount += m.amount
	if before.version != m.version {
		b.report.find(checkFloors, w.rules.floorAt(m.floor), w.entry.id.String(), "the lines of one entry have versions %d and %d", before.version, m.version)
	}
}

// addCash notes that the entry has cash lines in the book.
func (w *blockCheck) addCash(book *knownBook) {
	i := len(w.cash)
	for i > 0 && w.cash[i-1].name > book.name {
		i--
	}
	if i > 0 && w.cash[i-1] == book {
		return
	}
	w.cash = append(w.cash, nil)
	copy(w.cash[i+1:], w.cash[i:])
	w.cash[i] = book
}

// vouchersOf checks that the entry has a voucher in each book with cash lines, in order.
func (w *blockCheck) vouchersOf(b *checkedBlock) {
	e := &w.entry
	same := len(e.vouchers) == len(w.cash)
	for i, v := range e.vouchers {
		if !same || w.cash[i].name != string(v.book) || string(v.period) != string(w.raw.period) {
			same = false
			break
		}
	}
	if !same {
		account := ""
		if len(w.raw.lines) > 0 {
			account = string(w.raw.lines[0].account)
		}
		b.report.find(checkVouchers, account, e.id.String(), "the entry at position %d has %d vouchers, which are not those of its cash lines in %d books", e.position, len(e.vouchers), len(w.cash))
		return
	}
	month, _ := monthNumber(w.raw.period)
	for i, v := range e.vouchers {
		b.vouchers = append(b.vouchers, checkedVoucher{w.cash[i], uint32(month), v.number})
	}
}
