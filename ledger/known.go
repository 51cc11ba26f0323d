package ledger

import (
	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// known is what the journal knows of an account that takes postings: its text
// and the row of the chart that it stands under.
type known struct {
	text    string
	subject accounts.Subject
}

// knownAccounts looks accounts up once, however many lines of a call stand on
// them. It is used by one goroutine.
type knownAccounts struct {
	journal *Journal
	rows    map[accounts.Account]*known
}

func (j *Journal) knownAccounts() knownAccounts {
	return knownAccounts{j, map[accounts.Account]*known{}}
}

// find returns what is known of the account on the date, or why it takes no
// postings.
func (k knownAccounts) find(a *accounts.Account, on civil.Date) (*known, *fault.Error) {
	if row := k.rows[*a]; row != nil && row.subject.On(on) {
		return row, nil
	}
	subject, err := k.journal.subject(a, on)
	if err != nil {
		return nil, err
	}
	row := &known{a.String(), subject}
	k.rows[*a] = row
	return row, nil
}

// subject is the row of the chart that the account stands under on the date.
func (j *Journal) subject(a *accounts.Account, on civil.Date) (accounts.Subject, *fault.Error) {
	fail := func(kind fault.Kind, format string, args ...any) (accounts.Subject, *fault.Error) {
		return accounts.Subject{}, fault.New(kind, format, args...).With("account", a.String())
	}
	if !isCode(string(a.Book)) || !isCode(a.Fund) || !isCode(a.Subject) || (a.Counterparty != "" && !isCode(a.Counterparty)) {
		return fail(fault.Invalid, "the account %s has characters other than letters, digits, point, dash and underscore", a)
	}
	if !j.rules().books[a.Book] {
		return fail(fault.NotFound, "there is no book %s", a.Book)
	}
	if !j.rules().funds[a.Fund] {
		return fail(fault.NotFound, "there is no fund %s", a.Fund)
	}
	subject, ok := j.rules().book.Chart.Find(a.Book.Role(), a.Subject, on)
	switch {
	case !ok:
		return fail(fault.NotFound, "the chart of %s books has no account %s on %s", a.Book.Role(), a.Subject, on)
	case !subject.Postable:
		return fail(fault.Invalid, "%s %s is a heading: post to one of its sub-accounts", a.Subject, subject.Name)
	case subject.Counterparty == "" && a.Counterparty != "":
		return fail(fault.Invalid, "%s %s is kept without counterparty, %q was given", a.Subject, subject.Name, a.Counterparty)
	case subject.Counterparty != "" && a.Counterparty == "":
		return fail(fault.Invalid, "%s %s is kept by %s: name the counterparty", a.Subject, subject.Name, subject.Counterparty)
	}
	return subject, nil
}
