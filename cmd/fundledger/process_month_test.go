package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fundledger/accounts"
	"fundledger/internal/devdb"
	"fundledger/internal/postgres"
	"fundledger/internal/sample"
	"fundledger/ledger"
	"fundledger/proto/client"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	jobsv1 "fundledger/proto/gen/fundledger/jobs/v1"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// The main job, from the client package, on two servers that share a database.
// They take turns; one is killed while it reconciles, the other while it pays.
func TestMonthRunsOverTwoProcessesOfWhichEachIsKilledOnce(t *testing.T) {
	db := devdb.Test(t)
	must(t, db.URL, "setup", "--profile", "jiangsu", "--open-from", sample.Month)
	settings, side := secured(t, "clearing")
	before := goleak.IgnoreCurrent()
	one := serving(t, db.URL, "127.0.0.1:0", "--config", settings)
	two := serving(t, db.URL, "127.0.0.1:0", "--config", settings)
	a := calling(t, client.Options{TLS: side}, one, two)
	b := calling(t, client.Options{TLS: side, Protocol: client.GRPC}, two, one)

	posted, err := a.Ledger.PostOpenings(t.Context(), openings(t))
	if err != nil || posted.GetPosted() == 0 {
		t.Fatal(posted, err)
	}
	for i, name := range sample.Sides {
		c := []*client.Client{a, b}[i%2]
		answer, err := c.UploadSettlements(t.Context(), sampleUpload(t, name))
		if err != nil || answer.GetUpload().GetState() != settlementv1.UploadState_UPLOAD_STATE_LOADED || answer.GetReplayed() {
			t.Fatal(name, answer, err)
		}
	}

	reconciling, err := b.Settlements.Reconcile(t.Context(), &settlementv1.ReconcileRequest{IdempotencyKey: "r", Month: sample.Month})
	if err != nil {
		t.Fatal(err)
	}
	killed, left := one, two
	if ownerOf(t, db, reconciling.GetJob().GetJobId(), int64(posted.GetPosted())) == two.Process.Pid {
		killed, left = two, one
	}
	killed.kill(t)
	report, err := client.Await[*settlementv1.ReconcileReport](t.Context(), b, reconciling.GetJob(), nil)
	if err != nil || report.GetMatched() == 0 {
		t.Fatal(report, err)
	}
	t.Logf("%d of %d settlements were posted after the kill", report.GetPosted(), report.GetMatched())
	killed = serving(t, db.URL, killed.address(), "--config", settings)
	sameFigures(t, a)

	cleared, err := a.Clearing.Clear(t.Context(), &clearingv1.ClearRequest{IdempotencyKey: "c", Month: sample.Month})
	if err != nil {
		t.Fatal(err)
	}
	runs, err := client.Await[*clearingv1.ClearReport](t.Context(), b, cleared.GetJob(), nil)
	if err != nil || len(runs.GetRuns()) != 3 {
		t.Fatal(runs, err)
	}
	sameDocument(t, b)

	// Of paying all notices the server is killed that was asked.
	const reference, date = "MARCH", "2025-03-10"
	asked := calling(t, client.Options{TLS: side}, left, killed)
	paying := make(chan error, 1)
	go func() {
		_, err := asked.Clearing.RemitAll(context.Background(), &clearingv1.RemitAllRequest{Reference: reference, Month: sample.Month, Date: date})
		paying <- err
	}()
	watching := calling(t, client.Options{TLS: side}, killed, left)
	paid := func() (n int) {
		for remittance, err := range client.All(t.Context(), &clearingv1.ListRemittancesRequest{PageSize: 1000}, watching.Clearing.ListRemittances, (*clearingv1.ListRemittancesResponse).GetRemittances) {
			if n++; err != nil || !strings.HasPrefix(remittance.GetReference(), reference) {
				t.Fatal(remittance, err)
			}
		}
		return n
	}
	for deadline := time.Now().Add(time.Minute); paid() == 0 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
	}
	left.kill(t)
	before2 := paid()
	if err := <-paying; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d notices were paid before the kill", before2, paid())
	left = serving(t, db.URL, left.address(), "--config", settings)
	for notice, err := range client.All(t.Context(), &clearingv1.ListNoticesRequest{OpenOnly: true}, a.Clearing.ListNotices, (*clearingv1.ListNoticesResponse).GetNotices) {
		t.Error("open is", notice, err)
	}
	if paid() != int(runs.GetNotices()) {
		t.Errorf("%d payments of %d notices", paid(), runs.GetNotices())
	}

	checking, err := b.Audit.Check(t.Context(), &auditv1.CheckRequest{IdempotencyKey: "check"})
	if err != nil {
		t.Fatal(err)
	}
	verifying, err := a.Audit.Verify(t.Context(), &auditv1.VerifyRequest{IdempotencyKey: "verify"})
	if err != nil {
		t.Fatal(err)
	}
	for name, job := range map[string]*jobsv1.Job{"check": checking.GetJob(), "verify": verifying.GetJob()} {
		found, err := client.Await[*auditv1.CheckReport](t.Context(), a, job, nil)
		if err != nil || !found.GetOk() || len(found.GetOpenItems().GetUnpaidNotices()) != 0 || found.GetEntries() < 5000 {
			t.Errorf("%s: %v %v", name, found, err)
		}
	}
	var bundle bytes.Buffer
	if _, err := b.ExportBundle(t.Context(), &auditv1.ExportBundleRequest{}, &bundle); err != nil {
		t.Error(err)
	}
	if proved, err := ledger.VerifyBundle(t.Context(), &bundle); err != nil || !proved.OK() {
		t.Error(proved, err)
	}
	killed.stop(t)
	left.stop(t)
	if check := must(t, db.URL, "check"); !strings.Contains(check, "all checks hold") {
		t.Errorf("%s", check)
	}
	for _, c := range []*client.Client{a, b, asked, watching} {
		c.Close()
	}
	goleak.VerifyNone(t, before)
}

// ownerOf waits until a job has posted something and tells the process that does
// it.
func ownerOf(t *testing.T, db *postgres.DB, job string, posted int64) (pid int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		var owner string
		var entries int64
		err := db.Pool.QueryRow(t.Context(), "SELECT owner, (SELECT count(*) FROM entries) FROM jobs WHERE id = $1", job).Scan(&owner, &entries)
		if err != nil {
			t.Fatal(err)
		}
		if entries > posted {
			if _, err := fmt.Sscan(owner[strings.LastIndex(owner, "/")+1:], &pid); err != nil {
				t.Fatalf("%q does the job: %v", owner, err)
			}
			return pid
		}
		if time.Now().After(deadline) {
			t.Fatal("the job posts nothing")
		}
	}
}

// openings are those of the sample.
func openings(t *testing.T) *ledgerv1.PostOpeningsRequest {
	t.Helper()
	file, err := sample.Files.Open("openings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	read, err := ledger.ReadOpenings(file, "openings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	request := &ledgerv1.PostOpeningsRequest{IdempotencyKey: "openings", Date: read[0].Date.String()}
	for _, o := range read {
		given := typev1.Side_SIDE_DEBIT
		if o.Side == accounts.Credit {
			given = typev1.Side_SIDE_CREDIT
		}
		request.Openings = append(request.Openings, &ledgerv1.Opening{Account: o.Account.String(), Side: given, Amount: o.Amount.String()})
	}
	return request
}

func sampleUpload(t *testing.T, side string) client.File {
	t.Helper()
	content, err := sample.Files.ReadFile(sample.Month + "/" + side + ".tsv")
	if err != nil {
		t.Fatal(err)
	}
	return client.File{
		BatchID: sample.Month + "/" + side, Side: settlementv1.Side(settlementv1.Side_value["SIDE_"+strings.ToUpper(side)]),
		Name: side + ".tsv", Content: bytes.NewReader(content), Size: int64(len(content)),
	}
}

func expected(t *testing.T) (e sample.Expected) {
	t.Helper()
	content, err := sample.Files.ReadFile(sample.Month + "/expected.json")
	if err == nil {
		err = json.Unmarshal(content, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// sameFigures compares the report of the month and its exceptions with what was
// planted.
func sameFigures(t *testing.T, c *client.Client) {
	t.Helper()
	want := expected(t)
	answer, err := c.Settlements.GetMonthReport(t.Context(), &settlementv1.GetMonthReportRequest{Month: sample.Month})
	if err != nil {
		t.Fatal(err)
	}
	got := answer.GetReport()
	if got.GetRecords() != int64(want.Records) || got.GetMatchedRecords() != int64(want.MatchedRecords) || got.GetMatchedAmount() != want.MatchedAmount.String() {
		t.Errorf("%d records, %d matched of %s", got.GetRecords(), got.GetMatchedRecords(), got.GetMatchedAmount())
	}
	for name, tables := range map[string]struct {
		got  []*settlementv1.PairAmount
		want []sample.ExpectedPair
	}{
		"in province": {got.GetInProvince(), want.InProvince}, "out": {got.GetCrossProvinceOut(), want.CrossProvinceOut},
		"in": {got.GetCrossProvinceIn(), want.CrossProvinceIn},
	} {
		var rows, wanted []string
		for _, r := range tables.got {
			rows = append(rows, fmt.Sprint(r.GetInsured(), " ", r.GetTreating(), " ", r.GetFund(), " ", r.GetRecords(), " ", r.GetAmount()))
		}
		for _, r := range tables.want {
			wanted = append(wanted, fmt.Sprint(r.Insured, " ", r.Treating, " ", r.Fund, " ", r.Count, " ", r.Amount))
		}
		slices.Sort(rows)
		slices.Sort(wanted)
		if !slices.Equal(rows, wanted) {
			t.Errorf("%s: %d rows, %d are wanted:\n%v\n%v", name, len(rows), len(wanted), rows, wanted)
		}
	}
	counts := map[string]int{}
	for _, e := range got.GetExceptions() {
		counts[e.GetKind()] = int(e.GetCount())
	}
	for kind, n := range want.Exceptions {
		if counts[kind] != n {
			t.Errorf("%s: %d exceptions, %d are wanted", kind, counts[kind], n)
		}
	}
	var ids, planted []string
	for e, err := range client.All(t.Context(), &settlementv1.ListExceptionsRequest{Month: sample.Month, PageSize: 10}, c.Settlements.ListExceptions, (*settlementv1.ListExceptionsResponse).GetExceptions) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.GetKind()+" "+e.GetSetlId())
	}
	for kind, list := range want.ExceptionIDs {
		for _, id := range list {
			planted = append(planted, kind+" "+id)
		}
	}
	slices.Sort(ids)
	slices.Sort(planted)
	if !slices.Equal(ids, planted) {
		t.Errorf("%d exceptions, %d are planted:\n%v\n%v", len(ids), len(planted), ids, planted)
	}
}

// sameDocument compares the table of balances (清算平衡总表) with what was planted.
func sameDocument(t *testing.T, c *client.Client) {
	t.Helper()
	var file bytes.Buffer
	name, err := c.DownloadDocument(t.Context(), &clearingv1.DownloadDocumentRequest{
		Document: sample.Month + "/in-province/balance", Format: clearingv1.DocumentFormat_DOCUMENT_FORMAT_JSON,
	}, &file)
	var table struct{ Rows []sample.ExpectedNet }
	if err == nil {
		err = json.Unmarshal(file.Bytes(), &table)
	}
	if want := expected(t).InProvinceNet; err != nil || name != "balance.json" || len(want) == 0 || !slices.Equal(table.Rows, want) {
		t.Errorf("%s has %v, want %v: %v", name, table.Rows, want, err)
	}
}
