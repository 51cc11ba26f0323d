package rpc

import (
	"context"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// manualKind is the kind of the entries that two people make: one pends, another
// finishes.
const manualKind = "manual"

// refuseManual refuses to post what a second person has to look at.
func refuseManual(e *ledger.Entry) error {
	if e.Kind != manualKind {
		return nil
	}
	return fault.New(fault.Precondition, "a manual entry is pended, and finished by another person").With("key", e.Key)
}

// refuseSamePerson refuses the preparer of a manual entry as its finisher.
func refuseSamePerson(ctx context.Context, p *ledger.Pending) error {
	if p.Kind == manualKind && p.Preparer == callOf(ctx).caller.Subject {
		return fault.New(fault.Permission, "manual entry %q was prepared by you: another person must finish it", p.Key).With("key", p.Key)
	}
	return nil
}
