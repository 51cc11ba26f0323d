package ledger_test

import (
	"os"
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

const smallOpening = `#date 2025-01-01
book	fund	subject	counterparty	side	amount
# cash and an open claim
320100.agency	310	1003		D	100.00
320100.agency	310	3001.01		C	100.00
320100.agency	310	9992		D	7.50
320100.agency	310	9101.01	320200	C	7.50
320100.finance	310	1001		D	100.00
320100.finance	310	3001	null	C	100.00
`

func withProfile(t *testing.T) fixture {
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
	return fixture{j, db, book}
}

func readOpenings(t *testing.T, text string) []ledger.Opening {
	t.Helper()
	openings, err := ledger.ReadOpenings(strings.NewReader(text), "opening.tsv")
	if err != nil {
		t.Fatal(err)
	}
	return openings
}

func TestOpeningsArePostedOnce(t *testing.T) {
	f := withProfile(t)
	openings := readOpenings(t, smallOpening)
	for i, want := range []ledger.Opened{{Posted: 2}, {Replayed: 2}} {
		if got, err := f.PostOpenings(t.Context(), openings); err != nil || got != want {
			t.Fatalf("time %d: %+v, %v; want %+v", i+1, got, err, want)
		}
	}
	f.mustBeWhole(t)
	for account, want := range map[string]accounts.Fen{"320100.agency/310/1003": 10000, "320100.agency/310/9101.01/320200": -750, "320100.finance/310/3001": -10000} {
		if got := f.balance(t, account); got != want {
			t.Errorf("%s is %s, want %s", account, got, want)
		}
	}
	// A replay is one even after other entries, and the order of lines means nothing.
	f.post(t, entry("income", debit("320100.agency/310/1003", 5), credit("320100.agency/310/4001", 5)))
	lines := strings.Split(strings.TrimSpace(smallOpening), "\n")
	lines[3], lines[6] = lines[6], lines[3]
	if got, err := f.PostOpenings(t.Context(), readOpenings(t, strings.Join(lines, "\n"))); err != nil || got.Replayed != 2 {
		t.Errorf("replay after other entries: %+v, %v", got, err)
	}
}

func TestOpeningsComeBeforeTheFirstEntry(t *testing.T) {
	f := withProfile(t)
	f.post(t, entry("income", debit("320100.agency/310/1003", 5), credit("320100.agency/310/4001", 5)))
	_, err := f.PostOpenings(t.Context(), readOpenings(t, smallOpening))
	if fault.KindOf(err) != fault.Precondition || !strings.Contains(err.Error(), "book 320100.agency, fund 310 has entries already") {
		t.Fatal(err)
	}
	// Nothing of the file is posted, and other funds and books are free.
	f.catchUp(t)
	if got := f.balance(t, "320100.finance/310/1001"); got != 0 {
		t.Errorf("the finance book opened with %s", got)
	}
	if got, err := f.PostOpenings(t.Context(), readOpenings(t, strings.ReplaceAll(smallOpening, "\t310\t", "\t390\t"))); err != nil || got.Posted != 2 {
		t.Errorf("another fund: %+v, %v", got, err)
	}
}

func TestOtherOpeningsOfTheSameBookAreRefused(t *testing.T) {
	f := withProfile(t)
	if _, err := f.PostOpenings(t.Context(), readOpenings(t, smallOpening)); err != nil {
		t.Fatal(err)
	}
	_, err := f.PostOpenings(t.Context(), readOpenings(t, strings.ReplaceAll(smallOpening, "100.00", "200.00")))
	if fault.KindOf(err) != fault.AlreadyExists {
		t.Error(err)
	}
}

func TestMistakesInOpeningsAreNamed(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"#date 2025-01-01\n", "", "opening.tsv:3:date: is missing"},
		{"#date 2025-01-01", "#date 2025-02-30", "opening.tsv:1:date: \"2025-02-30\" is not a date"},
		{"\tside\t", "\twhere\t", "opening.tsv:2:side: the header lacks this column"},
		{"310\t1003\t\tD\t100.00", "310\t1003\t\tX\t100.00", "opening.tsv:4:side: \"X\" is neither D nor C"},
		{"310\t1003\t\tD\t100.00", "310\t1003\t\tD\t100.001", "opening.tsv:4:amount: \"100.001\" is not an amount"},
		{"310\t1003\t\tD\t100.00", "310\t1003\t\tD\t1,000.00", "opening.tsv:4:amount:"},
		{"310\t1003\t\tD\t100.00", "310\t1003\t\tD\t0.00", "opening.tsv:4:amount: is zero"},
		{"310\t1003\t\tD\t100.00", "310\t\t\tD\t100.00", "opening.tsv:4:subject: is missing"},
		{"310\t1003\t\tD\t100.00", "310\t1003\tD\t100.00", "opening.tsv:4:amount: 5 fields, the header has 6"},
	} {
		_, err := ledger.ReadOpenings(strings.NewReader(strings.Replace(smallOpening, c.before, c.after, 1)), "opening.tsv")
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v\nwant %s", c.after, err, c.want)
		}
	}
	if _, err := ledger.ReadOpenings(strings.NewReader(""), "opening.tsv"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an empty file: %v", err)
	}
}

func TestOpeningsMustBalanceAndStandOnAccounts(t *testing.T) {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	j := ledger.New(nil, book) // no mistake reaches the database
	for _, c := range []struct{ before, after, want string }{
		{"1003\t\tD\t100.00", "1003\t\tD\t100.01", "opening.tsv:4:amount: book 320100.agency, fund 310 does not balance in the cash layer: debits less credits are 0.01"},
		{"9992\t\tD\t7.50", "9992\t\tD\t7.00", "opening.tsv:6:amount: book 320100.agency, fund 310 does not balance in the obligation layer: debits less credits are -0.50"},
		{"1003\t\tD", "1009\t\tD", "opening.tsv:4:subject: the chart of agency books has no account 1009"},
		{"1003\t\tD", "1101\t\tD", "opening.tsv:4:subject: 1101 暂付款 is a heading"},
		{"9101.01\t320200", "9101.01\t", "opening.tsv:7:subject: 9101.01 应付异地清算款—待清分 is kept by region: name the counterparty"},
		{"320100.finance\t310\t1001", "310000.finance\t310\t1001", "opening.tsv:8:subject: there is no book 310000.finance"},
	} {
		_, err := j.PostOpenings(t.Context(), readOpenings(t, strings.Replace(smallOpening, c.before, c.after, 1)))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v\nwant %s", c.after, err, c.want)
		}
	}
	two := "book\tfund\tsubject\tcounterparty\tside\tamount\tdate\n320100.agency\t310\t1003\t\tD\t1.00\t2025-01-01\n320100.agency\t310\t3001.01\t\tC\t1.00\t2025-02-01\n"
	if _, err := j.PostOpenings(t.Context(), readOpenings(t, two)); !strings.Contains(err.Error(), "opens on 2025-02-01 as well as on 2025-01-01") {
		t.Error(err)
	}
}

// The demo's opening balances hold the invariants that books keep among each
// other (postings.md 3, 6 and 7).
func TestTheSampleOpeningsFitEachOther(t *testing.T) {
	file, err := os.Open("../internal/sample/openings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	openings, err := ledger.ReadOpenings(file, "openings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	f := withProfile(t)
	opened, err := f.PostOpenings(t.Context(), openings)
	if err != nil {
		t.Fatal(err)
	}
	if want := 13 * 2 * 8; opened.Posted < want {
		t.Errorf("%d books and funds, want every fund of every city", opened.Posted)
	}
	f.mustBeWhole(t)
	balances, _, err := f.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ what, region, fund string }
	differ := map[key]accounts.Fen{}
	var placed, held accounts.Fen
	for _, b := range balances {
		a := b.Account
		add := func(what, region string, sign accounts.Fen) { differ[key{what, region, a.Fund}] += sign * b.Balance }
		switch region := a.Book.Region(); a.Subject {
		case "1003":
			add("bank", region, 1)
		case "1001":
			add("bank", region, -1)
		case "1101.01":
			add("in-province prepayment", region, 1)
		case "2001.01.01":
			add("in-province prepayment", a.Counterparty, 1)
			add("pool", "", 1)
			held -= b.Balance
		case "1004.02":
			add("pool", "", 1)
		case "1101.02":
			if region != "320000" {
				add("cross prepayment", region, 1)
				add("forwarded", "", 1)
			} else {
				add("forwarded", "", -1)
				placed += b.Balance
			}
		case "2001.01.02":
			if a.Book.Role() == accounts.Agency {
				add("cross prepayment", a.Counterparty, 1)
			}
		case "2001.01.03":
			add("received "+a.Counterparty, "", map[accounts.Role]accounts.Fen{accounts.Agency: 1, accounts.Finance: -1}[a.Book.Role()])
		}
	}
	for k, sum := range differ {
		if sum != 0 {
			t.Errorf("%+v differs by %s", k, sum)
		}
	}
	if placed <= 0 || held <= 0 {
		t.Errorf("prepayments placed %s, pool %s", placed, held)
	}
}
