package rpc

import (
	"fmt"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// texts are good and bad ones of a kind, and ones made by chance of its characters.
func texts(characters string, some ...string) *rapid.Generator[string] {
	one := rapid.StringOfN(rapid.RuneFrom([]rune(characters)), 0, -1, 30)
	return rapid.OneOf(rapid.SampledFrom(some), one, rapid.Map(rapid.IntRange(95, 520), func(n int) string { return strings.Repeat("a", n) }))
}

func TestWhatIsPlainKeepsToTheRules(t *testing.T) {
	t.Parallel()
	rules, err := protovalidate.New()
	if err != nil {
		t.Fatal(err)
	}
	codes := texts("aZ9._-/ 市", "", "adjustment", "a/b", ".", "市", "a b", "a\n")
	paths := texts("aZ9._-/", "", "2025-01/in-province", "/a", "a/", "a//b", "a/b/c", "\n")
	accounts := rapid.OneOf(
		texts("320.agencyf/A9_-", bank, "320100.finance/310/1001/x", "", "320100.agency/310", "320100.agency/310/1003/a/b", "320100.agency//1003",
			"320100.agency/310/1003/", "320100.agency/310/1003\n", "32010.agency/310/1003", "320100.agencyx/310/1003", "320100.agenc/310/1003", "３20100.agency/310/1003",
			"320100.agency/310/"+strings.Repeat("1", 190), "320100.finance", "320100.agency/市/1003"),
		rapid.Map(paths, func(s string) string { return "320100.agency/" + s }),
	)
	amounts := texts("-0123456789.", "1.00", "-1.00", "0.00", "-0.00", "00.00", "01.00", "0.01", "9999999999999.99", "10000000000000.00", "10000000000000.01",
		"1.0", "1", "1.000", "+1.00", "--1.00", "-", ".00", "1,00.00", "1.00\n", " 1.00", "١.00")
	days := rapid.OneOf(
		texts("0129-", "2025-01-15", "2025-02-28", "2025-02-29", "2024-02-29", "1900-01-01", "1899-01-01", "2025-13-01", "2025-00-10", "2025-01-00", "2025-1-01", "2025-01-1x", "2025-01-15\n", ""),
		rapid.Custom(func(t *rapid.T) string {
			number := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
			return fmt.Sprintf("%04d-%02d-%02d", number("year", 9999), number("month", 14), number("day", 33))
		}),
	)
	months := rapid.OneOf(texts("0129-", "2025-01", "2025-00", "2025-13", "1900-01", "25-01", "2025-1", "2025-01\n", "2O25-01"), rapid.Map(days, func(s string) string { return s[:min(7, len(s))] }))
	long := texts("ab市", "k", "", strings.Repeat("键", 67), strings.Repeat("k", 200), strings.Repeat("k", 201), strings.Repeat("k", 500), strings.Repeat("k", 501))
	sound := rapid.IntRange(0, 24) // of so many fields one is odd, and often none
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		odd := func(n int) bool { return sound.Draw(t, "odd") == n }
		text := func(n int, good string, g *rapid.Generator[string]) string {
			if odd(n) {
				return g.Draw(t, "text")
			}
			return good
		}
		number := func(n int, most int32) int32 {
			if odd(n) {
				return rapid.Int32Range(-2, most+2).Draw(t, "number")
			}
			return 0
		}
		e := &ledgerv1.NewEntry{
			IdempotencyKey: text(1, "k", long), Date: text(2, "2025-01-15", days), Period: text(3, "2025-01", months), Kind: text(4, "adjustment", codes),
			Summary: text(5, "试验", long), Source: text(6, "", long), Attachments: number(7, 100_000), Corrects: text(8, "", codes),
		}
		for range rapid.IntRange(0, 3).Draw(t, "postings") {
			p := &ledgerv1.Posting{
				Account: text(9, bank, accounts), Side: typev1.Side_SIDE_DEBIT, Amount: text(10, "1.00", amounts), Run: text(11, "", paths),
				Category: text(12, "", codes), Part: text(13, "", codes), BenefitYear: number(14, 9999),
			}
			if odd(15) {
				p.Side = typev1.Side(rapid.Int32Range(-1, 4).Draw(t, "side"))
			}
			e.Postings = append(e.Postings, p)
		}
		var request proto.Message = &ledgerv1.PostRequest{Entry: e}
		if odd(16) {
			request = &ledgerv1.PostBatchRequest{Entries: []*ledgerv1.NewEntry{e, e}[:rapid.IntRange(0, 2).Draw(t, "entries")]}
		}
		if !plain(request) {
			return
		}
		taken++
		if err := rules.Validate(request); err != nil {
			t.Errorf("%v is plain: %v", request, err)
		}
	})
	if taken == 0 {
		t.Error("nothing is plain")
	}
}

func TestOrdinaryEntriesArePlain(t *testing.T) {
	t.Parallel()
	ordinary := func() *ledgerv1.NewEntry {
		e := postRequest("k").GetEntry()
		e.Date, e.Source, e.Attachments = "2025-12-31", "票据 7", 2
		e.Postings[0].Run, e.Postings[0].Category, e.Postings[0].Part, e.Postings[0].BenefitYear = "2025-01/in-province", "11", "account", 2025
		e.Postings[1].Account, e.Postings[1].Amount = "320100.agency/310/9101.01/320200", "-9999999999999.99"
		return e
	}
	many := func(n int) *ledgerv1.PostBatchRequest {
		request := &ledgerv1.PostBatchRequest{}
		for range n {
			request.Entries = append(request.Entries, ordinary())
		}
		return request
	}
	for name, c := range map[string]struct {
		message proto.Message
		plain   bool
	}{
		"one": {&ledgerv1.PostRequest{Entry: ordinary()}, true}, "10,000": {many(10_000), true}, "10,001": {many(10_001), false}, "none": {many(0), false},
		"no entry": {&ledgerv1.PostRequest{}, false}, "no lines": {&ledgerv1.PostRequest{Entry: &ledgerv1.NewEntry{}}, false},
		"another request": {&ledgerv1.VoidRequest{PendingKey: "k"}, false},
	} {
		if plain(c.message) != c.plain {
			t.Errorf("%s: %v", name, !c.plain)
		}
	}
}
