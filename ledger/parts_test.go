package ledger

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/accounts"
)

var testTime = time.Date(2025, 1, 31, 9, 0, 0, 0, time.UTC)

// parts are the content of a bundle before it is written, made without a
// database, so that each can be changed.
type parts struct {
	header   bundleHeader
	months   []monthHistory
	records  []*exportedEntry
	notes    map[Position][]string
	balances []bundleBalance
	floors   []bundleFloor
	pendings []*bundlePending
	behind   int64
	counts   *bundleCounts // instead of the true ones
}

func testJournal(t testing.TB) *Journal {
	t.Helper()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	return New(nil, book)
}

// newParts is the bundle of the entries, batchSize of them a batch, with a
// checkpoint at each of the positions.
func newParts(t testing.TB, entries []Entry, batchSize int, signer note.Signer, checkpoints ...Position) *parts {
	t.Helper()
	j := testJournal(t)
	p := &parts{notes: map[Position][]string{}}
	p.header = bundleHeader{Origin: j.origin(), Position: Position(len(entries)), Subjects: j.rules().book.Chart.Subjects()}
	for _, b := range slices.Sorted(slices.Values(j.rules().book.Regions.Books())) {
		p.months = append(p.months, monthHistory{bookMonth{b, "2025-01"}, PeriodOpen, []PeriodEvent{
			{Book: b, Month: "2025-01", Number: 1, State: PeriodOpen, By: "setup", At: testTime},
		}})
	}
	balances, floors := map[string]bundleBalance{}, map[string]bundleFloor{}
	numbers := map[voucherSeries]int64{}
	var tree peaks
	var batch uuid.UUID
	touched := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if err := j.validate(e); err != nil {
			t.Fatal(err)
		}
		if i%batchSize == 0 {
			batch = EntryID(fmt.Sprint("batch ", i))
			clear(touched)
		}
		r := &exportedEntry{Record: &Record{Position: Position(i + 1), ID: e.ID(), Batch: batch, Entry: *e, digest: digest(e)}}
		// Batches are not sealed in the order of their times.
		r.batchAt = testTime.Add(time.Duration(i/batchSize^1) * time.Second)
		r.PostedAt, r.until = r.batchAt, r.batchAt
		if i > 0 && p.records[i-1].until.After(r.until) {
			r.until = p.records[i-1].until
		}
		for k := range e.Postings {
			x := &e.Postings[k]
			name := x.Account.String()
			b := balances[name]
			b.account, b.lines, b.last = name, b.lines+1, r.Position
			if x.Side == accounts.Debit {
				b.debit += x.Amount
			} else {
				b.credit += x.Amount
			}
			balances[name] = b
			for _, effect := range j.floorEffects(nil, x, name, e.Date) {
				f := floors[effect.key]
				f.key, f.balance = effect.key, f.balance+effect.amount
				if !touched[effect.key] {
					touched[effect.key] = true
					f.version++
				}
				floors[effect.key] = f
			}
			r.legs = append(r.legs, leg{Account: name, Version: floors[name].version})
		}
		for _, due := range j.vouchersDue(nil, 0, e) {
			s := voucherSeries{due.Book, due.Period}
			numbers[s]++
			r.Vouchers = append(r.Vouchers, Voucher{due.Book, due.Period, numbers[s]})
		}
		tree.add(leafOf(r), nil)
		if slices.Contains(checkpoints, r.Position) {
			c := Checkpoint{p.header.Origin, r.Position, tree.root()}
			signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
			if err != nil {
				t.Fatal(err)
			}
			p.notes[r.Position] = append(p.notes[r.Position], string(signed))
		}
		p.records = append(p.records, r)
	}
	root := tree.root()
	p.header.Root = root[:]
	p.link()
	for _, name := range slices.Sorted(maps.Keys(balances)) {
		p.balances = append(p.balances, balances[name])
	}
	for _, key := range slices.Sorted(maps.Keys(floors)) {
		p.floors = append(p.floors, floors[key])
	}
	return p
}

// link gives corrections their links. Reversals here take back of every posting.
func (p *parts) link() {
	of := map[uuid.UUID]*exportedEntry{}
	last := map[uuid.UUID]*exportedEntry{} // correction of the original
	for _, r := range p.records {
		of[r.ID] = r
		if !r.Corrects.Valid {
			continue
		}
		id := r.Corrects.UUID
		of[id].corrected++
		r.link = bundleLink{kind: linkPlain, version: 1}
		if before := last[id]; before != nil {
			r.link.version = before.link.version
			if before.Batch != r.Batch {
				r.link.version++
			}
		}
		last[id] = r
		if r.Kind == reversalKind {
			r.link.kind = linkMeasured
			for _, x := range r.Postings {
				r.link.amounts = append(r.link.amounts, -x.Amount)
			}
		}
	}
}

// pend adds a pending entry in the state, and reserves where it is open.
func (p *parts) pend(t testing.TB, e Entry, state PendingState) *bundlePending {
	t.Helper()
	x := &bundlePending{key: e.Key, digest: digest(&e), canonical: appendCanonical(nil, &e, nil)}
	x.Pending = Pending{Entry: e, State: state, Holds: holdsUnder(accounts.NewChart(p.header.Subjects), &e), Made: testTime, Expires: testTime.Add(time.Hour)}
	switch state {
	case Open:
		for floor, amount := range x.Holds {
			i := slices.IndexFunc(p.floors, func(f bundleFloor) bool { return f.key == floor })
			p.floors[i].reserved += amount
		}
	case Expired:
		x.Decided, x.Reason = testTime.Add(2*time.Hour), "its time has passed"
	default:
		x.Decided, x.By = testTime.Add(time.Minute), "decider"
	}
	p.pendings = append(p.pendings, x)
	return x
}

// write writes the bundle with the given number of bytes a frame of entries.
func (p *parts) write(t testing.TB, frameSize int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := newFrameWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	frame := func(kind byte, content []byte) {
		if err := w.frame(kind, content); err != nil {
			t.Fatal(err)
		}
	}
	header, err := json.Marshal(p.header)
	if err != nil {
		t.Fatal(err)
	}
	frame(frameHeader, header)
	var months []byte
	for i := range p.months {
		if months = p.months[i].append(months); len(months) >= frameSize {
			frame(framePeriods, months)
			months = nil
		}
	}
	frame(framePeriods, months)
	counts := bundleCounts{months: int64(len(p.months)), pendings: int64(len(p.pendings)), behind: p.behind}
	var content, notes []byte
	var batch uuid.UUID
	for i, r := range p.records {
		for _, signed := range p.notes[r.Position] {
			notes = appendText(notes, signed)
			counts.checkpoints++
		}
		content = appendBundleEntry(content, r, batch, appendCanonical(nil, &r.Entry, nil))
		counts.entries++
		batch = r.Batch
		if len(content) >= frameSize || i == len(p.records)-1 {
			frame(frameCheckpoints, notes)
			frame(frameEntries, content)
			notes, content, batch = nil, nil, uuid.Nil
		}
	}
	for _, b := range p.balances {
		content = b.append(content)
		counts.balances++
	}
	frame(frameBalances, content)
	content = nil
	for _, f := range p.floors {
		content = f.append(content)
		counts.floors++
	}
	frame(frameFloors, content)
	content = nil
	for _, x := range p.pendings {
		content = x.append(content)
	}
	frame(framePendings, content)
	if p.counts != nil {
		counts = *p.counts
	}
	frame(frameEnd, counts.append(nil))
	return out.Bytes()
}

// redigest makes the digest of a changed record anew.
func redigest(r *exportedEntry) { r.digest = digest(&r.Entry) }

func leafOf(r *exportedEntry) tlog.Hash {
	return tlog.RecordHash(appendLeaf(nil, r.Position, r.ID, r.digest, r.Vouchers))
}

func testKey(t testing.TB, name string) (note.Signer, note.Verifier) {
	t.Helper()
	signer, public := newKey(t, name)
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func newKey(t testing.TB, name string) (signer note.Signer, public string) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	if signer, err = note.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	return signer, public
}

func testAccount(t testing.TB, name string) accounts.Account {
	t.Helper()
	a, err := accounts.ParseAccount(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func twoLines(t testing.TB, key, debit, credit string, fen accounts.Fen) Entry {
	return Entry{
		Key: key, Date: civil.Date{Year: 2025, Month: 1, Day: 15}, Period: "2025-01", Kind: "manual", Summary: "试验 " + key, Source: "test", Preparer: "tester",
		Postings: []Posting{
			{Account: testAccount(t, debit), Side: accounts.Debit, Amount: fen},
			{Account: testAccount(t, credit), Side: accounts.Credit, Amount: fen},
		},
	}
}

const (
	testCash   = "320100.agency/310/1003"
	testIncome = "320100.agency/310/4001"
	testSpent  = "320100.agency/310/5001.01"
	testClaim  = "320500.agency/310/9001.01/320100"
	testOwed   = "320500.agency/310/9002/H1"
)

// testEntries are some entries with and without cash, floors and groups.
func testEntries(t testing.TB) []Entry {
	return []Entry{
		twoLines(t, "a", testCash, testIncome, 100),
		twoLines(t, "b", testSpent, testCash, 30),
		twoLines(t, "c", testClaim, testOwed, 9),
		twoLines(t, "d", testCash, testIncome, 5),
		twoLines(t, "e", testSpent, testCash, 75),
		twoLines(t, "f", testClaim, testOwed, 1),
		twoLines(t, "g", testCash, testIncome, 1),
	}
}

// closed is the book whose first month testParts closes, reopens and closes.
const closed = accounts.Book("320500.agency")

// testParts has all that a bundle can have: beside testEntries corrections, a
// month that was closed, and pending entries in every state.
func testParts(t testing.TB, batchSize int, signer note.Signer, checkpoints ...Position) *parts {
	t.Helper()
	correct := func(e Entry, of, kind string) Entry {
		e.Kind, e.Corrects = kind, uuid.NullUUID{UUID: EntryID(of), Valid: true}
		return e
	}
	finished := twoLines(t, finishPrefix+"q", testSpent, testCash, 5)
	finished.Summary, finished.Reviewer = "试验 q", "decider"
	p := newParts(t, append(testEntries(t),
		correct(twoLines(t, "r", testSpent, testCash, -10), "b", reversalKind),
		correct(twoLines(t, "s", testSpent, testCash, -20), "b", reversalKind),
		correct(twoLines(t, "k", testClaim, testOwed, 2), "c", "manual"),
		finished,
	), batchSize, signer, checkpoints...)
	p.pend(t, twoLines(t, "o", testSpent, testCash, 10), Open)
	p.pend(t, twoLines(t, "q", testSpent, testCash, 8), Finished)
	p.pend(t, twoLines(t, "v", testSpent, testCash, 1), Voided)
	p.pend(t, twoLines(t, "x", testSpent, testCash, 1), Expired)
	m := p.month(closed)
	m.state = PeriodShut
	for i, e := range []PeriodEvent{
		{State: PeriodClosing, By: "closer", Position: 1}, {State: PeriodShut, By: "closer", Position: 2},
		{State: PeriodReopened, By: "chief", Reason: "an invoice came late", Position: 2},
		{State: PeriodClosing, By: "closer", Position: 9}, {State: PeriodShut, By: "closer", Position: 10},
	} {
		e.Book, e.Month, e.Number, e.At = m.book, m.month, int64(i)+2, testTime
		m.events = append(m.events, e)
	}
	return p
}

// month is the history of the book's first month.
func (p *parts) month(book accounts.Book) *monthHistory {
	return &p.months[slices.IndexFunc(p.months, func(h monthHistory) bool { return h.book == book })]
}
