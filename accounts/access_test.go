package accounts_test

import (
	"slices"
	"testing"

	"fundledger/accounts"
)

func TestOnlyTheRolesOfTheTableMayDoAnAction(t *testing.T) {
	book, on := jiangsu(t), day("2025-01-15")
	for action, want := range map[string][]accounts.AccessRole{
		"ledger.post":     {accounts.Operator},
		"ledger.close":    {accounts.Approver},
		"accounts.change": {accounts.Admin},
		"audit.export":    {accounts.Auditor},
		"ledger.erase":    nil,
		"":                nil,
	} {
		for _, role := range append(accounts.AccessRoles(), "") {
			if got := book.Access.May(action, role, on); got != slices.Contains(want, role) {
				t.Errorf("%q may do %q: %v", role, action, got)
			}
		}
	}
	if got := book.Access.ActionsOf(accounts.Viewer, on); !slices.Equal(got, []string{"accounts.read", "ledger.read", "settlement.read", "provider.read", "reimbursement.read", "fee_check.read", "recovery.read", "clearing.read", "prepayment.read", "bank.read", "jobs.read", "audit.read"}) {
		t.Errorf("a viewer may do %q", got)
	}
}

func TestAccessHoldsFromADateOn(t *testing.T) {
	table := accounts.Access{
		{Action: "ledger.post", Roles: "operator", Effective: accounts.Effective{From: day("2025-01-01"), To: day("2026-01-01")}},
		{Action: "ledger.post", Roles: "operator,approver", Effective: accounts.Effective{From: day("2026-01-01")}},
	}
	for on, want := range map[string][2]bool{"2024-12-31": {false, false}, "2025-01-01": {true, false}, "2025-12-31": {true, false}, "2026-01-01": {true, true}} {
		got := [2]bool{table.May("ledger.post", accounts.Operator, day(on)), table.May("ledger.post", accounts.Approver, day(on))}
		if got != want {
			t.Errorf("on %s: %v, want %v", on, got, want)
		}
	}
}
