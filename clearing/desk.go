package clearing

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
)

// desk is one remittance being worked on, under the lock of its run.
type desk struct {
	clearing     *Clearing
	tx           pgx.Tx
	q            *db.Queries
	run          Run
	notice       Notice
	counterparty string
	lines        []payLine
	shares       []*Share
	held         []*holding // by fund and counterparty
	entries      []uuid.UUID
}

// payLine is a line of the notice with what is asked of it now; all leaves
// the amount to what is open.
type payLine struct {
	NoticeLine
	asked accounts.Fen
	all   bool
}

// holding is money of the run at the province, by who sent it, and what the
// run has taken from the pool of the counterparty and not refilled.
type holding struct {
	fund, counterparty string
	held, used         accounts.Fen
	touched            bool
}

// choose picks the lines of the notice that are paid.
func (d *desk) choose(lines []Line) error {
	if len(lines) == 0 {
		for _, l := range d.notice.Lines {
			if !l.Closed {
				d.lines = append(d.lines, payLine{NoticeLine: l, all: true})
			}
		}
		if len(d.lines) == 0 {
			return fault.New(fault.Insufficient, "nothing is open on notice %s", d.notice.ID).With("notice", d.notice.ID).With("open", accounts.Fen(0).String())
		}
		return nil
	}
	for _, line := range lines {
		i := slices.IndexFunc(d.notice.Lines, func(l NoticeLine) bool { return l.Fund == line.Fund })
		if i < 0 {
			return fault.New(fault.NotFound, "notice %s has no amount in fund %s", d.notice.ID, line.Fund).With("notice", d.notice.ID).With("fund", line.Fund)
		}
		d.lines = append(d.lines, payLine{NoticeLine: d.notice.Lines[i], asked: line.Amount})
	}
	slices.SortFunc(d.lines, func(a, b payLine) int { return cmp.Compare(a.Fund, b.Fund) })
	return nil
}

// load reads the shares of the party and the holdings of the run.
func (d *desk) load(ctx context.Context) error {
	if d.counterparty != "" && !(d.run.Kind == CrossIn && d.clearing.isCity(d.notice.Party)) {
		return fault.New(fault.Invalid, "notice %s is not paid by counterparty: that is for cities in cross-in runs", d.notice.ID).With("field", "counterparty")
	}
	funds := make([]string, len(d.lines))
	for i, l := range d.lines {
		funds[i] = l.Fund
	}
	parts, err := d.q.PartsOf(ctx, db.PartsOfParams{Run: d.run.ID, Party: d.notice.Party, Funds: funds})
	if err != nil {
		return err
	}
	for _, row := range parts {
		d.shares = append(d.shares, shareOf(row))
	}
	rows, err := d.q.LockHoldings(ctx, db.LockHoldingsParams{Run: d.run.ID, Funds: funds})
	for _, row := range rows {
		d.held = append(d.held, &holding{fund: row.Fund, counterparty: row.Counterparty, held: accounts.Fen(row.HeldFen), used: accounts.Fen(row.PoolUsedFen)})
	}
	return err
}

// holding returns the one of the fund and counterparty, new if need be.
func (d *desk) holding(fund, counterparty string) *holding {
	i, ok := slices.BinarySearchFunc(d.held, holding{fund: fund, counterparty: counterparty}, func(a *holding, b holding) int {
		return cmp.Or(cmp.Compare(a.fund, b.fund), cmp.Compare(a.counterparty, b.counterparty))
	})
	if !ok {
		d.held = slices.Insert(d.held, i, &holding{fund: fund, counterparty: counterparty})
	}
	d.held[i].touched = true
	return d.held[i]
}

// settle checks what is asked of the line against what is open and sets it:
// never more than is open, and in its direction.
func (d *desk) settle(line *payLine, open accounts.Fen, closed bool) error {
	line.Open = open
	if line.all {
		line.asked = open
	}
	fail := func(kind fault.Kind, reason string) *fault.Error {
		return fault.New(kind, "notice %s, fund %s: %s was asked and %s is open: %s", d.notice.ID, line.Fund, line.asked, open, reason).
			With("notice", d.notice.ID).With("fund", line.Fund).With("asked", line.asked.String()).With("open", open.String())
	}
	beyond := func(over accounts.Fen) error {
		return fail(fault.Insufficient, over.String()+" is more than is owed").With("shortfall", over.String())
	}
	switch asked := line.asked; {
	case closed && asked != 0:
		return beyond(max(asked, -asked))
	case closed:
		return fail(fault.Insufficient, "nothing is left to pay")
	case asked == 0 && open != 0:
		return fail(fault.Invalid, "an amount of 0.00 pays nothing")
	case open == 0 && asked != 0, open > 0 && asked > open, open < 0 && asked < open:
		return beyond(max(asked-open, open-asked))
	case asked > 0 != (open > 0):
		return fail(fault.Invalid, "the sign is not that of the notice")
	}
	line.Paid += line.asked
	return nil
}

// short refuses a payment that the province has no money for.
func (d *desk) short(line *payLine, held, pool, missing accounts.Fen) *fault.Error {
	return fault.New(fault.Insufficient, "notice %s, fund %s: %s was asked (%s open), but the province holds %s of this run and the pool can give %s: %s is missing; wait for the money, or pay less",
		d.notice.ID, line.Fund, line.asked, line.Open, held, pool, missing).
		With("notice", d.notice.ID).With("fund", line.Fund).With("asked", line.asked.String()).With("open", line.Open.String()).
		With("held", held.String()).With("pool", pool.String()).With("shortfall", missing.String())
}

// record writes what the payment has changed.
func (d *desk) record(ctx context.Context, p Payment) (*Remittance, error) {
	made := &Remittance{Reference: p.Reference, Notice: p.Notice, Date: p.Date, Counterparty: p.Counterparty, Entries: d.entries}
	row := db.InsertRemittanceParams{Reference: p.Reference, Notice: p.Notice, PaidOn: dateParam(p.Date), Counterparty: p.Counterparty,
		Requested: p.requested(), Entries: d.entries}
	lines := db.WriteNoticeLinesParams{Notice: p.Notice}
	for _, l := range d.lines {
		made.Lines = append(made.Lines, Line{Fund: l.Fund, Amount: l.asked})
		row.Funds, row.AmountsFen = append(row.Funds, l.Fund), append(row.AmountsFen, int64(l.asked))
		lines.Funds, lines.Paid, lines.Closed = append(lines.Funds, l.Fund), append(lines.Paid, int64(l.Paid)), append(lines.Closed, l.Closed)
	}
	if row.Entries == nil {
		row.Entries = []uuid.UUID{}
	}
	if err := d.q.InsertRemittance(ctx, row); err != nil {
		return nil, err
	}
	if err := d.q.WriteNoticeLines(ctx, lines); err != nil {
		return nil, err
	}
	shares := db.WritePartsParams{Run: d.run.ID}
	for _, s := range d.shares {
		shares.Insured, shares.Treating, shares.Funds = append(shares.Insured, s.Insured), append(shares.Treating, s.Treating), append(shares.Funds, s.Fund)
		shares.Categories, shares.Parts, shares.Years = append(shares.Categories, s.Category), append(shares.Parts, s.Part), append(shares.Years, int64(s.BenefitYear))
		shares.PaidInsured, shares.PaidTreating = append(shares.PaidInsured, int64(s.PaidInsured)), append(shares.PaidTreating, int64(s.PaidTreating))
	}
	if err := d.q.WriteParts(ctx, shares); err != nil {
		return nil, err
	}
	held := db.WriteHoldingsParams{Run: d.run.ID}
	for _, h := range d.held {
		if h.touched {
			held.Funds, held.Counterparties = append(held.Funds, h.fund), append(held.Counterparties, h.counterparty)
			held.Held, held.Used = append(held.Held, int64(h.held)), append(held.Used, int64(h.used))
		}
	}
	return made, d.q.WriteHoldings(ctx, held)
}
