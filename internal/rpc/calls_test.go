package rpc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	accessv1 "fundledger/proto/gen/fundledger/access/v1"
)

const (
	ledgerMethod   = "/fundledger.ledger.v1.LedgerService/"
	accountsMethod = "/fundledger.accounts.v1.AccountsService/"
	bank           = "320100.agency/310/1003"
	incomes        = "320100.agency/310/4001"
)

// newEntry is an entry of a request that puts a yuan on the bank.
func newEntry(key, kind string) string {
	return fmt.Sprintf(`{"idempotency_key":%q,"date":"2025-01-15","period":"2025-01","kind":%q,"summary":"试验","postings":[
		{"account":%q,"side":"SIDE_DEBIT","amount":"1.00"},{"account":%q,"side":"SIDE_CREDIT","amount":"1.00"}]}`, key, kind, bank, incomes)
}

// tested is what is known of a method: a request that the role may make and one
// that breaks a rule of form. A request is made of a key that is its own.
type tested struct {
	good func(f *fixture, t *testing.T, key string) string
	bad  string
}

func fixed(request string) func(*fixture, *testing.T, string) string {
	return func(*fixture, *testing.T, string) string { return request }
}

// posted posts an entry before the call and gives its id and key.
func posted(format string) func(*fixture, *testing.T, string) string {
	return func(f *fixture, t *testing.T, key string) string {
		a := f.call(t, ledgerMethod+"Post", f.token("before", all), `{"entry":`+newEntry("entry-"+key, "adjustment")+`}`)
		if a.code() != "ok" {
			t.Fatal(a.body)
		}
		return strings.NewReplacer("ID", a.body["entryId"].(string), "KEY", key).Replace(format)
	}
}

// pended pends an entry before the call.
func pended(format string) func(*fixture, *testing.T, string) string {
	return func(f *fixture, t *testing.T, key string) string {
		if a := f.call(t, ledgerMethod+"Pend", f.token("before", all), `{"entry":`+newEntry(key, "adjustment")+`}`); a.code() != "ok" {
			t.Fatal(a.body)
		}
		return strings.ReplaceAll(format, "KEY", key)
	}
}

// all is every role in the whole province.
var all = devPrincipal("").Roles

// month brings a book's first month so far, by somebody else, and asks for more.
func month(book string, states ...string) func(*fixture, *testing.T, string) string {
	return func(f *fixture, t *testing.T, key string) string {
		for _, change := range states {
			request := fmt.Sprintf(`{"idempotency_key":%q,"book":%q,"month":"2025-01"}`, key+change, book)
			if a := f.call(t, ledgerMethod+change, f.token("before", all), request); a.code() != "ok" {
				t.Fatal(change, a.body)
			}
		}
		return fmt.Sprintf(`{"idempotency_key":%q,"book":%q,"month":"2025-01"}`, key, book)
	}
}

var methodTests = map[string]tested{
	ledgerMethod + "Post": {
		func(_ *fixture, _ *testing.T, key string) string {
			return `{"entry":` + newEntry(key, "adjustment") + `}`
		},
		`{"entry":` + strings.ReplaceAll(newEntry("k", "adjustment"), `"1.00"`, `"1.0"`) + `}`,
	},
	ledgerMethod + "PostBatch": {
		func(_ *fixture, _ *testing.T, key string) string {
			return `{"entries":[` + newEntry(key+"/1", "adjustment") + `,` + newEntry(key+"/2", "adjustment") + `]}`
		},
		`{"entries":[]}`,
	},
	ledgerMethod + "Reverse": {
		posted(`{"idempotency_key":"KEY","entry_id":"ID","date":"2025-01-20","period":"2025-01","summary":"冲销"}`),
		`{"idempotency_key":"k","entry_id":"no uuid","date":"2025-01-20","period":"2025-01","summary":"冲销"}`,
	},
	ledgerMethod + "PostOpenings": {
		func(_ *fixture, _ *testing.T, key string) string {
			return fmt.Sprintf(`{"idempotency_key":%q,"date":"2025-01-01","openings":[
				{"account":"320100.finance/310/1001","side":"SIDE_DEBIT","amount":"9.00"},
				{"account":"320100.finance/310/3001","side":"SIDE_CREDIT","amount":"9.00"}]}`, key)
		},
		`{"idempotency_key":"k","date":"2025-02-29","openings":[{"account":"320100.finance/310/1001","side":"SIDE_DEBIT","amount":"9.00"}]}`,
	},
	ledgerMethod + "OpenBooks": {
		func(_ *fixture, _ *testing.T, key string) string {
			return fmt.Sprintf(`{"idempotency_key":%q,"books":["320100.agency"],"month":"2025-01"}`, key)
		},
		`{"idempotency_key":"k","books":["nothing"],"month":"2025-01"}`,
	},
	ledgerMethod + "Pend": {
		func(_ *fixture, _ *testing.T, key string) string {
			return `{"entry":` + newEntry(key, "adjustment") + `}`
		},
		`{"entry":` + newEntry(strings.Repeat("k", 194), "adjustment") + `}`,
	},
	ledgerMethod + "Finish":       {pended(`{"pending_key":"KEY"}`), `{"pending_key":""}`},
	ledgerMethod + "Void":         {pended(`{"pending_key":"KEY","reason":"不再需要"}`), `{"pending_key":"k","reason":""}`},
	ledgerMethod + "GetPending":   {pended(`{"pending_key":"KEY"}`), `{"pending_key":"k","at_least_position":-1}`},
	ledgerMethod + "ListPendings": {fixed(`{"book":"320100.agency"}`), `{"page_size":1001}`},
	ledgerMethod + "GetEntry":     {posted(`{"entry_id":"ID"}`), `{}`},
	ledgerMethod + "GetBalances":  {fixed(`{"account":"` + bank + `"}`), `{"account":"` + bank + `","fund":"310"}`},
	ledgerMethod + "GetStatement": {fixed(`{"account":"` + bank + `"}`), `{"account":"nothing"}`},
	ledgerMethod + "ListPeriodEvents": {
		fixed(`{"book":"320100.agency"}`), `{"book":"320100.agency","month":"2025-13"}`,
	},
	ledgerMethod + "BeginClosePeriod": {month("320100.finance"), `{"idempotency_key":"k","book":"320100.finance"}`},
	ledgerMethod + "ClosePeriod": {
		func(f *fixture, t *testing.T, key string) string {
			f.level(t, "2025-01") // so that nothing of the month is open
			return month("320100.finance")(f, t, key)
		},
		`{"idempotency_key":"k","book":"320100.finance"}`,
	},
	ledgerMethod + "ReopenPeriod": {
		func(f *fixture, t *testing.T, key string) string {
			return strings.Replace(month("320100.agency", "BeginClosePeriod")(f, t, key), "{", `{"reason":"漏记",`, 1)
		},
		`{"idempotency_key":"k","book":"320100.agency","month":"2025-01"}`,
	},
	accountsMethod + "ListRegions":      {fixed(`{"kind":"REGION_KIND_CITY"}`), `{"page_size":-1}`},
	accountsMethod + "ListInstitutions": {fixed(`{"region":"320100"}`), `{"region":"Nanjing"}`},
	accountsMethod + "ListFunds":        {fixed(`{"on":"2025-01-01"}`), `{"on":"2025-1-1"}`},
	accountsMethod + "ListSubjects":     {fixed(`{"subject":"2001"}`), `{"subject":"2001/01"}`},
	accountsMethod + "ListPostingRules": {fixed(`{}`), `{"page_size":1001}`},
	accountsMethod + "ListParameters":   {fixed(`{"key":"prepayment"}`), `{"key":"a b"}`},
	accountsMethod + "ListCalendarDays": {fixed(`{"year":2025}`), `{"year":12}`},
	accountsMethod + "ListCodes":        {fixed(`{"list":"med_type"}`), `{"on":"x"}`},
}

// last are those that close a month, which come after what posts into it.
var last = []string{ledgerMethod + "BeginClosePeriod", ledgerMethod + "ClosePeriod", ledgerMethod + "ReopenPeriod"}

func booksKeepToTheirContracts(t *testing.T, proved *proofs) {
	f := start(t)
	var procedures []string
	for procedure := range methodTests {
		if !slices.Contains(last, procedure) {
			procedures = append(procedures, procedure)
		}
	}
	slices.Sort(procedures)
	for _, procedure := range append(procedures, last...) {
		t.Run(procedure[strings.LastIndex(procedure, "/")+1:], func(t *testing.T) {
			m, tests := f.server.methods[procedure], methodTests[procedure]
			roles := rolesOf(f.server.deps.Book, m.access.GetAction())
			c := contract{
				fixture: f, proved: proved, procedure: procedure, method: m, good: tests.good(f, t, "k"+procedure[len(procedure)-6:]), bad: tests.bad,
				here: rolesIn(m, roles, "320100"), stranger: map[string][]string{roles[0]: {"320200"}},
				foreign: map[accessv1.Scope]string{
					accessv1.Scope_SCOPE_ANY: "ok", accessv1.Scope_SCOPE_FIELDS: "permission_denied",
					accessv1.Scope_SCOPE_ROWS: "permission_denied", accessv1.Scope_SCOPE_OBJECT: "not_found",
					accessv1.Scope_SCOPE_PROVINCE: "permission_denied",
				}[m.access.GetScope()],
			}
			c.run(t)
		})
	}
	report, err := f.journal.Check(t.Context())
	if err != nil || !report.OK() {
		t.Errorf("the books are not whole: %v %+v", err, report)
	}
}

func TestManualEntryNeedsASecondPerson(t *testing.T) {
	t.Parallel()
	f := start(t)
	maker := f.token("maker", map[string][]string{"operator": {"320100"}})
	checker := f.token("checker", map[string][]string{"approver": {"320100"}})
	if a := f.call(t, ledgerMethod+"Post", maker, `{"entry":`+newEntry("m", "manual")+`}`); a.code() != "failed_precondition" {
		t.Errorf("a manual entry is posted: %v", a.body)
	}
	batch := f.call(t, ledgerMethod+"PostBatch", maker, `{"entries":[`+newEntry("m", "manual")+`,`+newEntry("n", "adjustment")+`]}`)
	results, _ := batch.body["results"].([]any)
	if len(results) != 2 || results[0].(map[string]any)["error"] == nil || results[1].(map[string]any)["error"] != nil {
		t.Errorf("%v", batch.body)
	}
	atomic := f.call(t, ledgerMethod+"PostBatch", maker, `{"atomic":true,"entries":[`+newEntry("o", "adjustment")+`,`+newEntry("m", "manual")+`]}`)
	results, _ = atomic.body["results"].([]any)
	if len(results) != 2 || results[0].(map[string]any)["error"] == nil || results[1].(map[string]any)["error"] == nil {
		t.Errorf("%v", atomic.body)
	}
	if a := f.call(t, ledgerMethod+"Pend", maker, `{"entry":`+newEntry("m", "manual")+`}`); a.code() != "ok" {
		t.Fatal(a.body)
	}
	if a := f.call(t, ledgerMethod+"Finish", maker, `{"pending_key":"m"}`); a.code() != "permission_denied" {
		t.Errorf("the maker finishes: %v", a.body)
	}
	finished := f.call(t, ledgerMethod+"Finish", checker, `{"pending_key":"m"}`)
	if finished.code() != "ok" {
		t.Fatal(finished.body)
	}
	entry := f.call(t, ledgerMethod+"GetEntry", checker, fmt.Sprintf(`{"entry_id":%q}`, finished.body["entryId"]))
	e, _ := entry.body["entry"].(map[string]any)
	if e["preparer"] != "maker" || e["reviewer"] != "checker" {
		t.Errorf("%v", entry.body)
	}
}

func TestReadsShowOnlyTheCallersRegions(t *testing.T) {
	t.Parallel()
	f := start(t)
	two := strings.Replace(newEntry("two", "adjustment"), `"postings":[`, `"postings":[
		{"account":"320200.agency/310/1003","side":"SIDE_DEBIT","amount":"2.00"},{"account":"320200.agency/310/4001","side":"SIDE_CREDIT","amount":"2.00"},`, 1)
	both := f.token("both", map[string][]string{"operator": {"320100", "320200"}})
	if a := f.call(t, ledgerMethod+"Post", f.token("one", map[string][]string{"operator": {"320100"}}), `{"entry":`+two+`}`); a.code() != "permission_denied" {
		t.Errorf("half of the regions will do: %v", a.body)
	}
	post := f.call(t, ledgerMethod+"Post", both, `{"entry":`+two+`}`)
	pend := f.call(t, ledgerMethod+"Pend", both, `{"entry":`+two+`}`)
	if post.code() != "ok" || pend.code() != "ok" {
		t.Fatal(post.body, pend.body)
	}
	viewer := f.token("viewer", map[string][]string{"viewer": {"320100"}, "operator": {"320100"}})
	lines := func(entry any) int { return len(entry.(map[string]any)["postings"].([]any)) }
	got := f.call(t, ledgerMethod+"GetEntry", viewer, `{"idempotency_key":"two"}`)
	if got.code() != "ok" || lines(got.body["entry"]) != 2 {
		t.Errorf("%v", got.body)
	}
	listed := f.call(t, ledgerMethod+"ListPendings", viewer, `{}`)
	if pendings := listed.body["pendings"].([]any); len(pendings) != 1 || lines(pendings[0].(map[string]any)["entry"]) != 2 {
		t.Errorf("%v", listed.body)
	}
	other := f.token("viewer", map[string][]string{"viewer": {"320300"}})
	if a := f.call(t, ledgerMethod+"ListPendings", other, `{}`); a.body["pendings"] != nil {
		t.Errorf("%v", a.body)
	}
	// To change what touches two regions takes both.
	if a := f.call(t, ledgerMethod+"Void", viewer, `{"pending_key":"two","reason":"x"}`); a.code() != "permission_denied" {
		t.Errorf("%v", a.body)
	}
}

func TestReadsSeeWhatTheyAskFor(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.token("person", map[string][]string{"operator": {"320100"}})
	for _, key := range []string{"a", "b", "c"} {
		if a := f.call(t, ledgerMethod+"Post", token, `{"entry":`+newEntry(key, "adjustment")+`}`); a.code() != "ok" {
			t.Fatal(a.body)
		}
	}
	balance := f.call(t, ledgerMethod+"GetBalances", token, `{"account":"`+bank+`","at_least_position":3}`)
	if balances, _ := balance.body["balances"].([]any); len(balances) != 1 || balances[0].(map[string]any)["balance"] != "3.00" || balance.body["position"] != "3" {
		t.Errorf("%v", balance.body)
	}
	before := f.call(t, ledgerMethod+"GetBalances", token, `{"account":"`+bank+`","as_of":{"position":"2"}}`)
	if balances, _ := before.body["balances"].([]any); len(balances) != 1 || balances[0].(map[string]any)["balance"] != "2.00" {
		t.Errorf("%v", before.body)
	}
	if a := f.call(t, ledgerMethod+"GetEntry", token, `{"idempotency_key":"a","at_least_position":99}`); a.code() != "not_found" {
		t.Errorf("%v", a.body)
	}
	page := f.call(t, ledgerMethod+"GetStatement", token, `{"account":"`+bank+`","page_size":2}`)
	rest := f.call(t, ledgerMethod+"GetStatement", token, fmt.Sprintf(`{"account":"`+bank+`","page_size":2,"page_token":%q}`, page.body["nextPageToken"]))
	if len(page.body["lines"].([]any)) != 2 || len(rest.body["lines"].([]any)) != 1 || rest.body["nextPageToken"] != nil {
		t.Errorf("%v %v", page.body, rest.body)
	}
	early := f.call(t, ledgerMethod+"GetStatement", token, fmt.Sprintf(`{"account":"`+bank+`","as_of":{"time":%q}}`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)))
	if early.code() != "ok" || early.body["lines"] != nil {
		t.Errorf("%v", early.body)
	}
	// Rules come in pages too.
	first := f.call(t, accountsMethod+"ListSubjects", token, `{"page_size":5}`)
	next := f.call(t, accountsMethod+"ListSubjects", token, fmt.Sprintf(`{"page_size":1000,"page_token":%q}`, first.body["nextPageToken"]))
	if got := len(first.body["subjects"].([]any)) + len(next.body["subjects"].([]any)); got != len(f.server.deps.Book.Chart.Subjects()) {
		t.Errorf("%d subjects in two pages", got)
	}
	if a := f.call(t, accountsMethod+"ListSubjects", token, `{"page_token":"x"}`); a.code() != "invalid_argument" {
		t.Errorf("%v", a.body)
	}
}
