package rpc

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"cloud.google.com/go/civil"

	"fundledger/ledger"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement"
	"fundledger/settlement/provider"
)

const recoveryMethod = "/fundledger.settlement.v1.RecoveryService/"

func init() { maps.Copy(methodTests, recoveryTests) }

// settled posts a settlement of 90.00 of 统筹 as all three sides have it.
func (f *fixture) settled(t testing.TB, id, insured, treating string) {
	t.Helper()
	rows := strings.Join(settlement.Columns(), "\t") + "\n" + strings.Join([]string{id, "S" + id, "P26a4f69d17d3", "310", insured, treating, "H" + treating + id,
		"21", "21", "2025-01-10", "2025-01-12", "2025-01-12T10:00:00+08:00", "90.00", "90.00", "90.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0", "null"}, "\t") + "\n"
	files := fstest.MapFS{id + ".tsv": {Data: []byte(rows)}}
	desk := f.server.desks.Load().settlements
	for _, side := range settlement.Sides() {
		if _, err := desk.Import(t.Context(), side, settlement.FSFile(files, id+".tsv"), settlement.ImportOptions{Strict: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := desk.Reconcile(t.Context(), "2025-01", settlement.ReconcileOptions{}); err != nil {
		t.Fatal(err)
	}
}

// paid is settled, and its provider is paid.
func (f *fixture) paid(t testing.TB, id, insured, treating string) {
	t.Helper()
	f.settled(t, id, insured, treating)
	book, on := f.server.deps.Book, civil.Date{Year: 2025, Month: 1, Day: 20}
	for _, event := range []string{"premium.received", "spending.funded"} {
		lines, err := ledger.Draft(book, ledger.Facts{Event: event, Date: on, Fund: "310", Regions: map[string]string{"H": treating},
			Amounts: map[string][]ledger.Part{"amount": ledger.Total(1000_00)}})
		if err != nil {
			t.Fatal(err)
		}
		results, err := f.journal.Post(t.Context(), ledger.Entry{Key: event + id, Date: on, Period: "2025-01", Kind: event, Summary: event, Preparer: "test", Postings: lines})
		if err == nil {
			err = results[0].Err
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	desk := provider.New(f.db, f.journal, book)
	if _, err := desk.MakeList(t.Context(), provider.ListRequest{ID: id, Treating: treating, Provider: "H" + treating + id, Through: on, Date: on, By: "clerk"}); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Pay(t.Context(), provider.Payment{List: id, Date: on, Reference: id, By: "cashier"}); err != nil {
		t.Fatal(err)
	}
}

// decides is a request about 40.00 of a settlement.
func decides(document, id string) string {
	return fmt.Sprintf(`{"document":%q,"reason":"重复收费","date":"2025-01-21","lines":[{"setl_id":%q,"part":"hifp_pay","amount":"40.00"}]}`, document, id)
}

// claimed opens a clawback of a bill KEY that Nanjing's provider was paid for, by
// somebody else, takes the steps on it and asks for more.
func claimed(key, format string, steps ...string) func(*fixture, *testing.T, string) string {
	return func(f *fixture, t *testing.T, _ string) string {
		f.paid(t, key, "320500", "320100")
		f.ok(t, recoveryMethod+"OpenClawbacks", f.token("opener", all), decides("审", key))
		for _, step := range steps {
			f.ok(t, recoveryMethod+step, f.token("before", all), fmt.Sprintf(`{"clawback":"审/%s","date":"2025-01-22"}`, key))
		}
		return strings.ReplaceAll(format, "KEY", key)
	}
}

var recoveryTests = map[string]tested{
	recoveryMethod + "Deduct": {func(f *fixture, t *testing.T, key string) string {
		f.settled(t, key, "320500", "320100")
		return decides("审1号", key)
	}, strings.Replace(decides("审1号", "A"), "40.00", "40.001", 1)},
	recoveryMethod + "OpenClawbacks": {func(f *fixture, t *testing.T, key string) string {
		f.settled(t, key, "320100", "310000")
		return decides("审2号", key)
	}, strings.Replace(decides("审2号", "A"), "hifp_pay", "cash", 1)},
	recoveryMethod + "ApproveClawback": {claimed("C0", `{"clawback":"审/KEY","date":"2025-01-22"}`), `{"clawback":"审/A"}`},
	recoveryMethod + "DeclineClawback": {claimed("C1", `{"clawback":"审/KEY","date":"2025-01-22","reason":"证据不足"}`), `{"clawback":"审/A","date":"2025-01-22"}`},
	recoveryMethod + "CancelClawback":  {claimed("C2", `{"clawback":"审/KEY","date":"2025-01-22","reason":"撤回"}`), `{"clawback":"审/A","date":"2025-01-22"}`},
	recoveryMethod + "MoveClawback": {
		claimed("C3", `{"reference":"B-KEY","clawback":"审/KEY","station":"STATION_RECEIVED","date":"2025-01-23","amounts":[{"part":"hifp_pay","amount":"10.00"}]}`, "ApproveClawback"),
		`{"reference":"B","clawback":"审/A","station":"STATION_UNSPECIFIED","date":"2025-01-23"}`,
	},
	recoveryMethod + "RecordPenalty": {
		claimed("C4", `{"document":"罚1号","clawback":"审/KEY","amount":"300.00","date":"2025-01-23"}`), `{"document":"罚1号","clawback":"审/A","amount":"0.00","date":"2025-01-23"}`,
	},
	recoveryMethod + "GetClawback":    {claimed("C5", `{"clawback":"审/KEY"}`), `{}`},
	recoveryMethod + "ListClawbacks":  {fixed(`{"region":"320100"}`), `{"page_size":1001}`},
	recoveryMethod + "ListDeductions": {fixed(`{"region":"320100"}`), `{"region":"Nanjing"}`},
	recoveryMethod + "WithdrawSettlements": {func(f *fixture, t *testing.T, key string) string {
		f.settled(t, key, "320500", "320100")
		return withdraws("SIDE_CENTER", key)
	}, `{"file_name":"w.tsv","side":"SIDE_CENTER","content":""}`},
}

func withdraws(side, id string) string {
	content := base64.StdEncoding.EncodeToString([]byte("setl_id\tdate\treason\tdocument\n" + id + "\t2025-01-25\t重复上传\t冲1号\n"))
	return fmt.Sprintf(`{"file_name":"w.tsv","side":%q,"content":%q}`, side, content)
}

func TestAClawbackOverRPCHasTwoPersonsAndItsRegions(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.paid(t, "A1", "320500", "320100")
	treating := map[string][]string{"operator": {"320100"}, "approver": {"320100"}}
	maker, checker := f.token("maker", treating), f.token("checker", treating)
	insured := f.token("insured", map[string][]string{"operator": {"320500"}, "approver": {"320500"}})
	province := f.token("province", map[string][]string{"operator": {"320000"}})
	refuse := func(token, method, request, want, says string) {
		t.Helper()
		if a := f.call(t, recoveryMethod+method, token, request); a.code() != want || !strings.Contains(fmt.Sprint(a.body), says) {
			t.Errorf("%s: got %s, want %s …%s…: %v", method, a.code(), want, says, a.body)
		}
	}
	refuse(insured, "OpenClawbacks", decides("审", "A1"), "not_found", "A1")
	f.ok(t, recoveryMethod+"OpenClawbacks", maker, decides("审", "A1"))
	refuse(maker, "OpenClawbacks", strings.Replace(decides("审", "A1"), "40.00", "41.00", 1), "already_exists", "40.00")
	approve := `{"clawback":"审/A1","date":"2025-01-22"}`
	refuse(maker, "ApproveClawback", approve, "permission_denied", "maker")
	refuse(insured, "ApproveClawback", approve, "permission_denied", "320100")
	f.ok(t, recoveryMethod+"ApproveClawback", checker, approve)
	move := `{"reference":"B1","clawback":"审/A1","station":"STATION_RECEIVED","date":"2025-01-23"}`
	refuse(insured, "MoveClawback", move, "permission_denied", "320100")
	refuse(maker, "MoveClawback", strings.Replace(move, "RECEIVED", "HOME", 1), "permission_denied", "320000")
	refuse(province, "MoveClawback", strings.Replace(move, "RECEIVED", "HOME", 1), "invalid_argument", "offset")
	over := strings.Replace(move, `"B1"`, `"B2"`, 1)
	over = strings.Replace(over, `"date"`, `"amounts":[{"part":"hifp_pay","amount":"40.01"}],"date"`, 1)
	refuse(maker, "MoveClawback", over, "failed_precondition", "0.01")
	c := f.ok(t, recoveryMethod+"MoveClawback", maker, move)["clawback"].(map[string]any)
	if total := c["total"].(map[string]any); total["awaitingRun"] != "40.00" || total["outstanding"] != "0.00" {
		t.Errorf("%v", c)
	}
	refuse(maker, "CancelClawback", `{"clawback":"审/A1","date":"2025-01-24","reason":"r"}`, "failed_precondition", "40.00")
	// The insured region sees it, others do not.
	if listed := f.ok(t, recoveryMethod+"ListClawbacks", insured, `{}`)["clawbacks"].([]any); len(listed) != 1 {
		t.Errorf("%v", listed)
	}
	if listed := f.ok(t, recoveryMethod+"ListClawbacks", f.token("other", map[string][]string{"viewer": {"320200"}}), `{}`); listed["clawbacks"] != nil {
		t.Errorf("%v", listed)
	}
	story := f.ok(t, settlementMethod+"GetSettlement", insured, `{"setl_id":"A1"}`)["settlement"].(map[string]any)
	if story["remaining"] != "50.00" || len(story["clawbacks"].([]any)) != 1 || story["providerPaid"].([]any)[0].(map[string]any)["amount"] != "90.00" {
		t.Errorf("%v", story)
	}
	f.checked(t)
}

func TestSettlementsAreWithdrawnOverRPC(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.settled(t, "A1", "320500", "320100")
	clerk := f.token("clerk", map[string][]string{"operator": {"*"}})
	want := []settlementv1.WithdrawalState{settlementv1.WithdrawalState_WITHDRAWAL_STATE_PENDING, settlementv1.WithdrawalState_WITHDRAWAL_STATE_PENDING, settlementv1.WithdrawalState_WITHDRAWAL_STATE_REVERSED}
	for i, side := range []string{"SIDE_CENTER", "SIDE_TREATING", "SIDE_INSURED"} {
		w := f.ok(t, recoveryMethod+"WithdrawSettlements", clerk, withdraws(side, "A1"))["withdrawals"].([]any)[0].(map[string]any)
		if w["state"] != want[i].String() {
			t.Errorf("%s: %v", side, w)
		}
	}
	story := f.ok(t, settlementMethod+"GetSettlement", clerk, `{"setl_id":"A1"}`)["settlement"].(map[string]any)
	if story["state"] != "SETTLEMENT_STATE_WITHDRAWN" || story["remaining"] != "0.00" || len(story["entries"].([]any)) != 2 {
		t.Errorf("%v", story)
	}
	if a := f.call(t, recoveryMethod+"WithdrawSettlements", clerk, withdraws("SIDE_CENTER", "A9")); a.code() != "invalid_argument" || !strings.Contains(fmt.Sprint(a.body), "w.tsv:2:setl_id") {
		t.Errorf("%v", a.body)
	}
	f.checked(t)
}

func TestPagesOfDeductionsFollowEachOther(t *testing.T) {
	t.Parallel()
	f := start(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"*"}})
	for _, id := range []string{"A1", "A2", "A3"} {
		f.settled(t, id, "320500", "320100")
		f.ok(t, recoveryMethod+"Deduct", clerk, decides("审", id))
	}
	var ids []string
	for token := ""; ; {
		page := f.ok(t, recoveryMethod+"ListDeductions", clerk, fmt.Sprintf(`{"page_size":2,"page_token":%q}`, token))
		for _, d := range page["deductions"].([]any) {
			ids = append(ids, d.(map[string]any)["deduction"].(string))
		}
		if token, _ = page["nextPageToken"].(string); token == "" {
			break
		}
	}
	if !slices.Equal(ids, []string{"审/A1", "审/A2", "审/A3"}) {
		t.Error(ids)
	}
	f.checked(t)
}
