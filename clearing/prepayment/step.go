package prepayment

import (
	"context"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
)

// Step is what somebody has decided about a plan, a top-up or a national list.
// Steps are never changed.
type Step struct {
	Key      string     `json:"key"` // of idempotency
	Name     string     `json:"step"`
	Date     civil.Date `json:"date"`
	By       string     `json:"by"`
	Document string     `json:"document,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	At       time.Time  `json:"at"` // when it was recorded
}

// step is one that is being taken; content is what else was asked, in a
// canonical form.
type step struct {
	Step
	subject, content string
}

func (s *step) check() error {
	if err := person(s.By); err != nil {
		return err
	}
	if s.Key == "" || len(s.Key) > maxText {
		return fault.New(fault.Invalid, "a step needs an idempotency key of at most %d bytes", maxText).With("field", "idempotency_key")
	}
	if !s.Date.IsValid() {
		return fault.New(fault.Invalid, "a step needs its date").With("field", "date")
	}
	return nil
}

// taken tells whether the step stands already: the same key with the same
// content is a replay, with other content an AlreadyExists error.
func (s *step) taken(ctx context.Context, q *db.Queries) (bool, error) {
	stands, err := q.GetStep(ctx, s.Key)
	if err == pgx.ErrNoRows {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	same := []struct{ name, before, now string }{
		{"subject", stands.Subject, s.subject}, {"step", stands.Step, s.Name}, {"date", civil.DateOf(stands.TakenOn).String(), s.Date.String()},
		{"person", stands.ByWhom, s.By}, {"document", stands.Document, s.Document}, {"reason", stands.Reason, s.Reason}, {"content", stands.Content, s.content},
	}
	for _, f := range same {
		if f.before != f.now {
			return false, fault.New(fault.AlreadyExists, "key %q stands with other content: %s is %q there, %q here", s.Key, f.name, f.before, f.now).With("field", f.name)
		}
	}
	return true, nil
}

// record writes the step behind the others of its subject.
func (s *step) record(ctx context.Context, q *db.Queries) error {
	before, err := q.StepsOf(ctx, s.subject)
	if err != nil {
		return err
	}
	return q.InsertStep(ctx, db.InsertStepParams{Key: s.Key, Subject: s.subject, Number: int64(len(before)) + 1, Step: s.Name, TakenOn: dateParam(s.Date),
		ByWhom: s.By, Document: s.Document, Reason: s.Reason, Content: s.content})
}

func stepsOf(ctx context.Context, q *db.Queries, subject string) ([]Step, error) {
	rows, err := q.StepsOf(ctx, subject)
	if err != nil {
		return nil, err
	}
	steps := make([]Step, len(rows))
	for i, r := range rows {
		steps[i] = Step{Key: r.Key, Name: r.Step, Date: civil.DateOf(r.TakenOn), By: r.ByWhom, Document: r.Document, Reason: r.Reason, At: r.RecordedAt}
	}
	return steps, nil
}
