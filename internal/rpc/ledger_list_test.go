package rpc

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"fundledger/internal/config"
	"fundledger/ledger"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

func init() {
	maps.Copy(methodTests, map[string]tested{
		ledgerMethod + "ListEntries": {fixed(`{"book":"320100.agency"}`), `{"period":"2025-13"}`},
		ledgerMethod + "ListPeriods": {fixed(`{"book":"320100.agency"}`), `{"book":"Nanjing"}`},
		ledgerMethod + "WatchEntries": {
			func(f *fixture, t *testing.T, key string) string {
				request := posted(`{"book":"320100.agency"}`)(f, t, key)
				if _, err := f.journal.CatchUp(t.Context()); err != nil {
					t.Fatal(err)
				}
				return request
			},
			`{"after_position":-1}`,
		},
		accountsMethod + "ListAccounts":    {fixed(`{"book":"320100.agency"}`), `{"page_size":1001}`},
		accountsMethod + "ListAccessRules": {fixed(`{"role":"viewer"}`), `{"page_size":-1}`},
		accountsMethod + "ApplyRuleChange": {
			func(_ *fixture, _ *testing.T, key string) string { return ruleChange(key, "2030-01-01") },
			strings.Replace(ruleChange("k", "2030-01-01"), "2030-01-01", "2030-1-1", 1),
		},
	})
}

// ruleChange adds a value of the policy from a day on.
func ruleChange(key, from string) string {
	return fmt.Sprintf(`{"idempotency_key":%q,"reason":"新规定","parameters":[{"key":"trial.days","value":"7","unit":"working days","title":"试验",
		"effective":{"from":%q,"source":"C"}}]}`, key, from)
}

// inRegions is a role in these regions.
func inRegions(role string, regions ...string) map[string][]string {
	return map[string][]string{role: regions}
}

// elsewhere is a line of another city, beside newEntry's.
func elsewhere(key string) string {
	return strings.Replace(newEntry(key, "adjustment"), `"postings":[`, `"postings":[
		{"account":"320200.agency/310/1003","side":"SIDE_DEBIT","amount":"2.00"},{"account":"320200.agency/310/4001","side":"SIDE_CREDIT","amount":"2.00"},`, 1)
}

func (f *fixture) post(t testing.TB, entries ...string) {
	t.Helper()
	for _, e := range entries {
		if a := f.call(t, ledgerMethod+"Post", f.token("poster", inRegions("operator", config.Province)), `{"entry":`+e+`}`); a.code() != "ok" {
			t.Fatal(a.body)
		}
	}
}

// rows are those of a list in the answer.
func (a answer) rows(t testing.TB, name string) (rows []map[string]any) {
	t.Helper()
	if a.code() != "ok" {
		t.Fatal(a.body)
	}
	list, _ := a.body[name].([]any)
	for _, row := range list {
		rows = append(rows, row.(map[string]any))
	}
	return rows
}

// whole asks for all pages of a list.
func (f *fixture) whole(t testing.TB, method, token, name, request string) (rows []map[string]any) {
	t.Helper()
	next := ""
	for {
		a := f.call(t, method, token, fmt.Sprintf(`{"page_size":2,"page_token":%q%s}`, next, request))
		rows = append(rows, a.rows(t, name)...)
		if next, _ = a.body["nextPageToken"].(string); next == "" {
			return rows
		}
	}
}

func TestEntriesComeInPagesWithTheLinesThatOneMaySee(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.post(t, newEntry("a", "adjustment"), elsewhere("b"), newEntry("c", "adjustment"))
	nanjing, wuxi := f.token("n", inRegions("viewer", "320100")), f.token("w", inRegions("viewer", "320200"))
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries := f.whole(t, ledgerMethod+"ListEntries", nanjing, "entries", ``)
	if len(entries) != 3 {
		t.Fatalf("%d entries", len(entries))
	}
	for i, e := range entries {
		if e["position"] != fmt.Sprint(i+1) || len(e["postings"].([]any)) != 2 {
			t.Errorf("entry %d: %v", i, e)
		}
	}
	other := f.whole(t, ledgerMethod+"ListEntries", wuxi, "entries", ``)
	if len(other) != 1 || other[0]["idempotencyKey"] != "b" || len(other[0]["postings"].([]any)) != 2 {
		t.Errorf("%v", other)
	}
	for filter, want := range map[string]int{
		`,"subject":"1003"`: 3, `,"subject":"1004"`: 0, `,"kind":"manual"`: 0, `,"period":"2025-01"`: 3, `,"from_date":"2025-01-16"`: 0,
		`,"to_date":"2025-01-15"`: 3, `,"as_of":{"position":"2"}`: 2, `,"as_of":{"date":"2025-01-14"}`: 0, `,"run":"2025-01/in-province"`: 0,
		`,"fund":"310"`: 3, `,"counterparty":"320200"`: 0, `,"source":"x"`: 0,
	} {
		if got := f.whole(t, ledgerMethod+"ListEntries", nanjing, "entries", filter); len(got) != want {
			t.Errorf("%s: %d entries, want %d", filter, len(got), want)
		}
	}
	if a := f.call(t, ledgerMethod+"ListEntries", nanjing, `{"at_least_position":"9"}`); a.code() != "not_found" {
		t.Errorf("%v", a.body)
	}
	if a := f.call(t, ledgerMethod+"ListEntries", nanjing, `{"page_token":"x"}`); a.code() != "invalid_argument" {
		t.Errorf("%v", a.body)
	}
}

func TestBalancesAreOfOneStateOverAllPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.post(t, elsewhere("a"))
	province, wuxi := f.token("p", inRegions("viewer", config.Province)), f.token("w", inRegions("viewer", "320200"))
	first := f.call(t, ledgerMethod+"GetBalances", province, `{"page_size":2,"at_least_position":"1"}`)
	if got := first.rows(t, "balances"); len(got) != 2 || got[0]["account"] != bank || got[0]["balance"] != "1.00" || got[0]["reserved"] != "0.00" || got[0]["subjectName"] == "" {
		t.Errorf("%v", first.body)
	}
	f.post(t, elsewhere("b"))
	rest := f.call(t, ledgerMethod+"GetBalances", province, fmt.Sprintf(`{"page_size":2,"page_token":%q}`, first.body["nextPageToken"]))
	if got := rest.rows(t, "balances"); len(got) != 2 || got[0]["balance"] != "2.00" || got[1]["balance"] != "-2.00" || rest.body["position"] != "1" {
		t.Errorf("the second page shows another state: %v", rest.body)
	}
	if got := f.whole(t, ledgerMethod+"GetBalances", wuxi, "balances", `,"at_least_position":"2"`); len(got) != 2 || got[0]["account"] != "320200.agency/310/1003" {
		t.Errorf("another region is shown: %v", got)
	}
	sums := f.whole(t, ledgerMethod+"GetBalances", province, "balances", `,"roll_up":{"levels":1},"subject":"1003","at_least_position":"2"`)
	if len(sums) != 2 || sums[0]["balance"] != "2.00" || sums[1]["balance"] != "4.00" {
		t.Errorf("%v", sums)
	}
	one := f.whole(t, ledgerMethod+"GetBalances", province, "balances", `,"roll_up":{},"account":"`+bank+`"`)
	if len(one) != 1 || one[0]["balance"] != "2.00" {
		t.Errorf("%v", one)
	}
	past := f.call(t, ledgerMethod+"GetBalances", province, `{"as_of":{"position":"1"},"book":"320100.agency"}`)
	if got := past.rows(t, "balances"); len(got) != 2 || got[0]["balance"] != "1.00" || got[0]["reserved"] != nil {
		t.Errorf("%v", past.body)
	}
	listed := f.whole(t, accountsMethod+"ListAccounts", wuxi, "accounts", ``)
	if len(listed) != 2 || listed[0]["layer"] != "LAYER_CASH" || listed[0]["normal"] != "SIDE_DEBIT" || listed[0]["balance"] != "4.00" || listed[1]["balance"] != "-4.00" {
		t.Errorf("%v", listed)
	}
}

func TestPeriodsAreListedWithTheirStates(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.post(t, newEntry("a", "adjustment"))
	token := f.token("p", map[string][]string{"approver": {"320100"}})
	if a := f.call(t, ledgerMethod+"BeginClosePeriod", token, `{"idempotency_key":"k","book":"320100.agency","month":"2025-01"}`); a.code() != "ok" {
		t.Fatal(a.body)
	}
	all := f.whole(t, ledgerMethod+"ListPeriods", token, "periods", `,"to_month":"2025-03"`)
	if len(all) != 6 { // two books
		t.Fatalf("%v", all)
	}
	for _, p := range all {
		if !strings.HasPrefix(p["book"].(string), "320100.") {
			t.Errorf("another region is shown: %v", p)
		}
	}
	closing := f.whole(t, ledgerMethod+"ListPeriods", token, "periods", `,"state":"PERIOD_STATE_CLOSING"`)
	if len(closing) != 1 || closing[0]["book"] != "320100.agency" || closing[0]["month"] != "2025-01" || closing[0]["lastEvent"].(map[string]any)["changedBy"] != "p" {
		t.Errorf("%v", closing)
	}
	if a := f.call(t, ledgerMethod+"ListPeriods", f.token("p", inRegions("viewer", config.Province)), `{"book":"999999.agency"}`); a.code() != "not_found" {
		t.Errorf("%v", a.body)
	}
	events := f.whole(t, ledgerMethod+"ListPeriodEvents", token, "events", `,"book":"320100.agency"`)
	if len(events) == 0 || events[len(events)-1]["state"] != "PERIOD_STATE_CLOSING" {
		t.Errorf("%v", events)
	}
}

func TestPendingsOfAForeignFloorAreNotTold(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.token("v", inRegions("viewer", "320200"))
	if a := f.call(t, ledgerMethod+"ListPendings", token, `{"floor":"`+bank+`"}`); a.code() != "permission_denied" {
		t.Errorf("%v", a.body)
	}
}

func TestLargeStretchIsSentInSeveralMessages(t *testing.T) {
	t.Parallel()
	found := ledger.Stretch{Position: 9}
	for i := range 5 {
		found.Entries = append(found.Entries, &ledger.Record{Entry: ledger.Entry{Summary: strings.Repeat("x", 100)}, Position: ledger.Position(i + 2)})
	}
	var positions []int64
	var sent int
	err := sendStretch(found, Regions{all: true}, 500, func(m *ledgerv1.WatchEntriesResponse) error {
		positions, sent = append(positions, m.GetPosition()), sent+len(m.GetEntries())
		if n := len(m.GetEntries()); n > 0 && m.GetPosition() < m.GetEntries()[n-1].GetPosition() {
			t.Errorf("a message tells of less than it brings: %v", m)
		}
		return nil
	})
	if err != nil || sent != 5 || len(positions) < 2 || positions[len(positions)-1] != 9 {
		t.Errorf("%d sent up to %v: %v", sent, positions, err)
	}
}
