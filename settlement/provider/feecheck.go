package provider

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement"
	"fundledger/settlement/provider/internal/db"
)

// CheckState is how far a fee check has come.
type CheckState string

const (
	CheckAsked    CheckState = "asked"    // the treating place has to answer
	CheckAnswered CheckState = "answered" // the insured place has to confirm
	CheckDisputed CheckState = "disputed" // the insured place does not agree: the treating place has to answer again
	CheckClosed   CheckState = "closed"
)

// Outcomes of a fee check.
const (
	OutcomeConfirmed = "confirmed" // 核查无误
	OutcomeDiffers   = "differs"   // 核查有误: a deduction or clawback may follow
)

// Policy of fee checks (J56).
const (
	policyCheckFrom    = "fee_check.threshold"
	policyAnswerDay    = "fee_check.answer_day"
	policyConfirmCheck = "fee_check.confirm_days"
)

// Asking asks the treating place to check an inpatient bill.
type Asking struct {
	ID     string // chosen by the caller: the same request is a replay
	SetlID string
	Reason string
	Date   civil.Date
	By     string
}

// FeeCheck (费用协查) is a bill that is checked where it was made.
type FeeCheck struct {
	ID         string       `json:"id"`
	SetlID     string       `json:"setl_id"`
	Insured    string       `json:"insured"`  // asks and confirms
	Treating   string       `json:"treating"` // answers
	Provider   string       `json:"provider"`
	Bill       accounts.Fen `json:"bill"`
	Reason     string       `json:"reason"`
	Asked      civil.Date   `json:"asked"`
	AnswerDue  civil.Date   `json:"answer_due"`
	State      CheckState   `json:"state"`
	Outcome    string       `json:"outcome,omitempty"`
	Differs    accounts.Fen `json:"differs"` // what is wrong in the bill, of the outcome differs
	Answered   civil.Date   `json:"answered,omitzero"`
	ConfirmDue civil.Date   `json:"confirm_due,omitzero"`
	Closed     civil.Date   `json:"closed,omitzero"`
	Overdue    bool         `json:"overdue,omitempty"` // as of the list's day
	Events     []Event      `json:"events,omitempty"`  // by FeeCheck only
	Replayed   bool         `json:"replayed,omitempty"`
}

func checkOf(r db.FeeCheck) *FeeCheck {
	c := &FeeCheck{ID: r.ID, SetlID: r.SetlID, Insured: r.Insured, Treating: r.Treating, Provider: r.Provider, Bill: accounts.Fen(r.BillFen), Reason: r.Reason,
		Asked: civil.DateOf(r.AskedOn), AnswerDue: civil.DateOf(r.AnswerDue), State: CheckState(r.State), Outcome: r.Outcome, Differs: accounts.Fen(r.DiffersFen)}
	if r.AnsweredOn.Valid {
		c.Answered = civil.DateOf(r.AnsweredOn.Time)
	}
	if r.ConfirmDue.Valid {
		c.ConfirmDue = civil.DateOf(r.ConfirmDue.Time)
	}
	if r.ClosedOn.Valid {
		c.Closed = civil.DateOf(r.ClosedOn.Time)
	}
	return c
}

// overdue tells whether who has to act is late as of the day.
func (c *FeeCheck) overdue(asOf civil.Date) bool {
	switch c.State {
	case CheckAsked, CheckDisputed:
		return c.AnswerDue.Before(asOf)
	case CheckAnswered:
		return c.ConfirmDue.Before(asOf)
	}
	return false
}

// Ask opens a fee check of an inpatient bill from the policy's amount on; it
// stops no clearing. The same request again gives the first result. Errors:
// Invalid (form, no inpatient bill, too small a bill), NotFound (settlement),
// AlreadyExists (the id with another request, or another check of the settlement is open).
func (d *Desk) Ask(ctx context.Context, a Asking) (*FeeCheck, error) {
	if err := required("id", a.ID, "setl_id", a.SetlID, "by", a.By); err != nil {
		return nil, err
	}
	if err := bounded("reason", a.Reason); err != nil {
		return nil, err
	}
	if err := needDate(a.Date, "date"); err != nil {
		return nil, err
	}
	day, err := d.book.Policy.Int(policyAnswerDay, a.Date)
	if err != nil {
		return nil, err
	}
	due := accounts.MonthOf(a.Date).Add(1).First().AddDays(day - 1)
	var c *FeeCheck
	err = d.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		s, err := d.checkable(ctx, tx, a)
		if err != nil {
			return err
		}
		err = q.InsertFeeCheck(ctx, db.InsertFeeCheckParams{ID: a.ID, SetlID: a.SetlID, Insured: s.Insured, Treating: s.Treating, Provider: s.Provider,
			BillFen: int64(s.Total), Reason: a.Reason, AskedOn: dateParam(a.Date), AskedBy: a.By, AnswerDue: dateParam(due), State: string(CheckAsked)})
		if err != nil {
			return err
		}
		rows, err := q.LockFeeCheck(ctx, a.ID)
		if err != nil {
			return err
		}
		if c = checkOf(rows[0]); c.SetlID != a.SetlID || c.Reason != a.Reason || c.Asked != a.Date {
			return fault.New(fault.AlreadyExists, "fee check %s stands with another request: settlement %s, asked on %s", c.ID, c.SetlID, c.Asked).With("id", c.ID)
		}
		last, err := q.LastEvent(ctx, checkSubject(a.ID))
		if err != nil || last > 0 {
			c.Replayed = true
			return err
		}
		others, err := q.OpenFeeChecksOf(ctx, db.OpenFeeChecksOfParams{SetlID: a.SetlID, OwnID: a.ID})
		if err != nil {
			return err
		}
		if len(others) > 0 {
			return fault.New(fault.AlreadyExists, "fee check %s of settlement %s is open", others[0], a.SetlID).With("id", others[0])
		}
		return note(ctx, q, checkSubject(a.ID), Event{Step: string(CheckAsked), On: a.Date, By: a.By, Reason: a.Reason})
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// checkable returns the settlement if its bill may be checked.
func (d *Desk) checkable(ctx context.Context, tx pgx.Tx, a Asking) (*settlement.Accepted, error) {
	found, err := settlement.AcceptedOf(ctx, tx, d.book, []string{a.SetlID})
	if err != nil {
		return nil, err
	}
	s := found[a.SetlID]
	if s == nil {
		return nil, fault.New(fault.NotFound, "the centre has no valid record of settlement %s", a.SetlID).With("setl_id", a.SetlID)
	}
	inpatient, err := settlement.Inpatient(d.book, s.Category, a.Date)
	if err != nil {
		return nil, err
	}
	from, err := d.book.Policy.Decimal(policyCheckFrom, a.Date)
	switch {
	case err != nil:
		return nil, err
	case !inpatient || s.Original != "":
		return nil, fault.New(fault.Invalid, "settlement %s is no inpatient bill", a.SetlID).With("field", "setl_id")
	case s.Total.Decimal().LessThan(from):
		return nil, fault.New(fault.Invalid, "settlement %s has a bill of %s: fee checks are for %s and more", a.SetlID, s.Total, from.StringFixed(2)).With("field", "setl_id")
	case a.Date.Before(s.On):
		return nil, fault.New(fault.Invalid, "%s lies before settlement %s of %s", a.Date, a.SetlID, s.On).With("field", "date")
	}
	return s, nil
}

// Answer is what the treating place has found.
type Answer struct {
	ID      string
	Outcome string       // OutcomeConfirmed or OutcomeDiffers
	Differs accounts.Fen // of OutcomeDiffers: what is wrong in the bill, as far as it is money
	Reason  string       // needed with OutcomeDiffers
	Date    civil.Date
	By      string
}

// Answer records the outcome; the insured place has then to confirm it. The
// same answer again gives the first result. Errors: Invalid, NotFound, AlreadyExists (answered otherwise),
// Precondition (closed).
func (d *Desk) Answer(ctx context.Context, a Answer) (*FeeCheck, error) {
	if err := d.checkAnswer(&a); err != nil {
		return nil, err
	}
	confirm, err := d.workingDays(a.Date, policyConfirmCheck)
	if err != nil {
		return nil, err
	}
	return d.onCheck(ctx, a.ID, func(q *db.Queries, c *FeeCheck) error {
		switch {
		case c.State == CheckAnswered && c.Outcome == a.Outcome && c.Differs == a.Differs && c.Answered == a.Date:
			c.Replayed = true
			return nil
		case c.State == CheckAnswered:
			return fault.New(fault.AlreadyExists, "fee check %s was answered on %s: %s", c.ID, c.Answered, c.Outcome).With("id", c.ID)
		case c.State == CheckClosed:
			return closedCheck(c)
		case a.Date.Before(c.Asked):
			return fault.New(fault.Invalid, "%s lies before fee check %s of %s", a.Date, c.ID, c.Asked).With("field", "date")
		case a.Differs > c.Bill:
			return fault.New(fault.Invalid, "%s is more than the bill of %s", a.Differs, c.Bill).With("field", "differs")
		}
		c.State, c.Outcome, c.Differs, c.Answered, c.ConfirmDue = CheckAnswered, a.Outcome, a.Differs, a.Date, confirm
		return c.move(ctx, q, Event{Step: string(CheckAnswered), On: a.Date, By: a.By, Reason: a.Reason, Document: a.Outcome})
	})
}

func (d *Desk) checkAnswer(a *Answer) error {
	if err := required("id", a.ID, "by", a.By); err != nil {
		return err
	}
	if err := bounded("reason", a.Reason); err != nil {
		return err
	}
	switch {
	case a.Outcome != OutcomeConfirmed && a.Outcome != OutcomeDiffers:
		return fault.New(fault.Invalid, "%q is no outcome: write %s or %s", a.Outcome, OutcomeConfirmed, OutcomeDiffers).With("field", "outcome")
	case a.Outcome == OutcomeDiffers && a.Reason == "":
		return fault.New(fault.Invalid, "what differs must be said").With("field", "reason")
	case a.Differs < 0 || a.Outcome == OutcomeConfirmed && a.Differs != 0:
		return fault.New(fault.Invalid, "%s differs, and the outcome is %s", a.Differs, a.Outcome).With("field", "differs")
	}
	return needDate(a.Date, "date")
}

// Confirmation is what the insured place says of an answer.
type Confirmation struct {
	ID     string
	Agreed bool
	Reason string // needed where it does not agree
	Date   civil.Date
	By     string
}

// Confirm closes an answered check, or asks again where the insured place does
// not agree. The same confirmation again gives the first result. Errors:
// Invalid, NotFound, AlreadyExists (confirmed or disputed with other content), Precondition (not answered).
func (d *Desk) Confirm(ctx context.Context, f Confirmation) (*FeeCheck, error) {
	if err := required("id", f.ID, "by", f.By); err != nil {
		return nil, err
	}
	if err := bounded("reason", f.Reason); err != nil {
		return nil, err
	}
	if err := needDate(f.Date, "date"); err != nil {
		return nil, err
	}
	if !f.Agreed && f.Reason == "" {
		return nil, fault.New(fault.Invalid, "why the answer is not agreed must be said").With("field", "reason")
	}
	to := CheckClosed
	if !f.Agreed {
		to = CheckDisputed
	}
	return d.onCheck(ctx, f.ID, func(q *db.Queries, c *FeeCheck) error {
		taken := Event{Step: string(to), On: f.Date, By: f.By, Reason: f.Reason}
		switch {
		case c.State == to:
			c.Replayed = true
			return repeated(ctx, q, checkSubject(c.ID), taken)
		case c.State == CheckClosed:
			return closedCheck(c)
		case c.State != CheckAnswered:
			return fault.New(fault.Precondition, "fee check %s is %s: it must be answered first", c.ID, c.State).With("id", c.ID)
		case f.Date.Before(c.Answered):
			return fault.New(fault.Invalid, "%s lies before the answer of %s", f.Date, c.Answered).With("field", "date")
		}
		if c.State = to; f.Agreed {
			c.Closed = f.Date
		}
		return c.move(ctx, q, taken)
	})
}

func closedCheck(c *FeeCheck) error {
	return fault.New(fault.Precondition, "fee check %s was closed on %s", c.ID, c.Closed).With("id", c.ID)
}

func checkSubject(id string) string { return "fee_check/" + id }

func (c *FeeCheck) move(ctx context.Context, q *db.Queries, e Event) error {
	err := q.MoveFeeCheck(ctx, db.MoveFeeCheckParams{ID: c.ID, State: string(c.State), Outcome: c.Outcome, DiffersFen: int64(c.Differs),
		AnsweredOn: nullDate(c.Answered), ConfirmDue: nullDate(c.ConfirmDue), ClosedOn: nullDate(c.Closed)})
	if err != nil {
		return err
	}
	return note(ctx, q, checkSubject(c.ID), e)
}

// onCheck holds the check while fn changes it.
func (d *Desk) onCheck(ctx context.Context, id string, fn func(*db.Queries, *FeeCheck) error) (*FeeCheck, error) {
	var c *FeeCheck
	err := d.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		rows, err := q.LockFeeCheck(ctx, id)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return noCheck(id)
		}
		c = checkOf(rows[0])
		return fn(q, c)
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func noCheck(id string) error {
	return fault.New(fault.NotFound, "there is no fee check %s", id).With("id", id)
}
