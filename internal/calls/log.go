package calls

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/calls/internal/db"
	"fundledger/internal/fault"
)

const (
	largestBatch = 1000
	longestQueue = 20_000 // calls that wait to be recorded
	patience     = 10 * time.Second
	retryAfter   = 500 * time.Millisecond
)

// Log records calls in one database. Calls at the same time share a commit, so
// that a record costs a call the wait for one and the database little. It is
// safe for concurrent use.
type Log struct {
	store accounts.Store

	mu      sync.Mutex
	queue   []item
	writing bool
}

// item is what waits to be written: a beginning, an end, or nothing but word that
// all before it is written.
type item struct {
	begin *Call
	id    uuid.UUID // of the call that has ended
	end   *End
	done  chan error // takes one; nil when nobody waits
}

// NewLog returns the log of the database.
func NewLog(store accounts.Store) *Log { return &Log{store: store} }

// Begin records a call that is about to be carried out, and returns its id when
// that is committed: whatever the call then does, who did it can be found. A
// call that is not recorded must not be carried out. Errors: Exhausted when too
// many wait, Unavailable when the database does not take it, Invalid for a hash
// that is none.
func (l *Log) Begin(ctx context.Context, call Call) (uuid.UUID, error) {
	call, err := Named(call)
	if err != nil {
		return uuid.UUID{}, err
	}
	id, done := call.ID, make(chan error, 1)
	if !l.put(item{begin: &call, done: done}) {
		return uuid.UUID{}, fault.New(fault.Exhausted, "%d calls wait to be recorded: try again later", longestQueue).With("retry_after", "1s")
	}
	select {
	case err := <-done:
		return id, err
	case <-ctx.Done():
		l.End(id, End{Outcome: Failed, Err: fault.New(fault.Unavailable, "the caller left before the call was carried out")})
		return uuid.UUID{}, ctx.Err()
	}
}

// Named gives a call its id, and texts that the database takes. Errors: Invalid
// for a hash that is none.
func Named(call Call) (_ Call, err error) {
	if len(call.RequestHash) != sha256.Size {
		return call, fault.New(fault.Invalid, "a request's hash has %d bytes, not %d", sha256.Size, len(call.RequestHash))
	}
	call.ID, err = uuid.NewV7() // ids of one batch follow the order of its calls
	call.RequestID, call.Subject, call.Role = clean(call.RequestID, longestText), clean(call.Subject, longestText), clean(call.Role, longestText)
	call.Method, call.Action, call.Key = clean(call.Method, longestText), clean(call.Action, longestText), clean(call.Key, longestText)
	return call, err
}

// After records a call, which has its name, that was to be written with what it
// does and has done nothing, or of which that is not known: then without an end.
// It does not wait, and where the call was written after all that record stays.
func (l *Log) After(call Call, end *End) { l.put(item{begin: &call, id: call.ID, end: end}) }

// End records what came of the call that began as id. It does not wait: the
// record follows at once, or when the database is back. Should the server die
// before, or too much wait, the outcome stays unknown.
func (l *Log) End(id uuid.UUID, end End) { l.put(item{id: id, end: &end}) }

// Refused records a call that was refused before it was carried out, with its
// end. Its request need not have been read, so it may lack a hash. As nothing
// was done it does not wait: the record follows at once, or when the database is
// back, or is lost when too much waits.
func (l *Log) Refused(call Call, end End) {
	id, err := uuid.NewV7()
	if err != nil {
		return
	}
	if call.ID = id; call.RequestHash == nil {
		call.RequestHash = []byte{}
	}
	l.put(item{begin: &call, id: id, end: &end})
}

// Flush waits until all that was given before is written, or returns why it
// could not be. A server that stops calls it last.
func (l *Log) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	if !l.put(item{done: done}) {
		return fault.New(fault.Exhausted, "%d calls wait to be recorded: try again later", longestQueue).With("retry_after", "1s")
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// put adds to what waits, unless that is too much, and lets somebody write it.
func (l *Log) put(x item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= longestQueue {
		return false
	}
	l.queue = append(l.queue, x)
	if !l.writing {
		l.writing = true
		go l.write()
	}
	return true
}

// write writes until nothing waits.
func (l *Log) write() {
	for {
		l.mu.Lock()
		n := min(len(l.queue), largestBatch)
		if n == 0 {
			l.writing = false
			l.mu.Unlock()
			return
		}
		batch := l.queue[:n:n]
		l.queue = l.queue[n:]
		l.mu.Unlock()
		err := l.insert(batch)
		if fault.KindOf(err) == fault.Unavailable { // a lost connection costs no call its record
			err = l.insert(batch)
		}
		var again []item
		for _, x := range batch {
			if x.done != nil {
				x.done <- err
			} else if fault.KindOf(err) == fault.Unavailable {
				again = append(again, x)
			}
		}
		if len(again) > 0 {
			l.mu.Lock()
			l.queue = append(again, l.queue...)
			l.mu.Unlock()
			time.Sleep(retryAfter)
		}
	}
}

// insert writes a batch in one transaction. Ids make it safe to write what an
// unknown commit may have written before.
func (l *Log) insert(batch []item) error {
	var b db.InsertCallsParams
	var e db.InsertCallEndsParams
	for _, x := range batch {
		if c := x.begin; c != nil {
			b.Ids, b.RequestIds, b.Subjects = append(b.Ids, c.ID), append(b.RequestIds, clean(c.RequestID, longestText)), append(b.Subjects, clean(c.Subject, longestText))
			b.Roles, b.Methods, b.Actions = append(b.Roles, clean(c.Role, longestText)), append(b.Methods, clean(c.Method, longestText)), append(b.Actions, clean(c.Action, longestText))
			b.Keys, b.Regions = append(b.Keys, clean(c.Key, longestText)), append(b.Regions, clean(strings.Join(c.Regions, ","), longestMessage))
			b.RequestHashes = append(b.RequestHashes, c.RequestHash)
		}
		if x.end != nil {
			e.CallIds, e.Outcomes = append(e.CallIds, x.id), append(e.Outcomes, string(x.end.Outcome))
			e.Errors, e.JobIds = append(e.Errors, encodeError(x.end.Err)), append(e.JobIds, clean(x.end.JobID, longestText))
		}
	}
	if len(b.Ids)+len(e.CallIds) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := l.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if len(b.Ids) > 0 {
			if err := q.InsertCalls(ctx, b); err != nil {
				return err
			}
		}
		if len(e.CallIds) > 0 {
			return q.InsertCallEnds(ctx, e)
		}
		return nil
	})
	if err != nil && ctx.Err() != nil {
		return fault.New(fault.Unavailable, "the database does not record calls in time: %w", err)
	}
	return err
}

// encodeError writes an error without its details, of which there may be many.
func encodeError(err *fault.Error) string {
	if err == nil {
		return ""
	}
	text, marshalErr := json.Marshal(fault.Error{Kind: err.Kind, Message: clean(err.Message, longestMessage)})
	if marshalErr != nil {
		panic(marshalErr) // texts only
	}
	return string(text)
}
