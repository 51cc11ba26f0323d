package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"github.com/cenkalti/backoff/v5"

	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// errSilent ends an attempt whose server has said nothing for too long.
var errSilent = errors.New("the server says nothing")

// repeater repeats unary calls.
type repeater struct{ client *Client }

// WrapUnary repeats what the contract knows to be safe: reads, and what carries a
// key.
func (r repeater) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (response connect.AnyResponse, err error) {
		if request.Spec().IdempotencyLevel == connect.IdempotencyUnknown {
			return next(ctx, request)
		}
		err = r.client.repeat(ctx, func(ctx context.Context, t *try) (err error) {
			t.receive(func() { response, err = next(ctx, request) })
			return err
		})
		if err != nil {
			return nil, err
		}
		return response, nil
	}
}

// WrapStreamingClient leaves streams alone: only who reads one knows where to go on.
func (repeater) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler is for servers.
func (repeater) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// The pauses between attempts grow from a tenth of a second to five, each by
// half of it more or less, so that callers that failed together do not come back
// together.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// repeat does something until it succeeds, or fails for good, or there is no
// time left for another attempt.
func (c *Client) repeat(ctx context.Context, do func(context.Context, *try) error) error {
	pauses := &backoff.ExponentialBackOff{
		InitialInterval: firstPause, MaxInterval: longestPause, Multiplier: 2, RandomizationFactor: backoff.DefaultRandomizationFactor,
	}
	pauses.Reset()
	failing := time.Now() // since then, nothing new came
	for failures := 1; ; failures++ {
		t, err := c.once(ctx, do)
		if err == nil {
			return nil
		}
		v := judge(ctx, t, err)
		if !v.again || t.final {
			return err
		}
		if t.progress {
			pauses.Reset()
			failing, failures = time.Now(), 1
		}
		if v.elsewhere {
			c.ring.leave(&t.attempt)
		}
		pause := pauses.NextBackOff()
		if v.elsewhere && failures%len(c.ring.servers) != 0 {
			pause = 0 // the next server may well be there
		}
		pause = max(pause, v.after)
		if deadline, ok := ctx.Deadline(); time.Since(failing)+pause > c.patience || (ok && time.Until(deadline) < pause) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return connect.NewError(codeOfEnd(ctx), fmt.Errorf("%w; the call had failed before: %w", ctx.Err(), err))
		}
	}
}

func codeOfEnd(ctx context.Context) connect.Code {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return connect.CodeDeadlineExceeded
	}
	return connect.CodeCanceled
}

// try is one attempt.
type try struct {
	attempt
	progress bool // something new has come
	final    bool // what has come already cannot be asked for again

	silence time.Duration
	timer   *time.Timer
}

// receive waits for the server, for not too long: time that its reader takes does
// not count.
func (t *try) receive(fn func()) {
	t.timer.Reset(t.silence)
	defer t.timer.Stop()
	fn()
}

func (c *Client) once(ctx context.Context, do func(context.Context, *try) error) (*try, error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	t := &try{silence: c.silence, timer: time.AfterFunc(c.silence, func() { end(errSilent) })}
	t.timer.Stop()
	err := do(context.WithValue(ctx, attemptKey{}, &t.attempt), t)
	if err != nil && context.Cause(ctx) == errSilent {
		err = connect.NewError(connect.CodeUnavailable, fmt.Errorf("%w for %s: %w", errSilent, c.silence, err))
	}
	return t, err
}

// verdict is what can be done about an error.
type verdict struct {
	again, elsewhere bool
	after            time.Duration // at least
}

func judge(ctx context.Context, t *try, err error) verdict {
	wire, ok := errors.AsType[*connect.Error](err)
	if !ok || ctx.Err() != nil { // the caller's own, such as of a file that is written, or the caller's end
		return verdict{}
	}
	after, named := retryAfter(wire)
	switch {
	case t.lost.Load() && !connect.IsWireError(wire), wire.Code() == connect.CodeUnavailable:
		return verdict{again: true, elsewhere: true, after: after}
	case wire.Code() == connect.CodeAborted:
		return verdict{again: true}
	case wire.Code() == connect.CodeResourceExhausted: // without a time it is a message that is too large
		return verdict{again: named, after: after}
	}
	return verdict{}
}

// retryAfter is when the server, or a proxy before it, wants to be asked again.
func retryAfter(wire *connect.Error) (time.Duration, bool) {
	for _, d := range InfoOf(wire).GetDetails() {
		if after, err := time.ParseDuration(d.GetValue()); d.GetName() == "retry_after" && err == nil {
			return after, true
		}
	}
	if seconds, err := strconv.Atoi(wire.Meta().Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	return 0, false
}

// InfoOf gives what the server tells of an error: its kind, its facts and the id
// of the request; nil for errors that are not the service's.
func InfoOf(err error) *typev1.ErrorInfo {
	wire, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return nil
	}
	for _, d := range wire.Details() {
		if message, err := d.Value(); err == nil {
			if info, ok := message.(*typev1.ErrorInfo); ok {
				return info
			}
		}
	}
	return nil
}
