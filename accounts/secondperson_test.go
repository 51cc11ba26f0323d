package accounts_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

func TestNobodyConfirmsWhatTheSamePersonHasMade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		maker, checker string
		kind           fault.Kind
		says           string
	}{
		{"li", "wang", "", ""},
		{"li", "li", fault.Permission, "clawback C-1 was proposed by li: another person must approve it"},
		{"li", " li ", fault.Permission, "clawback C-1 was proposed by li: another person must approve it"},
		{"li", " ", fault.Invalid, "clawback C-1 was proposed by li: say who wants to approve it"},
		{"", "li", fault.Invalid, "clawback C-1 was proposed by nobody: without a maker nobody can approve it as a second person"},
	} {
		err := accounts.SecondPerson(c.maker, c.checker, "clawback C-1 was proposed", "approve")
		if (err == nil) != (c.kind == "") || err != nil && (err.Kind != c.kind || err.Message != c.says) {
			t.Errorf("%q and %q: %v", c.maker, c.checker, err)
		}
	}
}
