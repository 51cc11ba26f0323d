package recovery

import (
	"context"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement"
	"fundledger/settlement/recovery/internal/db"
)

// Ruling is what a person decides on a case.
type Ruling struct {
	Case     string
	Date     civil.Date
	By       string
	Document string // may be empty
	Reason   string // needed to decline or cancel
}

// stepping is a case while a step is taken, under the lock of its row.
type stepping struct {
	r    *Recovery
	tx   pgx.Tx
	q    *db.Queries
	row  db.Clawback
	done []db.ClawbackStep
}

// take locks the case and calls step, unless the step of that name and reference
// stands already: then same says whether it was the same.
func (r *Recovery) take(ctx context.Context, id, name, reference string, same func(*db.ClawbackStep) error, step func(*stepping) error) (*Case, error) {
	var c *Case
	err := r.store.InTx(ctx, func(tx pgx.Tx) error {
		s, err := r.lock(ctx, tx, id)
		if err != nil {
			return err
		}
		stands := s.find(name, reference)
		if stands != nil {
			err = same(stands)
		} else {
			err = step(s)
		}
		if err != nil {
			return err
		}
		if c, err = r.read(ctx, tx, id); err == nil {
			c.Replayed = stands != nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (r *Recovery) lock(ctx context.Context, tx pgx.Tx, id string) (*stepping, error) {
	q := db.New(tx)
	rows, err := q.LockCase(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, noCase(id)
	}
	done, err := q.StepsOf(ctx, []string{id})
	return &stepping{r, tx, q, rows[0], done}, err
}

func noCase(id string) error {
	return fault.New(fault.NotFound, "there is no clawback %q: fundledger recovery list shows those there are", id).With("case", id)
}

func (s *stepping) find(name, reference string) *db.ClawbackStep {
	for i := range s.done {
		if s.done[i].Step == name && s.done[i].Reference == reference {
			return &s.done[i]
		}
	}
	return nil
}

// moved is the sum of the steps of the name.
func (s *stepping) moved(name string) (sum settlement.Parts) {
	for i := range s.done {
		if s.done[i].Step == name {
			sum = sum.Plus(settlement.PartsOf(s.done[i].AmountsFen...))
		}
	}
	return sum
}

// write notes the step and the state after it.
func (s *stepping) write(ctx context.Context, step db.InsertStepParams, state State) error {
	step.CaseID, step.Number = s.row.ID, s.row.Steps+1
	if step.Entries == nil {
		step.Entries = []uuid.UUID{}
	}
	if step.AmountsFen == nil {
		step.AmountsFen = settlement.Parts{}.Fen()
	}
	if err := s.q.InsertStep(ctx, step); err != nil {
		return err
	}
	return s.q.StepCase(ctx, db.StepCaseParams{ID: s.row.ID, State: string(state)})
}

// require refuses a step in a state that does not allow it, or before the case.
func (s *stepping) require(on civil.Date, states ...State) error {
	if opened := civil.DateOf(s.row.OpenedOn); on.Before(opened) {
		return fault.New(fault.Invalid, "a step of %s lies before the case, opened on %s", on, opened).With("field", "date")
	}
	for _, state := range states {
		if State(s.row.State) == state {
			return nil
		}
	}
	if State(s.row.State) == Opened {
		return fault.New(fault.Precondition, "clawback %s is not approved yet", s.row.ID).With("state", s.row.State)
	}
	return fault.New(fault.Precondition, "clawback %s is %s", s.row.ID, s.row.State).With("state", s.row.State)
}

// Approve lets money be claimed. Errors: Permission (by who opened it), NotFound,
// Invalid, Precondition (not in a state for it), AlreadyExists (approved on
// another date or by somebody else).
func (r *Recovery) Approve(ctx context.Context, ruling Ruling) (*Case, error) {
	return r.rule(ctx, ruling, stepApproved, Approved, false, func(s *stepping) error {
		if err := s.require(ruling.Date, Opened); err != nil {
			return err
		}
		return otherPerson("clawback "+s.row.ID, s.row.OpenedBy, ruling.By)
	})
}

// Decline gives a claim up that was not approved; who opened it cancels. Errors as
// of Approve.
func (r *Recovery) Decline(ctx context.Context, ruling Ruling) (*Case, error) {
	return r.rule(ctx, ruling, stepDeclined, Declined, true, func(s *stepping) error {
		if err := s.require(ruling.Date, Opened); err != nil {
			return err
		}
		if err := otherPerson("clawback "+s.row.ID, s.row.OpenedBy, ruling.By); err != nil {
			return err
		}
		return settlement.Release(ctx, s.tx, claimOf(s.row.ID))
	})
}

// Cancel gives a claim up on which no money has come. Errors: NotFound, Invalid,
// Precondition (money has come, or it is over), AlreadyExists.
func (r *Recovery) Cancel(ctx context.Context, ruling Ruling) (*Case, error) {
	return r.rule(ctx, ruling, stepCancelled, Cancelled, true, func(s *stepping) error {
		if err := s.require(ruling.Date, Opened, Approved); err != nil {
			return err
		}
		if came := s.moved(string(Received)).Plus(s.moved(string(Arrived))).Sum(); came != 0 {
			return fault.New(fault.Precondition, "%s has come on clawback %s, so it cannot be cancelled", came, s.row.ID).With("received", came.String())
		}
		return settlement.Release(ctx, s.tx, claimOf(s.row.ID))
	})
}

func (r *Recovery) rule(ctx context.Context, ruling Ruling, name string, state State, needsReason bool, check func(*stepping) error) (*Case, error) {
	if err := checkWho(ruling.By, ruling.Date); err != nil {
		return nil, err
	}
	if needsReason || ruling.Reason != "" {
		if err := checkText("reason", ruling.Reason, maxReason); err != nil {
			return nil, err
		}
	}
	return r.take(ctx, ruling.Case, name, "", func(stands *db.ClawbackStep) error {
		if stands.TakenBy != ruling.By || civil.DateOf(stands.TakenOn) != ruling.Date || stands.Reason != ruling.Reason || stands.Document != ruling.Document {
			return fault.New(fault.AlreadyExists, "clawback %s was %s by %s on %s already", ruling.Case, name, stands.TakenBy, civil.DateOf(stands.TakenOn)).With("case", ruling.Case)
		}
		return nil
	}, func(s *stepping) error {
		if err := check(s); err != nil {
			return err
		}
		return s.write(ctx, db.InsertStepParams{Step: name, TakenOn: dateParam(ruling.Date), TakenBy: ruling.By, Reason: ruling.Reason, Document: ruling.Document}, state)
	})
}

// Penalty is a contract penalty (违约金) or fine.
type Penalty struct {
	Case     string
	Amount   accounts.Fen
	Document string // the idempotency key within the case
	Date     civil.Date
	By       string
}

// RecordPenalty notes a penalty on the case. It stays with the treating region
// and is posted nowhere. Errors: NotFound, Invalid, AlreadyExists (the document
// stands with another amount or date), Precondition (declined or cancelled).
func (r *Recovery) RecordPenalty(ctx context.Context, p Penalty) (*Case, error) {
	if err := checkWho(p.By, p.Date); err != nil {
		return nil, err
	}
	if err := checkText("document", p.Document, maxReference); err != nil {
		return nil, err
	}
	if p.Amount <= 0 {
		return nil, fault.New(fault.Invalid, "a penalty of %s is none", p.Amount).With("field", "amount")
	}
	return r.take(ctx, p.Case, stepPenalty, p.Document, func(stands *db.ClawbackStep) error {
		if accounts.Fen(stands.PenaltyFen) != p.Amount || civil.DateOf(stands.TakenOn) != p.Date {
			return fault.New(fault.AlreadyExists, "penalty %s of clawback %s stands already as %s on %s", p.Document, p.Case, accounts.Fen(stands.PenaltyFen), civil.DateOf(stands.TakenOn)).
				With("case", p.Case).With("document", p.Document)
		}
		return nil
	}, func(s *stepping) error {
		if err := s.require(p.Date, Opened, Approved, Returned); err != nil {
			return err
		}
		return s.write(ctx, db.InsertStepParams{Step: stepPenalty, Reference: p.Document, TakenOn: dateParam(p.Date), TakenBy: p.By,
			Document: p.Document, PenaltyFen: int64(p.Amount)}, State(s.row.State))
	})
}
