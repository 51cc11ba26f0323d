package bank

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/bank/internal/db"
	"fundledger/internal/fault"
)

// Account is a bank account as it is from a day on.
type Account struct {
	Number string        `json:"number"` // 账号
	Bank   string        `json:"bank"`   // 开户行
	Holder string        `json:"holder"` // 户名
	Book   accounts.Book `json:"book"`   // whose money it holds
	// Backs are the funds and subjects of the book whose money lies on it; of one
	// subject many funds can lie on one bank account.
	Backs []Backing `json:"backs"`
	accounts.Effective
	EnteredBy string `json:"entered_by"`
}

// Backing is a subject of a fund, such as 310/1001.
type Backing struct {
	Fund    string `json:"fund"`
	Subject string `json:"subject"`
}

func (b Backing) String() string { return b.Fund + "/" + b.Subject }

// account is the account of the books that is backed.
func (a *Account) account(b Backing) accounts.Account {
	return accounts.Account{Book: a.Book, Fund: b.Fund, Subject: b.Subject}
}

// backs tells whether the money of the account of the books lies here.
func (a *Account) backs(of accounts.Account) bool {
	return a.Book == of.Book && of.Counterparty == "" && slices.Contains(a.Backs, Backing{of.Fund, of.Subject})
}

func (a *Account) same(other *Account) bool {
	return a.Bank == other.Bank && a.Holder == other.Holder && a.Book == other.Book && slices.Equal(a.Backs, other.Backs) && a.Source == other.Source
}

// AccountChange adds versions of bank accounts, all or none.
type AccountChange struct {
	Key      string // idempotency key; may be empty
	By       string // who enters them
	Accounts []Account
}

// AccountsChanged says what a change has done.
type AccountsChanged struct {
	Inserted  int  `json:"inserted"`
	Ended     int  `json:"ended"`
	Unchanged int  `json:"unchanged"`
	Replayed  bool `json:"replayed,omitempty"`
}

// ChangeAccounts enters versions of bank accounts: a version ends the one of the
// same number that was open before it. One that stands already with the same
// content is left alone, or ended when the new one has an end. Errors: Invalid (a
// row that does not fit the rules, each named), AlreadyExists (a version of the
// day stands with other content, two bank accounts back one account of the books,
// or the key was used for another change).
func (d *Desk) ChangeAccounts(ctx context.Context, c AccountChange) (*AccountsChanged, error) {
	if err := person(c.By, "enter bank accounts"); err != nil {
		return nil, err
	}
	if len(c.Accounts) == 0 {
		return nil, fault.New(fault.Invalid, "there are no bank accounts to enter")
	}
	rows := slices.Clone(c.Accounts)
	var faults []string
	for i := range rows {
		rows[i].Backs = slices.Clone(rows[i].Backs)
		slices.SortFunc(rows[i].Backs, compareBackings)
		rows[i].EnteredBy = c.By
		faults = append(faults, d.faultsOf(&rows[i])...)
	}
	if len(faults) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(faults, "\n"))
	}
	slices.SortFunc(rows, compareVersions)
	var done *AccountsChanged
	err := d.store.InTx(ctx, func(tx pgx.Tx) error {
		done = &AccountsChanged{}
		before, err := claim(ctx, tx, "bank accounts", c.Key, rows)
		if err != nil {
			return err
		}
		q := db.New(tx)
		all, err := readAccounts(ctx, q)
		if err != nil {
			return err
		}
		if before {
			*done = AccountsChanged{Unchanged: len(rows), Replayed: true}
			return nil
		}
		for i := range rows {
			if all, err = done.enter(ctx, q, all, rows[i]); err != nil {
				return err
			}
		}
		return overlapping(all)
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// enter puts a version among all of them.
func (done *AccountsChanged) enter(ctx context.Context, q *db.Queries, all []Account, row Account) ([]Account, error) {
	for i := range all {
		stands := &all[i]
		switch {
		case stands.Number != row.Number:
		case stands.From == row.From && stands.same(&row) && stands.To == row.To:
			done.Unchanged++
			return all, nil
		case stands.From == row.From && stands.same(&row) && stands.To.IsZero():
			done.Ended++
			stands.To = row.To
			return all, end(ctx, q, stands)
		case stands.From == row.From:
			return nil, fault.New(fault.AlreadyExists, "bank account %s from %s stands with other content: enter what changes from another day on", row.Number, row.From).
				With("account", row.Number)
		case stands.To.IsZero() && stands.From.Before(row.From):
			done.Ended++
			stands.To = row.From
			if err := end(ctx, q, stands); err != nil {
				return nil, err
			}
		}
	}
	done.Inserted++
	p := db.InsertBankAccountParams{Number: row.Number, ValidFrom: dateParam(row.From), Bank: row.Bank, Holder: row.Holder,
		Book: string(row.Book), Source: row.Source, EnteredBy: row.EnteredBy}
	if !row.To.IsZero() {
		p.ValidTo = row.To.String()
	}
	for _, b := range row.Backs {
		p.Backs = append(p.Backs, b.String())
	}
	return append(all, row), q.InsertBankAccount(ctx, p)
}

func end(ctx context.Context, q *db.Queries, a *Account) error {
	return q.EndBankAccount(ctx, db.EndBankAccountParams{ValidTo: dateParam(a.To), Number: a.Number, ValidFrom: dateParam(a.From)})
}

// faultsOf lists what of the version does not fit the rules.
func (d *Desk) faultsOf(a *Account) (faults []string) {
	fail := func(field, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("bank account %s from %s:%s: ", a.Number, a.From, field)+fmt.Sprintf(format, args...))
	}
	for _, f := range [][2]string{{"number", a.Number}, {"bank", a.Bank}, {"holder", a.Holder}, {"source", a.Source}} {
		if f[1] == "" || len(f[1]) > maxKey {
			fail(f[0], "must have 1 to %d bytes", maxKey)
		}
	}
	if strings.ContainsAny(a.Number, " \t/") {
		fail("number", "must have neither spaces nor slashes")
	}
	if !a.From.IsValid() || !a.To.IsZero() && !a.To.After(a.From) {
		fail("to", "%s is not after %s", a.To, a.From)
		return faults
	}
	if !slices.Contains(d.book.Regions.Books(), a.Book) {
		fail("book", "there is no book %s", a.Book)
	}
	if len(a.Backs) == 0 {
		fail("backs", "a bank account backs at least one FUND/SUBJECT of its book")
	}
	for i, b := range a.Backs {
		if i > 0 && a.Backs[i-1] == b {
			fail("backs", "%s is named twice", b)
		}
		if !slices.ContainsFunc(d.book.Funds, func(f accounts.Fund) bool { return f.Code == b.Fund && f.On(a.From) }) {
			fail("backs", "there is no fund %s on %s", b.Fund, a.From)
		}
		subject, found := d.book.Chart.Find(a.Book.Role(), b.Subject, a.From)
		if !found || !subject.Postable || subject.Layer != accounts.Cash || subject.Normal != accounts.Debit || subject.Counterparty != "" {
			fail("backs", "%s is no account of money that takes postings in %s on %s", b.Subject, a.Book, a.From)
		}
	}
	return faults
}

// overlapping finds an account of the books that two bank accounts back on one
// day, and two versions of one bank account that hold on one day.
func overlapping(all []Account) error {
	slices.SortFunc(all, compareVersions)
	for i := range all {
		a := &all[i]
		for j := range all[:i] {
			b := &all[j]
			from := a.From
			if from.Before(b.From) {
				from = b.From
			}
			if !a.To.IsZero() && !from.Before(a.To) || !b.To.IsZero() && !from.Before(b.To) {
				continue
			}
			if a.Number == b.Number {
				return fault.New(fault.AlreadyExists, "two versions of bank account %s hold on %s", a.Number, from).With("account", a.Number)
			}
			for _, backing := range a.Backs {
				if b.backs(a.account(backing)) {
					return fault.New(fault.AlreadyExists, "on %s both %s and %s would back %s: end one of them first", from, b.Number, a.Number, a.account(backing)).
						With("account", a.account(backing).String())
				}
			}
		}
	}
	return nil
}

// Accounts lists all versions of bank accounts, by number and day; those that
// hold on a day when it is given.
func (d *Desk) Accounts(ctx context.Context, on civil.Date) (list []Account, err error) {
	err = d.store.Read(ctx, func(r accounts.Reader) (err error) {
		list, err = readAccounts(ctx, db.New(r))
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(a Account) bool { return !on.IsZero() && !a.On(on) }), nil
}

// Account is the bank account as it holds on the day, or a NotFound error.
func (d *Desk) Account(ctx context.Context, number string, on civil.Date) (*Account, error) {
	list, err := d.Accounts(ctx, civil.Date{})
	if err != nil {
		return nil, err
	}
	return accountOn(list, number, on)
}

func accountOn(list []Account, number string, on civil.Date) (*Account, error) {
	known := false
	for i := range list {
		if list[i].Number != number {
			continue
		}
		if known = true; list[i].On(on) {
			return &list[i], nil
		}
	}
	if known {
		return nil, fault.New(fault.NotFound, "bank account %s does not hold on %s: see fundledger bank accounts", number, on).With("account", number)
	}
	return nil, noAccount(number)
}

func noAccount(number string) *fault.Error {
	return fault.New(fault.NotFound, "there is no bank account %s: enter it first (fundledger bank accounts)", number).With("account", number)
}

// BooksOf are the books whose money the bank account has held, whenever. NotFound
// for none.
func (d *Desk) BooksOf(ctx context.Context, number string) (books []accounts.Book, err error) {
	list, err := d.Accounts(ctx, civil.Date{})
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if a.Number == number && !slices.Contains(books, a.Book) {
			books = append(books, a.Book)
		}
	}
	if books == nil {
		return nil, noAccount(number)
	}
	return books, nil
}

func readAccounts(ctx context.Context, q *db.Queries) ([]Account, error) {
	rows, err := q.ListBankAccounts(ctx)
	list := make([]Account, len(rows))
	for i, r := range rows {
		list[i] = Account{Number: r.Number, Bank: r.Bank, Holder: r.Holder, Book: accounts.Book(r.Book),
			Effective: accounts.Effective{From: civil.DateOf(r.ValidFrom), Source: r.Source}, EnteredBy: r.EnteredBy}
		if r.ValidTo.Valid {
			list[i].To = civil.DateOf(r.ValidTo.Time)
		}
		for _, name := range r.Backs {
			fund, subject, _ := strings.Cut(name, "/")
			list[i].Backs = append(list[i].Backs, Backing{fund, subject})
		}
	}
	return list, err
}

func compareVersions(a, b Account) int {
	return cmp.Or(cmp.Compare(a.Number, b.Number), a.From.Compare(b.From))
}

func compareBackings(a, b Backing) int {
	return cmp.Or(cmp.Compare(a.Fund, b.Fund), cmp.Compare(a.Subject, b.Subject))
}
