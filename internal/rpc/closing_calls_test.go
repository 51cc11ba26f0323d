package rpc

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/ledger"
)

const (
	closingMethod   = "/fundledger.clearing.v1.ClosingService/"
	statementMethod = "/fundledger.clearing.v1.StatementService/"
	financeBook     = "320100.finance"
)

func init() {
	last = append(last, closingMethod+"CloseMonth", closingMethod+"CloseYear")
	maps.Copy(methodTests, map[string]tested{
		closingMethod + "GetChecklist": {fixed(`{"book":"320100.agency","month":"2025-01"}`), `{"book":"320100.agency","month":"2025"}`},
		closingMethod + "CloseMonth": {
			func(f *fixture, t *testing.T, key string) string {
				return fmt.Sprintf(`{"idempotency_key":%q,"books":[%q],"month":"2025-02"}`, key, financeBook)
			},
			`{"idempotency_key":"k","books":[],"month":"2025-02"}`,
		},
		closingMethod + "CloseYear": {
			func(f *fixture, t *testing.T, key string) string {
				f.closeUntil(t, financeBook, "2025-11")
				return fmt.Sprintf(`{"idempotency_key":%q,"book":%q,"year":2025}`, key, financeBook)
			},
			`{"idempotency_key":"k","book":"320100.finance","year":1}`,
		},
		statementMethod + "GetTrialBalance":    {fixed(`{"book":"320100.agency","fund":"310","from_month":"2025-01","to_month":"2025-12"}`), `{"book":"320100.agency","fund":"310","from_month":"2025-01"}`},
		statementMethod + "GetBalanceSheet":    {fixed(`{"book":"320100.agency","fund":"310","month":"2025-01"}`), `{"book":"320100.agency","month":"2025-01"}`},
		statementMethod + "GetIncomeStatement": {fixed(`{"book":"320100.agency","fund":"310","from_month":"2025-01","to_month":"2025-01"}`), `{"book":"x","fund":"310","from_month":"2025-01","to_month":"2025-01"}`},
		statementMethod + "GetGeneralLedger":   {fixed(`{"book":"320100.agency","fund":"310","from_month":"2025-01","to_month":"2025-03","level":1}`), `{"book":"320100.agency","fund":"310","from_month":"2025-01","to_month":"2025-03","level":11}`},
		statementMethod + "GetAgeing":          {fixed(`{"book":"320100.agency","fund":"310","date":"2025-01-31"}`), `{"book":"320100.agency","fund":"310","date":"2025-01-32"}`},
		statementMethod + "ListFigureLines": {
			fixed(`{"book":"320100.agency","fund":"310","from_month":"2025-01","to_month":"2025-01","statement":"STATEMENT_KIND_INCOME","line":"1"}`),
			`{"book":"320100.agency","fund":"310","from_month":"2025-01","to_month":"2025-01","statement":"STATEMENT_KIND_INCOME"}`,
		},
		statementMethod + "CheckTable": {
			fixed(`{"statement":"STATEMENT_KIND_INCOME","role":"agency","fund":"310","date":"2024-12-31","lines":[{"line":"4","amount":"1079.96"},{"line":"1","amount":"21772.41"},{"line":"2","amount":"21885.53"},{"line":"5","amount":"996.84"}]}`),
			`{"statement":"STATEMENT_KIND_INCOME","role":"bank","fund":"310","date":"2024-12-31","lines":[{"line":"4","amount":"1.00"}]}`,
		},
	})
	maps.Copy(others, map[string]other{
		closingMethod + "CloseMonth": {swap("2025-02", "2025-03"), "already_exists"},
		closingMethod + "CloseYear":  {swap(`"year":2025`, `"year":2026`), "already_exists"},
	})
}

// closeUntil closes the months of a book that are open, by somebody else.
func (f *fixture) closeUntil(t testing.TB, book accounts.Book, until accounts.Month) {
	t.Helper()
	page, err := f.journal.Periods(t.Context(), ledger.PeriodQuery{Book: book, To: until})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page.Periods {
		if p.State == ledger.PeriodShut {
			continue
		}
		if _, err := f.journal.BeginClose(t.Context(), book, p.Month, "before"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.journal.Close(t.Context(), book, p.Month, "before"); err != nil {
			t.Fatal(err)
		}
	}
}

// level lets the finance department's bank stand as the agency's, in a month
// that may be closing.
func (f *fixture) level(t testing.TB, month accounts.Month) {
	t.Helper()
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	parsed := func(name string) accounts.Account {
		a, err := accounts.ParseAccount(name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	balance := func(name string) accounts.Fen {
		b, _, err := f.journal.Balance(t.Context(), parsed(name), ledger.AsOf{})
		if err != nil {
			t.Fatal(err)
		}
		return b.Balance
	}
	difference := balance(bank) - balance("320100.finance/310/1001")
	if difference == 0 {
		return
	}
	results, err := f.journal.Post(t.Context(), ledger.Entry{
		Key: "level-" + string(month), Date: month.First(), Period: month, Kind: "adjustment", Summary: "补记", Source: "test", Preparer: "tester",
		Postings: []ledger.Posting{
			{Account: parsed("320100.finance/310/1001"), Side: accounts.Debit, Amount: difference},
			{Account: parsed("320100.finance/310/4001"), Side: accounts.Credit, Amount: difference},
		},
	})
	if err != nil || results[0].Err != nil {
		t.Fatal(results, err)
	}
}

func TestMonthsAndAYearAreClosedOverTheService(t *testing.T) {
	t.Parallel()
	f := start(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"320100"}, "approver": {"320100"}})
	chief := f.token("chief", map[string][]string{"approver": {"320100"}})
	if a := f.call(t, ledgerMethod+"Post", clerk, `{"entry":`+newEntry("a", "adjustment")+`}`); a.code() != "ok" {
		t.Fatal(a.body)
	}
	month := `{"idempotency_key":"k","books":["320100.agency","320100.finance"],"month":"2025-01"}`
	refused := f.call(t, closingMethod+"CloseMonth", clerk, month)
	if refused.code() != "failed_precondition" || !strings.Contains(refused.message(), "320100.agency, 账簿查验 Checks of the books: agency against finance") {
		t.Errorf("%v", refused.body)
	}
	if a := f.call(t, ledgerMethod+"ClosePeriod", chief, `{"idempotency_key":"k","book":"320100.agency","month":"2025-01"}`); a.code() != "failed_precondition" || !strings.Contains(a.message(), "账簿查验") {
		t.Errorf("a bare closing does without the checklist: %v", a.body)
	}
	checklist := f.ok(t, closingMethod+"GetChecklist", clerk, `{"book":"320100.agency","month":"2025-01"}`)
	if items := checklist["items"].([]any); len(items) < 6 || items[1].(map[string]any)["state"] != "CHECKLIST_STATE_OPEN" {
		t.Errorf("%v", checklist)
	}
	over := strings.Replace(month, `{"idempotency_key":"k"`, `{"idempotency_key":"o","override":{"reason":"财政补记","items":["checks"]}`, 1)
	if a := f.call(t, closingMethod+"CloseMonth", clerk, over); a.code() != "permission_denied" {
		t.Errorf("who began overrides: %v", a.body)
	}
	if closed := f.ok(t, closingMethod+"CloseMonth", chief, over); closed["replayed"] != nil || len(closed["books"].([]any)) != 2 {
		t.Errorf("%v", closed)
	}
	if again := f.ok(t, closingMethod+"CloseMonth", chief, over); again["replayed"] != true {
		t.Errorf("%v", again)
	}
	events := f.ok(t, ledgerMethod+"ListPeriodEvents", clerk, `{"book":"320100.agency"}`)["events"].([]any)
	if last := events[len(events)-1].(map[string]any); !strings.HasPrefix(last["reason"].(string), "财政补记\nopen: checks: ") || last["changedBy"] != "chief" {
		t.Errorf("%v", last)
	}
	f.level(t, "2025-02")
	f.closeUntil(t, "320100.agency", "2025-11")
	year := f.ok(t, closingMethod+"CloseYear", clerk, `{"idempotency_key":"y","book":"320100.agency","year":2025}`)
	if funds := year["funds"].([]any); len(funds) != 1 || funds[0].(map[string]any)["income"] != "1.00" {
		t.Errorf("%v", year)
	}
	income := f.ok(t, statementMethod+"GetIncomeStatement", clerk, `{"book":"320100.agency","fund":"310","from_month":"2025-01","to_month":"2025-12"}`)
	if figures := income["figures"].([]any); income["tiesHold"] != true || figures[0].(map[string]any)["amount"] != "1.00" {
		t.Errorf("%v", income)
	}
	sheet := f.ok(t, statementMethod+"GetBalanceSheet", clerk, `{"book":"320100.agency","fund":"310","month":"2025-12"}`)
	trial := f.ok(t, statementMethod+"GetTrialBalance", clerk, `{"book":"320100.agency","fund":"310","from_month":"2025-12","to_month":"2025-12"}`)
	if sheet["tiesHold"] != true || trial["balances"] != true || trial["position"] != "3" {
		t.Errorf("%v %v", sheet, trial)
	}
	then := f.ok(t, statementMethod+"GetTrialBalance", clerk, `{"book":"320100.agency","fund":"310","from_month":"2025-12","to_month":"2025-12","as_of":{"position":"1"}}`)
	if rows := then["rows"].([]any); then["position"] != "1" || len(rows) != 2 {
		t.Errorf("%v", then)
	}
	if a := f.call(t, statementMethod+"GetAgeing", clerk, `{"book":"320100.agency","fund":"310","date":"2025-12-31","as_of":{"date":"2025-01-01"}}`); a.code() != "invalid_argument" {
		t.Errorf("%v", a.body)
	}
	lines := f.ok(t, statementMethod+"ListFigureLines", clerk, `{"book":"320100.agency","fund":"310","from_month":"2025-01","to_month":"2025-12","statement":"STATEMENT_KIND_INCOME","line":"1.1"}`)
	if list := lines["lines"].([]any); len(list) != 1 || list[0].(map[string]any)["adds"] != "1.00" || list[0].(map[string]any)["position"] != "1" {
		t.Errorf("%v", lines)
	}
	table := f.ok(t, statementMethod+"CheckTable", clerk, methodTests[statementMethod+"CheckTable"].good(f, t, ""))
	if ties := table["ties"].([]any); table["tiesHold"] != nil || ties[0].(map[string]any)["difference"] != "30.00" {
		t.Errorf("%v", table)
	}
	twice := `{"statement":"STATEMENT_KIND_INCOME","role":"agency","fund":"310","date":"2024-12-31","lines":[{"line":"4","amount":"1.00"},{"line":"4","amount":"1.00"}]}`
	if a := f.call(t, statementMethod+"CheckTable", clerk, twice); a.code() != "invalid_argument" {
		t.Errorf("%v", a.body)
	}
}
