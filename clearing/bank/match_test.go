package bank_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"

	"fundledger/clearing/bank"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

func TestAMatchIsUndoneWithAReasonAndNotPutTogetherAgain(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.move(t, "A", "310", day(2), 10_00)
	f.read(t, paper(0, day(1), day(5), line{"1", day(2), 10_00, "A"}))
	made := f.match(t, day(5))
	if len(made) != 1 || len(f.match(t, day(5))) != 0 {
		t.Fatalf("%+v", made)
	}
	id := made[0].ID
	_, _, err := f.Undo(t.Context(), "u", id, "person", day(6), "")
	mention(t, err, fault.Invalid, "reason")
	_, _, err = f.Undo(t.Context(), "u", uuid.New(), "person", day(6), "another payment")
	mention(t, err, fault.NotFound, "there is no match")
	for _, again := range []bool{false, true} {
		m, replayed, err := f.Undo(t.Context(), "u", id, "person", day(6), "another payment")
		if err != nil || replayed != again || m.Undone == nil || *m.Undone != (bank.Undoing{By: "person", On: day(6), Reason: "another payment"}) {
			t.Fatalf("%+v %v %v", m, replayed, err)
		}
	}
	_, _, err = f.Undo(t.Context(), "v", id, "person", day(6), "another payment")
	mention(t, err, fault.Precondition, "was undone by person on 2025-01-06: another payment")
	mustList(t, f.table(t, day(5)), "book_in_not_bank 10.00", "bank_in_not_book 10.00")
	if again := f.match(t, day(5)); len(again) != 0 {
		t.Errorf("what was undone is matched again: %+v", again)
	}
	// A person may put the same lines together again, by hand.
	hand := bank.MatchRequest{Key: "h", By: "person", Account: number, Day: day(5)}
	done, err := f.MatchByHand(t.Context(), hand, made[0].Serials, made[0].Postings)
	if err != nil || done.Matches[0].Rule != "hand" || done.Matches[0].ID == id {
		t.Fatalf("%+v %v", done, err)
	}
	mustList(t, f.table(t, day(5)))
	list, err := f.Matches(t.Context(), number)
	if err != nil || len(list) != 2 {
		t.Errorf("%+v %v", list, err)
	}
	again, err := f.MatchByHand(t.Context(), hand, made[0].Serials, made[0].Postings)
	if err != nil || !again.Replayed || again.Matches[0].ID != done.Matches[0].ID {
		t.Errorf("%+v %v", again, err)
	}
}

func TestWhatIsMatchedByHandMustAgree(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.move(t, "A", "310", day(2), 10_00)
	f.move(t, "B", "320", day(2), 10_00) // of a fund whose money lies elsewhere
	f.read(t, paper(0, day(1), day(5), line{"1", day(2), 9_00, ""}, line{"2", day(3), 10_00, ""}, line{"3", day(3), -9_00, ""}))
	a, b := bank.PostingID{Entry: ledger.EntryID("e/A"), Leg: 2}, bank.PostingID{Entry: ledger.EntryID("e/B"), Leg: 2}
	refuse := func(kind fault.Kind, text string, serials []string, postings ...bank.PostingID) {
		t.Helper()
		_, err := f.MatchByHand(t.Context(), bank.MatchRequest{By: "person", Account: number, Day: day(5)}, serials, postings)
		mention(t, err, kind, text)
	}
	refuse(fault.Invalid, "the books have 10.00, the statement 9.00: they differ by -1.00", []string{"1"}, a)
	refuse(fault.Invalid, "whose money is not on bank account 3201-0001", []string{"2"}, b)
	refuse(fault.Invalid, "is named twice", []string{"2", "2"}, a)
	refuse(fault.Invalid, "is named twice", []string{"2"}, a, a)
	refuse(fault.Invalid, "at least two lines", []string{"2"})
	refuse(fault.NotFound, "has serial 9", []string{"9"}, a)
	refuse(fault.NotFound, "has no line 9", []string{"2"}, bank.PostingID{Entry: a.Entry, Leg: 9})
	refuse(fault.NotFound, "no entry", []string{"2"}, bank.PostingID{Entry: uuid.New()})
	// Lines of one side take each other back.
	if _, err := f.MatchByHand(t.Context(), bank.MatchRequest{By: "person", Account: number, Day: day(5)}, []string{"1", "3"}, nil); err != nil {
		t.Fatal(err)
	}
	refuse(fault.Precondition, "serial 1 is matched already", []string{"1"}, a)
	mustList(t, f.table(t, day(5)), "book_in_not_bank 10.00", "bank_in_not_book 10.00")
	f.whole(t)
}

func TestReversalsAndReturnsTakeEachOtherBack(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.move(t, "A", "310", day(2), 10_00)
	if _, err := f.journal.Reverse(t.Context(), ledger.Reversal{Key: "r", Of: ledger.EntryID("e/A"), Date: day(4), Period: "2025-01", Summary: "冲销", Preparer: "test"}); err != nil {
		t.Fatal(err)
	}
	f.read(t, paper(50_00, day(1), day(9), line{"1", day(3), -7_00, "X"}, line{"2", day(5), 7_00, "退汇 1"}))
	made := f.match(t, day(9))
	if len(made) != 2 || made[0].Rule != "bank.match.40_reversed" || made[1].Rule != "bank.match.50_returned" {
		t.Fatalf("%+v", made)
	}
	if table := f.table(t, day(9)); len(table.Items) != 0 {
		t.Errorf("%+v", table.Items)
	}
	// Between, each side has one of the two.
	if got := items(f.table(t, day(3))); len(got) != 2 || got[0] != "bank_out_not_book 7.00" || got[1] != "book_in_not_bank 10.00" {
		t.Errorf("%q", got)
	}
}

func TestTwoMatchersAtOnceTakeALineOnce(t *testing.T) {
	t.Parallel()
	f := open(t)
	var lines []line
	for _, key := range []string{"A", "B", "C", "D", "E"} {
		f.move(t, key, "310", day(2), 10_00)
		lines = append(lines, line{"S" + key, day(3), 10_00, key})
	}
	f.read(t, paper(0, day(1), day(5), lines...))
	counts := make([]int, 4)
	var all sync.WaitGroup
	for i := range counts {
		all.Go(func() {
			done, err := f.MatchAutomatically(t.Context(), bank.MatchRequest{By: "clerk", Account: number, Day: day(5)})
			if err != nil {
				t.Error(err)
				return
			}
			counts[i] = len(done.Matches)
		})
	}
	all.Wait()
	if counts[0]+counts[1]+counts[2]+counts[3] != 5 {
		t.Errorf("%v", counts)
	}
	mustList(t, f.table(t, day(5)))
}
