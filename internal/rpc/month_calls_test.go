package rpc

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/jobs"
	"fundledger/internal/sample"
)

// monthTest is what is known of a method that works on a month of settlements.
type monthTest struct {
	good    string
	bad     string   // breaks a rule of form
	foreign string   // how it ends for somebody of another region
	more    []string // messages behind the first
}

// centerFile is one of the sample.
var centerFile = func() []byte {
	content, err := sample.Files.ReadFile(sample.Month + "/center.tsv")
	if err != nil {
		panic(err)
	}
	return content
}()

const paysOne = "2025-01/cross-out/320100/pay"

var monthTests = map[string]monthTest{
	settlementMethod + "UploadSettlements": {
		good: startOf("again", "center", centerFile, 0), more: cutUp(centerFile), bad: `{"start":{"batch_id":""}}`,
		foreign: "permission_denied",
	},
	settlementMethod + "GetUpload":       {good: `{"batch_id":"batch-center"}`, bad: `{}`, foreign: "permission_denied"},
	settlementMethod + "ListRowErrors":   {good: `{"batch_id":"batch-center"}`, bad: `{"batch_id":"b","page_size":1001}`, foreign: "permission_denied"},
	settlementMethod + "Reconcile":       {good: `{"idempotency_key":"again","month":"2025-01"}`, bad: `{"idempotency_key":"k","month":"2025-13"}`, foreign: "permission_denied"},
	settlementMethod + "ReconcileDay":    {good: `{"idempotency_key":"day","day":"2025-01-10"}`, bad: `{"idempotency_key":"k","day":"2025-02-30"}`, foreign: "permission_denied"},
	settlementMethod + "ListLateRecords": {good: `{"as_of":"2025-02-21","region":"320100"}`, bad: `{}`, foreign: "permission_denied"},
	settlementMethod + "GetBenefitYear":  {good: `{"year":2025,"insured":"320100"}`, bad: `{}`, foreign: "permission_denied"},
	settlementMethod + "ListExceptions":  {good: `{"region":"320100"}`, bad: `{"region":"Nanjing"}`, foreign: "permission_denied"},
	settlementMethod + "GetMonthReport":  {good: `{"month":"2025-01"}`, bad: `{"month":"2025"}`, foreign: "ok"},
	clearingMethod + "Clear":             {good: `{"idempotency_key":"again","month":"2025-01"}`, bad: `{"month":"2025-01"}`, foreign: "permission_denied"},
	clearingMethod + "ListRuns":          {good: `{}`, bad: `{"page_size":-1}`, foreign: "ok"},
	clearingMethod + "GetRun":            {good: `{"run":"2025-01/in-province"}`, bad: `{}`, foreign: "ok"},
	clearingMethod + "ListCarriedOver":   {good: `{"run":"2025-01/in-province"}`, bad: `{}`, foreign: "ok"},
	clearingMethod + "ListNotices":       {good: `{"party":"320100"}`, bad: `{"due_until":"x"}`, foreign: "permission_denied"},
	clearingMethod + "GetNotice":         {good: `{"notice":"` + paysOne + `"}`, bad: `{}`, foreign: "not_found"},
	clearingMethod + "Remit": {
		good: `{"reference":"V1","notice":"` + paysOne + `","date":"2025-03-03"}`,
		bad:  `{"reference":"V1","notice":"` + paysOne + `","date":"2025-3-3"}`, foreign: "not_found",
	},
	clearingMethod + "RemitAll": {
		good: `{"reference":"ALL","month":"2025-01","date":"2025-03-10"}`, bad: `{"reference":"","month":"2025-01","date":"2025-03-10"}`,
		foreign: "permission_denied",
	},
	clearingMethod + "ListRemittances": {good: `{"party":"320100"}`, bad: `{"to_date":"x"}`, foreign: "permission_denied"},
	clearingMethod + "GetQuotas":       {good: "", bad: `{"year":1,"bases":"eA=="}`, foreign: "ok"},
	clearingMethod + "ListDocuments":   {good: `{"run":"2025-01/in-province"}`, bad: `{}`, foreign: "ok"},
	clearingMethod + "DownloadDocument": {
		good: `{"document":"2025-01/in-province/balance","format":"DOCUMENT_FORMAT_XLSX"}`,
		bad:  `{"document":"2025-01/in-province/balance"}`, foreign: "not_found",
	},
	settlementMethod + "GetSettlement": {bad: `{}`, foreign: "not_found"},
	jobsMethod + "GetJob":              {bad: `{"job_id":"x"}`, foreign: "not_found"},
	jobsMethod + "ListJobs":            {good: `{}`, bad: `{"page_size":1001}`, foreign: "ok"},
	jobsMethod + "WatchJob":            {bad: `{"job_id":"x"}`, foreign: "not_found"},
	jobsMethod + "CancelJob":           {bad: `{"idempotency_key":"k"}`, foreign: "not_found"},
}

func monthKeepsToItsContracts(t *testing.T, proved *proofs) {
	f := start(t)
	f.opened(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"*"}})
	f.uploaded(t, clerk)
	f.done(t, settlementMethod+"Reconcile", clerk, sampleReconcile)
	f.done(t, clearingMethod+"Clear", clerk, sampleClear)
	given, another := f.given(t, clerk)
	// What pays all comes late, so that there is something to pay before, and a file
	// last, behind which the month would have to be reconciled again.
	late := []string{clearingMethod + "RemitAll", settlementMethod + "UploadSettlements"}
	procedures := late
	for procedure := range monthTests {
		if !slices.Contains(late, procedure) {
			procedures = append([]string{procedure}, procedures...)
		}
	}
	for _, procedure := range procedures {
		t.Run(procedure[strings.LastIndex(procedure, "/")+1:], func(t *testing.T) {
			m, tests := f.server.methods[procedure], monthTests[procedure]
			if tests.good == "" {
				tests.good = given[procedure]
			}
			roles := rolesOf(f.server.deps.Book, m.access.GetAction())
			c := contract{
				fixture: f, proved: proved, procedure: procedure, method: m, good: tests.good, bad: tests.bad, more: tests.more,
				here:     map[string][]string{roles[0]: {"*"}, "operator": {"*"}},
				stranger: map[string][]string{roles[0]: {"329999"}}, foreign: tests.foreign,
			}
			if procedure == jobsMethod+"CancelJob" {
				c.other = another
			}
			c.run(t)
		})
	}
	f.checked(t)
}

// given are the requests that need something that is only known now: a
// settlement of Nanjing, jobs. The key that cancels a job is refused for another.
func (f *fixture) given(t *testing.T, token string) (requests map[string]string, anotherJob other) {
	t.Helper()
	exceptions := f.ok(t, settlementMethod+"ListExceptions", token, `{"region":"320100"}`)["exceptions"].([]any)
	settlement := ""
	for _, e := range exceptions {
		if e := e.(map[string]any); e["insured"] != "320900" && e["treating"] != "320900" {
			settlement = e["setlId"].(string)
		}
	}
	listed := f.ok(t, jobsMethod+"ListJobs", token, `{"action":"clearing.clear"}`)["jobs"].([]any)
	id := listed[0].(map[string]any)["jobId"].(string)
	// No server does this kind, so that it waits to be cancelled.
	waits := jobs.New(f.db, map[string]jobs.Work{"waits": workOn(f.server.reconcile)})
	queued, _, err := waits.Start(t.Context(), jobs.Request{Kind: "waits", Key: "k", Action: "settlement.reconcile", Subject: "somebody"})
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := waits.Start(t.Context(), jobs.Request{Kind: "waits", Key: "l", Action: "settlement.reconcile", Subject: "somebody"})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		settlementMethod + "GetSettlement": fmt.Sprintf(`{"setl_id":%q}`, settlement),
		jobsMethod + "GetJob":              fmt.Sprintf(`{"job_id":%q}`, id),
		jobsMethod + "WatchJob":            fmt.Sprintf(`{"job_id":%q}`, id),
		jobsMethod + "CancelJob":           fmt.Sprintf(`{"idempotency_key":"k","job_id":%q}`, queued.ID),
		clearingMethod + "GetQuotas": fmt.Sprintf(`{"year":2025,"bases":%q}`,
			base64.StdEncoding.EncodeToString(sampleFile(t, "prepayment_bases.tsv"))),
	}, other{swap(queued.ID.String(), second.ID.String()), "already_exists"}
}

func TestMonthShowsOnlyTheCallersRegions(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.opened(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"*"}})
	f.uploaded(t, clerk)
	f.done(t, settlementMethod+"Reconcile", clerk, sampleReconcile)
	f.done(t, clearingMethod+"Clear", clerk, sampleClear)
	viewer := f.token("viewer", map[string][]string{"viewer": {"320100"}})
	all := f.ok(t, clearingMethod+"GetRun", clerk, `{"run":"2025-01/in-province"}`)["balance"].(map[string]any)
	own := f.ok(t, clearingMethod+"GetRun", viewer, `{"run":"2025-01/in-province"}`)["balance"].(map[string]any)
	if all["total"] == nil || own["total"] != nil || len(own["rows"].([]any)) == 0 || len(own["rows"].([]any)) >= len(all["rows"].([]any)) {
		t.Errorf("%v", own)
	}
	for _, row := range own["rows"].([]any) {
		if row.(map[string]any)["city"] != "320100" {
			t.Errorf("%v", row)
		}
	}
	for _, n := range f.ok(t, clearingMethod+"ListNotices", viewer, `{}`)["notices"].([]any) {
		if n.(map[string]any)["party"] != "320100" {
			t.Errorf("%v", n)
		}
	}
	for _, d := range f.ok(t, clearingMethod+"ListDocuments", viewer, `{"run":"2025-01/in-province"}`)["documents"].([]any) {
		if !strings.Contains(d.(map[string]any)["document"].(string), "notice-320100-") {
			t.Errorf("%v", d)
		}
	}
	report := f.ok(t, settlementMethod+"GetMonthReport", viewer, `{"month":"2025-01"}`)["report"].(map[string]any)
	whole := f.ok(t, settlementMethod+"GetMonthReport", clerk, `{"month":"2025-01"}`)["report"].(map[string]any)
	head := func(report map[string]any, field string) accounts.Fen {
		text, _ := report[field].(string)
		amount, err := accounts.ParseYuan(text)
		if err != nil {
			t.Fatal(field, err)
		}
		return amount
	}
	for _, field := range []string{"records", "matchedRecords", "matchedAmount"} {
		if own, all := head(report, field), head(whole, field); own <= 0 || own >= all {
			t.Errorf("%s of one region is %s, of all %s", field, own, all)
		}
	}
	amount := accounts.Fen(0)
	for _, list := range []string{"inProvince", "crossProvinceOut", "crossProvinceIn"} {
		pairs, _ := report[list].([]any)
		for _, p := range pairs {
			amount += head(p.(map[string]any), "amount")
		}
	}
	if amount != head(report, "matchedAmount") {
		t.Errorf("the head says %s, the tables %s", head(report, "matchedAmount"), amount)
	}
	nobody := f.token("nobody", map[string][]string{"viewer": {"329999"}})
	if seen := f.ok(t, settlementMethod+"GetMonthReport", nobody, `{"month":"2025-01"}`)["report"]; fmt.Sprint(seen) != "map[matchedAmount:0.00 month:2025-01 takenBackAmount:0.00]" {
		t.Errorf("somebody of no city sees figures: %v", seen)
	}
	for _, p := range report["inProvince"].([]any) {
		if p := p.(map[string]any); p["insured"] != "320100" && p["treating"] != "320100" {
			t.Errorf("%v", p)
		}
	}
	for _, e := range f.ok(t, settlementMethod+"ListExceptions", viewer, `{}`)["exceptions"].([]any) {
		if e := e.(map[string]any); e["insured"] != "320100" && e["treating"] != "320100" {
			t.Errorf("%v", e)
		}
	}
	// Jobs for the whole province are nobody's of one region.
	if listed := f.ok(t, jobsMethod+"ListJobs", f.token("other", map[string][]string{"operator": {"320100"}}), `{}`); listed["jobs"] != nil {
		t.Errorf("%v", listed)
	}
}

func TestWorkOfAMonthIsRefusedBeforeItBegins(t *testing.T) {
	t.Parallel()
	f := start(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"*"}})
	for name, c := range map[string]struct{ method, request, want string }{
		"a month without files":         {settlementMethod + "Reconcile", sampleReconcile, "not_found"},
		"notices before the month ends": {clearingMethod + "Clear", `{"idempotency_key":"k","month":"2025-01","notice_date":"2025-01-31"}`, "invalid_argument"},
		"an upload of nobody":           {settlementMethod + "GetUpload", `{"batch_id":"none"}`, "not_found"},
		"a document of no run":          {clearingMethod + "ListDocuments", `{"run":"2025-01/in-province"}`, "not_found"},
		"a job of nobody":               {jobsMethod + "GetJob", `{"job_id":"6f0d2c1e-0000-4000-8000-000000000000"}`, "not_found"},
	} {
		if a := f.call(t, c.method, clerk, c.request); a.code() != c.want {
			t.Errorf("%s: got %s, want %s: %v", name, a.code(), c.want, a.body)
		}
	}
	if listed := f.ok(t, jobsMethod+"ListJobs", clerk, `{}`); listed["jobs"] != nil {
		t.Errorf("%v", listed)
	}
	if a := f.call(t, clearingMethod+"Clear", clerk, sampleClear); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	if a := f.call(t, clearingMethod+"Clear", clerk, strings.Replace(sampleClear, "2025-01", "2025-02", 1)); a.code() != "already_exists" {
		t.Errorf("the same key for another month: %v", a.body)
	}
}
