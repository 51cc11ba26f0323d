package rpc

import (
	"context"
	"strings"
	"testing"
	"time"

	"fundledger/accounts"
	"fundledger/internal/calls"
	"fundledger/internal/config"
)

func TestAServerTakesUpAChangeOfTheRulesWhileItRuns(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, stop := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() { f.server.FollowRules(ctx); close(followed) }()
	defer func() { stop(); <-followed }()
	admin := f.token("admin", inRegions("admin", config.Province))
	day := accounts.Today().AddDays(1).String()
	if a := f.call(t, accountsMethod+"ApplyRuleChange", admin, strings.Replace(ruleChange("try", day), "{", `{"validate_only":true,`, 1)); a.code() != "ok" {
		t.Fatal(a.body)
	}
	request := strings.Replace(ruleChange("k", day), "{", `{"regions":[{"code":"321900","name":"新市","kind":"REGION_KIND_CITY"}],`, 1)
	changed := f.call(t, accountsMethod+"ApplyRuleChange", admin, request)
	rows := changed.rows(t, "changes")
	if len(rows) != 2 || rows[0]["inserted"] != 1.0 || rows[1]["rows"] != "policy" || changed.body["replayed"] == true {
		t.Errorf("%v", changed.body)
	}
	listed := func() int {
		return len(f.call(t, accountsMethod+"ListParameters", admin, `{"key":"trial"}`).rows(t, "parameters"))
	}
	for deadline := time.Now().Add(time.Minute); listed() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the change is not taken up: %s", f.log.text())
		}
	}
	// The journal follows too: the books of the new city can be opened and posted to.
	if a := f.call(t, ledgerMethod+"OpenBooks", admin, `{"idempotency_key":"o","books":["321900.agency"],"month":"2025-01"}`); a.code() != "ok" {
		t.Fatal(a.body)
	}
	f.post(t, strings.ReplaceAll(newEntry("new", "adjustment"), "320100", "321900"))
	if again := f.call(t, accountsMethod+"ApplyRuleChange", admin, request); again.code() != "ok" || again.body["replayed"] != true {
		t.Errorf("%v", again.body)
	}
	for name, c := range map[string]struct{ request, want string }{
		"the key with other content": {ruleChange("k", accounts.Today().AddDays(2).String()), "already_exists"},
		"a day that has begun":       {ruleChange("early", accounts.Today().String()), "invalid_argument"},
		"no rows":                    {`{"idempotency_key":"n","reason":"x"}`, "invalid_argument"},
		"other content of a row":     {strings.Replace(ruleChange("other", day), `"7"`, `"8"`, 1), "already_exists"},
	} {
		if a := f.call(t, accountsMethod+"ApplyRuleChange", admin, c.request); a.code() != c.want {
			t.Errorf("%s: %v", name, a.body)
		}
	}
}

func TestEveryKindOfRowOfAChangeIsReadWhole(t *testing.T) {
	t.Parallel()
	f := start(t)
	day := accounts.Today().AddDays(1).String()
	effective := `"effective":{"from":"` + day + `","source":"C"}`
	request := `{"idempotency_key":"k","reason":"新规定",
		"funds":[{"code":"999","name":"试验基金","field":"trial_pay",` + effective + `}],
		"subjects":[{"role":"INSTITUTION_ROLE_FINANCE","code":"1999","name":"试验科目","layer":"LAYER_CASH","normal":"SIDE_DEBIT","postable":true,"floor":true,` + effective + `}],
		"posting_rules":[
			{"event":"trial","title":"试验","step":0,"region":"H","role":"INSTITUTION_ROLE_FINANCE","side":"SIDE_DEBIT","red":true,"subject":"1999","amount":"amount",` + effective + `},
			{"event":"trial","title":"试验","step":1,"region":"H","role":"INSTITUTION_ROLE_FINANCE","side":"SIDE_CREDIT","red":true,"subject":"1001","amount":"amount",` + effective + `}],
		"calendar_days":[{"date":"2039-01-03","kind":"DAY_KIND_HOLIDAY","name":"元旦","source":"试验"}],
		"codes":[{"list":"med_type","code":"9999","name":"试验类别","expense":"5001.02",` + effective + `}],
		"statement_lines":[{"statement":"balance_sheet","role":"INSTITUTION_ROLE_FINANCE","line":"1.9","title":"试验资产","section":"asset","subjects":"1999",` + effective + `}]}`
	a := f.call(t, accountsMethod+"ApplyRuleChange", f.token("admin", inRegions("admin", config.Province)), request)
	if rows := a.rows(t, "changes"); len(rows) != 6 {
		t.Errorf("%v", rows)
	}
	book, err := accounts.Load(t.Context(), f.db)
	if err != nil {
		t.Fatal(err)
	}
	on := accounts.Today().AddDays(1)
	if line, ok := book.Statements.Layout(accounts.BalanceSheet, accounts.Finance, "310", on).Of("1999", accounts.Asset); !ok || line.Title != "试验资产" {
		t.Errorf("%+v", line)
	}
	subject, ok := book.Chart.Find(accounts.Finance, "1999", on)
	if !ok || !subject.Floor || !subject.Postable || subject.Layer != accounts.Cash || subject.Normal != accounts.Debit || subject.Source != "C" || subject.From != on {
		t.Errorf("%+v", subject)
	}
	var lines int
	for _, p := range book.Postings.Rules() {
		if p.Event == "trial" && p.Red && p.Region == "H" && p.Role == accounts.Finance && p.Amount == "amount" {
			lines++
		}
	}
	days := book.Calendar.Days()
	if code, ok := book.Codes.Find(accounts.MedicalType, "9999", on); lines != 2 || !ok || code.Expense != "5001.02" || days[len(days)-1].Kind != accounts.Holiday {
		t.Errorf("%d lines, code %+v, last day %+v", lines, code, days[len(days)-1])
	}
}

func TestRolesAreThoseOfTheTableInTheDatabase(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.token("v", inRegions("viewer", "320100"))
	all := f.whole(t, accountsMethod+"ListAccessRules", token, "accessRules", ``)
	if len(all) != len(f.server.deps.Book.Access) {
		t.Errorf("%d rules", len(all))
	}
	for i, rule := range all {
		if i > 0 && rule["action"].(string) <= all[i-1]["action"].(string) {
			t.Errorf("%v stands behind %v", rule["action"], all[i-1]["action"])
		}
	}
	for _, rule := range f.whole(t, accountsMethod+"ListAccessRules", token, "accessRules", `,"role":"admin"`) {
		if roles := rule["roles"].([]any); roles[len(roles)-1] != "admin" {
			t.Errorf("%v", rule)
		}
	}
	if _, err := f.db.Pool.Exec(t.Context(), `UPDATE access_rules SET roles = 'admin' WHERE action = 'ledger.post'`); err != nil {
		t.Fatal(err)
	}
	book, err := accounts.Load(t.Context(), f.db)
	if err == nil {
		err = f.server.renew(book)
	}
	if err != nil {
		t.Fatal(err)
	}
	if a := f.call(t, ledgerMethod+"Post", f.token("o", inRegions("operator", "320100")), `{"entry":`+newEntry("k", "adjustment")+`}`); a.code() != "permission_denied" {
		t.Errorf("%v", a.body)
	}
}

func TestCallsAndWhatCameOfThemStandInTheDatabase(t *testing.T) {
	t.Parallel()
	f := start(t)
	operator, viewer := f.token("operator", inRegions("operator", "320100")), f.token("viewer", inRegions("viewer", "320100"))
	request := `{"entry":` + newEntry("k", "adjustment") + `}`
	post := f.call(t, ledgerMethod+"Post", operator, request)
	f.call(t, ledgerMethod+"Post", operator, request)
	f.call(t, ledgerMethod+"Post", operator, `{"entry":`+newEntry("m", "manual")+`}`)
	f.call(t, ledgerMethod+"Post", viewer, request)
	f.call(t, ledgerMethod+"GetEntry", operator, `{"idempotency_key":"k"}`) // changes nothing
	log := calls.NewLog(f.db)
	var page *calls.Page
	known := func() bool {
		var err error
		if page, err = log.List(t.Context(), calls.Query{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Calls {
			if c.End.Outcome == calls.Unknown {
				return false
			}
		}
		return len(page.Calls) == 4
	}
	for deadline := time.Now().Add(time.Minute); !known(); time.Sleep(10 * time.Millisecond) { // the server's own log writes ends, and refusals, later
		if time.Now().After(deadline) {
			t.Fatalf("the end of a call is not recorded: %+v", page.Calls)
		}
	}
	want := []struct {
		subject, role string
		outcome       calls.Outcome
	}{{"viewer", "viewer", calls.Denied}, {"operator", "operator", calls.Failed}, {"operator", "operator", calls.Replayed}, {"operator", "operator", calls.Succeeded}}
	for i, c := range page.Calls {
		if c.Subject != want[i].subject || c.Role != want[i].role || c.End.Outcome != want[i].outcome || c.Action != "ledger.post" ||
			c.Method != ledgerMethod+"Post" || len(c.Regions) != 1 || c.Regions[0] != "320100" || (c.End.Err != nil) != (i < 2) {
			t.Errorf("call %d: %+v", i, c)
		}
	}
	first := page.Calls[3]
	if first.RequestID != post.request || first.Key != "k" || string(first.RequestHash) != string(page.Calls[2].RequestHash) {
		t.Errorf("%+v", first)
	}
}
