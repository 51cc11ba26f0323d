package rpc

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const prepaymentMethod = "/fundledger.clearing.v1.PrepaymentService/"

// prepaymentTest is what is known of a method of prepayments.
type prepaymentTest struct {
	method  string
	good    string
	bad     string // breaks a rule of form
	foreign string // how it ends for somebody of another region
	other   other  // of what changes something
}

const (
	aCase   = "topup/2025-01/310000"
	aNotice = "2025/cross-province/320100/pay"
	aCharge = `{"charge":{"holder":"320000","deposit":"DEPOSIT_FISCAL","lines":[{"fund":"310","amount":"3.21"}],"date":"2025-03-21","reference":"interest"}}`
	aList   = "month\tprovince\tfund\tpayable\treceivable\n2025-01\t310000\t310\t1.00\t0.00\n"
)

func step(method, more string) string {
	return fmt.Sprintf(`{"idempotency_key":%q,"top_up":%q,"date":"2025-03-10"%s}`, method, aCase, more)
}

// prepaymentTests stand in the order in which they are called.
func prepaymentTests(t testing.TB, list string) []prepaymentTest {
	bases := base64.StdEncoding.EncodeToString(sampleFile(t, "prepayment_bases.tsv"))
	plan := fmt.Sprintf(`{"idempotency_key":"plan","year":2025,"scheme":"PREPAYMENT_SCHEME_CROSS_PROVINCE","issued":"2025-02-05","bases":%q}`, bases)
	return []prepaymentTest{
		{"MakePlan", plan, `{"idempotency_key":"plan","year":2025}`, "permission_denied", other{swap("2025-02-05", "2025-02-06"), "already_exists"}},
		{"GetPlan", `{"year":2025,"scheme":"PREPAYMENT_SCHEME_CROSS_PROVINCE"}`, `{"year":2025}`, "ok", other{}},
		{"ListPrepaymentNotices", `{"party":"320100"}`, `{"party":"Nanjing"}`, "permission_denied", other{}},
		{"RecordMove", `{"reference":"M1","notice":"` + aNotice + `","date":"2025-02-18","lines":[{"fund":"310","amount":"100.00"}]}`,
			`{"reference":"M1","date":"2025-02-18"}`, "not_found", other{swap("100.00", "101.00"), "already_exists"}},
		{"GetUtilisation", `{"month":"2025-01"}`, `{"month":"2025-13"}`, "ok", other{}},
		{"ListTopUps", `{"month":"2025-01","on":"2025-04-01"}`, `{"state":99}`, "ok", other{}},
		{"ProposeTopUp", step("propose", `,"lines":[{"fund":"310","amount":"500.00"}]`), step("propose", ""), "permission_denied", other{swap("500.00", "501.00"), "already_exists"}},
		{"ApproveTopUp", step("approve", `,"document":"D","lines":[{"fund":"310","amount":"400.00"}]`), step("approve", `,"lines":[{"fund":"310","amount":"400.00"}]`), "permission_denied", other{swap(`"D"`, `"E"`), "already_exists"}},
		{"NotifyTopUp", step("notify", ""), `{"idempotency_key":"notify"}`, "permission_denied", other{swap("2025-03-10", "2025-03-11"), "already_exists"}},
		{"DeclineTopUp", strings.Replace(step("decline", `,"reason":"回落"`), "310000", "110000", 1), step("decline", ""), "permission_denied", other{swap("回落", "另议"), "already_exists"}},
		{"ImportNational", fmt.Sprintf(`{"idempotency_key":"import","kind":"NATIONAL_KIND_CLEARING","content":%q,"date":"2025-02-28"}`, base64.StdEncoding.EncodeToString([]byte(aList))),
			`{"idempotency_key":"import","kind":"NATIONAL_KIND_CLEARING","date":"2025-02-28"}`, "permission_denied", other{swap("2025-02-28", "2025-03-01"), "already_exists"}},
		{"ListNationals", `{}`, `{"page_size":1001}`, "permission_denied", other{}},
		{"AcceptNational", fmt.Sprintf(`{"idempotency_key":"accept","list":%q,"date":"2025-03-01","reason":"以国家为准"}`, list), `{"idempotency_key":"accept"}`, "permission_denied", other{swap("以国家为准", "另议"), "already_exists"}},
		{"PostInterest", aCharge, strings.Replace(aCharge, "3.21", "3.2", 1), "permission_denied", other{swap("3.21", "3.22"), "already_exists"}},
		{"ChargeBankFee", strings.Replace(aCharge, "interest", "fee", 1), strings.Replace(aCharge, "DEPOSIT_FISCAL", "DEPOSIT_UNSPECIFIED", 1), "permission_denied", other{}},
		{"GetHoldings", `{"year":2025,"party":"320100"}`, `{"year":1}`, "permission_denied", other{}},
	}
}

// prepaid is a server on which the sample month is cleared: what lies at Shanghai
// is used to red by it. A case of Beijing is put beside it, to be declined.
func prepaid(t *testing.T) (*fixture, string) {
	f := start(t)
	f.opened(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"*"}})
	f.uploaded(t, clerk)
	f.done(t, settlementMethod+"Reconcile", clerk, sampleReconcile)
	f.done(t, clearingMethod+"Clear", clerk, sampleClear)
	if _, err := f.db.Pool.Exec(t.Context(), `INSERT INTO top_ups (id, month, province, opened_on, state)
		VALUES ('topup/2025-01/110000', '2025-01', '110000', '2025-02-28', 'open')`); err != nil {
		t.Fatal(err)
	}
	return f, clerk
}

// aListID is the id that the list of the tests has by its content.
func (f *fixture) aListID(t *testing.T, token string) string {
	t.Helper()
	lists, _ := f.ok(t, prepaymentMethod+"ListNationals", token, `{}`)["lists"].([]any)
	if len(lists) == 0 {
		return "none"
	}
	return lists[0].(map[string]any)["list"].(string)
}

func prepaymentsKeepToTheirContracts(t *testing.T, proved *proofs) {
	f, clerk := prepaid(t)
	for i := range prepaymentTests(t, "none") {
		tests := prepaymentTests(t, f.aListID(t, clerk))[i]
		t.Run(tests.method, func(t *testing.T) {
			procedure := prepaymentMethod + tests.method
			m := f.server.methods[procedure]
			role := rolesOf(f.server.deps.Book, m.access.GetAction())[0]
			c := contract{
				fixture: f, proved: proved, procedure: procedure, method: m, good: tests.good, bad: tests.bad,
				subject: map[string]string{"operator": "maker", "approver": "checker", "viewer": "viewer"}[role], // one person makes, another checks
				here:    map[string][]string{role: {"*"}}, stranger: map[string][]string{role: {"329999"}}, foreign: tests.foreign, other: tests.other,
			}
			if tests.method == "ChargeBankFee" { // which is there to refuse
				c.ends = "failed_precondition"
			}
			c.run(t)
		})
	}
	f.checked(t)
}

func TestPrepaymentsNeedASecondPerson(t *testing.T) {
	t.Parallel()
	f, clerk := prepaid(t)
	both := f.token("maker", map[string][]string{"operator": {"*"}, "approver": {"*"}})
	tests := map[string]string{}
	for _, c := range prepaymentTests(t, "none") {
		tests[c.method] = c.good
	}
	for _, method := range []string{"MakePlan", "ProposeTopUp", "ImportNational"} {
		f.ok(t, prepaymentMethod+method, both, tests[method])
	}
	accept := strings.Replace(tests["AcceptNational"], `"none"`, `"`+f.aListID(t, clerk)+`"`, 1)
	for method, request := range map[string]string{"ApproveTopUp": tests["ApproveTopUp"], "AcceptNational": accept} {
		if a := f.call(t, prepaymentMethod+method, both, request); a.code() != "permission_denied" || !strings.Contains(a.message(), "maker") {
			t.Errorf("%s by the maker: %v", method, a.body)
		}
	}
	fee := f.call(t, prepaymentMethod+"ChargeBankFee", both, tests["ChargeBankFee"])
	if !strings.Contains(fee.message(), "N四(三)") || !strings.Contains(fee.message(), "3.21") {
		t.Errorf("a fee: %v", fee.body)
	}
}

func TestPrepaymentsShowOnlyTheCallersRegions(t *testing.T) {
	t.Parallel()
	f, clerk := prepaid(t)
	tests := prepaymentTests(t, "none")
	f.ok(t, prepaymentMethod+"MakePlan", clerk, tests[0].good)
	viewer := f.token("viewer", map[string][]string{"viewer": {"320100"}})
	plan := f.ok(t, prepaymentMethod+"GetPlan", viewer, tests[1].good)["plan"].(map[string]any)
	for name, field := range map[string]string{"quotas": "city", "positions": "party", "notices": "party"} {
		rows, _ := plan[name].([]any)
		if len(rows) == 0 {
			t.Errorf("no %s: %v", name, plan)
		}
		for _, row := range rows {
			if row.(map[string]any)[field] != "320100" {
				t.Errorf("%s: %v", name, row)
			}
		}
	}
	for method, field := range map[string]string{"GetUtilisation": "provinces", "ListPrepaymentNotices": "notices"} {
		request := map[string]string{"GetUtilisation": `{"month":"2025-01"}`, "ListPrepaymentNotices": `{"page_size":1}`}[method]
		all, _ := f.ok(t, prepaymentMethod+method, clerk, request)[field].([]any)
		own, _ := f.ok(t, prepaymentMethod+method, viewer, request)[field].([]any)
		if len(all) == 0 || method == "GetUtilisation" && len(own) != 0 || method != "GetUtilisation" && len(own) != 1 {
			t.Errorf("%s: %d of all, %d own", method, len(all), len(own))
		}
	}
	page := f.ok(t, prepaymentMethod+"ListPrepaymentNotices", clerk, `{"page_size":5}`)
	next := f.ok(t, prepaymentMethod+"ListPrepaymentNotices", clerk, fmt.Sprintf(`{"page_size":1000,"page_token":%q}`, page["nextPageToken"]))
	whole := f.ok(t, prepaymentMethod+"ListPrepaymentNotices", clerk, `{"page_size":1000}`)
	if got := len(page["notices"].([]any)) + len(next["notices"].([]any)); got != len(whole["notices"].([]any)) || next["nextPageToken"] != nil {
		t.Errorf("%d notices in two pages, %d in one", got, len(whole["notices"].([]any)))
	}
}
