package bank_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/bank"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// fixture is a deployment with open books and the bank account of Nanjing's 财政专户.
type fixture struct {
	*bank.Desk
	db      *postgres.DB
	book    *accounts.Rulebook
	journal *ledger.Journal
}

const (
	nanjing = "320100"
	number  = "3201-0001"
)

func day(n int) civil.Date { return civil.Date{Year: 2025, Month: 1, Day: 1}.AddDays(n - 1) }

func open(t testing.TB) fixture {
	t.Helper()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	db := devdb.Test(t)
	j := ledger.New(db, book)
	if _, err := j.OpenBooks(t.Context(), "2025-01", "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	f := fixture{bank.New(db, j, book), db, book, j}
	f.enter(t, account(number, "310/1001", "390/1001"))
	return f
}

// account is the bank account of Nanjing's finance department.
func account(number string, backs ...string) bank.Account {
	a := bank.Account{Number: number, Bank: "中国银行南京分行", Holder: "南京市财政局", Book: nanjing + ".finance",
		Effective: accounts.Effective{From: civil.Date{Year: 2024, Month: 1, Day: 1}, Source: "开户许可证"}}
	for _, b := range backs {
		fund, subject, _ := strings.Cut(b, "/")
		a.Backs = append(a.Backs, bank.Backing{Fund: fund, Subject: subject})
	}
	return a
}

func (f fixture) enter(t testing.TB, list ...bank.Account) *bank.AccountsChanged {
	t.Helper()
	done, err := f.ChangeAccounts(t.Context(), bank.AccountChange{By: "admin", Accounts: list})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// move posts money in (premium) or out (to the spending account) of the 财政专户.
func (f fixture) move(t testing.TB, key, fund string, on civil.Date, amount accounts.Fen) {
	t.Helper()
	event := "premium.received"
	if amount < 0 {
		event, amount = "spending.funded", -amount
	}
	e := ledger.Entry{Key: "e/" + key, Date: on, Period: accounts.MonthOf(on), Kind: event, Summary: event, Source: key, Preparer: "test"}
	lines, err := ledger.Draft(f.book, ledger.Facts{Event: event, Date: on, Fund: fund, Regions: map[string]string{"H": nanjing},
		Amounts: map[string][]ledger.Part{"amount": ledger.Total(amount)}})
	if err != nil {
		t.Fatal(err)
	}
	e.Postings = lines
	f.post(t, e)
}

func (f fixture) post(t testing.TB, e ledger.Entry) {
	t.Helper()
	results, err := f.journal.Post(t.Context(), e)
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
}

// line is a line of a statement; the amount is signed as the balance moves.
type line struct {
	serial    string
	on        civil.Date
	amount    accounts.Fen
	reference string
}

// paper writes a statement of the lines as the bank would.
func paper(opening accounts.Fen, from, to civil.Date, lines ...line) string {
	return paperOf(number, opening, from, to, lines...)
}

func paperOf(number string, opening accounts.Fen, from, to civil.Date, lines ...line) string {
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Or(a.on.Compare(b.on), cmp.Compare(a.serial, b.serial)) })
	var b strings.Builder
	balance := opening
	for _, l := range lines {
		side, amount := "C", l.amount
		if amount < 0 {
			side, amount = "D", -amount
		}
		balance += l.amount
		fmt.Fprintln(&b, strings.Join([]string{number, l.on.String(), l.serial, side, amount.String(), "62001", "某单位", "往来款", l.reference, balance.String()}, "\t"))
	}
	return fmt.Sprintf("#account\t%s\n#from\t%s\n#to\t%s\n#opening\t%s\n#closing\t%s\naccount\tdate\tserial\tside\tamount\tcounterparty_account\tcounterparty_name\tremark\treference\tbalance\n",
		number, from, to, opening, balance) + b.String()
}

func (f fixture) read(t testing.TB, content string) *bank.ImportReport {
	t.Helper()
	report, err := f.Import(t.Context(), bank.ImportRequest{By: "clerk", File: "s.tsv", Content: []byte(content)})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (f fixture) match(t testing.TB, on civil.Date) []bank.Match {
	t.Helper()
	done, err := f.MatchAutomatically(t.Context(), bank.MatchRequest{By: "clerk", Account: number, Day: on})
	if err != nil {
		t.Fatal(err)
	}
	return done.Matches
}

func (f fixture) table(t testing.TB, on civil.Date) *bank.Table {
	t.Helper()
	table, err := f.Reconcile(t.Context(), number, on, 0)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// items are what the table lists, as KIND AMOUNT, sorted.
func items(table *bank.Table) (list []string) {
	for _, i := range table.Items {
		list = append(list, fmt.Sprintf("%s %s", i.Kind, i.Amount))
	}
	slices.Sort(list)
	return list
}

func mustList(t interface {
	Helper()
	Errorf(string, ...any)
}, table *bank.Table, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := items(table); !slices.Equal(got, want) {
		t.Errorf("the table lists %q, want %q", got, want)
	}
	if !table.Ties() || table.AdjustedBook != table.AdjustedStatement {
		t.Errorf("adjusted %s and %s: %+v", table.AdjustedBook, table.AdjustedStatement, table.Causes)
	}
}

func mention(t testing.TB, err error, kind fault.Kind, texts ...string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("want %s, got %s: %v", kind, fault.KindOf(err), err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %q", err, text)
		}
	}
}

// whole checks that the books are what they were: nothing here posts.
func (f fixture) whole(t testing.TB) {
	t.Helper()
	report, err := clearing.Check(t.Context(), f.journal, f.db, f.book)
	if err != nil || !report.OK() {
		t.Errorf("the books are not whole: %v %+v", err, report)
	}
}
