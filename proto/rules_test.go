package proto_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"fundledger/accounts"
	accountsv1 "fundledger/proto/gen/fundledger/accounts/v1"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

func TestRulesOfEveryMessageCompile(t *testing.T) {
	messages := 0
	var look func(protoreflect.MessageDescriptors)
	look = func(list protoreflect.MessageDescriptors) {
		for i := range list.Len() {
			messages++
			var invalid *protovalidate.ValidationError
			if err := protovalidate.Validate(dynamicpb.NewMessage(list.Get(i))); err != nil && !errors.As(err, &invalid) {
				t.Errorf("%s: %v", list.Get(i).FullName(), err)
			}
			look(list.Get(i).Messages())
		}
	}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "fundledger.") {
			look(file.Messages())
		}
		return true
	})
	if messages < 2*len(methods()) {
		t.Errorf("only %d messages were looked at", messages)
	}
}

// refused tells which rules the message breaks, as field:rule.
func refused(t interface{ Fatal(...any) }, message proto.Message) (broken []string) {
	err := protovalidate.Validate(message)
	if err == nil {
		return nil
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	for _, v := range invalid.Violations {
		broken = append(broken, protovalidate.FieldPathString(v.Proto.GetField())+":"+v.Proto.GetRuleId())
	}
	return broken
}

// shared are the rules of form, each on a field that must be given.
var shared = []struct {
	name      string
	message   func(value string) proto.Message
	good, bad []string
}{
	{
		"amount", func(v string) proto.Message { return &clearingv1.PaymentLine{Fund: "310", Amount: v} },
		[]string{"0.00", "0.01", "-0.01", "12.30", "-1234567.89", "9999999999999.99", "10000000000000.00", "-10000000000000.00"},
		[]string{"", "-0.00", "0", "1.2", "1.234", "01.00", "+1.00", " 1.00", "1.00 ", "1,000.00", "1e2", "1.00\n", ".50", "-.50", "NaN", "１.00", "10000000000000.01", "99999999999999.00"},
	},
	{
		"nonzero_amount", func(v string) proto.Message {
			return &ledgerv1.Opening{Account: "320100.agency/310/1003", Side: typev1.Side_SIDE_DEBIT, Amount: v}
		},
		[]string{"0.01", "-0.01", "10000000000000.00"},
		[]string{"", "0.00", "-0.00", "1", "00.01", "10000000000000.01"},
	},
	{
		"date", func(v string) proto.Message {
			return &accountsv1.CalendarDay{Date: v, Kind: accountsv1.DayKind_DAY_KIND_HOLIDAY, Name: "元旦", Source: "C"}
		},
		[]string{"2025-01-31", "2025-12-31", "2025-04-30", "2025-02-28", "2024-02-29", "2000-02-29", "1900-01-01", "9999-12-31"},
		[]string{"", "2025-02-29", "1900-02-29", "2100-02-29", "2025-02-30", "2025-04-31", "2025-13-01", "2025-00-01", "2025-01-00", "2025-01-32", "2025-1-1", "20250101", "1899-12-31", "0999-01-01", "2025-01-01T00:00:00Z", "2025-01-01\n", "2025/01/01"},
	},
	{
		"month", func(v string) proto.Message {
			return &settlementv1.ReconcileRequest{IdempotencyKey: "k", Month: v}
		},
		[]string{"2025-01", "2025-12"},
		[]string{"", "2025-00", "2025-13", "2025-1", "202501", "2025-01-01", "1899-12", "0999-01", "2025-01\n"},
	},
	{
		"region", func(v string) proto.Message {
			return &accountsv1.Region{Code: v, Name: "南京市", Kind: accountsv1.RegionKind_REGION_KIND_CITY}
		},
		[]string{"320100", "110000"},
		[]string{"", "32010", "3201000", "32010a", "３２０１００", "320100\n"},
	},
	{
		"book", func(v string) proto.Message { return &ledgerv1.ListPeriodEventsRequest{Book: v} },
		[]string{"320100.agency", "320000.finance"},
		[]string{"", "320100", "320100.", "320100.bank", "agency", "320100.agency/310", "320100-agency"},
	},
	{
		"account", func(v string) proto.Message { return &ledgerv1.GetStatementRequest{Account: v} },
		[]string{"320100.agency/310/1003", "320100.agency/310/9101.01/320200", "320100.agency/310/9002/H32010000001"},
		[]string{"", "320100.agency/310", "320100.agency/310/", "320100.agency/310/1003/", "320100.agency//1003", "320100.agency/310/1003/a/b", "320100/310/1003", "320100.agency/310/10 03", "320100.agency/310/" + strings.Repeat("1", 200)},
	},
	{
		"code", func(v string) proto.Message {
			return &clearingv1.PaymentLine{Fund: v, Amount: "1.00"}
		},
		[]string{"310", "settlement.in_province", "a-b", strings.Repeat("x", 100)},
		[]string{"", "3 10", "3/10", "基金", "a\x00", "a\n", strings.Repeat("x", 101)},
	},
	{
		"path", func(v string) proto.Message { return &clearingv1.GetNoticeRequest{Notice: v} },
		[]string{"2025-01/in-province/320100/pay", "2025-01"},
		[]string{"", "/a", "a/", "a//b", "a b", "../../etc/\x00", strings.Repeat("x/", 100) + "x"},
	},
}

func TestSharedRulesTakeTheRightValuesAndNoOthers(t *testing.T) {
	for _, rule := range shared {
		for _, value := range rule.good {
			if broken := refused(t, rule.message(value)); broken != nil {
				t.Errorf("%s refuses %q: %v", rule.name, value, broken)
			}
		}
		for _, value := range rule.bad {
			broken := refused(t, rule.message(value))
			if value == "" && len(broken) == 1 && strings.HasSuffix(broken[0], ":required") {
				continue
			}
			if len(broken) != 1 || !strings.HasSuffix(broken[0], ":"+rule.name) {
				t.Errorf("%s of %q: broken rules %v", rule.name, value, broken)
			}
		}
	}
}

// TestRulesAgreeWithTheDomain: what passes is read by the domain and comes back
// the same; dates and months pass exactly when the domain reads them.
func TestRulesAgreeWithTheDomain(t *testing.T) {
	message := map[string]func(string) proto.Message{}
	for _, rule := range shared {
		message[rule.name] = rule.message
	}
	passes := func(t *rapid.T, rule, value string) bool { return refused(t, message[rule](value)) == nil }
	rapid.Check(t, func(t *rapid.T) {
		if fen := accounts.Fen(rapid.Int64Range(-1_000_000_000_000_000, 1_000_000_000_000_000).Draw(t, "fen")); !passes(t, "amount", fen.String()) {
			t.Fatalf("%s is refused", fen)
		}
		amount := rapid.StringMatching(`-?[0-9]{1,15}\.?[0-9]{0,3}`).Draw(t, "amount")
		if fen, err := accounts.ParseYuan(amount); passes(t, "amount", amount) && (err != nil || fen.String() != amount) {
			t.Fatalf("%q passes and is read as %s: %v", amount, fen, err)
		}
		date := fmt.Sprintf("%d-%02d-%02d", rapid.IntRange(1000, 9999).Draw(t, "year"), rapid.IntRange(0, 13).Draw(t, "month"), rapid.IntRange(0, 32).Draw(t, "day"))
		if _, err := accounts.ParseDate(date); passes(t, "date", date) != (err == nil) {
			t.Fatalf("date %s: %v", date, err)
		}
		if _, err := accounts.ParseMonth(date[:7]); passes(t, "month", date[:7]) != (err == nil) {
			t.Fatalf("month %s: %v", date[:7], err)
		}
		name := rapid.StringMatching(`(320100\.agency|320100\.bank|x)(/[0-9A-Za-z._-]{0,4}){1,4}`).Draw(t, "account")
		if account, err := accounts.ParseAccount(name); passes(t, "account", name) && (err != nil || account.String() != name) {
			t.Fatalf("%q passes and is read as %s: %v", name, account, err)
		}
	})
}

func newEntry(edit func(*ledgerv1.NewEntry)) *ledgerv1.NewEntry {
	e := &ledgerv1.NewEntry{
		IdempotencyKey: "k", Date: "2025-01-31", Period: "2025-01", Kind: "adjustment", Summary: "调整",
		Postings: []*ledgerv1.Posting{
			{Account: "320100.agency/310/1003", Side: typev1.Side_SIDE_DEBIT, Amount: "1.00"},
			{Account: "320100.agency/310/4001", Side: typev1.Side_SIDE_CREDIT, Amount: "1.00"},
		},
	}
	if edit != nil {
		edit(e)
	}
	return e
}

func TestRequestsAreHeldToTheirRules(t *testing.T) {
	batch := func(n int) *ledgerv1.PostBatchRequest {
		entries := make([]*ledgerv1.NewEntry, n)
		for i := range entries {
			entries[i] = newEntry(nil)
		}
		return &ledgerv1.PostBatchRequest{Entries: entries}
	}
	post := func(edit func(*ledgerv1.NewEntry)) proto.Message { return &ledgerv1.PostRequest{Entry: newEntry(edit)} }
	date := &typev1.AsOf{State: &typev1.AsOf_Date{}}
	for _, c := range []struct {
		name    string
		message proto.Message
		broken  string // "" for none
	}{
		{"an entry", post(nil), ""},
		{"no entry", &ledgerv1.PostRequest{}, "entry:required"},
		{"no key", post(func(e *ledgerv1.NewEntry) { e.IdempotencyKey = "" }), "entry.idempotency_key:required"},
		{"a long key", post(func(e *ledgerv1.NewEntry) { e.IdempotencyKey = strings.Repeat("键", 67) }), "entry.idempotency_key:string.max_bytes"},
		{"no summary", post(func(e *ledgerv1.NewEntry) { e.Summary = "" }), "entry.summary:required"},
		{"no lines", post(func(e *ledgerv1.NewEntry) { e.Postings = nil }), "entry.postings:repeated.min_items"},
		{"no side", post(func(e *ledgerv1.NewEntry) { e.Postings[1].Side = 0 }), "entry.postings[1].side:required"},
		{"an unknown side", post(func(e *ledgerv1.NewEntry) { e.Postings[1].Side = 3 }), "entry.postings[1].side:enum.defined_only"},
		{"a line of nothing", post(func(e *ledgerv1.NewEntry) { e.Postings[0].Amount = "0.00" }), "entry.postings[0].amount:nonzero_amount"},
		{"corrects no entry", post(func(e *ledgerv1.NewEntry) { e.Corrects = "x" }), "entry.corrects:string.uuid"},
		{"negative attachments", post(func(e *ledgerv1.NewEntry) { e.Attachments = -1 }), "entry.attachments:int32.gte_lte"},
		{"10,000 entries", batch(10_000), ""},
		{"10,001 entries", batch(10_001), "entries:repeated.max_items"},
		{"a pending key of 194 bytes", &ledgerv1.PendRequest{Entry: newEntry(func(e *ledgerv1.NewEntry) { e.IdempotencyKey = strings.Repeat("k", 194) })}, ":pend.key_length"},
		{"an empty amount", &ledgerv1.FinishRequest{PendingKey: "k", Amounts: []string{"1.00", ""}}, "amounts[1]:amount"},
		{"an account and a filter", &ledgerv1.GetBalancesRequest{Account: "320100.agency/310/1003", Fund: "310"}, ":get_balances.account_alone"},
		{"every balance", &ledgerv1.GetBalancesRequest{}, ""},
		{"a page of 1000", &ledgerv1.ListEntriesRequest{PageSize: 1000}, ""},
		{"a page of 1001", &ledgerv1.ListEntriesRequest{PageSize: 1001}, "page_size:int32.gte_lte"},
		{"a page of -1", &ledgerv1.ListEntriesRequest{PageSize: -1}, "page_size:int32.gte_lte"},
		{"a negative position", &ledgerv1.ListEntriesRequest{AtLeastPosition: -1}, "at_least_position:int64.gte"},
		{"as of nothing", &ledgerv1.GetBalancesRequest{AsOf: &typev1.AsOf{}}, "as_of.state:required"},
		{"as of no date", &ledgerv1.GetBalancesRequest{AsOf: date}, "as_of.date:date"},
		{"as of position 0", &ledgerv1.GetBalancesRequest{AsOf: &typev1.AsOf{State: &typev1.AsOf_Position{}}}, "as_of.position:int64.gt"},
		{"as of a time", &ledgerv1.GetBalancesRequest{AsOf: &typev1.AsOf{State: &typev1.AsOf_Time{Time: timestamppb.Now()}}}, ""},
		{"an entry without a name", &ledgerv1.GetEntryRequest{}, "name:required"},
		{"an entry of no key", &ledgerv1.GetEntryRequest{Name: &ledgerv1.GetEntryRequest_IdempotencyKey{}}, "idempotency_key:string.min_len"},
		{"an empty upload message", &settlementv1.UploadSettlementsRequest{}, "part:required"},
		{"a chunk too large", &settlementv1.UploadSettlementsRequest{Part: &settlementv1.UploadSettlementsRequest_Chunk{Chunk: make([]byte, 1<<20+1)}}, "chunk:bytes.max_len"},
		{"a change of nothing", &accountsv1.ApplyRuleChangeRequest{IdempotencyKey: "k", Reason: "r"}, ":apply_rule_change.rows"},
		{"a row that ends before it begins", &accountsv1.Effective{From: "2025-01-02", To: "2025-01-01", Source: "C"}, ":effective.order"},
	} {
		broken := strings.Join(refused(t, c.message), " ")
		if broken != c.broken {
			t.Errorf("%s: broken %q, want %q", c.name, broken, c.broken)
		}
	}
}
