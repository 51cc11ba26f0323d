package bank_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/clearing/bank"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

const home, shanghai = "320000", "310000"

// event posts an event of the posting table.
func (f fixture) event(t testing.TB, key, event string, on civil.Date, amount accounts.Fen, regions map[string]string) {
	t.Helper()
	e := ledger.Entry{Key: key, Date: on, Period: accounts.MonthOf(on), Kind: event, Summary: event, Source: key, Preparer: "test"}
	var err error
	if e.Postings, err = ledger.Draft(f.book, ledger.Facts{Event: event, Date: on, Fund: "310", Regions: regions,
		Amounts: map[string][]ledger.Part{"amount": ledger.Total(amount)}}); err != nil {
		t.Fatal(err)
	}
	f.post(t, e)
}

// alone posts two lines in one book.
func (f fixture) alone(t testing.TB, key, source string, on civil.Date, debit, credit string, amount accounts.Fen) {
	t.Helper()
	e := ledger.Entry{Key: key, Date: on, Period: accounts.MonthOf(on), Kind: "adjustment", Summary: "调整", Source: source, Preparer: "test"}
	for account, side := range map[string]accounts.Side{debit: accounts.Debit, credit: accounts.Credit} {
		a, err := accounts.ParseAccount(account)
		if err != nil {
			t.Fatal(err)
		}
		e.Postings = append(e.Postings, ledger.Posting{Account: a, Side: side, Amount: amount})
	}
	f.post(t, e)
}

func (f fixture) differences(t testing.TB, on civil.Date, regions ...string) []bank.Difference {
	t.Helper()
	list, err := f.Differences(t.Context(), on, regions, 0)
	if err != nil {
		t.Fatal(err)
	}
	if list.Day != on || list.Position == 0 || list.Compared == 0 && len(regions) == 0 {
		t.Errorf("%+v", list)
	}
	return list.Differences
}

func TestDifferencesBetweenBooksAreListedWithTheirEntries(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.event(t, "P1", "premium.received", day(2), 1000_00, map[string]string{"H": nanjing})
	f.event(t, "V1", "prepayment.paid.in_province", day(3), 100_00, map[string]string{"I": nanjing, "P": home})
	f.event(t, "V2", "prepayment.collected.cross", day(3), 50_00, map[string]string{"I": nanjing, "P": home})
	if list := f.differences(t, day(31)); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
	agency, finance, province := nanjing+".agency/310/", nanjing+".finance/310/", home+".agency/310/"
	f.alone(t, "A", "S1", day(4), agency+"1003", agency+"4001", 7_00)
	f.alone(t, "B", "S2", day(5), finance+"1001", finance+"4001", 3_00)
	f.alone(t, "C", "S3", day(6), province+"1004.02", province+"2001.01.01/"+nanjing, 2_00)
	f.alone(t, "D", "S4", day(7), agency+"9992", agency+"9101.01/"+shanghai, 5_00)
	f.alone(t, "E", "S5", day(8), agency+"9001.02/"+shanghai, agency+"9991", 6_00)
	f.alone(t, "F", "S6", day(9), province+"1003", province+"2001.01.02/"+nanjing, 4_00)
	want := []struct {
		pairing                   bank.Pairing
		region                    string
		first, second, difference accounts.Fen
		entries                   []string
	}{
		{bank.AgencyFinance, home, 54_00, 50_00, 4_00, []string{"F"}},
		{bank.AgencyFinance, nanjing, 857_00, 853_00, 4_00, []string{"A", "B"}},
		{bank.InPrepayment, nanjing, 100_00, 102_00, -2_00, []string{"C"}},
		{bank.CrossPrepayment, nanjing, 50_00, 54_00, -4_00, []string{"F"}},
		{bank.Payable, nanjing, 5_00, 0, 5_00, []string{"D"}},
		{bank.Receivable, nanjing, 6_00, 0, 6_00, []string{"E"}},
	}
	list := f.differences(t, day(31))
	if len(list) != len(want) {
		t.Fatalf("%+v", list)
	}
	for i, w := range want {
		d := list[i]
		sum := accounts.Fen(0)
		for j, e := range d.Entries {
			if sum += e.Difference; j >= len(w.entries) || e.Entry != ledger.EntryID(w.entries[j]) || e.Age != day(31).DaysSince(e.Date) || e.Difference != e.First-e.Second {
				t.Errorf("%s: %+v", w.pairing, e)
			}
		}
		if d.Pairing != w.pairing || d.Region != w.region || d.First.Balance != w.first || d.Second.Balance != w.second || d.Difference != w.difference || sum != w.difference || len(d.Entries) != len(w.entries) {
			t.Errorf("got %+v, want %+v", d, w)
		}
	}
	if got := f.differences(t, day(31), "320200"); len(got) != 0 {
		t.Errorf("another region: %+v", got)
	}
	if got := f.differences(t, day(4)); len(got) != 1 || len(got[0].Entries) != 1 {
		t.Errorf("of an earlier day: %+v", got)
	}
	// What is made good under its document is left out.
	f.alone(t, "B2", "S2", day(10), agency+"1003", agency+"4001", 3_00)
	for _, d := range f.differences(t, day(31), nanjing) {
		if d.Pairing == bank.AgencyFinance && (len(d.Entries) != 1 || d.Entries[0].Entry != ledger.EntryID("A")) {
			t.Errorf("%+v", d.Entries)
		}
	}
}

const theirs = `#province	310000
#from	2025-01-05
#to	2025-01-31
item	fund	row	date	reference	amount	remark
our_prepayment	310	opening			90.00	
our_prepayment	310	movement	2025-01-07	F2	30.00	
our_prepayment	310	movement	2025-01-20		20.00	
our_prepayment	310	movement	2025-01-21		-5.00	手续费
our_prepayment	310	closing			135.00	
`

func TestBooksAreComparedWithTheStatementOfAnotherProvince(t *testing.T) {
	t.Parallel()
	f := open(t)
	both := map[string]string{"P": home, "X": shanghai}
	f.event(t, "P1", "premium.received", day(2), 1000_00, map[string]string{"H": home})
	f.event(t, "F1", "prepayment.forwarded.cross", day(3), 100_00, both) // before: 10.00 more than theirs
	f.event(t, "F2", "prepayment.forwarded.cross", day(6), 31_00, both)  // with another amount there
	f.event(t, "F3", "prepayment.forwarded.cross", day(18), 20_00, both) // found by amount
	f.event(t, "F4", "prepayment.forwarded.cross", day(25), 8_00, both)  // not there
	f.event(t, "R1", "prepayment.received.cross", day(26), 9_00, both)   // of which they say nothing
	read := func(content string) *bank.ProvinceStatement {
		s, err := bank.ReadProvince(f.book, "p.tsv", []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	made, err := f.CompareProvince(t.Context(), read(theirs), 0)
	if err != nil || made.ProvinceName != "上海市" || len(made.Accounts) != 2 || made.Position != 6 {
		t.Fatalf("%+v %v", made, err)
	}
	ours := made.Accounts[0]
	if ours.Item != bank.OurPrepayment || ours.OurOpening != 100_00 || ours.TheirOpening != 90_00 || ours.OurClosing != 159_00 || ours.TheirClosing != 135_00 || ours.Difference != 24_00 {
		t.Errorf("%+v", ours)
	}
	got := ""
	sum := ours.OurOpening - ours.TheirOpening
	for _, d := range ours.Differences {
		got += fmt.Sprintf("%v/%v %s %d; ", d.Ours != nil, d.Theirs != nil, d.Amount, d.Age)
		sum += d.Amount
	}
	if got != "true/true 1.00 25; false/true 5.00 10; true/false 8.00 6; " || sum != ours.Difference {
		t.Errorf("%s come to %s", got, sum)
	}
	if silent := made.Accounts[1]; silent.Item != bank.TheirPrepayment || silent.Difference != 9_00 || len(silent.Differences) != 1 {
		t.Errorf("%+v", silent)
	}
	for before, says := range map[[2]string]string{
		{"135.00", "136.00"}:                                         "p.tsv:9:amount: opening 90.00 and movements come to 135.00",
		{"#province\t310000", "#province\t320100"}:                   "p.tsv:1:#province: 320100 is no other province",
		{"310\topening", "999\topening"}:                             `there is no fund "999"`,
		{"opening\t\t\t90.00", "begin\t\t\t90.00"}:                   `"begin" is none of opening, movement, closing`,
		{"2025-01-07", "2025-02-07"}:                                 "p.tsv:6:date: 2025-02-07 lies outside",
		{"our_prepayment\t310\tclosing", "prepayment\t310\tclosing"}: `item: "prepayment" is none of`,
		{"#to\t2025-01-31\n", ""}:                                    "#to: is missing",
		{"closing\t\t\t135.00", "opening\t\t\t135.00"}:               "opening stands in line 5 already",
	} {
		content := strings.Replace(theirs, before[0], before[1], 1)
		_, err := bank.ReadProvince(f.book, "p.tsv", []byte(content))
		if content == theirs {
			t.Fatal(before)
		}
		mention(t, err, fault.Invalid, says)
	}
	f.whole(t)
}
