package rpc

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const bankMethod = "/fundledger.clearing.v1.BankService/"

// bankStatement is the statement of January: three receipts, of which the first
// names its entry, and a fee.
const bankStatement = "#from 2025-01-01\n#to 2025-01-31\n#opening 0.00\n#closing 2.50\naccount\tdate\tserial\tside\tamount\treference\n" +
	"3201-0001\t2025-01-15\tS1\tC\t1.00\tB1\n3201-0001\t2025-01-15\tS2\tC\t1.00\t\n3201-0001\t2025-01-16\tS3\tC\t1.00\t\n3201-0001\t2025-01-10\tS4\tD\t0.50\t\n"

func importOf(key, content string) string {
	return fmt.Sprintf(`{"idempotency_key":%q,"file_name":"s.tsv","content":%q}`, key, base64.StdEncoding.EncodeToString([]byte(content)))
}

const putAccount = `{"idempotency_key":"put","accounts":[{"number":"3201-0001","bank":"中国银行","holder":"南京市医保中心","book":"320100.agency",
	"backs":[{"fund":"310","subject":"1003"}],"from":"2025-01-01","source":"开户许可证"}]}`

const onJanuary = `"account":"3201-0001","day":"2025-01-31"`

// theirStatement is that of another province, which says that it holds our money.
var theirStatement = base64.StdEncoding.EncodeToString([]byte("#province 310000\n#from 2025-01-01\n#to 2025-01-31\nitem\tfund\trow\tdate\treference\tamount\tremark\n" +
	"our_prepayment\t310\topening\t\t\t5.00\t\nour_prepayment\t310\tclosing\t\t\t5.00\t\n"))

// bankTest is what is known of a method; good may ask for something that is only
// known when it is called.
type bankTest struct {
	method  string
	good    func(f *fixture, t *testing.T) string
	bad     string
	foreign string
	other   other
}

func always(request string) func(*fixture, *testing.T) string {
	return func(*fixture, *testing.T) string { return request }
}

var bankTests = []bankTest{
	{"PutBankAccounts", always(putAccount), strings.Replace(putAccount, "3201-0001", "3201 0001", 1), "permission_denied",
		other{swap("中国银行", "工商银行"), "already_exists"}},
	{"ImportBankStatements", always(importOf("import", bankStatement)), `{"idempotency_key":"k","file_name":"s.tsv"}`, "not_found",
		other{func(*testing.T, string) string {
			return importOf("import", strings.Replace(bankStatement, "\tB1", "\tB2", 1))
		}, "already_exists"}},
	{"ListBankAccounts", always(`{"book":"320100.agency","on":"2025-01-31"}`), `{"on":"x"}`, "permission_denied", other{}},
	{"ListBankStatements", always(`{"account":"3201-0001"}`), `{}`, "not_found", other{}},
	{"ListBankLines", always(`{"account":"3201-0001","open_only":true}`), `{"account":"3201-0001","from_date":"x"}`, "not_found", other{}},
	{"MatchAutomatically", always(`{"idempotency_key":"auto",` + onJanuary + `}`), `{"idempotency_key":"k","account":"3201-0001"}`, "not_found",
		other{swap("2025-01-31", "2025-01-30"), "already_exists"}},
	{"ListBankSuggestions", always(`{` + onJanuary + `}`), `{"account":"3201-0001"}`, "not_found", other{}},
	{"ConfirmBankSuggestion", func(f *fixture, t *testing.T) string {
		listed := f.ok(t, bankMethod+"ListBankSuggestions", f.token("before", all), `{`+onJanuary+`}`)["suggestions"].([]any)
		return fmt.Sprintf(`{"idempotency_key":"confirm",`+onJanuary+`,"suggestion":%q}`, listed[0].(map[string]any)["suggestion"])
	}, `{"idempotency_key":"k",` + onJanuary + `}`, "not_found", other{swap("2025-01-31", "2025-01-30"), "already_exists"}},
	{"MatchByHand", func(f *fixture, t *testing.T) string {
		listed := f.ok(t, bankMethod+"ListBankSuggestions", f.token("before", all), `{`+onJanuary+`}`)["suggestions"].([]any)
		s := listed[0].(map[string]any)
		book := s["books"].([]any)[0].(map[string]any)["posting"].(map[string]any)
		return fmt.Sprintf(`{"idempotency_key":"hand",`+onJanuary+`,"serials":[%q],"postings":[{"entry_id":%q,"line":0}]}`,
			s["lines"].([]any)[0].(map[string]any)["serial"], book["entryId"])
	}, `{"idempotency_key":"k",` + onJanuary + `,"serials":["S2"]}`, "not_found", other{swap("2025-01-31", "2025-01-30"), "already_exists"}},
	{"ListBankMatches", always(`{"account":"3201-0001"}`), `{"account":"a/b"}`, "not_found", other{}},
	{"UndoBankMatch", func(f *fixture, t *testing.T) string {
		for _, m := range f.ok(t, bankMethod+"ListBankMatches", f.token("before", all), `{"account":"3201-0001"}`)["matches"].([]any) {
			if m := m.(map[string]any); m["automatic"] == true {
				return fmt.Sprintf(`{"idempotency_key":"undo","match_id":%q,"on":"2025-02-01","reason":"错配"}`, m["matchId"])
			}
		}
		t.Fatal("nothing was matched automatically")
		return ""
	}, `{"idempotency_key":"k","match_id":"x","on":"2025-02-01","reason":"错配"}`, "not_found", other{swap("错配", "别的"), "already_exists"}},
	{"GetBankReconciliation", always(`{` + onJanuary + `}`), `{"account":"3201-0001","day":"2025-1-31"}`, "not_found", other{}},
	{"DownloadBankReconciliation", always(`{` + onJanuary + `,"format":"DOCUMENT_FORMAT_XLSX"}`), `{` + onJanuary + `}`, "not_found", other{}},
	{"ListBankAlerts", always(`{"on":"2025-01-31"}`), `{}`, "ok", other{}},
	{"ListBookDifferences", always(`{"day":"2025-01-31","region":"320100"}`), `{"day":"2025-01-31","region":"x"}`, "permission_denied", other{}},
	{"CompareProvince", always(`{"file_name":"p.tsv","content":"` + theirStatement + `"}`), `{"file_name":"p.tsv"}`, "permission_denied", other{}},
}

// receipts posts the entries that the statement is about.
func (f *fixture) receipts(t *testing.T) {
	t.Helper()
	for _, key := range []string{"B1", "B2", "B3"} {
		f.ok(t, ledgerMethod+"Post", f.token("before", all), `{"entry":`+newEntry(key, "adjustment")+`}`)
	}
}

func bankKeepsToItsContracts(t *testing.T, proved *proofs) {
	f := start(t)
	f.receipts(t)
	for _, tests := range bankTests {
		t.Run(tests.method, func(t *testing.T) {
			procedure := bankMethod + tests.method
			m := f.server.methods[procedure]
			roles := rolesOf(f.server.deps.Book, m.access.GetAction())
			c := contract{
				fixture: f, proved: proved, procedure: procedure, method: m, good: tests.good(f, t), bad: tests.bad, other: tests.other,
				here: rolesIn(m, roles, "320100"), stranger: map[string][]string{roles[0]: {"320200"}}, foreign: tests.foreign,
			}
			c.run(t)
		})
	}
	report, err := f.journal.Check(t.Context())
	if err != nil || !report.OK() {
		t.Errorf("the books are not whole: %v %+v", err, report)
	}
}

func TestBooksAreComparedWithMoneyOverRPC(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.receipts(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"320100"}, "admin": {"320100"}})
	f.ok(t, bankMethod+"PutBankAccounts", clerk, putAccount)
	imported := f.ok(t, bankMethod+"ImportBankStatements", clerk, importOf("i", bankStatement))["statements"].([]any)[0].(map[string]any)
	if imported["added"] != "4" || imported["statement"].(map[string]any)["importedBy"] != "clerk" {
		t.Errorf("%v", imported)
	}
	matched := f.ok(t, bankMethod+"MatchAutomatically", clerk, `{"idempotency_key":"m",`+onJanuary+`}`)["matches"].([]any)
	if len(matched) != 1 || matched[0].(map[string]any)["rule"] != "bank.match.10_exact" || matched[0].(map[string]any)["madeBy"] != "clerk" {
		t.Errorf("%v", matched)
	}
	told := f.ok(t, bankMethod+"GetBankReconciliation", clerk, `{`+onJanuary+`}`)
	table := told["reconciliation"].(map[string]any)
	if table["bookBalance"] != "3.00" || table["statementBalance"] != "2.50" || table["bookIn"] != "2.00" || table["bankIn"] != "2.00" || table["bankOut"] != "0.50" ||
		table["adjustedBookBalance"] != "4.50" || table["adjustedStatementBalance"] != "4.50" || table["difference"] != "0.00" || told["position"] != "3" {
		t.Errorf("%v", told)
	}
	alerts := f.ok(t, bankMethod+"ListBankAlerts", clerk, `{"on":"2025-01-20"}`)["alerts"].([]any)
	if len(alerts) != 1 || alerts[0].(map[string]any)["kind"] != "OUTSTANDING_KIND_BANK_OUT" || alerts[0].(map[string]any)["age"] != 10.0 {
		t.Errorf("%v", alerts)
	}
	differences := f.ok(t, bankMethod+"ListBookDifferences", clerk, `{"day":"2025-01-31"}`)["differences"].([]any)
	if d := differences[0].(map[string]any); len(differences) != 1 || d["difference"] != "3.00" || len(d["entries"].([]any)) != 3 {
		t.Errorf("%v", differences)
	}
	// Another region cannot take a bank account over.
	stranger := f.token("stranger", map[string][]string{"admin": {"320200"}})
	taken := strings.NewReplacer(`"put"`, `"taken"`, "320100", "320200", "2025-01-01", "2025-02-01").Replace(putAccount)
	if a := f.call(t, bankMethod+"PutBankAccounts", stranger, taken); a.code() != "permission_denied" {
		t.Errorf("%v", a.body)
	}
}
