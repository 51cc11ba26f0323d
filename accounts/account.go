package accounts

import (
	"strings"

	"fundledger/internal/fault"
)

// Role is the side of an institution that keeps a book.
type Role string

const (
	Agency  Role = "agency"  // 经办机构
	Finance Role = "finance" // 财政部门, holder of the 财政专户
)

// Book (账套) is one institution's set of accounts, "<region>.agency" or
// "<region>.finance".
type Book string

// BookOf returns the book of a region's agency or finance department.
func BookOf(region string, role Role) Book { return Book(region + "." + string(role)) }

// Region returns the region code of the book.
func (b Book) Region() string { region, _, _ := strings.Cut(string(b), "."); return region }

// Role returns whose book it is.
func (b Book) Role() Role { _, role, _ := strings.Cut(string(b), "."); return Role(role) }

// Layer separates the statutory cash-basis books from the memorandum
// accounts (备查) of claims and debts.
type Layer string

const (
	Cash       Layer = "cash"
	Obligation Layer = "obligation"
)

// Account is where a posting lands. Counterparty is a region, a province, a
// provider or empty.
type Account struct {
	Book         Book   `json:"book"`
	Fund         string `json:"fund"`
	Subject      string `json:"subject"`
	Counterparty string `json:"counterparty,omitempty"`
}

// String writes the account as "320100.agency/310/9101.01/320200", without
// the last part where there is no counterparty.
func (a Account) String() string {
	s := string(a.Book) + "/" + a.Fund + "/" + a.Subject
	if a.Counterparty != "" {
		s += "/" + a.Counterparty
	}
	return s
}

// ParseAccount reads what String writes.
func ParseAccount(s string) (Account, error) {
	parts := strings.Split(s, "/")
	if len(parts) < 3 || len(parts) > 4 {
		return Account{}, fault.New(fault.Invalid, "%q is not an account: write BOOK/FUND/SUBJECT[/COUNTERPARTY], such as 320100.agency/310/1003", s)
	}
	for _, p := range parts {
		if p == "" {
			return Account{}, fault.New(fault.Invalid, "%q is not an account: a part is empty", s)
		}
	}
	a := Account{Book: Book(parts[0]), Fund: parts[1], Subject: parts[2]}
	if len(parts) == 4 {
		a.Counterparty = parts[3]
	}
	return a, nil
}

// MarshalText writes the account as String does.
func (a Account) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Account) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAccount(string(text))
	return err
}
