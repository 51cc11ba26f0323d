package bank

import (
	"strings"

	"fundledger/accounts"
)

// AccountColumns are the columns of a file of bank accounts.
func AccountColumns() []string {
	return []string{"number", "bank", "holder", "book", "backs", "from", "to", "source"}
}

// ReadAccounts reads bank accounts: a header line with the columns, in any order,
// divided by TAB or comma; backs as FUND/SUBJECT, divided by spaces; an empty to
// for one that stays open. Errors: Invalid, each fault as file:line:field.
func ReadAccounts(file string, content []byte) ([]Account, error) {
	s, err := readSheet(file, content, AccountColumns(), nil)
	if err != nil {
		return nil, err
	}
	var list []Account
	for i := range s.rows {
		r := &s.rows[i]
		a := Account{Number: r.text("number"), Bank: r.text("bank"), Holder: r.text("holder"), Book: accounts.Book(r.text("book")),
			Effective: accounts.Effective{From: r.date(r.line, "from", r.fields["from"]), Source: r.text("source")}}
		if to := r.fields["to"]; to != "" {
			a.To = r.date(r.line, "to", to)
		}
		for _, name := range strings.Fields(r.text("backs")) {
			fund, subject, ok := strings.Cut(name, "/")
			if !ok || fund == "" || subject == "" {
				r.fail(r.line, "backs", "%q is no FUND/SUBJECT, such as 310/1001", name)
			}
			a.Backs = append(a.Backs, Backing{fund, subject})
		}
		list = append(list, a)
	}
	return list, s.err()
}
