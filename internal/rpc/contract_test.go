package rpc

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"fundledger/internal/config"
	accessv1 "fundledger/proto/gen/fundledger/access/v1"
)

// row is one thing that a method must be proved to keep to.
type row string

const (
	success       row = "success"
	badForm       row = "a form that is wrong"
	noCredentials row = "without credentials"
	noRole        row = "all other roles"
	otherRegion   row = "another region"      // where regions apply
	replay        row = "again"               // of what changes something
	otherContent  row = "the key for another" // likewise, where a request has more than its key
)

// proofs are the rows that were proved of each method.
type proofs struct {
	mu   sync.Mutex
	rows map[string]map[row]bool
}

func (p *proofs) add(procedure string, r row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows[procedure] == nil {
		p.rows[procedure] = map[row]bool{}
	}
	p.rows[procedure][r] = true
}

// wanted are the rows of a method.
func (m *method) wanted(t testing.TB) []row {
	rows := []row{success, badForm, noCredentials, noRole}
	if m.access.GetScope() != accessv1.Scope_SCOPE_ANY {
		rows = append(rows, otherRegion)
	}
	if m.changes {
		if rows = append(rows, replay); fieldsOf(t, m.procedure) > 1 {
			rows = append(rows, otherContent)
		}
	}
	return rows
}

// fieldsOf is how many fields the request of a method has.
func fieldsOf(t testing.TB, procedure string) int {
	t.Helper()
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(procedure[1:], "/", ".")))
	if err != nil {
		t.Fatal(err)
	}
	return d.(protoreflect.MethodDescriptor).Input().Fields().Len()
}

// TestEveryMethodIsTested calls every method in every way there is to call it, and
// then counts.
func TestEveryMethodIsTested(t *testing.T) {
	t.Parallel()
	proved := &proofs{rows: map[string]map[row]bool{}}
	t.Run("all", func(t *testing.T) {
		t.Run("books", func(t *testing.T) { t.Parallel(); booksKeepToTheirContracts(t, proved) })
		t.Run("bank", func(t *testing.T) { t.Parallel(); bankKeepsToItsContracts(t, proved) })
		t.Run("month", func(t *testing.T) { t.Parallel(); monthKeepsToItsContracts(t, proved) })
		t.Run("prepayments", func(t *testing.T) { t.Parallel(); prepaymentsKeepToTheirContracts(t, proved) })
		t.Run("providers", func(t *testing.T) { t.Parallel(); providersKeepToTheirContracts(t, proved) })
	})
	f := start(t)
	rows := 0
	for procedure, m := range f.server.methods {
		for _, r := range m.wanted(t) {
			if !proved.rows[procedure][r] {
				t.Errorf("%s is not tested: %s", procedure, r)
			}
			rows++
		}
	}
	if len(proved.rows) != len(f.server.methods) {
		t.Errorf("%d methods are tested, %d are served", len(proved.rows), len(f.server.methods))
	}
	t.Logf("%d methods, %d rows", len(f.server.methods), rows)
}

// contract calls one method in every way.
type contract struct {
	*fixture
	proved    *proofs
	procedure string
	method    *method
	good, bad string
	more      []string            // messages behind the first
	subject   string              // who does it; empty: person
	here      map[string][]string // roles that may do it
	stranger  map[string][]string // the same elsewhere
	foreign   string              // how it ends for a stranger
	ends      string              // how it ends for who may do it; empty: ok
	other     other               // where others has none
}

// streams are the methods that take or send several messages; endless ones are
// left after the first.
var (
	streams = []string{
		settlementMethod + "UploadSettlements", clearingMethod + "DownloadDocument", jobsMethod + "WatchJob", auditMethod + "ExportBundle",
		bankMethod + "DownloadBankReconciliation",
	}
	endless = []string{ledgerMethod + "WatchEntries"}
)

func (c *contract) ask(t *testing.T, token, request string) answer {
	t.Helper()
	switch {
	case slices.Contains(streams, c.procedure):
		_, a := c.stream(t, c.procedure, token, append([]string{request}, c.more...)...)
		return a
	case slices.Contains(endless, c.procedure):
		return c.firstOf(t, c.procedure, token, request)
	}
	return c.call(t, c.procedure, token, request)
}

// prove asks and notes the row if it ends as it should.
func (c *contract) prove(t *testing.T, r row, token, request, want string) answer {
	t.Helper()
	a := c.ask(t, token, request)
	if a.code() != want {
		t.Errorf("%s: got %s, want %s: %v", r, a.code(), want, a.body)
		return a
	}
	c.proved.add(c.procedure, r)
	return a
}

func (c *contract) run(t *testing.T) {
	t.Helper()
	roles := rolesOf(c.server.deps.Book, c.method.access.GetAction())
	person, ends := c.token(cmp.Or(c.subject, "person"), c.here), cmp.Or(c.ends, "ok")
	c.prove(t, noCredentials, "", c.good, "unauthenticated")
	c.prove(t, badForm, person, c.bad, "invalid_argument")
	missing := map[string][]string{} // somebody without any role, where all may do it
	for _, role := range config.Roles {
		if !slices.Contains(roles, role) {
			missing[role] = []string{config.Province}
		}
	}
	c.prove(t, noRole, c.token("person", missing), c.good, "permission_denied")
	shown := c.prove(t, otherRegion, c.token("stranger", c.stranger), c.good, c.foreign)
	for _, path := range unseen[c.procedure] {
		if at(shown.body, path) != nil {
			t.Errorf("a stranger sees %s: %v", path, shown.body)
		}
	}
	first := c.prove(t, success, person, c.good, ends)
	if first.body["replayed"] == true && c.procedure != ledgerMethod+"OpenBooks" { // the fixture has opened them
		t.Errorf("the first call is told to be a replay: %v", first.body)
	}
	for _, path := range unseen[c.procedure] {
		if at(first.body, path) == nil && !slices.Contains(scarce, path) {
			t.Errorf("%s is shown to nobody: %v", path, first.body)
		}
	}
	if !c.method.changes {
		return
	}
	again := c.prove(t, replay, person, c.good, ends)
	if ends != "ok" { // what is refused keeps no key
		return
	}
	if again.body["replayed"] != true {
		t.Errorf("the second call is not told to be a replay: %v", again.body)
	}
	o, ok := others[c.procedure]
	if !ok {
		o = c.other
	}
	if o.of != nil {
		request := o.of(t, c.good)
		if a := c.prove(t, otherContent, person, request, o.ends); request == c.good || a.body["replayed"] == true || o.ends == "ok" && !strings.Contains(fmt.Sprint(a.body), "already_exists") {
			t.Errorf("the key is taken for other content: %v", a.body)
		}
	}
	if a := c.ask(t, person, c.good); a.code() != "ok" || a.body["replayed"] != true { // and the refusal has changed nothing
		t.Errorf("the third call: %v", a.body)
	}
}

// other is other content under the key of a good request, and how that ends.
type other struct {
	of   func(t *testing.T, request string) string
	ends string
}

func swap(before, after string) func(*testing.T, string) string {
	return func(_ *testing.T, request string) string { return strings.ReplaceAll(request, before, after) }
}

func with(field string) func(*testing.T, string) string {
	return func(_ *testing.T, request string) string { return strings.Replace(request, "{", "{"+field+",", 1) }
}

// inFile swaps in the content of the request.
func inFile(before, after string) func(*testing.T, string) string {
	return func(t *testing.T, request string) string {
		var file struct{ Content []byte }
		if err := json.Unmarshal([]byte(request), &file); err != nil {
			t.Fatal(err)
		}
		encoded := base64.StdEncoding.EncodeToString
		return swap(encoded(file.Content), encoded(bytes.ReplaceAll(file.Content, []byte(before), []byte(after))))(t, request)
	}
}

var others = map[string]other{
	ledgerMethod + "Post":             {swap("1.00", "2.00"), "already_exists"},
	ledgerMethod + "PostBatch":        {swap("1.00", "2.00"), "ok"}, // each entry has its own error
	ledgerMethod + "Reverse":          {swap("冲销", "再冲销"), "already_exists"},
	ledgerMethod + "PostOpenings":     {swap("9.00", "8.00"), "already_exists"},
	ledgerMethod + "OpenBooks":        {swap("2025-01", "2025-02"), "already_exists"},
	ledgerMethod + "Pend":             {swap("1.00", "2.00"), "already_exists"},
	ledgerMethod + "Finish":           {with(`"date":"2025-01-16"`), "failed_precondition"},
	ledgerMethod + "Void":             {swap("不再需要", "别的原因"), "failed_precondition"},
	ledgerMethod + "BeginClosePeriod": {swap("2025-01", "2025-02"), "already_exists"},
	ledgerMethod + "ClosePeriod":      {swap("2025-01", "2025-02"), "already_exists"},
	ledgerMethod + "ReopenPeriod":     {swap("漏记", "错记"), "already_exists"},

	accountsMethod + "ApplyRuleChange": {swap("新规定", "又一规定"), "already_exists"},

	settlementMethod + "UploadSettlements": {swap("center.tsv", "centre.tsv"), "already_exists"},
	settlementMethod + "Reconcile":         {swap("2025-01", "2025-02"), "not_found"}, // of a month without files the key is not looked at
	settlementMethod + "ReconcileDay":      {swap("2025-01-10", "2025-01-11"), "already_exists"},
	clearingMethod + "Clear":               {with(`"notice_date":"2025-02-11"`), "already_exists"},
	clearingMethod + "Remit":               {swap("2025-03-03", "2025-03-04"), "already_exists"},
	clearingMethod + "RemitAll":            {swap("2025-03-10", "2025-03-11"), "already_exists"},

	recoveryMethod + "Deduct":              {swap("40.00", "41.00"), "already_exists"},
	recoveryMethod + "OpenClawbacks":       {swap("40.00", "41.00"), "already_exists"},
	recoveryMethod + "ApproveClawback":     {with(`"document":"批2号"`), "already_exists"},
	recoveryMethod + "DeclineClawback":     {swap("证据不足", "已退回"), "already_exists"},
	recoveryMethod + "CancelClawback":      {swap("2025-01-22", "2025-01-23"), "already_exists"},
	recoveryMethod + "MoveClawback":        {swap("10.00", "11.00"), "already_exists"},
	recoveryMethod + "RecordPenalty":       {swap("300.00", "301.00"), "already_exists"},
	recoveryMethod + "WithdrawSettlements": {inFile("重复上传", "金额有误"), "invalid_argument"}, // each line has its own error

	auditMethod + "Verify": {func(t *testing.T, request string) string {
		_, verifier, err := note.GenerateKey(rand.Reader, "fundledger/other")
		if err != nil {
			t.Fatal(err)
		}
		return with(fmt.Sprintf(`"verifier_keys":[%q]`, verifier))(t, request)
	}, "already_exists"},
}

// unseen are the lists of answers that a stranger does not see, where the call as
// such is allowed.
var unseen = map[string][]string{
	clearingMethod + "GetRun":           {"balance.rows", "balance.total", "balance.funds"},
	clearingMethod + "ListCarriedOver":  {"records"},
	clearingMethod + "GetQuotas":        {"inProvince", "crossProvince"},
	clearingMethod + "ListDocuments":    {"documents"},
	settlementMethod + "GetMonthReport": {"report.inProvince", "report.inProvinceNet", "report.records", "report.matchedRecords", "report.exceptions"},
	jobsMethod + "ListJobs":             {"jobs"},
	bankMethod + "ListBankAlerts":       {"alerts"},
	prepaymentMethod + "GetPlan":        {"plan.quotas", "plan.positions", "plan.notices"},
	prepaymentMethod + "GetUtilisation": {"provinces"},
	prepaymentMethod + "ListTopUps":     {"topUps"},
}

// scarce are lists that are empty in the tests.
var scarce = []string{"records"}

// at is what stands in the answer at the path, such as report.records.
func at(body map[string]any, path string) any {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return body[name]
	}
	inner, _ := body[name].(map[string]any)
	return at(inner, rest)
}

// firstOf is the first message of a stream that would go on, or its error.
func (f *fixture) firstOf(t testing.TB, method, token, request string) answer {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	envelope := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(request))), request...)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+method, strings.NewReader(string(envelope)))
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
	head := make([]byte, 5)
	if _, err := io.ReadFull(response.Body, head); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, binary.BigEndian.Uint32(head[1:]))
	if _, err := io.ReadFull(response.Body, content); err != nil {
		t.Fatal(err)
	}
	var message map[string]any
	if err := json.Unmarshal(content, &message); err != nil {
		t.Fatal(err)
	}
	if failed, ok := message["error"].(map[string]any); ok {
		return answer{status: http.StatusBadRequest, body: failed}
	}
	return answer{status: http.StatusOK, body: message}
}

// rolesIn are the first of the roles in the region, or in the province for what
// touches all of it.
func rolesIn(m *method, roles []string, region string) map[string][]string {
	if m.access.GetScope() == accessv1.Scope_SCOPE_PROVINCE {
		region = config.Province
	}
	return map[string][]string{roles[0]: {region}}
}
