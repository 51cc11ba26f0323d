package ledger

import (
	"context"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Reversal (红字冲销) asks to take an entry back, in full or in part.
type Reversal struct {
	Key string    `json:"key"` // idempotency key of the reversing entry
	Of  uuid.UUID `json:"of"`  // the entry to take back
	// Date and Period are those of the reversing entry: not before the original.
	Date     civil.Date     `json:"date"`
	Period   accounts.Month `json:"period"`
	Summary  string         `json:"summary"`
	Source   string         `json:"source,omitempty"` // empty: that of the original
	Preparer string         `json:"preparer"`
	Reviewer string         `json:"reviewer,omitempty"`
	// Amounts says how much of each posting of the original is taken back, with
	// the sign that it has there; 0 leaves a posting alone. Nil is all of it.
	Amounts []accounts.Fen `json:"amounts,omitempty"`
}

// Reverse posts the red-letter lines (negative amounts on the same sides) that
// take an entry back, and links the two: the new entry corrects the original,
// and Entry shows the new one with the original. Of no posting more is ever
// taken back than earlier reversals have left, racing ones included. A
// reversal can be reversed as any entry; what that restores is taken back by
// reversing the restoring entry. The same key with the same content gives the
// first result again. Errors: NotFound (no such entry), Invalid (amounts or
// dates that do not fit the original), Insufficient (more than is left, or a
// floor would be crossed), Precondition (the original counts in an earlier
// fiscal year: post a correcting voucher in blue that names it, 会计基础工作规范
// art. 51), and those of PostTx.
func (j *Journal) Reverse(ctx context.Context, r Reversal) (Result, error) {
	return j.once(ctx, func(tx pgx.Tx) (Result, error) { return j.reverse(ctx, tx, r) })
}

// once runs a transaction that posts one entry by its key, and again when the
// outcome of the commit is unknown, which finds the entry if it was committed.
func (j *Journal) once(ctx context.Context, fn func(pgx.Tx) (Result, error)) (Result, error) {
	var result Result
	run := func(tx pgx.Tx) (err error) {
		result, err = fn(tx)
		return err
	}
	err := j.store.InTx(ctx, run)
	if fault.KindOf(err) == fault.Unavailable {
		first := result
		if err = j.store.InTx(ctx, run); err == nil && result.ID == first.ID {
			result.Replayed = first.Replayed
		}
	}
	if err != nil {
		return Result{}, err
	}
	j.wakeSealer()
	return result, nil
}

func (j *Journal) reverse(ctx context.Context, tx pgx.Tx, r Reversal) (Result, error) {
	q := db.New(tx)
	records, err := readEntries(ctx, q, []uuid.UUID{r.Of})
	if err != nil {
		return Result{}, err
	}
	original := records[r.Of]
	if original == nil {
		return Result{}, fault.New(fault.NotFound, "the journal has no entry %s to reverse", r.Of).With("key", r.Key)
	}
	if err := r.refuse(original); err != nil {
		return Result{}, err
	}
	e, amounts := r.entry(original)
	left, err := leftOf(ctx, q, original, e.ID())
	if err != nil {
		return Result{}, err
	}
	for i, amount := range amounts {
		p := original.Postings[i]
		if abs(amount) > abs(left[i]) {
			return Result{}, fault.New(fault.Insufficient, "posting %d of entry %s (%s %s) has %s left to take back, %s is asked", i+1, r.Of, p.Side, p.Account, left[i], amount).
				With("key", r.Key).With("account", p.Account.String()).With("left", left[i].String()).With("asked", amount.String())
		}
	}
	p := posting{journal: j, entries: []Entry{e}, reversed: map[uuid.UUID][]accounts.Fen{e.ID(): amounts}}
	results, err := p.inTx(ctx, q)
	if err != nil {
		return Result{}, err
	}
	return results[0], results[0].Err
}

// refuse says what of the request does not fit the original.
func (r Reversal) refuse(original *Record) error {
	fail := func(kind fault.Kind, format string, args ...any) error {
		return fault.New(kind, format, args...).With("key", r.Key).With("of", r.Of.String())
	}
	if _, err := accounts.ParseMonth(string(r.Period)); err != nil {
		return fail(fault.Invalid, "the period %q is not a month", r.Period)
	}
	if !r.Date.IsValid() || r.Date.Before(original.Date) || r.Period < original.Period {
		return fail(fault.Invalid, "a reversal on %s in %s comes before what it reverses, on %s in %s", r.Date, r.Period, original.Date, original.Period)
	}
	if year := original.Period.Year(); year < r.Period.Year() {
		return fail(fault.Precondition, "entry %s counts in fiscal year %d, %s does not: post one correcting voucher in blue that names it in corrects (会计基础工作规范 art. 51)", r.Of, year, r.Period)
	}
	if yearEnd(original.Kind) && r.Period != original.Period {
		return fail(fault.Precondition, "entry %s closes the year: it is reversed in %s alone, once that month is reopened", r.Of, original.Period)
	}
	if r.Amounts == nil {
		return nil
	}
	if len(r.Amounts) != len(original.Postings) {
		return fail(fault.Invalid, "entry %s has %d postings, %d amounts were given", r.Of, len(original.Postings), len(r.Amounts))
	}
	for i, amount := range r.Amounts {
		whole := original.Postings[i].Amount
		if amount != 0 && (amount < 0) != (whole < 0) || abs(amount) > abs(whole) {
			return fail(fault.Invalid, "posting %d of entry %s is %s, of which %s cannot be taken back", i+1, r.Of, whole, amount)
		}
	}
	return nil
}

// entry writes the reversing entry, and how much it takes back of each posting.
func (r Reversal) entry(original *Record) (Entry, []accounts.Fen) {
	e := Entry{
		Key: r.Key, Date: r.Date, Period: r.Period, Kind: reversalKind, Summary: r.Summary, Source: r.Source,
		Preparer: r.Preparer, Reviewer: r.Reviewer, Corrects: uuid.NullUUID{UUID: r.Of, Valid: true},
	}
	if e.Source == "" {
		e.Source = original.Source
	}
	amounts := make([]accounts.Fen, len(original.Postings))
	for i, p := range original.Postings {
		if amounts[i] = p.Amount; r.Amounts != nil {
			amounts[i] = r.Amounts[i]
		}
		if amounts[i] != 0 {
			p.Amount = -amounts[i]
			e.Postings = append(e.Postings, p)
		}
	}
	return e, amounts
}

// leftOf returns what reversals other than the given one have left of each
// posting.
func leftOf(ctx context.Context, q *db.Queries, original *Record, except uuid.UUID) ([]accounts.Fen, error) {
	left := make([]accounts.Fen, len(original.Postings))
	for i, p := range original.Postings {
		left[i] = p.Amount
	}
	corrections, err := q.CorrectionsOf(ctx, original.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range corrections {
		if c.Amounts == nil || c.Correction == except {
			continue
		}
		amounts, err := decodeAmounts(c.Correction, c.Amounts)
		if err != nil {
			return nil, err
		}
		for i, amount := range amounts[:min(len(amounts), len(left))] {
			left[i] -= amount
		}
	}
	return left, nil
}

// yearEnd tells whether entries of the kind close a year (年终结转).
func yearEnd(kind string) bool { return strings.HasPrefix(kind, "year_end.") }

func abs(f accounts.Fen) accounts.Fen { return max(f, -f) }
