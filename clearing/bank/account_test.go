package bank_test

import (
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/clearing/bank"
	"fundledger/internal/fault"
)

func TestAnAccountOfTheBooksIsBackedByOneBankAccountAtATime(t *testing.T) {
	t.Parallel()
	f := open(t)
	enter := func(list ...bank.Account) (*bank.AccountsChanged, error) {
		return f.ChangeAccounts(t.Context(), bank.AccountChange{By: "admin", Accounts: list})
	}
	second := account("3201-0002", "310/1001")
	_, err := enter(second)
	mention(t, err, fault.AlreadyExists, "both 3201-0001 and 3201-0002 would back 320100.finance/310/1001", "2024-01-01")
	// The first one ends, the second follows.
	ended := account(number, "310/1001", "390/1001")
	ended.To = day(100)
	second.From = day(100)
	if done, err := enter(second, ended); err != nil || done.Inserted != 1 || done.Ended != 1 {
		t.Fatalf("%+v %v", done, err)
	}
	if done, err := enter(second, ended); err != nil || done.Unchanged != 2 {
		t.Errorf("again: %+v %v", done, err)
	}
	for on, want := range map[civil.Date]string{day(99): number, day(100): "3201-0002"} {
		list, err := f.Accounts(t.Context(), on)
		if err != nil || len(list) != 1 || list[0].Number != want || list[0].EnteredBy != "admin" {
			t.Errorf("%s: %+v %v", on, list, err)
		}
	}
	// A new version of an open one ends it by itself.
	more := account("3201-0002", "310/1001", "390/1001")
	more.From = day(200)
	if done, err := enter(more); err != nil || done.Inserted != 1 || done.Ended != 1 {
		t.Fatalf("%+v %v", done, err)
	}
	if a, err := f.Account(t.Context(), "3201-0002", day(150)); err != nil || len(a.Backs) != 1 || a.To != day(200) {
		t.Errorf("%+v %v", a, err)
	}
	// What stands is not rewritten, and an earlier version cannot be put before it.
	more.Bank = "另一银行"
	_, err = enter(more)
	mention(t, err, fault.AlreadyExists, "stands with other content")
	second.From, second.To = day(150), day(160)
	_, err = enter(second)
	mention(t, err, fault.AlreadyExists, "two versions of bank account 3201-0002 hold on")
	// The same under a key is a replay, other content under it refused.
	spending := account("3201-0003", "310/1004")
	spending.Book = nanjing + ".agency"
	change := bank.AccountChange{Key: "k", By: "admin", Accounts: []bank.Account{spending}}
	for _, replayed := range []bool{false, true} {
		if done, err := f.ChangeAccounts(t.Context(), change); err != nil || done.Replayed != replayed {
			t.Errorf("%+v %v", done, err)
		}
	}
	change.Accounts[0].Holder = "另一户名"
	_, err = f.ChangeAccounts(t.Context(), change)
	mention(t, err, fault.AlreadyExists, `key "k"`)
}

func TestABankAccountMustFitTheRules(t *testing.T) {
	t.Parallel()
	f := open(t)
	for text, change := range map[string]func(*bank.Account){
		"there is no book 329999.agency":    func(a *bank.Account) { a.Book = "329999.agency" },
		"there is no fund 999":              func(a *bank.Account) { a.Backs[0].Fund = "999" },
		"2001.02.02 is no account of money": func(a *bank.Account) { a.Book, a.Backs[0].Subject = "320000.agency", "2001.02.02" },
		"1101 is no account of money":       func(a *bank.Account) { a.Backs[0].Subject = "1101" },
		"4001 is no account of money":       func(a *bank.Account) { a.Backs[0].Subject = "4001" },
		"at least one FUND/SUBJECT":         func(a *bank.Account) { a.Backs = nil },
		"is named twice":                    func(a *bank.Account) { a.Backs = append(a.Backs, a.Backs[0]) },
		"holder: must have":                 func(a *bank.Account) { a.Holder = "" },
		"neither spaces nor slashes":        func(a *bank.Account) { a.Number = "a/b" },
		"is not after":                      func(a *bank.Account) { a.To = a.From },
	} {
		a := account("3201-0009", "310/1001")
		change(&a)
		_, err := f.ChangeAccounts(t.Context(), bank.AccountChange{By: "admin", Accounts: []bank.Account{a}})
		mention(t, err, fault.Invalid, text)
	}
	_, err := f.ChangeAccounts(t.Context(), bank.AccountChange{Accounts: []bank.Account{account("x", "310/1001")}})
	mention(t, err, fault.Invalid, "say who wants to enter bank accounts")
}

func TestBankAccountsAreReadFromAFile(t *testing.T) {
	const good = "# 银行账户\nnumber\tbank\tholder\tbook\tbacks\tfrom\tto\tsource\n3201-0001\t中国银行\t财政局\t320100.finance\t310/1001 390/1001\t2025-01-01\t\t开户\n"
	list, err := bank.ReadAccounts("a.tsv", []byte(good))
	if err != nil || len(list) != 1 || len(list[0].Backs) != 2 || list[0].Backs[1] != (bank.Backing{Fund: "390", Subject: "1001"}) || list[0].From != day(1) {
		t.Fatalf("%+v %v", list, err)
	}
	_, err = bank.ReadAccounts("a.tsv", []byte("number\tbank\tholder\tbook\tbacks\tfrom\tto\tsource\n1\t\tb\tc\t310-1001\t2025-1-1\tx\td\n"))
	mention(t, err, fault.Invalid, "a.tsv:2:bank: is missing", "a.tsv:2:backs: \"310-1001\" is no FUND/SUBJECT", "a.tsv:2:from", "a.tsv:2:to")
}
