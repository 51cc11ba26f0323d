package rpc

import (
	"context"
	"maps"
	"slices"

	"fundledger/internal/config"
	"fundledger/ledger"
)

// Principal is who calls.
type Principal struct {
	// Subject names the person or the job, in the journal and in the logs.
	Subject string
	// Roles are the regions in which each role is held: codes of six digits, or
	// config.Province for all.
	Roles map[string][]string
}

// regions are the regions in which the principal holds one of the roles, and
// the first of the roles by which that is so.
func (p *Principal) regions(roles []string) (Regions, string) {
	in, by := Regions{codes: map[string]bool{}}, ""
	for _, role := range roles {
		for _, code := range p.Roles[role] {
			in.all = in.all || code == config.Province
			in.codes[code] = true
			if by == "" {
				by = role
			}
		}
	}
	return in, by
}

// Regions are those in which the caller may do the action of the call.
type Regions struct {
	all   bool
	codes map[string]bool
}

// codeLength is that of a region, with which books and accounts begin.
const codeLength = 6

// regionOf is the region of a book, an account, or a region itself.
func regionOf(name string) string { return name[:min(codeLength, len(name))] }

// Has tells whether the region of a book or account is among them.
func (r Regions) Has(name string) bool { return r.all || r.codes[regionOf(name)] }

// HasAll and HasAny ask for several.
func (r Regions) HasAll(names []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return !r.Has(n) })
}

// HasAny tells whether one of them is.
func (r Regions) HasAny(names []string) bool { return slices.ContainsFunc(names, r.Has) }

// All tells whether they are the whole province.
func (r Regions) All() bool { return r.all }

// List are the codes in order; the whole province is "*".
func (r Regions) List() []string {
	if r.all {
		return []string{config.Province}
	}
	return slices.Sorted(maps.Keys(r.codes))
}

// filter is the regions as the domain takes them: nil for the whole province.
func (r Regions) filter() []string {
	if r.all {
		return nil
	}
	return append([]string{}, r.List()...)
}

// call is what is known of a call while it is carried out.
type call struct {
	id      string // of the request
	caller  *Principal
	regions Regions
	entered bool         // it came past the gate
	reached bool         // and, with its request, to the chain
	with    *ledger.Call // to be written with the entries that it posts; nil where it is recorded by itself
}

type callKey struct{}

// callOf is the call of the context; without one nothing is allowed.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{caller: &Principal{}}
}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}
