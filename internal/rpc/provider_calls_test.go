package rpc

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement"
)

const providerMethod = "/fundledger.settlement.v1.ProviderService/"

// providerTest is what is known of a method of ProviderService. They are called
// in their order, each by somebody of the region who holds a role for it.
type providerTest struct {
	name, region, good, bad string
	foreign                 string // how it ends for somebody of another region
	other                   other  // of what changes something
}

const (
	whose   = `"treating":"320500","provider":"H1"`
	applied = `{"region":"320500","document":"D2"`
)

// compared is the request to compare a content.
func compared(content string) string {
	return fmt.Sprintf(`{"sha256":"%x",%s,"month":"2025-01","date":"2025-02-03","content":%q}`, sha256.Sum256([]byte(content)), whose,
		base64.StdEncoding.EncodeToString([]byte(content)))
}

const oneDiffers = "setl_id\tmonth\ttotal\nA\t2025-01\t99.00\n"

var otherDate = other{swap(`"date":"2025-02-1`, `"date":"2025-02-2`), "already_exists"}

var providerTests = []providerTest{
	{"FundSpending", "320500", `{"region":"320500","lines":[{"fund":"310","amount":"900.00"}],"date":"2025-02-01","reference":"K1"}`,
		`{"region":"320500","lines":[],"date":"2025-02-01","reference":"K1"}`, "permission_denied", other{swap("900.00", "901.00"), "already_exists"}},
	{"MatchStatement", "320500", compared(oneDiffers), strings.Replace(compared(oneDiffers), "2025-01", "2025-1", 1), "permission_denied",
		other{swap(base64.StdEncoding.EncodeToString([]byte(oneDiffers)), base64.StdEncoding.EncodeToString([]byte("setl_id\n"))), "invalid_argument"}},
	{"ListDifferences", "320500", `{` + whose + `,"month":"2025-01"}`, `{` + whose + `}`, "permission_denied", other{}},
	{"GetPayables", "320500", `{` + whose + `,"through":"2025-01-31"}`, `{` + whose + `}`, "permission_denied", other{}},
	{"ListClaims", "320500", `{"treating":"320500"}`, `{"treating":"320500","page_size":1001}`, "permission_denied", other{}},
	{"GetProviderStatement", "320500", `{` + whose + `,"month":"2025-01"}`, `{` + whose + `}`, "permission_denied", other{}},
	{"MakePaymentList", "320500", `{"list_id":"L1",` + whose + `,"through":"2025-01-31","lines":[{"fund":"310","amount":"80.00"}],"date":"2025-02-10"}`,
		`{"list_id":"L1",` + whose + `,"through":"2025-01-31","lines":[{"fund":"310","amount":"80"}],"date":"2025-02-10"}`, "permission_denied", other{swap("80.00", "81.00"), "already_exists"}},
	{"GetPaymentList", "320500", `{"list_id":"L1"}`, `{}`, "not_found", other{}},
	{"ListPaymentLists", "320500", `{"treating":"320500"}`, `{"state":9}`, "permission_denied", other{}},
	{"ListPaymentItems", "320500", `{"list_id":"L1"}`, `{}`, "not_found", other{}},
	{"PayList", "320500", `{"list_id":"L1","date":"2025-02-12","reference":"B1"}`, `{"list_id":"L1","date":"2025-02-12"}`, "not_found", otherDate},
	{"ReturnPayment", "320500", `{"list_id":"L1","date":"2025-02-14","reason":"account closed"}`, `{"list_id":"L1","date":"2025-02-14"}`, "not_found", otherDate},
	{"CancelList", "320500", `{"list_id":"L2","date":"2025-02-14","reason":"too early"}`, `{"list_id":"L2","date":"x","reason":"too early"}`, "not_found", otherDate},
	{"ReceiveReimbursement", "320500", application("D1"), strings.Replace(application("D1"), `"amount":"20.00"`, `"amount":"20"`, 1), "permission_denied", other{swap("20.00", "21.00"), "already_exists"}},
	{"ExtendReimbursement", "320500", applied + `,"date":"2025-01-21","reason":"abroad"}`, applied + `,"date":"2025-01-21"}`, "permission_denied", other{swap("abroad", "ill"), "already_exists"}},
	{"ApproveReimbursement", "320500", applied + `,"date":"2025-01-21"}`, applied + `}`, "permission_denied", other{swap("2025-01-21", "2025-01-22"), "already_exists"}},
	{"PayReimbursement", "320500", applied + `,"date":"2025-02-13","reference":"B3"}`, applied + `,"date":"2025-02-13"}`, "permission_denied", otherDate},
	{"DeclineReimbursement", "320500", `{"region":"320500","document":"D3","date":"2025-01-21","reason":"paid directly"}`, applied + `,"date":"2025-01-21"}`, "permission_denied",
		other{swap("paid directly", "unreadable"), "already_exists"}},
	{"GetReimbursement", "320500", applied + `}`, `{"region":"320500"}`, "permission_denied", other{}},
	{"ListReimbursements", "320500", `{"as_of":"2025-03-01","region":"320500"}`, `{}`, "permission_denied", other{}},
	{"AskFeeCheck", "320100", `{"check_id":"C1","setl_id":"B","date":"2025-02-13"}`, `{"check_id":"C1","date":"2025-02-13"}`, "not_found", otherDate},
	{"GetFeeCheck", "320100", `{"check_id":"C1"}`, `{}`, "not_found", other{}},
	{"ListFeeChecks", "320100", `{"as_of":"2025-03-27","region":"320100"}`, `{"region":"320100"}`, "permission_denied", other{}},
	{"AnswerFeeCheck", "320500", `{"check_id":"C1","outcome":"FEE_CHECK_OUTCOME_DIFFERS","differs":"12.00","reason":"billed twice","date":"2025-03-03"}`,
		`{"check_id":"C1","date":"2025-03-03"}`, "not_found", other{swap("12.00", "13.00"), "already_exists"}},
	{"ConfirmFeeCheck", "320100", `{"check_id":"C1","date":"2025-03-05"}`, `{"check_id":"C1"}`, "not_found", other{swap("2025-03-05", "2025-03-06"), "already_exists"}},
}

func application(document string) string {
	return fmt.Sprintf(`{"region":"320500","document":%q,"psn_no":"P26a4f69d17d3","med_type":"11","bill":"50.00","shares":[{"fund":"310","amount":"20.00"}],"receive_date":"2025-01-20"}`, document)
}

// providerMonth posts two settlements of Nanjing's insured at H1 in Suzhou, and
// gives Suzhou money.
func (f *fixture) providerMonth(t *testing.T) {
	t.Helper()
	header := strings.Join(settlement.Columns(), "\t")
	row := func(id, amount string) string {
		return strings.Join([]string{id, "S" + id, "P26a4f69d17d3", "310", "320100", "320500", "H1", "21", "21", "2025-01-05", "2025-01-10", "2025-01-10T09:00:00+08:00",
			amount, amount, amount, "0", "0", "0", "0", "0", "0", "0", "0", "0", "null"}, "\t")
	}
	files := fstest.MapFS{"m.tsv": {Data: []byte(header + "\n" + row("A", "100.00") + "\n" + row("B", "30000.00") + "\n")}}
	settlements := f.server.desks.Load().settlements
	for _, side := range settlement.Sides() {
		if _, err := settlements.Import(t.Context(), side, settlement.FSFile(files, "m.tsv"), settlement.ImportOptions{Strict: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := settlements.Reconcile(t.Context(), "2025-01", settlement.ReconcileOptions{}); err != nil {
		t.Fatal(err)
	}
	e := ledger.Entry{Key: "premium", Date: accounts.Month("2025-01").First(), Period: "2025-01", Kind: "premium.received", Summary: "保费", Preparer: "test"}
	lines, err := ledger.Draft(f.server.deps.Book, ledger.Facts{Event: e.Kind, Date: e.Date, Fund: "310", Regions: map[string]string{"H": "320500"},
		Amounts: map[string][]ledger.Part{"amount": ledger.Total(10_000_00)}})
	if err != nil {
		t.Fatal(err)
	}
	e.Postings = lines
	if results, err := f.journal.Post(t.Context(), e); err != nil || results[0].Err != nil {
		t.Fatal(results, err)
	}
}

func providersKeepToTheirContracts(t *testing.T, proved *proofs) {
	f := start(t)
	f.providerMonth(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"320500"}})
	f.ok(t, providerMethod+"ReceiveReimbursement", clerk, application("D2"))
	f.ok(t, providerMethod+"ReceiveReimbursement", clerk, application("D3"))
	for _, tests := range providerTests {
		t.Run(tests.name, func(t *testing.T) {
			if tests.name == "CancelList" { // what L1 had is payable again
				f.ok(t, providerMethod+"MakePaymentList", clerk, `{"list_id":"L2",`+whose+`,"through":"2025-01-31","date":"2025-02-14"}`)
			}
			procedure := providerMethod + tests.name
			m := f.server.methods[procedure]
			role := rolesOf(f.server.deps.Book, m.access.GetAction())[0]
			c := contract{
				fixture: f, proved: proved, procedure: procedure, method: m, good: tests.good, bad: tests.bad,
				here: map[string][]string{role: {tests.region}}, stranger: map[string][]string{role: {"320900"}}, foreign: tests.foreign, other: tests.other,
			}
			c.run(t)
		})
	}
	f.checked(t)
}

func TestProvidersAreServedWithTheirFigures(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.providerMonth(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"320500"}})
	payables := f.ok(t, providerMethod+"GetPayables", clerk, `{`+whose+`,"through":"2025-01-31"}`)["payables"].([]any)
	if p := payables[0].(map[string]any); p["open"] != "30100.00" || p["balance"] != "30100.00" || p["settlements"] != "2" {
		t.Errorf("%v", p)
	}
	f.ok(t, providerMethod+"FundSpending", clerk, `{"region":"320500","lines":[{"fund":"310","amount":"100.00"}],"date":"2025-02-01","reference":"K1"}`)
	f.ok(t, providerMethod+"MakePaymentList", clerk, `{"list_id":"L1",`+whose+`,"through":"2025-01-31","lines":[{"fund":"310","amount":"150.00"}],"date":"2025-02-10"}`)
	short := f.call(t, providerMethod+"PayList", clerk, `{"list_id":"L1","date":"2025-02-12","reference":"B1"}`)
	if short.code() != "failed_precondition" || !strings.Contains(short.message(), "short by 50.00") {
		t.Errorf("%v", short.body)
	}
	f.ok(t, providerMethod+"FundSpending", clerk, `{"region":"320500","lines":[{"fund":"310","amount":"50.00"}],"date":"2025-02-01","reference":"K2"}`)
	f.ok(t, providerMethod+"PayList", clerk, `{"list_id":"L1","date":"2025-02-12","reference":"B1"}`)
	first := f.ok(t, providerMethod+"ListPaymentItems", clerk, `{"list_id":"L1","page_size":1}`)
	rest := f.ok(t, providerMethod+"ListPaymentItems", clerk, fmt.Sprintf(`{"list_id":"L1","page_size":1,"page_token":%q}`, first["nextPageToken"]))
	a, b := first["items"].([]any)[0].(map[string]any), rest["items"].([]any)[0].(map[string]any)
	if a["setlId"] != "A" || a["amount"] != "100.00" || b["setlId"] != "B" || b["amount"] != "50.00" || rest["nextPageToken"] != nil {
		t.Errorf("%v %v", first, rest)
	}
	list := f.ok(t, providerMethod+"GetPaymentList", clerk, `{"list_id":"L1"}`)["list"].(map[string]any)
	if list["state"] != "PAYMENT_LIST_STATE_PAID" || len(list["events"].([]any)) != 2 || list["entryId"] == nil {
		t.Errorf("%v", list)
	}
	statement := f.ok(t, providerMethod+"GetProviderStatement", clerk, `{`+whose+`,"month":"2025-02"}`)["lines"].([]any)[0].(map[string]any)
	if statement["opening"] != "30100.00" || statement["paid"] != "150.00" || statement["closing"] != "29950.00" {
		t.Errorf("%v", statement)
	}
	match := f.ok(t, providerMethod+"MatchStatement", clerk, compared(oneDiffers))["match"].(map[string]any)
	if fmt.Sprint(match["differences"]) != "[map[count:1 kind:amount_differs] map[count:1 kind:missing_at_provider]]" {
		t.Errorf("%v", match)
	}
	// Who receives an application cannot approve it; who treats cannot ask for a check.
	both := f.token("both", map[string][]string{"operator": {"320500"}, "approver": {"320500"}})
	f.ok(t, providerMethod+"ReceiveReimbursement", both, application("D1"))
	if a := f.call(t, providerMethod+"ApproveReimbursement", both, `{"region":"320500","document":"D1","date":"2025-01-21"}`); a.code() != "permission_denied" {
		t.Errorf("%v", a.body)
	}
	if a := f.call(t, providerMethod+"AskFeeCheck", clerk, `{"check_id":"C1","setl_id":"B","date":"2025-02-03"}`); a.code() != "permission_denied" {
		t.Errorf("%v", a.body)
	}
	insured := f.token("insured", map[string][]string{"operator": {"320100"}})
	f.ok(t, providerMethod+"AskFeeCheck", insured, `{"check_id":"C1","setl_id":"B","date":"2025-02-03"}`)
	if a := f.call(t, providerMethod+"AnswerFeeCheck", insured, `{"check_id":"C1","outcome":"FEE_CHECK_OUTCOME_CONFIRMED","date":"2025-03-03"}`); a.code() != "permission_denied" {
		t.Errorf("%v", a.body)
	}
	f.checked(t)
}

func TestADayLateRecordsAndBenefitYearsAreServed(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.providerMonth(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"*"}})
	day := f.done(t, settlementMethod+"ReconcileDay", clerk, `{"idempotency_key":"d","day":"2025-01-10"}`)
	if day["settlements"] != "2" || day["matched"] != "2" || day["posted"] != nil || len(day["totals"].([]any)) != 1 {
		t.Errorf("%v", day)
	}
	late := f.ok(t, settlementMethod+"ListLateRecords", clerk, `{"as_of":"2025-02-21"}`)["records"].([]any)
	if l := late[0].(map[string]any); len(late) != 2 || l["setlId"] != "A" || l["lateness"] != "LATENESS_CARRIED_OVER" || l["cutOffDate"] != "2025-02-20" || l["deferralDate"] != "2025-04-20" {
		t.Errorf("%v", late)
	}
	if in := f.ok(t, settlementMethod+"ListLateRecords", clerk, `{"as_of":"2025-02-20"}`); in["records"] != nil {
		t.Errorf("%v", in)
	}
	totals := f.ok(t, settlementMethod+"GetBenefitYear", clerk, `{"year":2025}`)["totals"].([]any)
	if b := totals[0].(map[string]any); b["insured"] != "320100" || b["amount"] != "30100.00" || b["settledIn"] != 2025.0 {
		t.Errorf("%v", totals)
	}
	story := f.ok(t, settlementMethod+"GetSettlement", clerk, `{"setl_id":"A"}`)["settlement"].(map[string]any)
	if fmt.Sprint(story["benefitYears"]) != "[map[amount:100.00 benefitYear:2025 fund:310]]" {
		t.Errorf("%v", story["benefitYears"])
	}
}
