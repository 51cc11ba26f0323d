package rpc

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"fundledger/accounts"
	"fundledger/internal/fault"
	accessv1 "fundledger/proto/gen/fundledger/access/v1"
)

// admit refuses a caller without a role for the method, before anything is read
// of the request, and puts the regions of the role into the context.
func (s *Server) admit(ctx context.Context, m *method) (context.Context, string, error) {
	c := callOf(ctx)
	roles := rolesOf(s.deps.Book, m.access.GetAction())
	regions, role := c.caller.regions(roles)
	if role == "" {
		return ctx, "", fault.New(fault.Permission, "%s needs the role %s", m.access.GetAction(), strings.Join(roles, " or ")).
			With("action", m.access.GetAction())
	}
	if m.access.GetScope() == accessv1.Scope_SCOPE_PROVINCE && !regions.All() {
		return ctx, role, fault.New(fault.Permission, "%s touches all regions and needs the role %s for the whole province", m.access.GetAction(), strings.Join(roles, " or ")).
			With("action", m.access.GetAction())
	}
	return withCall(ctx, &call{id: c.id, caller: c.caller, regions: regions}), role, nil
}

// rolesOf are the roles that may do the action today.
func rolesOf(book *accounts.Rulebook, action string) (roles []string) {
	for _, role := range book.Access.RolesOf(action, accounts.Today()) {
		roles = append(roles, string(role))
	}
	return roles
}

// authorise refuses a request that names a region in which the caller may not
// do the action. What the request names by a key or an id (SCOPE_OBJECT) only
// the handler can look at.
func (s *Server) authorise(ctx context.Context, m *method, message proto.Message) error {
	named := m.regionsOf(message)
	regions := callOf(ctx).regions
	if m.access.GetScope() == accessv1.Scope_SCOPE_FIELDS && len(named) == 0 && !regions.All() {
		return fault.New(fault.Permission, "the request names no region, so %s needs the role for the whole province", m.access.GetAction())
	}
	if i := slices.IndexFunc(named, func(code string) bool { return !regions.Has(code) }); i >= 0 {
		return foreign(m.access.GetAction(), named[i])
	}
	return nil
}

func foreign(action, region string) error {
	return fault.New(fault.Permission, "you hold no role for %s in region %s", action, region).With("action", action).With("region", region)
}

// mayChange tells whether the caller may change a thing that lies in the
// regions of the names: not at all where none is the caller's, for which the
// error says that there is no such thing.
func mayChange(ctx context.Context, names []string, missing error) error {
	regions := callOf(ctx).regions
	if !regions.HasAny(names) {
		return missing
	}
	for _, name := range names {
		if !regions.Has(name) {
			return fault.New(fault.Permission, "it touches region %s too, in which you hold no role for this", regionOf(name)).With("region", regionOf(name))
		}
	}
	return nil
}
