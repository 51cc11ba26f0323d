package accounts

import (
	"strings"

	"fundledger/internal/fault"
)

// SecondPerson refuses that somebody confirms what the same person has made
// (制单与复核分离): maker ≠ checker, whatever their roles. What was done by the
// maker, and what the checker wants to do with it, make the message, such as
// "clawback C-1 was proposed" and "approve". It is asked in the transaction that
// reads who the maker was and does what the checker wants. Errors: Permission
// for the same person, Invalid for nobody.
func SecondPerson(maker, checker, done, act string) *fault.Error {
	maker, checker = strings.TrimSpace(maker), strings.TrimSpace(checker)
	switch {
	case checker == "":
		return fault.New(fault.Invalid, "%s by %s: say who wants to %s it", done, maker, act).With("field", "by")
	case maker == "":
		return fault.New(fault.Invalid, "%s by nobody: without a maker nobody can %s it as a second person", done, act)
	case maker == checker:
		return fault.New(fault.Permission, "%s by %s: another person must %s it", done, maker, act)
	}
	return nil
}
