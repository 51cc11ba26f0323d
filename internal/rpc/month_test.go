package rpc

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"fundledger/clearing"
	"fundledger/internal/sample"
	"fundledger/ledger"
)

const (
	settlementMethod = "/fundledger.settlement.v1.SettlementService/"
	clearingMethod   = "/fundledger.clearing.v1.ClearingService/"
	jobsMethod       = "/fundledger.jobs.v1.JobsService/"
)

// stream calls a method that streams, with JSON in the envelopes of Connect, and
// returns the messages and how it ended, in the body of the answer.
func (f *fixture) stream(t testing.TB, method, token string, requests ...string) (messages []map[string]any, a answer) {
	t.Helper()
	var sent bytes.Buffer
	for _, request := range requests {
		sent.WriteByte(0)
		sent.Write(binary.BigEndian.AppendUint32(nil, uint32(len(request))))
		sent.WriteString(request)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+method, &sent)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/connect+json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := f.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for len(content) >= 5 {
		flags, size := content[0], binary.BigEndian.Uint32(content[1:5])
		var message map[string]any
		if err := json.Unmarshal(content[5:5+size], &message); err != nil {
			t.Fatal(err)
		}
		content = content[5+size:]
		if flags&2 == 0 {
			messages = append(messages, message)
			continue
		}
		if failed, ok := message["error"].(map[string]any); ok {
			return messages, answer{status: http.StatusBadRequest, body: failed}
		}
		last := map[string]any{}
		if len(messages) > 0 {
			last = messages[len(messages)-1]
		}
		return messages, answer{status: http.StatusOK, body: last}
	}
	t.Fatalf("%s answers %d and no end", method, response.StatusCode)
	return nil, answer{}
}

// sampleFile is a file of the sample month.
func sampleFile(t testing.TB, name string) []byte {
	t.Helper()
	content, err := sample.Files.ReadFile(sample.Month + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// startOf is the first message of an upload, chunk one of the others.
func startOf(batch, side string, content []byte, offset int) string {
	sum := sha256.Sum256(content)
	return fmt.Sprintf(`{"start":{"batch_id":%q,"side":"SIDE_%s","file_name":"%s.tsv","size":%d,"sha256":%q,"offset":%d}}`,
		batch, strings.ToUpper(side), side, len(content), hex.EncodeToString(sum[:]), offset)
}

func chunk(content []byte) string {
	return fmt.Sprintf(`{"chunk":%q}`, base64.StdEncoding.EncodeToString(content))
}

// cutUp cuts a file.
func cutUp(content []byte) (messages []string) {
	const size = 300_000
	for ; len(content) > size; content = content[size:] {
		messages = append(messages, chunk(content[:size]))
	}
	return append(messages, chunk(content))
}

func (f *fixture) ok(t testing.TB, method, token, request string) map[string]any {
	t.Helper()
	a := f.call(t, method, token, request)
	if a.code() != "ok" {
		t.Fatalf("%s: %v", method, a.body)
	}
	return a.body
}

// opened posts the opening balances of the sample.
func (f *fixture) opened(t testing.TB) {
	t.Helper()
	file, err := sample.Files.Open("openings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	openings, err := ledger.ReadOpenings(file, "openings.tsv")
	if err == nil {
		_, err = f.journal.PostOpenings(t.Context(), openings)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// uploaded uploads the files of the three sides.
func (f *fixture) uploaded(t testing.TB, token string) {
	t.Helper()
	for _, side := range sample.Sides {
		content := sampleFile(t, side+".tsv")
		_, a := f.stream(t, settlementMethod+"UploadSettlements", token, append([]string{startOf("batch-"+side, side, content, 0)}, cutUp(content)...)...)
		upload, _ := a.body["upload"].(map[string]any)
		if a.code() != "ok" || upload["state"] != "UPLOAD_STATE_LOADED" || a.body["replayed"] == true {
			t.Fatalf("%s: %v", side, a.body)
		}
	}
}

// done begins a job and follows it to its end; it is the result.
func (f *fixture) done(t testing.TB, method, token, request string) (result map[string]any) {
	t.Helper()
	job := f.ok(t, method, token, request)["job"].(map[string]any)
	states, a := f.stream(t, jobsMethod+"WatchJob", token, fmt.Sprintf(`{"job_id":%q}`, job["jobId"]))
	if a.code() != "ok" || len(states) == 0 {
		t.Fatalf("%v", a.body)
	}
	last := states[len(states)-1]["job"].(map[string]any)
	if last["state"] != "JOB_STATE_SUCCEEDED" || last["method"] != method {
		t.Fatalf("%s ends as %v", method, last)
	}
	return last["result"].(map[string]any)
}

const sampleReconcile, sampleClear = `{"idempotency_key":"r","month":"2025-01"}`, `{"idempotency_key":"c","month":"2025-01"}`

// checked fails unless the books are whole.
func (f *fixture) checked(t testing.TB) *clearing.CheckReport {
	t.Helper()
	report, err := clearing.Check(t.Context(), f.journal, f.db, f.server.deps.Book)
	if err != nil || !report.OK() {
		t.Fatalf("the books are not whole: %v %+v", err, report)
	}
	return report
}

// The main job: three files in, reconciled, cleared, paid, whole.
func TestMonthRunsWhollyOverRPC(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.opened(t)
	token := f.token("clerk", map[string][]string{"operator": {"*"}})
	var expected sample.Expected
	if err := json.Unmarshal(sampleFile(t, "expected.json"), &expected); err != nil {
		t.Fatal(err)
	}
	// The first upload breaks, is asked how far it is, goes on there, and is sent again.
	content := sampleFile(t, "treating.tsv")
	half := len(content) / 2
	_, a := f.stream(t, settlementMethod+"UploadSettlements", token, startOf("batch-treating", "treating", content, 0), chunk(content[:half]))
	if a.code() != "ok" || a.body["upload"].(map[string]any)["state"] != "UPLOAD_STATE_RECEIVING" {
		t.Fatalf("%v", a.body)
	}
	upload := f.ok(t, settlementMethod+"GetUpload", token, `{"batch_id":"batch-treating"}`)["upload"].(map[string]any)
	if upload["received"] != fmt.Sprint(half) {
		t.Errorf("%v", upload)
	}
	if _, a := f.stream(t, settlementMethod+"UploadSettlements", token, startOf("batch-treating", "treating", content, half+1), chunk(content[half+1:])); a.code() != "failed_precondition" {
		t.Errorf("a gap: %v", a.body)
	}
	if _, a := f.stream(t, settlementMethod+"UploadSettlements", token, startOf("batch-treating", "treating", content, half), startOf("x", "treating", content, 0)); a.code() != "invalid_argument" {
		t.Errorf("two starts: %v", a.body)
	}
	if _, a := f.stream(t, settlementMethod+"UploadSettlements", token, chunk(content)); a.code() != "invalid_argument" {
		t.Errorf("no start: %v", a.body)
	}
	for _, replayed := range []any{nil, true} {
		_, a := f.stream(t, settlementMethod+"UploadSettlements", token, startOf("batch-treating", "treating", content, half), chunk(content[half:]))
		if a.code() != "ok" || a.body["upload"].(map[string]any)["state"] != "UPLOAD_STATE_LOADED" || a.body["replayed"] != replayed {
			t.Fatalf("%v", a.body)
		}
	}
	for _, side := range sample.Sides[1:] {
		content := sampleFile(t, side+".tsv")
		if _, a := f.stream(t, settlementMethod+"UploadSettlements", token, append([]string{startOf("batch-"+side, side, content, 0)}, cutUp(content)...)...); a.code() != "ok" {
			t.Fatalf("%s: %v", side, a.body)
		}
	}
	reconciled := f.done(t, settlementMethod+"Reconcile", token, sampleReconcile)
	if reconciled["matched"] != fmt.Sprint(expected.MatchedRecords) || reconciled["compared"] != true {
		t.Errorf("%v", reconciled)
	}
	report := f.ok(t, settlementMethod+"GetMonthReport", token, `{"month":"2025-01"}`)["report"].(map[string]any)
	if report["matchedAmount"] != expected.MatchedAmount.String() || report["records"] != fmt.Sprint(expected.Records) ||
		len(report["inProvince"].([]any)) != len(expected.InProvince) || len(report["inProvinceNet"].([]any)) != len(expected.InProvinceNet) {
		t.Errorf("%v", report)
	}
	cleared := f.done(t, clearingMethod+"Clear", token, sampleClear)
	if runs, _ := cleared["runs"].([]any); len(runs) != 3 {
		t.Errorf("%v", cleared)
	}
	listed := f.ok(t, clearingMethod+"ListNotices", token, `{"month":"2025-01","open_only":true,"page_size":1000}`)["notices"].([]any)
	if fmt.Sprint(len(listed)) != cleared["notices"] {
		t.Errorf("%d notices are open of %v", len(listed), cleared["notices"])
	}
	const pays = "2025-01/cross-out/320100/pay"
	part := `{"reference":"B1","notice":"` + pays + `","date":"2025-03-03","lines":[{"fund":"310","amount":"1000.00"}]}`
	f.ok(t, clearingMethod+"Remit", token, part)
	notice := f.ok(t, clearingMethod+"GetNotice", token, `{"notice":"`+pays+`"}`)["notice"].(map[string]any)
	if payments := notice["payments"].([]any); len(payments) != 1 || payments[0].(map[string]any)["amount"] != "1000.00" {
		t.Errorf("%v", notice)
	}
	all := `{"reference":"B2","month":"2025-01","date":"2025-03-10"}`
	paid := f.ok(t, clearingMethod+"RemitAll", token, all)
	if made := paid["remittances"].([]any); len(made) < len(listed) || paid["refusal"] != nil || paid["replayed"] != nil {
		t.Errorf("%d of %d, %v", len(made), len(listed), paid["refusal"])
	}
	again := f.ok(t, clearingMethod+"RemitAll", token, all)
	if again["replayed"] != true || len(again["remittances"].([]any)) != len(paid["remittances"].([]any)) {
		t.Errorf("%v", again)
	}
	if a := f.call(t, clearingMethod+"RemitAll", token, `{"reference":"B2","month":"2025-01","date":"2025-03-11"}`); a.code() != "already_exists" {
		t.Errorf("another date: %v", a.body)
	}
	if a := f.call(t, clearingMethod+"RemitAll", token, `{"reference":"B3","month":"2025-02","date":"2025-03-11"}`); a.code() != "not_found" {
		t.Errorf("a month without notices: %v", a.body)
	}
	if open := f.ok(t, clearingMethod+"ListNotices", token, `{"open_only":true}`); open["notices"] != nil {
		t.Errorf("%v", open)
	}
	if check := f.checked(t); len(check.Unpaid) != 0 || len(check.Unfrozen) != 0 {
		t.Errorf("%v %v", check.Unpaid, check.Unfrozen)
	}
	files, a := f.stream(t, clearingMethod+"DownloadDocument", token, `{"document":"2025-01/in-province/balance","format":"DOCUMENT_FORMAT_JSON"}`)
	if a.code() != "ok" || files[0]["fileName"] != "balance.json" {
		t.Fatalf("%v", a.body)
	}
	var file []byte
	for _, message := range files {
		part, err := base64.StdEncoding.DecodeString(message["chunk"].(string))
		if err != nil {
			t.Fatal(err)
		}
		file = append(file, part...)
	}
	var table struct{ Rows []any }
	if err := json.Unmarshal(file, &table); err != nil || len(table.Rows) != len(expected.InProvinceNet) {
		t.Errorf("%d rows, %v", len(table.Rows), err)
	}
}
