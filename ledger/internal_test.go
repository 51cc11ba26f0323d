package ledger

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
)

func vector() *Entry {
	a := func(s string) accounts.Account {
		account, err := accounts.ParseAccount(s)
		if err != nil {
			panic(err)
		}
		return account
	}
	return &Entry{
		Key: "settlement/A1", Date: civil.Date{Year: 2025, Month: 1, Day: 31}, Period: "2025-01",
		Kind: "settlement.in_province", Summary: "异地就医结算", Source: "setl:A1", Attachments: 2, Preparer: "reconcile",
		Corrects: uuid.NullUUID{UUID: EntryID("settlement/A0"), Valid: true},
		Postings: []Posting{
			{Account: a("320500.agency/310/9001.01/320100"), Side: accounts.Debit, Amount: 12345},
			{Account: a("320100.agency/310/9101.01/320500"), Side: accounts.Credit, Amount: -1,
				Dimensions: Dimensions{Run: "2025-01/in-province", Category: "21", Part: "account", BenefitYear: 2025}},
		},
	}
}

func TestCanonicalEncodingIsPinned(t *testing.T) {
	if got, want := EntryID("settlement/A1").String(), "cd195df7-173a-8625-b503-a165ab8710ef"; got != want {
		t.Errorf("the id of a key changed: %s", got)
	}
	if got, want := hex.EncodeToString(digest(vector())), "0381d75f026078b705fe69f2c865c1d8031ea0e7036f87d6274134d35c7ff4fe"; got != want {
		t.Errorf("the encoding changed without a new version: %s", got)
	}
}

func TestEveryFieldCountsInTheEncoding(t *testing.T) {
	base := digest(vector())
	for name, change := range map[string]func(*Entry){
		"key": func(e *Entry) { e.Key += "x" }, "date": func(e *Entry) { e.Date.Day = 30 },
		"period": func(e *Entry) { e.Period = "2025-02" }, "kind": func(e *Entry) { e.Kind = "x" },
		"summary": func(e *Entry) { e.Summary = "" }, "source": func(e *Entry) { e.Source = "" },
		"attachments": func(e *Entry) { e.Attachments = 3 }, "preparer": func(e *Entry) { e.Preparer = "y" },
		"reviewer": func(e *Entry) { e.Reviewer = "z" }, "corrects": func(e *Entry) { e.Corrects.Valid = false },
		"account":      func(e *Entry) { e.Postings[0].Account.Fund = "390" },
		"side":         func(e *Entry) { e.Postings[0].Side = accounts.Credit },
		"amount":       func(e *Entry) { e.Postings[1].Amount = 1 },
		"run":          func(e *Entry) { e.Postings[1].Run = "" },
		"category":     func(e *Entry) { e.Postings[1].Category = "11" },
		"part":         func(e *Entry) { e.Postings[1].Part = "" },
		"benefit year": func(e *Entry) { e.Postings[1].BenefitYear = 2024 },
		"order":        func(e *Entry) { e.Postings[0], e.Postings[1] = e.Postings[1], e.Postings[0] },
		"texts moved":  func(e *Entry) { e.Kind, e.Summary = e.Kind+"异", e.Summary[3:] },
	} {
		e := vector()
		change(e)
		if bytes.Equal(digest(e), base) {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func FuzzLegsSurviveTheirEncoding(f *testing.F) {
	f.Add("320100.agency", "310", "1003", "", "", int64(1), 2025)
	f.Add("320100.agency", "310", "9101.01", "320500", "2025-01/in-province", int64(-5), 0)
	f.Fuzz(func(t *testing.T, book, fund, subject, counterparty, run string, fen int64, year int) {
		if !isCode(book) || !isCode(fund) || !isCode(subject) || (counterparty != "" && !isCode(counterparty)) || (run != "" && !isPath(run)) {
			t.Skip("validation refuses such texts")
		}
		p := Posting{
			Account: accounts.Account{Book: accounts.Book(book), Fund: fund, Subject: subject, Counterparty: counterparty},
			Side:    accounts.Debit, Amount: accounts.Fen(fen), Dimensions: Dimensions{Run: run, BenefitYear: year},
		}
		name := p.Account.String()
		legs, err := decodeLegs(appendLegs(nil, []Posting{p}, []string{name}, map[string]int64{name: 3}))
		if err != nil {
			t.Fatal(err)
		}
		back, err := legs[0].posting()
		if err != nil || back != p || legs[0].Version != 3 {
			t.Fatalf("%+v came back as %+v (%v)", p, back, err)
		}
	})
}

// Batches that touch one floor must be sealed in the order of its versions,
// whatever the clocks said.
func TestSealingFollowsFloorVersionsNotTime(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		version := map[string]int64{"a": 5, "b": 0, "c": 9}
		var batches []*waiting
		for range r.IntN(40) {
			b := &waiting{id: uuid.New(), floors: map[string]int64{}}
			for floor := range version {
				if r.IntN(2) == 0 {
					version[floor]++
					b.floors[floor] = version[floor]
				}
			}
			batches = append(batches, b)
		}
		r.Shuffle(len(batches), func(i, k int) { batches[i], batches[k] = batches[k], batches[i] })
		ordered, err := inOrder(batches)
		if err != nil || len(ordered) != len(batches) {
			t.Fatal(len(ordered), len(batches), err)
		}
		last := map[string]int64{}
		for _, b := range ordered {
			for floor, v := range b.floors {
				if v < last[floor] {
					t.Fatalf("seed %d: version %d of %s after %d", seed, v, floor, last[floor])
				}
				last[floor] = v
			}
		}
	}
}

// What is corrected is sealed before its corrections, and these in their
// order, where no floor says so and the clocks say otherwise.
func TestSealingPutsCorrectionsBehindWhatTheyCorrect(t *testing.T) {
	original := uuid.New()
	key := correctedPrefix + original.String()
	first := &waiting{id: uuid.New(), entries: []uuid.UUID{uuid.New(), original}, floors: map[string]int64{"a": 3}}
	second := &waiting{id: uuid.New(), entries: []uuid.UUID{uuid.New()}, floors: map[string]int64{key: 1}}
	third := &waiting{id: uuid.New(), entries: []uuid.UUID{uuid.New()}, floors: map[string]int64{key: 2, "a": 4}}
	for _, given := range [][]*waiting{{third, second, first}, {second, third, first}, {second, first, third}, {third, first, second}} {
		ordered, err := inOrder(given)
		if err != nil || !slices.Equal(ordered, []*waiting{first, second, third}) {
			t.Error(ordered, err)
		}
	}
	if ordered, err := inOrder([]*waiting{third, second}); err != nil || !slices.Equal(ordered, []*waiting{second, third}) {
		t.Error("an original that is sealed already:", ordered, err)
	}
}

func TestBatchesThatEachComeFirstAreAnError(t *testing.T) {
	a := &waiting{id: uuid.New(), floors: map[string]int64{"x": 1, "y": 2}}
	b := &waiting{id: uuid.New(), floors: map[string]int64{"x": 2, "y": 1}}
	if _, err := inOrder([]*waiting{a, b}); err == nil {
		t.Error("a cycle was put in order")
	}
}
