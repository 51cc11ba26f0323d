package ledger

import (
	"bytes"
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Observer sees every entry of a Check in journal order and reports what it
// finds at the end. It lets higher packages prove their invariants in the
// same walk.
type Observer interface {
	// Name says what the observer checks.
	Name() string
	Observe(*Record)
	// Findings may read more in the transaction, which sees the same state of
	// the database as the walk.
	Findings(ctx context.Context, tx pgx.Tx) ([]Finding, error)
}

// NewObserver makes an observer that has seen nothing. The walk starts over
// when the database asks for a retry, and then makes its observers anew.
type NewObserver func() Observer

// Check proves from the entries alone that the journal is whole and that all
// that is derived from it agrees: it replays every entry in order, then
// compares floors, vouchers, balances, lines and turnover. All of it and the
// observers see one snapshot, in which all that is sealed is projected too: it
// catches up until it finds one. The error is a failure to check; what is wrong
// with the books is in the findings.
func (j *Journal) Check(ctx context.Context, observers ...NewObserver) (*CheckReport, error) {
	return j.check(ctx, observers, nil)
}

// Verify is Check with the signatures of the checkpoints: each must be signed
// by one of the keys, and each key must have signed one. VerifyBundle does
// the same without a database.
func (j *Journal) Verify(ctx context.Context, keys ...note.Verifier) (*CheckReport, error) {
	return j.check(ctx, nil, keys)
}

// verifyAttempts: what others post between catching up and verifying has no
// place in the sequence yet, so a verification that finds something is repeated.
const verifyAttempts = 3

// VerifyCaughtUp is Verify of all that is posted, while others post.
func (j *Journal) VerifyCaughtUp(ctx context.Context, keys ...note.Verifier) (report *CheckReport, err error) {
	for range verifyAttempts {
		if _, err := j.CatchUp(ctx); err != nil {
			return nil, err
		}
		if report, err = j.Verify(ctx, keys...); err != nil || report.OK() {
			return report, err
		}
		if position, err := j.CatchUp(ctx); err != nil || position == report.Position {
			return report, err
		}
	}
	return report, nil
}

func (j *Journal) check(ctx context.Context, observers []NewObserver, keys []note.Verifier) (*CheckReport, error) {
	var report *CheckReport
	run := func(tx pgx.Tx) error {
		c := newChecker(j, observers, keys)
		report = c.report
		return c.run(ctx, tx)
	}
	err := j.snapshot(ctx, func(tx pgx.Tx) error {
		if err := projectedAll(ctx, db.New(tx)); err != nil {
			return err
		}
		return run(tx)
	})
	if fault.KindOf(err) == fault.Internal { // the projection cannot be carried on: find what is wrong with it
		err = j.store.Snapshot(ctx, run)
	}
	if err != nil {
		return nil, err
	}
	return report, nil
}

type checker struct {
	journal   *Journal
	observers []Observer
	report    *CheckReport
	items     map[string]int64
	notes     *noteCheck
	open      *periods
	seed      maphash.Seed
	accounts  map[string]*accountCheck
	floors    map[string]*floorState
	vouchers  map[voucherSeries]*seriesCheck

	history    map[bookMonth][]PeriodEvent
	correcting map[uuid.UUID]correcting // by the correction's id, until its link is found
	shifts     map[shift]*dayTurnover
}

// accountCheck is what the legs say of one account.
type accountCheck struct {
	debit, credit accounts.Fen
	lines         int64
	last          Position
	hash          uint64 // sum over the lines, so that their order does not matter
	days          map[string]*dayTurnover
}

func newChecker(j *Journal, observers []NewObserver, keys []note.Verifier) *checker {
	report := &CheckReport{}
	c := &checker{
		journal: j, report: report, notes: newNoteCheck(report, j.origin(), keys), items: map[string]int64{}, seed: maphash.MakeSeed(),
		accounts: map[string]*accountCheck{}, floors: map[string]*floorState{}, vouchers: map[voucherSeries]*seriesCheck{},
		history: map[bookMonth][]PeriodEvent{}, correcting: map[uuid.UUID]correcting{}, shifts: map[shift]*dayTurnover{},
	}
	for _, observer := range observers {
		c.observers = append(c.observers, observer())
	}
	return c
}

func (c *checker) run(ctx context.Context, tx pgx.Tx) error {
	q := db.New(tx)
	if err := c.sequence(ctx, q); err != nil {
		return err
	}
	var err error
	if c.open, err = readPeriods(ctx, q, c.journal.rules().book.Regions.Books()); err != nil {
		return err
	}
	histories, err := readHistories(ctx, q)
	if err != nil {
		return err
	}
	months := historyCheck{report: c.report, sealed: c.report.Position}
	for i := range histories {
		months.follow(&histories[i])
		c.history[histories[i].bookMonth] = histories[i].events
	}
	c.items[checkHistory] = months.items
	tree := &treeCheck{checker: c, ctx: ctx, q: q, last: -1}
	visit := func(r *Record) error {
		c.entry(r)
		return tree.entry(r)
	}
	err = walk(ctx, q, c.report.Position, visit, func(position Position, id uuid.UUID) error {
		c.find(checkContent, "", id.String(), "the entry at position %d is missing from the journal", position)
		tree.lost = true
		return nil
	})
	if err != nil {
		return err
	}
	if err := tree.end(); err != nil {
		return err
	}
	for _, compare := range []func(context.Context, *db.Queries) error{
		c.compareFloors, c.compareVouchers, c.compareBalances, c.compareLines, c.compareMonths, c.compareShifts,
		c.compareReservations, c.compareCorrections,
	} {
		if err := compare(ctx, q); err != nil {
			return err
		}
	}
	c.items[checkNotes] = c.notes.items
	c.report.list(c.items, checkSequence, checkContent, checkPeriods, checkBalance, checkFloors, checkTree, checkNotes,
		checkVouchers, checkBalances, checkLines, checkTurnover, checkReservations, checkCorrections, checkHistory)
	for _, o := range c.observers {
		findings, err := o.Findings(ctx, tx)
		if err != nil {
			return err
		}
		for _, f := range findings {
			c.report.add(f)
		}
		c.report.list(map[string]int64{o.Name(): c.report.Entries}, o.Name())
	}
	c.report.count()
	return nil
}

func (c *checker) find(check, account, entry, format string, args ...any) {
	c.report.find(check, account, entry, format, args...)
}

// sequence checks that sealed batches follow each other without a gap, and
// that no entry stands outside them.
func (c *checker) sequence(ctx context.Context, q *db.Queries) error {
	head, err := q.ReadHead(ctx, headSealed)
	if err != nil {
		return err
	}
	c.report.Position = Position(head)
	sealed, err := q.AllSealed(ctx)
	if err != nil {
		return err
	}
	next, until := int64(1), time.Time{}
	for _, s := range sealed {
		if s.PostedAt.After(until) {
			until = s.PostedAt
		}
		if !s.PostedUntil.Equal(until) {
			c.find(checkSequence, "", "", "batch %s at position %d says that all up to it was posted by %s, its batches say %s", s.BatchID, s.FirstPosition, s.PostedUntil, until)
			until = s.PostedUntil
		}
		if s.FirstPosition != next {
			c.find(checkSequence, "", "", "batch %s stands at position %d, the one before it ends at %d", s.BatchID, s.FirstPosition, next-1)
		}
		next = s.FirstPosition + s.Entries
		if s.Named != s.Entries {
			c.find(checkSequence, "", "", "batch %s at position %d names %d entries, %d were sealed", s.BatchID, s.FirstPosition, s.Named, s.Entries)
		}
	}
	projected, err := q.ReadHead(ctx, headProjected)
	if err != nil {
		return err
	}
	if projected > head {
		c.find(checkSequence, "", "", "the projection stands at %d, beyond the end of the sequence at %d", projected, head)
	}
	c.items[checkSequence] = int64(len(sealed))
	if next != head+1 {
		c.find(checkSequence, "", "", "the sequence ends at %d, its head says %d", next-1, head)
	}
	stored, err := q.CountEntries(ctx)
	if err != nil {
		return err
	}
	waiting, err := q.CountWaiting(ctx)
	if err != nil {
		return err
	}
	if stored != head+waiting {
		c.find(checkSequence, "", "", "the journal has %d entries, %d are in the sequence and %d wait for their place", stored, head, waiting)
	}
	return nil
}

// entry replays one entry.
func (c *checker) entry(r *Record) {
	c.report.Entries++
	c.report.Postings += int64(len(r.Postings))
	c.items[checkContent]++
	c.items[checkBalance]++
	id := r.ID.String()
	if EntryID(r.Key) != r.ID {
		c.find(checkContent, "", id, "the id does not belong to the key %q", r.Key)
	}
	r.now = digest(&r.Entry)
	if !bytes.Equal(r.now, r.digest) || !bytes.Equal(r.now, r.batched) {
		c.find(checkContent, firstAccount(r), id, "the entry at position %d is not what was posted: its digest differs", r.Position)
	}
	if !r.PostedAt.Equal(r.batchAt) {
		c.find(checkSequence, "", id, "the entry at position %d says that it was posted at %s, its batch at %s", r.Position, r.PostedAt, r.batchAt)
	}
	c.items[checkPeriods]++
	sums := make(balancer, 0, 8)
	var effects []floorEffect
	for i := range r.Postings {
		p := &r.Postings[i]
		if opened, ok := c.open.opened[p.Account.Book]; !ok || r.Period < opened {
			c.find(checkPeriods, p.Account.String(), id, "the entry at position %d counts in %s, before its book opens", r.Position, r.Period)
		}
		subject, ok := c.journal.rules().book.Chart.Find(p.Account.Book.Role(), p.Account.Subject, r.Date)
		if !ok {
			c.find(checkContent, p.Account.String(), id, "the chart has no account %s on %s", p.Account.Subject, r.Date)
		}
		if ok && !subject.Postable {
			c.find(checkContent, p.Account.String(), id, "the account takes no postings on %s", r.Date)
		}
		sums.add(p.Account.Book, p.Account.Fund, subject.Layer, p.Signed())
		effects = c.journal.floorEffects(effects, p, r.legs[i].Account, r.Date)
		c.line(r, i)
	}
	for _, s := range sums {
		if s.sum != 0 {
			c.find(checkBalance, string(s.book)+"/"+s.fund, id, "the entry at position %d does not balance in layer %s: debits less credits are %s; its accounts are %s",
				r.Position, s.layer, s.sum, c.accountsOf(r, s))
		}
	}
	c.moveFloors(r, effects)
	for _, due := range c.journal.vouchersDue(nil, 0, &r.Entry) {
		r.Vouchers = append(r.Vouchers, c.voucher(due, r))
	}
	if r.Corrects.Valid {
		c.correcting[r.ID] = correcting{r.Corrects.UUID, r.Batch, r.Position}
	}
	c.postedWhileClosed(r)
	for _, o := range c.observers {
		o.Observe(r)
	}
}

// moveFloors applies what the entry does to floors, and checks the versions
// of floors that its lines carry.
func (c *checker) moveFloors(r *Record, effects []floorEffect) {
	for key, change := range netOf(effects) {
		if c.floors[key] == nil {
			c.floors[key] = &floorState{key: key}
		}
		c.floors[key].move(c.report, r.ID, r.Position, change)
	}
	for i := range r.legs {
		if slices.ContainsFunc(effects, func(x floorEffect) bool { return x.key == r.legs[i].Account }) {
			c.floors[r.legs[i].Account].follow(c.report, r.ID, r.Position, r.Batch, r.legs[i].Version)
		}
	}
}

func (c *checker) line(r *Record, i int) {
	name := r.legs[i].Account
	a := c.accounts[name]
	if a == nil {
		a = &accountCheck{days: map[string]*dayTurnover{}}
		c.accounts[name] = a
	}
	p := &r.Postings[i]
	l := accountLine{position: r.Position, leg: i, date: r.Date, side: p.Side, amount: p.Amount, entry: r.ID}
	l.turnover(&a.debit, &a.credit)
	a.lines++
	a.last = r.Position
	a.hash += maphash.Comparable(c.seed, l)
	day := r.Date.String()
	if a.days[day] == nil {
		a.days[day] = &dayTurnover{}
	}
	a.days[day].line(l)
	addShift(c.shifts, name, l, r.Period)
}

func firstAccount(r *Record) string {
	if len(r.legs) == 0 {
		return ""
	}
	return r.legs[0].Account
}

// accountsOf names the accounts of the entry that one balance is over.
func (c *checker) accountsOf(r *Record, of layerSum) string {
	var names []string
	for _, p := range r.Postings {
		subject, _ := c.journal.rules().book.Chart.Find(p.Account.Book.Role(), p.Account.Subject, r.Date)
		if p.Account.Book == of.book && p.Account.Fund == of.fund && subject.Layer == of.layer {
			names = append(names, p.Account.String())
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}
