package statement_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing/statement"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// fixture is a journal with the books of the profile open from a month.
type fixture struct {
	*ledger.Journal
	*statement.Statements
	entries int
}

func open(t testing.TB, from accounts.Month) *fixture {
	t.Helper()
	db := devdb.Test(t)
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	j := ledger.New(db, book)
	if _, err := j.OpenBooks(t.Context(), from, "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	return &fixture{Journal: j, Statements: statement.New(j, book)}
}

func parsed(t testing.TB, account string) accounts.Account {
	t.Helper()
	a, err := accounts.ParseAccount(account)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// opens posts opening balances, a debit as a positive amount.
func (f *fixture) opens(t testing.TB, date civil.Date, balances map[string]accounts.Fen) {
	t.Helper()
	var openings []ledger.Opening
	for account, amount := range balances {
		o := ledger.Opening{File: "test", Line: 1, Date: date, Account: parsed(t, account), Side: accounts.Debit, Amount: amount}
		if amount < 0 {
			o.Side, o.Amount = accounts.Credit, -amount
		}
		openings = append(openings, o)
	}
	if _, err := f.PostOpenings(t.Context(), openings); err != nil {
		t.Fatal(err)
	}
}

// post posts an entry of two lines, debit to credit.
func (f *fixture) post(t testing.TB, date civil.Date, kind, debit, credit string, amount accounts.Fen) {
	t.Helper()
	f.postIn(t, date, accounts.MonthOf(date), kind, debit, credit, amount)
}

func (f *fixture) postIn(t testing.TB, date civil.Date, period accounts.Month, kind, debit, credit string, amount accounts.Fen) {
	t.Helper()
	f.entries++
	e := ledger.Entry{
		Key: fmt.Sprint("e", f.entries), Date: date, Period: period, Kind: kind, Summary: "试验", Source: "test", Preparer: "tester",
		Postings: []ledger.Posting{
			{Account: parsed(t, debit), Side: accounts.Debit, Amount: amount}, {Account: parsed(t, credit), Side: accounts.Credit, Amount: amount},
		},
	}
	results, err := f.Post(t.Context(), e)
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) catchUp(t testing.TB) ledger.Position {
	t.Helper()
	p, err := f.CatchUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func published(t testing.TB, name string) *statement.Published {
	t.Helper()
	in, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p, err := statement.ReadPublished(in, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func isRefused(t testing.TB, name string, err error, kind fault.Kind, message string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(fmt.Sprint(err), message) {
		t.Errorf("%s: got %s: %v", name, fault.KindOf(err), err)
	}
}

func date(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}
