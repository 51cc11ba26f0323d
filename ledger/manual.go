package ledger

import (
	"context"
	"fmt"
	"slices"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// manualKind is the kind of the entries that two persons make: one pends, another
// finishes. Events of the posting table are never of it.
const manualKind = "manual"

// PostGiven is Post, or PostAtomic, for entries that people give, over the
// service or by a command. A manual one is refused with Precondition: it is
// pended, and finished by another person; and so is one that closes a year,
// which the closing makes itself.
func (j *Journal) PostGiven(ctx context.Context, atomic bool, entries ...Entry) ([]Result, error) {
	return j.postGiven(ctx, nil, atomic, entries)
}

func (j *Journal) postGiven(ctx context.Context, call *Call, atomic bool, entries []Entry) ([]Result, error) {
	post := func(entries []Entry) ([]Result, error) { return j.commits.post(ctx, j, entries, atomic, call) }
	if !slices.ContainsFunc(entries, func(e Entry) bool { return notGiven(e) != nil }) {
		return post(entries)
	}
	results := make([]Result, len(entries))
	var others []Entry
	var places []int
	var refusal error
	for i := range entries {
		results[i].ID = entries[i].ID()
		if err := notGiven(entries[i]); err != nil {
			refusal, results[i].Err = err, err
			continue
		}
		others, places = append(others, entries[i]), append(places, i)
	}
	if atomic {
		for i := range results {
			results[i].Err = refusal
		}
		return results, nil
	}
	posted, err := post(others)
	if err != nil {
		return nil, err
	}
	for i, r := range posted {
		results[places[i]] = r
	}
	return results, nil
}

// notGiven says why an entry is not posted as somebody gives it, or returns nil.
func notGiven(e Entry) error {
	switch {
	case isManual(e):
		return fault.New(fault.Precondition, "a manual entry is pended, and finished by another person").With("key", e.Key)
	case yearEnd(e.Kind):
		return fault.New(fault.Precondition, "entries of kind %s are made by closing the year", e.Kind).With("key", e.Key)
	}
	return nil
}

func isManual(e Entry) bool { return e.Kind == manualKind }

// confirmable refuses the preparer of a manual entry as its finisher.
func (p *Pending) confirmable(by string) error {
	if !isManual(p.Entry) {
		return nil
	}
	if err := accounts.SecondPerson(p.Preparer, by, fmt.Sprintf("manual entry %q was prepared", p.Key), "finish"); err != nil {
		return err.With("key", p.Key)
	}
	return nil
}
