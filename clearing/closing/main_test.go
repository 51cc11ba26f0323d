package closing_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/closing"
	"fundledger/clearing/statement"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// fixture is a journal with the books of the profile open from 2025-01.
type fixture struct {
	*ledger.Journal
	*closing.Closing
	statements *statement.Statements
	db         *postgres.DB
	book       *accounts.Rulebook
	entries    int
}

func open(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{db: devdb.Test(t)}
	var err error
	if f.book, err = accounts.Profile("jiangsu"); err != nil {
		t.Fatal(err)
	}
	f.Journal = ledger.New(f.db, f.book)
	f.Closing = closing.New(f.db, f.Journal, f.book, nil)
	f.statements = statement.New(f.Journal, f.book)
	if _, err := f.OpenBooks(t.Context(), "2025-01", "setup", f.book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	return f
}

const (
	agency  = accounts.Book("320100.agency")
	finance = accounts.Book("320100.finance")
)

// event posts an event of the posting table of one institution.
func (f *fixture) event(t testing.TB, event, region, fund string, date civil.Date, amount accounts.Fen) {
	t.Helper()
	facts := ledger.Facts{
		Event: event, Date: date, Fund: fund, Regions: map[string]string{"H": region, "I": region},
		Amounts: map[string][]ledger.Part{"amount": {{Amount: amount, Dimensions: ledger.Dimensions{Category: "21"}}}},
	}
	postings, err := ledger.Draft(f.book, facts)
	if err != nil {
		t.Fatal(err)
	}
	f.post(t, event, date, accounts.MonthOf(date), postings...)
}

func (f *fixture) post(t testing.TB, kind string, date civil.Date, period accounts.Month, postings ...ledger.Posting) {
	t.Helper()
	f.entries++
	results, err := f.Post(t.Context(), ledger.Entry{
		Key: fmt.Sprint("e", f.entries), Date: date, Period: period, Kind: kind, Summary: "试验", Source: "test", Preparer: "tester", Postings: postings,
	})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
}

func line(side accounts.Side, account string, amount accounts.Fen) ledger.Posting {
	a, err := accounts.ParseAccount(account)
	if err != nil {
		panic(err)
	}
	return ledger.Posting{Account: a, Side: side, Amount: amount}
}

// balance returns debits less credits now.
func (f *fixture) balance(t testing.TB, account string) accounts.Fen {
	t.Helper()
	if _, err := f.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := accounts.ParseAccount(account)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := f.Balance(t.Context(), a, ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	return b.Balance
}

// month is a request for books of 320100.
func month(m accounts.Month, by string, books ...accounts.Book) closing.MonthRequest {
	if books == nil {
		books = []accounts.Book{agency, finance}
	}
	return closing.MonthRequest{Books: books, Month: m, By: by}
}

func (f *fixture) close(t testing.TB, m accounts.Month, books ...accounts.Book) {
	t.Helper()
	if _, err := f.CloseMonth(t.Context(), month(m, "clerk", books...)); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) closeUntil(t testing.TB, last accounts.Month, books ...accounts.Book) {
	t.Helper()
	for m := accounts.Month("2025-01"); m <= last; m = m.Add(1) {
		f.close(t, m, books...)
	}
}

// mustBeWhole checks the books and that every book's funds balance.
func (f *fixture) mustBeWhole(t testing.TB) *clearing.CheckReport {
	t.Helper()
	report, err := clearing.Check(t.Context(), f.Journal, f.db, f.book)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("check %+v", finding)
	}
	return report
}

func isRefused(t testing.TB, name string, err error, kind fault.Kind, message string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(fmt.Sprint(err), message) {
		t.Errorf("%s: got %s: %v", name, fault.KindOf(err), err)
	}
}

// opens are the details "open" of an error, without their texts.
func opens(err error) (names []string) {
	known, _ := err.(*fault.Error)
	if known == nil {
		return nil
	}
	for _, d := range known.Details {
		if d.Name == "open" {
			book, rest, _ := strings.Cut(d.Value, " ")
			name, _, _ := strings.Cut(rest, ":")
			names = append(names, book+" "+name)
		}
	}
	slices.Sort(names)
	return names
}

// failing is a store that fails once a number of transactions was committed.
type failing struct {
	accounts.Store
	left atomic.Int64
}

func (s *failing) InTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	if s.left.Add(-1) < 0 {
		return fault.New(fault.Unavailable, "the server is gone")
	}
	return s.Store.InTx(ctx, fn)
}

func (s *failing) Single(ctx context.Context, fn func(w accounts.Reader) error) error {
	if s.left.Add(-1) < 0 {
		return fault.New(fault.Unavailable, "the server is gone")
	}
	return s.Store.Single(ctx, fn)
}

func date(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}
