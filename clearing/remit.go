package clearing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Line is an amount of one fund.
type Line struct {
	Fund   string       `json:"fund"`
	Amount accounts.Fen `json:"amount"`
}

// Payment says that money moved on a notice, in the notice's direction.
type Payment struct {
	Notice string
	// Lines are what was paid per fund; none means all that is open.
	Lines []Line
	// Counterparty restricts what a city gets (or returns) in cross-in to the
	// money of one province. Such an amount is negative where refunds are.
	Counterparty string
	Date         civil.Date
	// Reference of the bank's voucher, the idempotency key.
	Reference string
}

// Remittance (拨付) is a payment as recorded.
type Remittance struct {
	Reference    string      `json:"reference"`
	Notice       string      `json:"notice"`
	Date         civil.Date  `json:"date"`
	Counterparty string      `json:"counterparty,omitempty"`
	Lines        []Line      `json:"lines"`
	Entries      []uuid.UUID `json:"entries"`
	Replayed     bool        `json:"replayed,omitempty"`
}

// Remit records a payment and posts it. The same reference with the same
// content gives the first result again.
//
// Errors: NotFound (notice, fund); Invalid (form, sign, a date before the
// notice); AlreadyExists (the reference stands with other content); Precondition
// (the national clearing list differs and is not accepted);
// Insufficient (more than is owed, or than is held and the pool can give, or
// the payer's bank account would go below zero), with notice, fund, asked,
// open, held, pool and shortfall as details; PeriodClosed.
func (c *Clearing) Remit(ctx context.Context, p Payment) (*Remittance, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	var made *Remittance
	err := c.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		made, err = c.remit(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

const maxReference = 120

func (p *Payment) check() error {
	if p.Reference == "" || len(p.Reference) > maxReference {
		return fault.New(fault.Invalid, "a remittance needs the bank's reference, at most %d bytes: it is what makes a repeated call harmless", maxReference).With("field", "reference")
	}
	if !p.Date.IsValid() {
		return fault.New(fault.Invalid, "a remittance needs the date on which the money moved").With("field", "date")
	}
	for i, line := range p.Lines {
		if slices.ContainsFunc(p.Lines[:i], func(l Line) bool { return l.Fund == line.Fund }) {
			return fault.New(fault.Invalid, "fund %s is given twice", line.Fund).With("field", "fund")
		}
	}
	return nil
}

// requested is the request in a canonical form, to tell a replay from a
// reference that is used for something else.
func (p *Payment) requested() string {
	if len(p.Lines) == 0 {
		return "all"
	}
	lines := make([]string, len(p.Lines))
	for i, l := range p.Lines {
		lines[i] = l.Fund + "=" + l.Amount.String()
	}
	slices.Sort(lines)
	return strings.Join(lines, " ")
}

func (c *Clearing) remit(ctx context.Context, tx pgx.Tx, p Payment) (*Remittance, error) {
	q := db.New(tx)
	notice, err := c.readNotice(ctx, q, p.Notice)
	if err != nil {
		return nil, err
	}
	row, err := q.LockRun(ctx, notice.Run)
	if err != nil {
		return nil, err
	}
	if stands, err := q.GetRemittance(ctx, p.Reference); err != pgx.ErrNoRows {
		if err != nil {
			return nil, err
		}
		return replay(stands, p)
	}
	if p.Date.Before(notice.Issued) {
		return nil, fault.New(fault.Invalid, "a payment of %s lies before notice %s of %s", p.Date, notice.ID, notice.Issued).With("field", "date")
	}
	if notice, err = c.readNotice(ctx, q, p.Notice); err != nil { // as it stands under the lock
		return nil, err
	}
	d := &desk{clearing: c, tx: tx, q: q, run: runOf(row), notice: notice, counterparty: p.Counterparty}
	if err := d.choose(p.Lines); err != nil {
		return nil, err
	}
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	if err := d.clearByNational(ctx); err != nil {
		return nil, err
	}
	if err := d.pay(ctx, p); err != nil {
		return nil, err
	}
	return d.record(ctx, p)
}

func replay(stands db.Remittance, p Payment) (*Remittance, error) {
	same := []struct{ name, before, now string }{
		{"notice", stands.Notice, p.Notice},
		{"date", civil.DateOf(stands.PaidOn).String(), p.Date.String()},
		{"counterparty", stands.Counterparty, p.Counterparty},
		{"amounts", stands.Requested, p.requested()},
	}
	for _, s := range same {
		if s.before != s.now {
			return nil, fault.New(fault.AlreadyExists, "reference %q is recorded already with other content: %s is %q there, %q here", p.Reference, s.name, s.before, s.now).
				With("reference", p.Reference).With("field", s.name)
		}
	}
	r := remittanceOf(stands)
	r.Replayed = true
	return r, nil
}

func remittanceOf(row db.Remittance) *Remittance {
	r := &Remittance{Reference: row.Reference, Notice: row.Notice, Date: civil.DateOf(row.PaidOn), Counterparty: row.Counterparty, Entries: row.Entries}
	for i, fund := range row.Funds {
		r.Lines = append(r.Lines, Line{Fund: fund, Amount: accounts.Fen(row.AmountsFen[i])})
	}
	return r
}

// maxLines keeps an entry within what the journal takes; a remittance that
// needs more is posted as several entries, whole funds each.
const maxLines = 1500

// pay drafts and posts what each chosen line asks for.
func (d *desk) pay(ctx context.Context, p Payment) error {
	key := "remit/" + p.Reference
	var entries []ledger.Entry
	for i := range d.lines {
		line := &d.lines[i]
		events, err := d.payLine(ctx, line)
		if err != nil {
			return err
		}
		e := ledger.Entry{Key: key, Kind: events[0].name, Source: d.notice.ID + " " + p.Reference, Summary: d.summary()}
		for _, event := range events {
			if err := d.clearing.draft(&e, d.run, line.Fund, event.name, p.Date, event.regions, event.amounts); err != nil {
				return err
			}
		}
		last := len(entries) - 1
		switch {
		case len(e.Postings) == 0: // shares that cancel out in every account
		case last >= 0 && len(entries[last].Postings)+len(e.Postings) <= maxLines:
			entries[last].Postings = append(entries[last].Postings, e.Postings...)
		case last >= 0:
			e.Key = key + "/" + line.Fund
			entries = append(entries, e)
		default:
			entries = append(entries, e)
		}
	}
	if _, err := d.clearing.post(ctx, d.tx, p.Date, entries); err != nil {
		return err
	}
	for _, e := range entries {
		d.entries = append(d.entries, e.ID())
	}
	return d.clearing.settleClawbacks(ctx, d.tx, d.run.ID, p.Date, d.shares)
}

func (d *desk) summary() string {
	verb := "上缴"
	if d.notice.Direction == Receive {
		verb = "拨付"
	}
	return fmt.Sprintf("%s %s清算资金%s %s", d.run.Month, kindName[d.run.Kind], verb, d.notice.PartyName)
}
