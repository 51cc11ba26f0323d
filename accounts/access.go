package accounts

import (
	"slices"
	"strings"

	"cloud.google.com/go/civil"
)

// AccessRole is what somebody is to the service, in a region or in the whole
// province. It has nothing to do with Role, the side of an institution.
type AccessRole string

const (
	Viewer   AccessRole = "viewer"   // 查询
	Operator AccessRole = "operator" // 经办
	Approver AccessRole = "approver" // 复核
	Auditor  AccessRole = "auditor"  // 审计
	Admin    AccessRole = "admin"    // 管理
)

// AccessRoles lists all roles.
func AccessRoles() []AccessRole { return []AccessRole{Viewer, Operator, Approver, Auditor, Admin} }

// RoleList are roles divided by commas, as they stand in the table:
// "operator,approver". It is a text so that rows can be compared.
type RoleList string

// Roles returns the roles in the order of the list.
func (l RoleList) Roles() []AccessRole {
	var roles []AccessRole
	for role := range strings.SplitSeq(string(l), ",") {
		roles = append(roles, AccessRole(role))
	}
	return roles
}

// AccessRule says which roles may do an action, such as "ledger.post"; each
// for the regions that it is held in.
type AccessRule struct {
	Action string   `json:"action"`
	Roles  RoleList `json:"roles"`
	Title  string   `json:"title"` // the action for people
	Effective
}

// Access is the table of who may do what, every version of every row.
type Access []AccessRule

// Find returns the rule of the action that holds on the date.
func (a Access) Find(action string, on civil.Date) (AccessRule, bool) {
	for _, rule := range a {
		if rule.Action == action && rule.On(on) {
			return rule, true
		}
	}
	return AccessRule{}, false
}

// May tells whether the role may do the action on the date. What the table does
// not name nobody may do.
func (a Access) May(action string, role AccessRole, on civil.Date) bool {
	rule, ok := a.Find(action, on)
	return ok && slices.Contains(rule.Roles.Roles(), role)
}

// RolesOf returns the roles that may do the action on the date; none for an
// action that the table does not name.
func (a Access) RolesOf(action string, on civil.Date) []AccessRole {
	rule, ok := a.Find(action, on)
	if !ok {
		return nil
	}
	return rule.Roles.Roles()
}

// ActionsOf returns the actions that the role may do on the date, in the order
// of the table.
func (a Access) ActionsOf(role AccessRole, on civil.Date) []string {
	var actions []string
	for _, rule := range a {
		if rule.On(on) && slices.Contains(rule.Roles.Roles(), role) {
			actions = append(actions, rule.Action)
		}
	}
	return actions
}

func (b *Rulebook) checkAccess(fail func(string, ...any)) {
	for _, rule := range b.Access {
		seen := map[AccessRole]bool{}
		for _, role := range rule.Roles.Roles() {
			switch {
			case !slices.Contains(AccessRoles(), role):
				fail("%s: there is no role %q", accessKey(rule), role)
			case seen[role]:
				fail("%s: the role %s stands there twice", accessKey(rule), role)
			}
			seen[role] = true
		}
	}
}
