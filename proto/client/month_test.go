package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"fundledger/internal/sample"
	"fundledger/ledger"
	"fundledger/proto/client"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
	"fundledger/proto/gen/fundledger/audit/v1/auditv1connect"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	jobsv1 "fundledger/proto/gen/fundledger/jobs/v1"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
)

// treating is a file of the sample month.
func treating(t testing.TB) client.File {
	t.Helper()
	content, err := sample.Files.ReadFile(sample.Month + "/treating.tsv")
	if err != nil {
		t.Fatal(err)
	}
	return client.File{
		BatchID: "treating", Side: settlementv1.Side_SIDE_TREATING, Name: "treating.tsv", Content: bytes.NewReader(content), Size: int64(len(content)),
	}
}

func TestAnUploadGoesOnWhereItBrokeOnWhicheverServer(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first, _ := s.serve(t)
	second, _ := s.serve(t)
	one, two := newProxy(t, first), newProxy(t, second)
	one.next(loseRequest, cutRequest(600<<10), loseAnswer)
	two.next(cutRequest(200<<10), cutRequest(540<<10))
	c := newClient(t, client.Options{Servers: []string{one.url, two.url}})
	file := treating(t)
	var sent, again int64
	file.Progress = func(now, size int64) {
		if now <= sent {
			again++
		}
		if sent = now; size != file.Size {
			t.Errorf("%d bytes of %d", size, file.Size)
		}
	}
	answer, err := c.UploadSettlements(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	upload := answer.GetUpload()
	if upload.GetState() != settlementv1.UploadState_UPLOAD_STATE_LOADED || upload.GetReceived() != file.Size || upload.GetReport().GetRows() == 0 {
		t.Errorf("%v", upload)
	}
	if one.faults.Load()+two.faults.Load() != 5 || sent != file.Size {
		t.Errorf("%d and %d faults, %d bytes sent", one.faults.Load(), two.faults.Load(), sent)
	}
	if again > 4 {
		t.Errorf("%d chunks were sent again", again)
	}
	answer, err = c.UploadSettlements(t.Context(), file)
	if err != nil || !answer.GetReplayed() || answer.GetUpload().GetReport().GetRows() != upload.GetReport().GetRows() {
		t.Errorf("again: %v %v", answer, err)
	}
	other := file
	other.Size, other.Progress = file.Size-1, nil
	if _, err := c.UploadSettlements(t.Context(), other); connect.CodeOf(err) != connect.CodeAlreadyExists {
		t.Errorf("another file: %v", err)
	}
	bad := other
	bad.BatchID, bad.Content, bad.Size = "bad", strings.NewReader("no\ttable"), 8
	for range 2 {
		if _, err := c.UploadSettlements(t.Context(), bad); connect.CodeOf(err) != connect.CodeInvalidArgument || client.InfoOf(err).GetKind() != "invalid" {
			t.Errorf("no table: %v", err)
		}
	}
	bad.BatchID, bad.Size = "short", 9
	if _, err := c.UploadSettlements(t.Context(), bad); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that is shorter than said: %v", err)
	}
}

func TestAJobIsFollowedToItsEndThroughBreaks(t *testing.T) {
	t.Parallel()
	s := newService(t)
	url, _ := s.serve(t)
	p := newProxy(t, url)
	c := newClient(t, client.Options{Servers: []string{p.url}})
	if _, err := c.UploadSettlements(t.Context(), treating(t)); err != nil {
		t.Fatal(err)
	}
	p.next(loseAnswer, pass, cutAnswer(0), cutAnswer(1), cutAnswer(300), away)
	begun, err := c.Settlements.Reconcile(t.Context(), &settlementv1.ReconcileRequest{IdempotencyKey: "r", Month: sample.Month})
	if err != nil || !begun.GetReplayed() {
		t.Fatal(begun, err)
	}
	var states []jobsv1.JobState
	report, err := client.Await[*settlementv1.ReconcileReport](t.Context(), c, begun.GetJob(), func(job *jobsv1.Job) { states = append(states, job.GetState()) })
	if err != nil || report.GetMonth() != sample.Month || !report.GetCompared() || len(report.GetExceptions()) == 0 {
		t.Errorf("%v %v", report, err)
	}
	if len(states) == 0 || states[len(states)-1] != jobsv1.JobState_JOB_STATE_SUCCEEDED || p.faults.Load() < 3 {
		t.Errorf("%v, %d faults", states, p.faults.Load())
	}
	p.next()
	if _, err := client.Await[*clearingv1.ClearReport](t.Context(), c, begun.GetJob(), nil); err == nil {
		t.Error("a result of another type is taken")
	}
	// A month that cannot be cleared: its job fails.
	early, err := c.Clearing.Clear(t.Context(), &clearingv1.ClearRequest{IdempotencyKey: "c", Month: sample.Month})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Await[*clearingv1.ClearReport](t.Context(), c, early.GetJob(), nil); err != nil {
		t.Fatal(err)
	}
	late, err := c.Clearing.Clear(t.Context(), &clearingv1.ClearRequest{IdempotencyKey: "d", Month: "2024-12"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Await[*clearingv1.ClearReport](t.Context(), c, late.GetJob(), nil)
	if failed, ok := errors.AsType[*client.JobError](err); !ok || connect.CodeOf(err) != connect.CodeFailedPrecondition ||
		client.InfoOf(err).GetKind() != "precondition" || failed.Job.GetJobId() != late.GetJob().GetJobId() {
		t.Errorf("%v", err)
	}
	if _, err := client.Await[*clearingv1.ClearReport](t.Context(), c, &jobsv1.Job{JobId: "00000000-0000-0000-0000-000000000000"}, nil); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("no job: %v", err)
	}
}

func TestABundleIsWholeOrAnError(t *testing.T) {
	t.Parallel()
	s := newService(t)
	url, _ := s.serve(t)
	p := newProxy(t, url)
	c := newClient(t, client.Options{Servers: []string{p.url}})
	post(t, c, 300)
	if _, err := s.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.next(away, loseRequest)
	var bundle bytes.Buffer
	summary, err := c.ExportBundle(t.Context(), &auditv1.ExportBundleRequest{}, &bundle)
	if err != nil || summary.GetEntries() != 300 || summary.GetBytes() != int64(bundle.Len()) {
		t.Fatal(summary, err)
	}
	report, err := ledger.VerifyBundle(t.Context(), bytes.NewReader(bundle.Bytes()))
	if err != nil || !report.OK() || report.Entries != 300 {
		t.Errorf("%+v %v", report, err)
	}
	broken := &exporter{err: told(connect.CodeUnavailable)}
	_, handler := auditv1connect.NewAuditServiceHandler(broken)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	breaks := newClient(t, client.Options{Servers: []string{server.URL}})
	for says, err := range map[string]error{"not whole": broken.err, "without its summary": nil} {
		broken.err, broken.calls = err, 0
		if _, err := breaks.ExportBundle(t.Context(), &auditv1.ExportBundleRequest{}, io.Discard); err == nil || !strings.Contains(err.Error(), says) || broken.calls != 1 {
			t.Errorf("%s: %d calls, %v", says, broken.calls, err)
		}
	}
	broken.summary = &auditv1.BundleSummary{Bytes: 5, Sha256: []byte("other")}
	if _, err := breaks.ExportBundle(t.Context(), &auditv1.ExportBundleRequest{}, io.Discard); err == nil {
		t.Error("another bundle is taken")
	}
	if _, err := c.ExportBundle(t.Context(), &auditv1.ExportBundleRequest{}, full{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if _, err := c.ExportBundle(ctx, &auditv1.ExportBundleRequest{}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := c.DownloadDocument(t.Context(), &clearingv1.DownloadDocumentRequest{
		Document: "2025-01/in-province/balance", Format: clearingv1.DocumentFormat_DOCUMENT_FORMAT_JSON,
	}, io.Discard); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("%v", err)
	}
}

// exporter sends the begin of a bundle.
type exporter struct {
	auditv1connect.UnimplementedAuditServiceHandler
	summary *auditv1.BundleSummary
	err     error
	calls   int
}

func (e *exporter) ExportBundle(_ context.Context, _ *auditv1.ExportBundleRequest, stream *connect.ServerStream[auditv1.ExportBundleResponse]) error {
	e.calls++
	if err := stream.Send(&auditv1.ExportBundleResponse{Chunk: []byte("begin"), Summary: e.summary}); err != nil {
		return err
	}
	return e.err
}

// full is a disk that is full.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
