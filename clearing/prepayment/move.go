package prepayment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Move says that prepayment money moved: on one of our notices, in its
// direction, or, where another province prepays us, on a notice of theirs.
type Move struct {
	Notice string
	// Lines are what moved per fund; none means all that is open on the notice.
	Lines []clearing.Line
	Date  civil.Date
	// Reference of the bank's voucher, the idempotency key.
	Reference string
	By        string
	// Province, Direction and Document stand in for Notice: the other province
	// pays its prepayment here (pay), or gets it back (receive), by this document.
	Province  string
	Direction clearing.Direction
	Document  string
}

// Moved is a move as recorded.
type Moved struct {
	Reference string             `json:"reference"`
	Notice    string             `json:"notice,omitempty"`
	Party     string             `json:"party"`
	Direction clearing.Direction `json:"direction"`
	Event     string             `json:"event"`
	Date      civil.Date         `json:"date"`
	Document  string             `json:"document,omitempty"`
	Lines     []clearing.Line    `json:"lines"`
	Entry     uuid.UUID          `json:"entry"`
	By        string             `json:"by"`
	Replayed  bool               `json:"replayed,omitempty"`
	origin    string
}

// moveEvents are the events of moves, by scheme, whether a city is the party,
// and its direction.
var moveEvents = map[Scheme]map[bool]map[clearing.Direction]string{
	InProvince: {true: {clearing.Pay: "prepayment.paid.in_province", clearing.Receive: "prepayment.returned.in_province"}},
	CrossProvince: {
		true:  {clearing.Pay: "prepayment.collected.cross", clearing.Receive: "prepayment.returned.cross"},
		false: {clearing.Receive: "prepayment.forwarded.cross", clearing.Pay: "prepayment.recovered.cross"},
	},
}

// theirEvents are those of another province's prepayment here.
var theirEvents = map[clearing.Direction]string{clearing.Pay: "prepayment.received.cross", clearing.Receive: "prepayment.refunded.cross"}

var eventNames = map[string]string{
	"prepayment.paid.in_province": "上解省内预付金", "prepayment.returned.in_province": "退还省内预付金",
	"prepayment.collected.cross": "上划跨省预付金", "prepayment.returned.cross": "退还跨省预付金",
	"prepayment.forwarded.cross": "拨付外省预付金", "prepayment.recovered.cross": "外省退回预付金",
	"prepayment.received.cross": "收到外省预付金", "prepayment.refunded.cross": "退还外省预付金",
}

const maxReference = 120

// Record records that prepayment money moved and posts it, as one entry. The
// same reference with the same content gives the first result again.
//
// Errors: NotFound (notice, fund, province); Invalid (form, a date before the
// notice); AlreadyExists (the reference stands with other content); Precondition
// (a later plan has taken the notice's place); Insufficient (more than is open, or
// than the cities have paid in, or than is held), with notice, fund, asked,
// available and shortfall; PeriodClosed.
func (p *Prepayments) Record(ctx context.Context, m Move) (*Moved, error) {
	if err := p.checkMove(m); err != nil {
		return nil, err
	}
	var moved *Moved
	err := p.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		moved, err = p.record(ctx, tx, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return moved, nil
}

func (p *Prepayments) checkMove(m Move) error {
	if m.Reference == "" || len(m.Reference) > maxReference {
		return fault.New(fault.Invalid, "a move needs the bank's reference, at most %d bytes: it is what makes a repeated call harmless", maxReference).With("field", "reference")
	}
	if !m.Date.IsValid() {
		return fault.New(fault.Invalid, "a move needs the date on which the money moved").With("field", "date")
	}
	for i, line := range m.Lines {
		if slices.ContainsFunc(m.Lines[:i], func(l clearing.Line) bool { return l.Fund == line.Fund }) {
			return fault.New(fault.Invalid, "fund %s is given twice", line.Fund).With("field", "fund")
		}
		if line.Amount <= 0 {
			return fault.New(fault.Invalid, "fund %s: %s moves nothing; what goes back stands on a notice of its own", line.Fund, line.Amount).With("field", "amount")
		}
	}
	if m.Notice != "" {
		if m.Province != "" || m.Direction != "" {
			return fault.New(fault.Invalid, "give a notice, or the other province with direction and document, not both").With("field", "province")
		}
		return person(m.By)
	}
	kind, err := p.kindOf(m.Province)
	switch {
	case err != nil:
		return err
	case kind != accounts.Counterparty:
		return fault.New(fault.Invalid, "%s is no other province: its prepayments move on a notice", m.Province).With("field", "province")
	case theirEvents[m.Direction] == "":
		return fault.New(fault.Invalid, "say whether the province pays or receives").With("field", "direction")
	case m.Document == "" || len(m.Document) > maxText:
		return fault.New(fault.Invalid, "a prepayment of another province needs the document that it moves by, at most %d bytes", maxText).With("field", "document")
	case len(m.Lines) == 0:
		return fault.New(fault.Invalid, "say what moved, per fund").With("field", "lines")
	}
	return person(m.By)
}

// requested is the request in a canonical form.
func (m *Move) requested() string {
	if len(m.Lines) == 0 {
		return "all"
	}
	lines := make([]string, len(m.Lines))
	for i, l := range m.Lines {
		lines[i] = l.Fund + "=" + l.Amount.String()
	}
	slices.Sort(lines)
	return strings.Join(lines, " ")
}

func (p *Prepayments) record(ctx context.Context, tx pgx.Tx, m Move) (*Moved, error) {
	q := db.New(tx)
	made := &Moved{Reference: m.Reference, Party: m.Province, Direction: m.Direction, Event: theirEvents[m.Direction], Date: m.Date, Document: m.Document, Lines: m.Lines, By: m.By}
	var notice *Notice
	if m.Notice != "" {
		var err error
		if notice, err = p.lockNotice(ctx, q, m.Notice); err != nil {
			return nil, err
		}
		made.Notice, made.origin, made.Party, made.Direction = notice.ID, notice.Origin, notice.Party, notice.Direction
		made.Event = moveEvents[notice.Scheme][p.isCity(notice.Party)][notice.Direction]
	}
	if stands, err := q.GetMove(ctx, m.Reference); err != pgx.ErrNoRows {
		if err != nil {
			return nil, err
		}
		return replayMove(stands, m, made)
	}
	if notice != nil {
		var err error
		if made.Lines, err = notice.choose(m); err != nil {
			return nil, err
		}
	}
	if err := p.spare(ctx, tx, made); err != nil {
		return nil, err
	}
	if err := p.postMove(ctx, tx, made); err != nil {
		return nil, err
	}
	row := db.InsertMoveParams{Reference: m.Reference, Notice: made.Notice, Origin: made.origin, Party: made.Party, Direction: string(made.Direction),
		Event: made.Event, MovedOn: dateParam(m.Date), Document: m.Document, Requested: m.requested(), Entry: made.Entry, ByWhom: m.By}
	for _, l := range made.Lines {
		row.Funds, row.AmountsFen = append(row.Funds, l.Fund), append(row.AmountsFen, int64(l.Amount))
	}
	return made, q.InsertMove(ctx, row)
}

func replayMove(stands db.PrepaymentMove, m Move, now *Moved) (*Moved, error) {
	same := []struct{ name, before, now string }{
		{"notice", stands.Notice, m.Notice}, {"province", stands.Party, now.Party}, {"direction", stands.Direction, string(now.Direction)},
		{"date", civil.DateOf(stands.MovedOn).String(), m.Date.String()}, {"amounts", stands.Requested, m.requested()}, {"document", stands.Document, m.Document},
	}
	for _, s := range same {
		if s.before != s.now {
			return nil, fault.New(fault.AlreadyExists, "reference %q is recorded already with other content: %s is %q there, %q here", m.Reference, s.name, s.before, s.now).
				With("reference", m.Reference).With("field", s.name)
		}
	}
	moved := movedOf(stands)
	moved.Replayed = true
	return &moved, nil
}

func movedOf(row db.PrepaymentMove) Moved {
	m := Moved{Reference: row.Reference, Notice: row.Notice, Party: row.Party, Direction: clearing.Direction(row.Direction), Event: row.Event,
		Date: civil.DateOf(row.MovedOn), Document: row.Document, Entry: row.Entry, By: row.ByWhom, origin: row.Origin}
	for i, fund := range row.Funds {
		m.Lines = append(m.Lines, clearing.Line{Fund: fund, Amount: accounts.Fen(row.AmountsFen[i])})
	}
	return m
}

// choose picks what moves on the notice: never more than is open.
func (n *Notice) choose(m Move) ([]clearing.Line, error) {
	switch {
	case n.Superseded != "":
		return nil, fault.New(fault.Precondition, "notice %s is set off in plan %s: pay on its notices", n.ID, n.Superseded).With("notice", n.ID).With("plan", n.Superseded)
	case m.Date.Before(n.Issued):
		return nil, fault.New(fault.Invalid, "a payment of %s lies before notice %s of %s", m.Date, n.ID, n.Issued).With("field", "date")
	case n.Open == 0:
		return nil, fault.New(fault.Insufficient, "nothing is open on notice %s", n.ID).With("notice", n.ID).With("open", accounts.Fen(0).String())
	}
	var lines []clearing.Line
	if len(m.Lines) == 0 {
		for _, l := range n.Lines {
			if l.Open > 0 {
				lines = append(lines, clearing.Line{Fund: l.Fund, Amount: l.Open})
			}
		}
		return lines, nil
	}
	for _, line := range m.Lines {
		i := slices.IndexFunc(n.Lines, func(l NoticeLine) bool { return l.Fund == line.Fund })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "notice %s has no amount in fund %s", n.ID, line.Fund).With("notice", n.ID).With("fund", line.Fund)
		}
		if over := line.Amount - n.Lines[i].Open; over > 0 {
			return nil, fault.New(fault.Insufficient, "notice %s, fund %s: %s was asked and %s is open: %s is more than is asked for", n.ID, line.Fund, line.Amount, n.Lines[i].Open, over).
				With("notice", n.ID).With("fund", line.Fund).With("asked", line.Amount.String()).With("open", n.Lines[i].Open.String()).With("shortfall", over.String())
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b clearing.Line) int { return strings.Compare(a.Fund, b.Fund) })
	return lines, nil
}

// postMove posts the entry of a move, all its funds.
func (p *Prepayments) postMove(ctx context.Context, tx pgx.Tx, m *Moved) error {
	source := m.Notice
	if source == "" {
		source = m.Document
	}
	e := ledger.Entry{Key: keyPrefix + m.Reference, Date: m.Date, Kind: m.Event, Source: source + " " + m.Reference, Preparer: m.By,
		Summary: fmt.Sprintf("%s %s", p.name(m.Party), eventNames[m.Event])}
	regions := map[string]string{"P": p.home(), "I": m.Party, "X": m.Party}
	for _, l := range m.Lines {
		lines, err := ledger.Draft(p.book, ledger.Facts{Event: m.Event, Date: m.Date, Fund: l.Fund, Regions: regions,
			Amounts: map[string][]ledger.Part{"amount": ledger.Total(l.Amount)}})
		if err != nil {
			return err
		}
		e.Postings = append(e.Postings, lines...)
	}
	var err error
	m.Entry, err = p.post(ctx, tx, &e)
	return err
}
