package jobs

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"fundledger/internal/fault"
	"fundledger/internal/jobs/internal/db"
)

// State is how far a job has come.
type State string

const (
	Queued    State = "queued"    // waits for a server that takes it
	Running   State = "running"   // a server works on it
	Succeeded State = "succeeded" // done; its result is there
	Failed    State = "failed"    // ended with an error; what it had done by then stands
	Cancelled State = "cancelled" // ended because somebody cancelled it; what it had done by then stands
)

// Ended tells whether the state is a last one.
func (s State) Ended() bool { return s == Succeeded || s == Failed || s == Cancelled }

// Payload is a request or a result: the name of its type, and its bytes in an
// encoding that gives equal bytes for equal content.
type Payload struct {
	Type string
	Data []byte
}

// Progress is how much of a job is done, in units such as "settlements". Total
// is 0 while it is not known.
type Progress struct {
	Done, Total int64
	Unit        string
}

// Job is long work that a call has begun.
type Job struct {
	ID       uuid.UUID
	Kind     string // which Work does it, such as the method that began it
	Key      string // of the call that began it
	Action   string // that it was allowed under, such as "settlement.reconcile"
	Subject  string // who began it
	Request  Payload
	State    State
	Progress Progress
	// CancelledBy is who asked to cancel it, "" for nobody. A running job then
	// ends at its next safe point.
	CancelledBy string
	Result      Payload      // of a job that succeeded
	Err         *fault.Error // of a job that failed
	Created     time.Time
	Started     time.Time // when a server first took it; zero while it waits
	Ended       time.Time // zero until then
	term        int64     // how often it was taken
}

func decode(r db.Job) (Job, error) {
	j := Job{
		ID: r.ID, Kind: r.Kind, Key: r.Key, Action: r.Action, Subject: r.Subject,
		Request: Payload{r.RequestType, r.Request}, State: State(r.State), Progress: Progress{r.Done, r.Total, r.Unit},
		CancelledBy: r.CancelledBy, Result: Payload{r.ResultType, r.Result},
		Created: r.CreatedAt, Started: r.StartedAt.Time, Ended: r.EndedAt.Time, term: r.Term,
	}
	if r.Error != "" {
		j.Err = &fault.Error{}
		if err := json.Unmarshal([]byte(r.Error), j.Err); err != nil {
			return Job{}, fault.New(fault.Internal, "the error of job %s cannot be read: %w", r.ID, err)
		}
	}
	return j, nil
}

// encodeError writes what a job failed by.
func encodeError(err error) string {
	if err == nil {
		return ""
	}
	known, ok := errors.AsType[*fault.Error](err)
	if !ok {
		known = fault.New(fault.Internal, "%w", err)
	}
	text, err := json.Marshal(known)
	if err != nil {
		panic(err) // texts only
	}
	return string(text)
}
