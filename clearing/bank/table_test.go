package bank_test

import (
	"strings"
	"testing"

	"fundledger/clearing/bank"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestTheFourKindsComeOutExactlyAndTheAdjustedBalancesAgree(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.move(t, "A", "310", day(2), 1000_00)
	f.move(t, "B", "390", day(3), 500_00)
	f.move(t, "C", "310", day(4), -200_00)
	f.move(t, "D", "310", day(30), 70_00)  // not at the bank yet
	f.move(t, "E", "390", day(31), -30_00) // nor this
	f.read(t, paper(0, day(1), day(31),
		line{"S1", day(2), 1000_00, "A"}, line{"S2", day(5), 500_00, "B"}, line{"S3", day(4), -200_00, "C"},
		line{"S4", day(29), 9_00, "利息"}, line{"S5", day(20), -4_00, "手续费"}))
	for _, m := range f.match(t, day(31)) {
		if !m.Automatic || m.Rule != "bank.match.10_exact" || m.By != "clerk" {
			t.Errorf("%+v", m)
		}
	}
	table := f.table(t, day(31))
	mustList(t, table, "book_in_not_bank 70.00", "book_out_not_bank 30.00", "bank_in_not_book 9.00", "bank_out_not_book 4.00")
	if table.Book != 1340_00 || table.Statement != 1305_00 || table.AdjustedBook != 1345_00 {
		t.Errorf("%+v", table)
	}
	if table.Funds[0].Balance != 870_00 || table.Funds[1].Balance != 470_00 {
		t.Errorf("%+v", table.Funds)
	}
	for _, i := range table.Items {
		if alert := i.Serial == "S5"; i.Alert != alert { // 11 days, and 2
			t.Errorf("%+v", i)
		}
	}
	alerts, err := f.Alerts(t.Context(), "", day(31), nil)
	if err != nil || len(alerts) != 1 || alerts[0].Serial != "S5" || alerts[0].Age != 11 || alerts[0].Kind != bank.BankOut {
		t.Errorf("%+v %v", alerts, err)
	}
	if alerts, err := f.Alerts(t.Context(), "", day(31), []string{"320200"}); err != nil || len(alerts) != 0 {
		t.Errorf("another region sees %+v %v", alerts, err)
	}
	// The account ends; its line is still unexplained.
	ended := account(number, "310/1001", "390/1001")
	ended.To = day(32)
	f.enter(t, ended)
	if alerts, err := f.Alerts(t.Context(), number, day(40), nil); err != nil || len(alerts) != 2 || alerts[1].Serial != "S4" {
		t.Errorf("%+v %v", alerts, err)
	}
	// A table of an earlier day lists what had not come by then.
	mustList(t, f.table(t, day(4)), "book_in_not_bank 500.00")
	f.whole(t)
}

func TestLinesOfOneReferenceAreMatchedTogether(t *testing.T) {
	t.Parallel()
	f := open(t)
	for i, fund := range []string{"310", "390"} { // one transfer for two funds
		f.move(t, "J"+fund, fund, day(2+i), 100_00)
	}
	f.move(t, "S", "310", day(3), 90_00) // one receipt in two transfers
	f.move(t, "P", "310", day(4), 60_00)
	f.read(t, paper(0, day(1), day(10),
		line{"1", day(3), 40_00, "S"}, line{"2", day(4), 50_00, "S"}, line{"3", day(4), 60_00, "P"}, line{"4", day(4), 200_00, "J310 J390"}))
	f.match(t, day(10))
	// The fourth line has a reference of its own, so it is suggested by its amount.
	mustList(t, f.table(t, day(10)), "bank_in_not_book 200.00", "book_in_not_bank 100.00", "book_in_not_bank 100.00")
	suggested, _, err := f.Suggestions(t.Context(), number, day(10), 0)
	if err != nil || len(suggested) != 1 || suggested[0].Rule.Name != "bank.match.70_joined_amount" || len(suggested[0].Books) != 2 {
		t.Fatalf("%+v %v", suggested, err)
	}
	// A table between the two parts lists both sides of what is not complete.
	mustList(t, f.table(t, day(3)), "book_in_not_bank 90.00", "bank_in_not_book 40.00", "book_in_not_bank 100.00", "book_in_not_bank 100.00")
	request := bank.MatchRequest{Key: "k", By: "person", Account: number, Day: day(10)}
	for _, replayed := range []bool{false, true} {
		done, err := f.Confirm(t.Context(), request, suggested[0].Name)
		if err != nil || len(done.Matches) != 1 || done.Replayed != replayed || done.Matches[0].Automatic || done.Matches[0].Rule != "bank.match.70_joined_amount" || done.Matches[0].By != "person" {
			t.Fatalf("%+v %v", done, err)
		}
	}
	request.Key = "l"
	_, err = f.Confirm(t.Context(), request, suggested[0].Name)
	mention(t, err, fault.NotFound, "nothing is suggested")
	mustList(t, f.table(t, day(10)))
	f.whole(t)
}

func TestWhatDoesNotTieIsSaid(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.move(t, "A", "310", day(2), 1000_00)
	_, err := f.Reconcile(t.Context(), number, day(5), 0)
	mention(t, err, fault.Precondition, "has no statement")
	// The first statement opens with something else, and two do not continue each other.
	f.read(t, paper(990_00, day(5), day(10), line{"1", day(6), 10_00, ""}))
	report := f.read(t, paper(1003_00, day(13), day(20)))
	if g := report.Statements[0].Gaps; len(g) != 1 || g[0].Days != 2 || g[0].Difference != 3_00 || g[0].After != day(10) {
		t.Errorf("%+v", g)
	}
	_, err = f.Reconcile(t.Context(), number, day(12), 0)
	mention(t, err, fault.Precondition, "no statement of bank account 3201-0001 has 2025-01-12", "ends on 2025-01-10")
	table := f.table(t, day(20))
	if table.Ties() || table.Difference != 7_00 || len(table.Causes) != 2 {
		t.Fatalf("%+v", table)
	}
	for i, texts := range [][]string{{"10.00", "opens with 990.00"}, {"-3.00", "closes with 1000.00", "opens with 1003.00", "2 days between"}} {
		for j, text := range texts {
			if j == 0 && table.Causes[i].Amount.String() != text || j > 0 && !strings.Contains(table.Causes[i].Text, text) {
				t.Errorf("%+v does not say %q", table.Causes[i], text)
			}
		}
	}
	// The missing statement comes: the gap is closed, and what is left is the begin.
	f.read(t, paper(1000_00, day(11), day(12), line{"2", day(12), 3_00, ""}))
	if table = f.table(t, day(20)); table.Difference != 10_00 || len(table.Causes) != 1 {
		t.Errorf("%+v", table)
	}
}

func TestOpeningBalancesAreNoMovements(t *testing.T) {
	t.Parallel()
	f := open(t)
	openings, err := ledger.ReadOpenings(strings.NewReader("#date 2025-01-01\nbook\tfund\tsubject\tcounterparty\tside\tamount\n"+
		nanjing+".finance\t310\t1001\t\tD\t50.00\n"+nanjing+".finance\t310\t3001\t\tC\t50.00\n"), "o.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.journal.PostOpenings(t.Context(), openings); err != nil {
		t.Fatal(err)
	}
	f.read(t, paper(50_00, day(1), day(3)))
	f.match(t, day(3))
	mustList(t, f.table(t, day(3)))
}
