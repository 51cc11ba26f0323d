package calls

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"fundledger/internal/fault"
)

// Outcome is what came of a call.
type Outcome string

const (
	Unknown   Outcome = "unknown"   // it has no end yet
	Succeeded Outcome = "succeeded" // done
	Replayed  Outcome = "replayed"  // it had been done before
	Failed    Outcome = "failed"    // refused with an error, for its form or by what it asks for
	Denied    Outcome = "denied"    // refused for want of credentials, a role or a region
)

// Call is one call that changes something.
type Call struct {
	ID          uuid.UUID // set by Begin
	RequestID   string    // as in the logs and in errors
	Subject     string    // who called
	Role        string    // by which it was allowed; of one that was refused, those that the caller held
	Method      string    // such as "/fundledger.ledger.v1.LedgerService/Post"
	Action      string    // such as "ledger.post"
	Key         string    // idempotency key, or the first of several
	Regions     []string  // that it touches, six digits each
	RequestHash []byte    // SHA-256 of the request in its canonical encoding; empty where a refused one was not read
	Begun       time.Time // by the clock of the database
	End         End
}

// End is how a call has ended.
type End struct {
	Outcome Outcome
	Err     *fault.Error // of a call that failed or was denied
	JobID   string       // of the job that it began; "" for none
	Time    time.Time    // by the clock of the database; zero while the outcome is unknown
}

// longest texts of a record, in bytes. A call that is refused for its form is
// recorded too, so its texts may be anything.
const (
	longestText    = 500
	longestMessage = 4000
)

// clean makes a text of a caller one that the database takes.
func clean(s string, longest int) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) > longest {
		s = s[:longest]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
