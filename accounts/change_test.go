package accounts

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/civil"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
)

func setUp(t *testing.T) (*postgres.DB, *Rulebook) {
	t.Helper()
	db := devdb.Test(t)
	if _, err := Setup(t.Context(), db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	return db, load(t, db)
}

func load(t *testing.T, db Store) *Rulebook {
	t.Helper()
	book, err := Load(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// turn is a day that no test is late for.
var turn = civil.DateOf(time.Now().In(shanghai)).AddDays(30)

// redPercent changes the share from which a quota is red.
func redPercent(t *testing.T, book *Rulebook, key string, from civil.Date) RuleChange {
	t.Helper()
	old, err := book.Policy.Find("topup.red_percent", civil.DateOf(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	next := old
	old.To, next.From, next.Value = from, from, "85"
	return RuleChange{Key: key, Subject: "chief", Reason: "letter of the bureau", Policy: []Parameter{old, next}}
}

func TestAChangeHoldsFromItsDayOn(t *testing.T) {
	t.Parallel()
	db, book := setUp(t)
	change := redPercent(t, book, "k", turn)
	change.ValidateOnly = true
	changed, err := ApplyRuleChange(t.Context(), db, change)
	want := Change{Rows: "policy", Inserted: 1, Ended: 1}
	if err != nil || len(changed.Changes) != 1 || changed.Changes[0] != want || changed.Version != 1 {
		t.Fatalf("only validated: %+v, %v", changed, err)
	}
	if after := load(t, db); after.Version != 1 || len(after.Policy) != len(book.Policy) {
		t.Error("a change that was only validated was made")
	}
	change.ValidateOnly = false
	for _, replayed := range []bool{false, true} {
		changed, err := ApplyRuleChange(t.Context(), db, change)
		if err != nil || len(changed.Changes) != 1 || changed.Changes[0] != want || changed.Version != 2 || changed.Replayed != replayed {
			t.Fatalf("%+v, %v; want replayed %v", changed, err, replayed)
		}
	}
	after := load(t, db)
	for on, want := range map[civil.Date]int{turn.AddDays(-1): 90, turn: 85} {
		if got, err := after.Policy.Int("topup.red_percent", on); err != nil || got != want {
			t.Errorf("on %s: %d, %v; want %d", on, got, err, want)
		}
	}
	if version, err := RulesVersion(t.Context(), db); err != nil || version != 2 || after.Version != 2 {
		t.Errorf("version %d, loaded %d, %v", version, after.Version, err)
	}
	if _, err := Setup(t.Context(), db, "jiangsu"); err != nil {
		t.Errorf("setup of the same profile after a change: %v", err)
	}
	change.Reason = "another"
	if _, err := ApplyRuleChange(t.Context(), db, change); fault.KindOf(err) != fault.AlreadyExists {
		t.Errorf("the key with other content: %v", err)
	}
	undo := RuleChange{Key: "undo", Subject: "chief", Reason: "why", Policy: redPercent(t, book, "", turn).Policy[:1]}
	undo.Policy[0].To = civil.Date{}
	if _, err := ApplyRuleChange(t.Context(), db, undo); fault.KindOf(err) != fault.AlreadyExists {
		t.Errorf("an end that is taken back: %v", err)
	}
	same := redPercent(t, book, "other key", turn)
	if changed, err = ApplyRuleChange(t.Context(), db, same); err != nil || changed.Changes[0] != (Change{Rows: "policy", Unchanged: 2}) {
		t.Errorf("rows that stand there as given: %+v, %v", changed, err)
	}
}

func TestAChangeOfEveryKindOfRow(t *testing.T) {
	t.Parallel()
	db, _ := setUp(t)
	holds := Effective{From: turn, Source: "C"}
	events := []PostingRule{
		{Event: "test.moved", Title: "试 Test", Step: 1, Region: "H", Role: Agency, Side: Debit, Subject: "1004.09", Amount: "paid", Effective: holds},
		{Event: "test.moved", Title: "试 Test", Step: 2, Region: "H", Role: Agency, Side: Credit, Subject: "1003", Amount: "paid", Effective: holds},
	}
	change := RuleChange{
		Key: "k", Subject: "chief", Reason: "a new city with a new fund",
		Regions:  []Region{{"329900", "试验市", City}},
		Funds:    []Fund{{"999", "试验基金", "test_pay", holds}},
		Subjects: []Subject{{Role: Agency, Code: "1004.09", Name: "试验户", Layer: Cash, Normal: Debit, Postable: true, Effective: holds}},
		Postings: events,
		Policy:   []Parameter{{"test.days", "3", "working days", "试", holds}},
		Calendar: []CalendarDay{{civil.Date{Year: turn.Year + 5, Month: 1, Day: 1}, Holiday, "元旦", "notice"}},
		Codes:    []Code{{InsuranceType, "999", "试验", "", holds}},
	}
	changed, err := ApplyRuleChange(t.Context(), db, change)
	if err != nil {
		t.Fatal(err)
	}
	if inserted, ended, unchanged := total(changed.Changes); len(changed.Changes) != 7 || inserted != 8 || ended+unchanged != 0 {
		t.Errorf("%+v", changed.Changes)
	}
	book := load(t, db)
	rules := book.Postings.Rules()
	if got := rules[len(rules)-2:]; got[0] != events[0] || got[1] != events[1] {
		t.Errorf("a new event does not stand behind all others: %+v", got)
	}
	if len(book.Regions.Books()) != 30 || book.Policy[len(book.Policy)-1].Key != "test.days" {
		t.Errorf("%d books, last parameter %s", len(book.Regions.Books()), book.Policy[len(book.Policy)-1].Key)
	}
	if _, ok := book.Codes.Find(InsuranceType, "999", turn); !ok {
		t.Error("the new code is not found")
	}
	if off, err := book.Calendar.IsWorkingDay(civil.Date{Year: turn.Year + 5, Month: 1, Day: 1}); err != nil || off {
		t.Errorf("the new holiday: %v, %v", off, err)
	}
	if _, err := Setup(t.Context(), db, "jiangsu"); err != nil {
		t.Errorf("setup of the same profile after a change that only adds: %v", err)
	}
}

func TestAChangeThatDoesNotFitIsRefusedWhole(t *testing.T) {
	t.Parallel()
	db, book := setUp(t)
	today := civil.DateOf(time.Now().In(shanghai))
	holds := Effective{From: turn, Source: "C"}
	provider, _ := book.Chart.Find(Agency, "9002", today)
	provider.To = turn
	rewritten := redPercent(t, book, "k", turn).Policy[0]
	rewritten.Value = "1"
	half := redPercent(t, book, "k", turn).Policy[1:]
	days := book.Calendar.Days()
	for want, change := range map[string]RuleChange{
		"is not after today":                               {Policy: redPercent(t, book, "k", today).Policy},
		"from 2023-01-01 is not after":                     {Funds: []Fund{{"999", "试", "x_pay", Effective{From: civil.Date{Year: 2023, Month: 1, Day: 1}, Source: "C"}}}},
		"the day is not after today":                       {Calendar: []CalendarDay{{civil.Date{Year: days[0].Date.Year, Month: 3, Day: 9}, Holiday, "试", "C"}}},
		"two rows hold from " + turn.String():              {Policy: half},
		"has no 9002 on " + turn.String():                  {Subjects: []Subject{provider}},
		"value 90, now 1":                                  {Policy: []Parameter{rewritten}},
		"there is no fund of this code":                    {Codes: []Code{{InsuranceType, "998", "试", "", holds}}},
		"there is no heading 7777":                         {Subjects: []Subject{{Role: Agency, Code: "7777.01", Name: "试", Layer: Cash, Normal: Debit, Postable: true, Effective: holds}}},
		"2 rows of kind province":                          {Regions: []Region{{"339900", "试验省", Province}}},
		"at least one row":                                 {},
		"funds, : code: is missing":                        {Funds: []Fund{{"", "试", "x_pay", holds}}},
		"kind: \"town\" is none of":                        {Regions: []Region{{"329900", "试", "town"}}},
		"role: \"\" is none of":                            {Subjects: []Subject{{Code: "7777", Name: "试", Layer: Cash, Normal: Debit, Effective: holds}}},
		"a heading takes no postings":                      {Subjects: []Subject{{Role: Agency, Code: "7777", Name: "试", Layer: Cash, Normal: Debit, Floor: true, Effective: holds}}},
		"source: is missing":                               {Policy: []Parameter{{"a", "1", "-", "-", Effective{From: turn}}}},
		"to: 2020-01-01 is not after " + turn.String():     {Policy: []Parameter{{"a", "1", "-", "-", Effective{From: turn, To: civil.Date{Year: 2020, Month: 1, Day: 1}, Source: "C"}}}},
		"settlement.in_province step 9: region: \"Z\" is ": {Postings: []PostingRule{{Event: "settlement.in_province", Title: "试", Step: 9, Region: "Z", Role: Agency, Side: Debit, Subject: "1003", Amount: "x", Effective: holds}}},
	} {
		change.Key, change.Subject, change.Reason = "k", "chief", "why"
		change.Policy = append(change.Policy, Parameter{"test.beside", "1", "-", "-", holds})
		if want == "at least one row" {
			change.Policy = nil
		}
		kind := fault.Invalid
		if strings.Contains(want, "now 1") {
			kind = fault.AlreadyExists
		}
		if _, err := ApplyRuleChange(t.Context(), db, change); fault.KindOf(err) != kind || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
	for _, change := range []RuleChange{{Subject: "chief", Reason: "why"}, {Key: strings.Repeat("k", 201), Subject: "chief", Reason: "why"}, {Key: "k", Subject: "chief"}, {Key: "k", Reason: "why"}} {
		change.Policy = []Parameter{{"test.beside", "1", "-", "-", holds}}
		if _, err := ApplyRuleChange(t.Context(), db, change); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", change, err)
		}
	}
	if after := load(t, db); after.Version != 1 || len(after.Policy) != len(book.Policy) {
		t.Error("a refused change has left something behind")
	}
	if _, err := ApplyRuleChange(t.Context(), devdb.Test(t), RuleChange{Key: "k", Subject: "chief", Reason: "why", Policy: half}); fault.KindOf(err) != fault.Precondition {
		t.Errorf("a database without rules: %v", err)
	}
}

func TestChangesAtTheSameTimeFollowEachOther(t *testing.T) {
	t.Parallel()
	db, book := setUp(t)
	var same, fresh atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			change := redPercent(t, book, "same", turn)
			if i%2 == 0 {
				change = RuleChange{Key: fmt.Sprint(i), Subject: "chief", Reason: "why", Policy: []Parameter{{fmt.Sprint("test.", i), "1", "-", "-", Effective{From: turn, Source: "C"}}}}
			}
			changed, err := ApplyRuleChange(t.Context(), db, change)
			if err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				fresh.Add(1)
			} else if !changed.Replayed {
				same.Add(1)
			}
		})
	}
	all.Wait()
	if after := load(t, db); after.Version != 6 || len(after.Policy) != len(book.Policy)+5 || same.Load() != 1 || fresh.Load() != 4 {
		t.Errorf("version %d, %d parameters more, %d answers of the same key that were no replay", after.Version, len(after.Policy)-len(book.Policy), same.Load())
	}
}
