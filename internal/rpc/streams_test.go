package rpc

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"

	"fundledger/internal/jobs"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	"fundledger/proto/gen/fundledger/clearing/v1/clearingv1connect"
	jobsv1 "fundledger/proto/gen/fundledger/jobs/v1"
	"fundledger/proto/gen/fundledger/jobs/v1/jobsv1connect"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/proto/gen/fundledger/settlement/v1/settlementv1connect"
)

// slowStreams say for each method that streams where slow and vanished clients of
// it are tested.
var slowStreams = map[string]string{
	ledgerMethod + "WatchEntries":          "TestSlowAndVanishedWatchersAreLetGo",
	auditMethod + "ExportBundle":           "TestSlowAndVanishedClientsOfABundleAreLetGo",
	settlementMethod + "UploadSettlements": "below",
	clearingMethod + "DownloadDocument":    "below",
	jobsMethod + "WatchJob":                "below",

	bankMethod + "DownloadBankReconciliation": "below",
}

// startUpload is the first message of an upload of the sample's file.
func startUpload(t testing.TB, batch string) *settlementv1.UploadSettlementsRequest {
	t.Helper()
	sum := fmt.Sprintf("%064x", 0)
	return &settlementv1.UploadSettlementsRequest{Part: &settlementv1.UploadSettlementsRequest_Start{Start: &settlementv1.UploadStart{
		BatchId: batch, Side: settlementv1.Side_SIDE_CENTER, FileName: "c.tsv", Size: 1000, Sha256: sum,
	}}}
}

// TestSlowAndVanishedClientsOfStreamsAreLetGo is not parallel: it looks at all
// that runs.
func TestSlowAndVanishedClientsOfStreamsAreLetGo(t *testing.T) {
	other := start(t) // the database of the tests runs on
	other.close(t)()
	other.ended <- nil
	before := goleak.IgnoreCurrent()
	f := start(t)
	for procedure, m := range f.server.methods {
		if m.streams != (slowStreams[procedure] != "") {
			t.Errorf("%s streams: %v, and its slow clients are tested in %q", procedure, m.streams, slowStreams[procedure])
		}
	}
	f.opened(t)
	clerk := f.token("clerk", map[string][]string{"operator": {"*"}})
	f.uploaded(t, clerk)
	f.done(t, settlementMethod+"Reconcile", clerk, sampleReconcile)
	f.done(t, clearingMethod+"Clear", clerk, sampleClear)
	banker := f.token("banker", map[string][]string{"operator": {"*"}, "admin": {"*"}})
	f.ok(t, bankMethod+"PutBankAccounts", banker, putAccount)
	f.ok(t, bankMethod+"ImportBankStatements", banker, importOf("i", bankStatement))
	f.server.patience = 2 * time.Second
	// No server does this kind, so that it is watched for ever.
	waits := jobs.New(f.db, map[string]jobs.Work{"waits": workOn(f.server.reconcile)})
	queued, _, err := waits.Start(t.Context(), jobs.Request{Kind: "waits", Key: "k", Action: "settlement.reconcile", Subject: "clerk"})
	if err != nil {
		t.Fatal(err)
	}
	f.client.CloseIdleConnections()
	for name, transport := range map[string]*http.Transport{"HTTP/2": narrow(t), "HTTP/1.1": http.DefaultTransport.(*http.Transport).Clone()} {
		client := &http.Client{Transport: bearer{clerk, transport}}
		ended := func(method string) int { return strings.Count(f.log.text(), method) }
		untilEnded := func(method string, n int) {
			t.Helper()
			for deadline := time.Now().Add(time.Minute); ended(method) < n; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%s: %s goes on while its client does nothing: %s", name, method, f.log.text())
				}
			}
		}

		// One who stops to send, and one who vanishes while sending.
		uploads, was := settlementv1connect.NewSettlementServiceClient(client, f.url), ended("UploadSettlements")
		upload := func(ctx context.Context, batch string) *connect.ClientStreamForClientSimple[settlementv1.UploadSettlementsRequest, settlementv1.UploadSettlementsResponse] {
			stream, err := uploads.UploadSettlements(ctx)
			if err == nil {
				err = stream.Send(startUpload(t, batch+name))
			}
			if err != nil {
				t.Fatal(err)
			}
			return stream
		}
		slow := upload(context.Background(), "slow ")
		gone, vanish := context.WithCancel(context.Background())
		fled := upload(gone, "fled ")
		vanish()
		untilEnded("UploadSettlements", was+2)
		f.connectionsAreFree(t)
		if _, err := slow.CloseAndReceive(); connect.CodeOf(err) != connect.CodeUnavailable {
			t.Errorf("%s: who sends nothing hears %v", name, err)
		}
		_, _ = fled.CloseAndReceive()

		// One who watches a job that does not end holds nothing, and is let go when
		// gone.
		watching, was := jobsv1connect.NewJobsServiceClient(client, f.url), ended("WatchJob")
		gone, vanish = context.WithCancel(context.Background())
		watched, err := watching.WatchJob(gone, &jobsv1.WatchJobRequest{JobId: queued.ID.String()})
		if err != nil || !watched.Receive() {
			t.Fatal(err, watched.Err())
		}
		f.connectionsAreFree(t)
		vanish()
		untilEnded("WatchJob", was+1)
		watched.Close()

		// One who does not take a document, and one who leaves.
		downloads, was := clearingv1connect.NewClearingServiceClient(client, f.url), ended("DownloadDocument")
		document := &clearingv1.DownloadDocumentRequest{Document: "2025-01/cross-out/detail", Format: clearingv1.DocumentFormat_DOCUMENT_FORMAT_XLSX}
		lazy, err := downloads.DownloadDocument(context.Background(), document)
		if err != nil {
			t.Fatal(err)
		}
		gone, vanish = context.WithCancel(context.Background())
		left, err := downloads.DownloadDocument(gone, document)
		if err != nil || !left.Receive() || len(left.Msg().GetChunk()) == 0 {
			t.Fatal(err, left.Err())
		}
		vanish()
		untilEnded("DownloadDocument", was+2)
		f.connectionsAreFree(t)
		lazy.Close()
		left.Close()

		// Likewise of a 余额调节表.
		tables, was := clearingv1connect.NewBankServiceClient(client, f.url), ended("DownloadBankReconciliation")
		table := &clearingv1.DownloadBankReconciliationRequest{Account: "3201-0001", Day: "2025-01-31", Format: clearingv1.DocumentFormat_DOCUMENT_FORMAT_XLSX}
		lazyTable, err := tables.DownloadBankReconciliation(context.Background(), table)
		if err != nil {
			t.Fatal(err)
		}
		gone, vanish = context.WithCancel(context.Background())
		leftTable, err := tables.DownloadBankReconciliation(gone, table)
		if err != nil || !leftTable.Receive() || len(leftTable.Msg().GetChunk()) == 0 {
			t.Fatal(err, leftTable.Err())
		}
		vanish()
		untilEnded("DownloadBankReconciliation", was+2)
		f.connectionsAreFree(t)
		lazyTable.Close()
		leftTable.Close()
		transport.CloseIdleConnections()
	}
	f.close(t)()
	f.ended <- nil
	f.db.Close()
	goleak.VerifyNone(t, before)
}
