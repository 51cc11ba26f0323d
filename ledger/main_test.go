package ledger_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// fixture is a journal with the books of the profile open from 2025-01.
type fixture struct {
	*ledger.Journal
	db   *postgres.DB
	book *accounts.Rulebook
}

func open(t testing.TB) fixture {
	t.Helper()
	db := devdb.Test(t)
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	j := ledger.New(db, book)
	if _, err := j.OpenBooks(context.Background(), "2025-01", "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	return fixture{j, db, book}
}

var day = civil.Date{Year: 2025, Month: 1, Day: 15}

func debit(account string, fen accounts.Fen) ledger.Posting {
	return line(accounts.Debit, account, fen)
}

func credit(account string, fen accounts.Fen) ledger.Posting {
	return line(accounts.Credit, account, fen)
}

func line(side accounts.Side, account string, fen accounts.Fen) ledger.Posting {
	a, err := accounts.ParseAccount(account)
	if err != nil {
		panic(err)
	}
	return ledger.Posting{Account: a, Side: side, Amount: fen}
}

func entry(key string, postings ...ledger.Posting) ledger.Entry {
	return ledger.Entry{
		Key: key, Date: day, Period: "2025-01", Kind: "manual", Summary: "试验 " + key,
		Source: "test", Preparer: "tester", Postings: postings,
	}
}

// income puts money on the agency's fiscal account.
func income(key string, fen accounts.Fen) ledger.Entry {
	return entry(key, debit("320100.agency/310/1003", fen), credit("320100.agency/310/4001", fen))
}

// spend takes money from it.
func spend(key string, fen accounts.Fen) ledger.Entry {
	return entry(key, debit("320100.agency/310/5001.01", fen), credit("320100.agency/310/1003", fen))
}

// accepted writes an obligation of a kind that has no floor.
func accepted(key, provider string, fen accounts.Fen) ledger.Entry {
	return entry(key, debit("320500.agency/310/9001.01/320100", fen), credit("320500.agency/310/9002/"+provider, fen))
}

func (f fixture) post(t testing.TB, entries ...ledger.Entry) {
	t.Helper()
	results, err := f.Post(t.Context(), entries...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("entry %d: %v", i, r.Err)
		}
	}
}

func (f fixture) refused(t testing.TB, e ledger.Entry) *fault.Error {
	t.Helper()
	results, err := f.Post(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	known, ok := results[0].Err.(*fault.Error)
	if !ok {
		t.Fatalf("entry was not refused: %+v", results[0])
	}
	return known
}

func (f fixture) catchUp(t testing.TB) ledger.Position {
	t.Helper()
	p, err := f.CatchUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// balance returns debits less credits of one account now.
func (f fixture) balance(t testing.TB, account string) accounts.Fen {
	t.Helper()
	return f.balanceAsOf(t, account, ledger.AsOf{})
}

func (f fixture) balanceAsOf(t testing.TB, account string, as ledger.AsOf) accounts.Fen {
	t.Helper()
	a, err := accounts.ParseAccount(account)
	if err != nil {
		t.Fatal(err)
	}
	balances, _, err := f.Balances(t.Context(), ledger.Filter(a), as)
	if err != nil {
		t.Fatal(err)
	}
	if len(balances) == 0 {
		return 0
	}
	return balances[0].Balance
}

// pend reserves for an entry that does not expire.
func (f fixture) pend(t testing.TB, e ledger.Entry) *ledger.Pending {
	t.Helper()
	p, err := f.Pend(t.Context(), e, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// taking asks to take back an entry, all of it or the given amounts.
func taking(key, of string, amounts ...accounts.Fen) ledger.Reversal {
	return ledger.Reversal{
		Key: key, Of: ledger.EntryID(of), Date: day, Period: "2025-01", Summary: "冲销 " + of,
		Preparer: "tester", Reviewer: "checker", Amounts: amounts,
	}
}

func (f fixture) reverse(t testing.TB, key, of string, amounts ...accounts.Fen) {
	t.Helper()
	if _, err := f.Reverse(t.Context(), taking(key, of, amounts...)); err != nil {
		t.Fatal(err)
	}
}

// beginClose and closePeriod change the month of the book that most tests use.
func (f fixture) beginClose(t testing.TB, month accounts.Month) {
	t.Helper()
	if _, err := f.BeginClose(t.Context(), "320100.agency", month, "closer"); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) closePeriod(t testing.TB, month accounts.Month) {
	t.Helper()
	if _, err := f.Close(t.Context(), "320100.agency", month, "closer"); err != nil {
		t.Fatal(err)
	}
}

// second is the error of a call whose result does not matter.
func second[T any](_ T, err error) error { return err }

// isRefused tells whether the error is of the kind and says the message.
func isRefused(t testing.TB, name string, err error, kind fault.Kind, message string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(fmt.Sprint(err), message) {
		t.Errorf("%s: got %s: %v", name, fault.KindOf(err), err)
	}
}

// mustBeWhole catches up and checks the journal, and a bundle of it.
func (f fixture) mustBeWhole(t testing.TB) *ledger.CheckReport {
	t.Helper()
	f.catchUp(t)
	report, err := f.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("check %+v", finding)
	}
	bundle, _ := f.export(t)
	mustHold(t, bundle)
	return report
}

func keys(prefix string, n int) []string {
	k := make([]string, n)
	for i := range k {
		k[i] = fmt.Sprintf("%s/%d", prefix, i)
	}
	return k
}
