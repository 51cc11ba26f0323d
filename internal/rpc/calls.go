package rpc

import (
	"context"
	"crypto/sha256"

	"google.golang.org/protobuf/proto"

	"fundledger/ledger"
)

// Call is a call that changes something, as it is recorded before it is carried
// out.
type Call struct {
	RequestID   string
	Subject     string
	Role        string // by which it was allowed; of one that was refused, those that the caller held
	Method      string // such as "/fundledger.ledger.v1.LedgerService/Post"
	Action      string
	Key         string   // or the first of several
	Regions     []string // that the request names
	RequestHash []byte   // SHA-256; nil where the request was not read
}

// Calls records who did what. It is given by the caller of New.
type Calls interface {
	// Begin records a call. One that cannot be recorded is not carried out. The
	// function that it returns records how the call ended: with an error as the
	// domain has it, or with an answer.
	Begin(ctx context.Context, call Call) (end func(ctx context.Context, answer proto.Message, err error), err error)
	// Posting is Begin for a call that posts entries: its record is written with them,
	// so nothing waits for it. What it posts nothing of is recorded when it ends.
	Posting(call Call) (with *ledger.Call, end func(answer proto.Message, err error), err error)
	// Refused records a call that was refused before it was carried out. It does
	// not wait.
	Refused(call Call, err error)
}

// noCalls records nothing.
type noCalls struct{}

func (noCalls) Begin(context.Context, Call) (func(context.Context, proto.Message, error), error) {
	return func(context.Context, proto.Message, error) {}, nil
}

func (noCalls) Posting(Call) (*ledger.Call, func(proto.Message, error), error) {
	return nil, func(proto.Message, error) {}, nil
}

func (noCalls) Refused(Call, error) {}

// recorded describes the call of a request. The encoding that is hashed is the
// same for the same content.
func (m *method) recorded(ctx context.Context, role string, message proto.Message) (Call, error) {
	c := callOf(ctx)
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	hash := sha256.Sum256(encoded)
	return Call{
		RequestID: c.id, Subject: c.caller.Subject, Role: role, Method: m.procedure, Action: m.access.GetAction(),
		Key: m.key.first(message.ProtoReflect()), Regions: m.regionsOf(message), RequestHash: hash[:],
	}, err
}
