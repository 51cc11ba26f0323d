package ledger

import (
	"context"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Override (越过检查结账) says why a month is closed although something of it is
// open, and what that is.
type Override struct {
	Reason string   `json:"reason"`
	Open   []string `json:"open"` // one line of text each
}

// openMark begins each line of a closing's reason that tells something open. The list
// is part of the reason, so that it goes wherever the event goes: lists,
// bundles, the service.
const openMark = "open: "

func (o Override) text() (string, error) {
	reason := strings.TrimSpace(o.Reason)
	if reason == "" || strings.ContainsAny(reason, "\r\n") {
		return "", fault.New(fault.Invalid, "say in one line why the month is closed although something is open").With("field", "reason")
	}
	if len(o.Open) == 0 {
		return "", fault.New(fault.Invalid, "nothing is said to be open: close the month without an override").With("field", "open")
	}
	var b strings.Builder
	b.WriteString(reason)
	for _, item := range o.Open {
		b.WriteString("\n" + openMark + strings.Join(strings.Fields(item), " "))
	}
	return b.String(), nil
}

// Overridden returns the override by which the event closed its month, if it
// took one.
func (e *PeriodEvent) Overridden() (Override, bool) {
	if e.State != PeriodShut || e.Reason == "" {
		return Override{}, false
	}
	lines := strings.Split(e.Reason, "\n")
	o := Override{Reason: lines[0]}
	for _, line := range lines[1:] {
		o.Open = append(o.Open, strings.TrimPrefix(line, openMark))
	}
	return o, true
}

// CloseOver closes a month as Close does, although something of it is open:
// what and why stands in the event. It needs another person than the one who
// began the closing: Permission otherwise. Errors: as Close, Invalid without a
// reason or a list.
func (k Keyed) CloseOver(ctx context.Context, book accounts.Book, month accounts.Month, by string, override Override) (PeriodResult, error) {
	reason, err := override.text()
	if err != nil {
		return PeriodResult{}, err
	}
	return k.journal.changePeriod(ctx, periodChange{k, book, month, PeriodShut, by, reason})
}
