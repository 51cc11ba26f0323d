package rpc

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"

	"fundledger/internal/config"
	"fundledger/internal/jobs"
	"fundledger/ledger"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
	"fundledger/proto/gen/fundledger/audit/v1/auditv1connect"
	jobsv1 "fundledger/proto/gen/fundledger/jobs/v1"
)

const auditMethod = "/fundledger.audit.v1.AuditService/"

// signed posts an entry and signs the journal with it.
func signed(format string) func(*fixture, *testing.T, string) string {
	return func(f *fixture, t *testing.T, key string) string {
		request := posted(format)(f, t, key)
		f.signJournal(t)
		return request
	}
}

// signJournal signs the journal as it stands and returns the key to verify it by.
func (f *fixture) signJournal(t testing.TB) (verifier string) {
	t.Helper()
	secret, verifier, err := note.GenerateKey(rand.Reader, "fundledger/test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err == nil {
		_, err = f.journal.CatchUp(t.Context())
	}
	if err == nil {
		_, err = f.journal.Sign(t.Context(), signer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func init() {
	for name, c := range map[string]tested{
		"Verify": {
			func(_ *fixture, _ *testing.T, key string) string { return fmt.Sprintf(`{"idempotency_key":%q}`, key) },
			`{"idempotency_key":"k","verifier_keys":["no key"]}`,
		},
		"Check": {
			func(_ *fixture, _ *testing.T, key string) string { return fmt.Sprintf(`{"idempotency_key":%q}`, key) }, `{}`,
		},
		"ExportBundle":     {posted(`{}`), `{"at_least_position":-1}`},
		"GetCheckpoint":    {signed(`{}`), `{"checkpoint_position":-1}`},
		"ListCheckpoints":  {fixed(`{"page_size":1}`), `{"page_token":"x"}`},
		"ProveInclusion":   {signed(`{"entry_id":"ID"}`), `{}`},
		"ProveConsistency": {signed(`{"old_size":1,"new_size":1}`), `{"old_size":2,"new_size":1}`},
		"ListCalls":        {fixed(`{"region":"320100"}`), `{"outcome":99}`},
		"GetSealerStatus":  {fixed(`{}`), `{"at_least_position":-1}`},
	} {
		methodTests[auditMethod+name] = c
	}
}

// auditor calls as one with the role in the regions.
func (f *fixture) auditor(t testing.TB, role string, regions ...string) auditv1connect.AuditServiceClient {
	token := f.token("auditor", map[string][]string{role: regions})
	return auditv1connect.NewAuditServiceClient(&http.Client{Transport: bearer{token, h2c(t)}}, f.url, connect.WithGRPC())
}

// earn posts entries that put a yuan each on the bank.
func (f *fixture) earn(t testing.TB, n int) {
	t.Helper()
	for i := range n {
		if a := f.call(t, ledgerMethod+"Post", f.token("clerk", all), fmt.Sprintf(`{"entry":%s}`, newEntry(fmt.Sprintf("audited-%d", i), "adjustment"))); a.code() != "ok" {
			t.Fatal(a.body)
		}
	}
}

// reportOf waits for the job and reads its result.
func (f *fixture) reportOf(t *testing.T, job *jobsv1.Job) *auditv1.CheckReport {
	t.Helper()
	var last jobs.Job
	for j, err := range f.server.work.Watch(t.Context(), uuid.MustParse(job.GetJobId())) {
		if err != nil {
			t.Fatal(err)
		}
		last = j
	}
	report := &auditv1.CheckReport{}
	if last.State != jobs.Succeeded || last.Result.Type != string(report.ProtoReflect().Descriptor().FullName()) {
		t.Fatalf("%+v", last)
	}
	if err := proto.Unmarshal(last.Result.Data, report); err != nil {
		t.Fatal(err)
	}
	return report
}

func TestVerifyAndCheckAreJobsThatProveTheBooks(t *testing.T) {
	t.Parallel()
	f := start(t)
	client := f.auditor(t, "auditor", config.Province)
	empty, err := client.Check(t.Context(), &auditv1.CheckRequest{IdempotencyKey: "empty"})
	if err != nil {
		t.Fatal(err)
	}
	if r := f.reportOf(t, empty.GetJob()); !r.GetOk() || r.GetPosition() != 0 || r.GetOpenItems() == nil {
		t.Errorf("%v", r)
	}
	f.earn(t, 3)
	key := f.signJournal(t)
	v, err := client.Verify(t.Context(), &auditv1.VerifyRequest{IdempotencyKey: "v", VerifierKeys: []string{key}})
	if err != nil {
		t.Fatal(err)
	}
	if r := f.reportOf(t, v.GetJob()); !r.GetOk() || r.GetEntries() != 3 || r.GetSignedPosition() != 3 || len(r.GetChecks()) == 0 || r.GetOpenItems() != nil {
		t.Errorf("%v", r)
	}
	_, other, err := note.GenerateKey(rand.Reader, "fundledger/other")
	if err != nil {
		t.Fatal(err)
	}
	v, err = client.Verify(t.Context(), &auditv1.VerifyRequest{IdempotencyKey: "w", VerifierKeys: []string{other}})
	if err != nil {
		t.Fatal(err)
	}
	if r := f.reportOf(t, v.GetJob()); r.GetOk() || len(r.GetFindings()) == 0 {
		t.Errorf("a checkpoint of somebody else is taken: %v", r)
	}
	c, err := client.Check(t.Context(), &auditv1.CheckRequest{IdempotencyKey: "c"})
	if err != nil {
		t.Fatal(err)
	}
	// The money came to the agency and not to the finance department that keeps it.
	if r := f.reportOf(t, c.GetJob()); r.GetOk() || r.GetPosition() != 3 || len(r.GetFindings()) != 1 || r.GetFindings()[0].GetAccount() != bank {
		t.Errorf("%v", r)
	}
	again, err := client.Check(t.Context(), &auditv1.CheckRequest{IdempotencyKey: "c"})
	if err != nil || !again.GetReplayed() || again.GetJob().GetJobId() != c.GetJob().GetJobId() || again.GetJob().GetState() != jobsv1.JobState_JOB_STATE_SUCCEEDED {
		t.Errorf("%v %v", again, err)
	}
	if _, err := client.Verify(t.Context(), &auditv1.VerifyRequest{IdempotencyKey: "v"}); connect.CodeOf(err) != connect.CodeAlreadyExists {
		t.Errorf("a key is taken for another request: %v", err)
	}
}

func TestProofsHoldAgainstTheCheckpointsThatComeWithThem(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.earn(t, 2)
	f.signJournal(t)
	if a := f.call(t, ledgerMethod+"Post", f.token("clerk", all), `{"entry":`+newEntry("later", "adjustment")+`}`); a.code() != "ok" {
		t.Fatal(a.body)
	}
	f.signJournal(t)
	client := f.auditor(t, "auditor", "320100")
	checkpoint := func(c *auditv1.Checkpoint) ledger.Checkpoint {
		read, err := ledger.ReadCheckpoint([]byte(c.GetNote()))
		if err != nil || !bytes.Equal(read.Root[:], c.GetRoot()) || int64(read.Position) != c.GetPosition() {
			t.Fatalf("%v %v", c, err)
		}
		return read.Checkpoint
	}
	p, err := client.ProveInclusion(t.Context(), &auditv1.ProveInclusionRequest{Name: &auditv1.ProveInclusionRequest_IdempotencyKey{IdempotencyKey: "audited-1"}})
	if err != nil {
		t.Fatal(err)
	}
	record, err := f.journal.Entry(t.Context(), ledger.EntryID("audited-1"))
	if err != nil {
		t.Fatal(err)
	}
	proof := ledger.Inclusion{Size: ledger.Position(p.GetTreeSize()), Position: record.Position, Leaf: p.GetLeaf()}
	for _, h := range p.GetHashes() {
		proof.Proof = append(proof.Proof, [32]byte(h))
	}
	if err := proof.Verify(checkpoint(p.GetCheckpoint()), &record.Entry, record.Vouchers); err != nil || p.GetTreeSize() != 3 {
		t.Errorf("%v %v", p, err)
	}
	c, err := client.ProveConsistency(t.Context(), &auditv1.ProveConsistencyRequest{OldSize: 2, NewSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	var tree tlog.TreeProof
	for _, h := range c.GetHashes() {
		tree = append(tree, [32]byte(h))
	}
	if err := ledger.VerifyConsistency(tree, checkpoint(c.GetOldCheckpoint()), checkpoint(c.GetNewCheckpoint())); err != nil {
		t.Error(err)
	}
	first, err := client.ListCheckpoints(t.Context(), &auditv1.ListCheckpointsRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	next, err := client.ListCheckpoints(t.Context(), &auditv1.ListCheckpointsRequest{PageSize: 1, PageToken: first.GetNextPageToken()})
	if err != nil || first.GetCheckpoints()[0].GetPosition() != 3 || next.GetCheckpoints()[0].GetPosition() != 2 || next.GetNextPageToken() != "" {
		t.Errorf("%v %v %v", first, next, err)
	}
	status, err := client.GetSealerStatus(t.Context(), &auditv1.GetSealerStatusRequest{})
	if err != nil || status.GetSealedPosition() != 3 || status.GetPosition() != 3 || status.GetSignedPosition() != 3 {
		t.Errorf("%v %v", status, err)
	}
	if _, err := client.ProveConsistency(t.Context(), &auditv1.ProveConsistencyRequest{OldSize: 2, NewSize: 4}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Error(err)
	}
	if _, err := client.GetCheckpoint(t.Context(), &auditv1.GetCheckpointRequest{CheckpointPosition: 1}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Error(err)
	}
}

func TestBundleOfTheServiceIsProvedWithoutIt(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.earn(t, 3)
	f.signJournal(t)
	stream, err := f.auditor(t, "auditor", config.Province).ExportBundle(t.Context(), &auditv1.ExportBundleRequest{AtLeastPosition: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var bundle bytes.Buffer
	var summary *auditv1.BundleSummary
	for stream.Receive() {
		m := stream.Msg()
		if summary != nil || m.GetPosition() != 3 {
			t.Errorf("behind the summary, or of another position: %v", m)
		}
		bundle.Write(m.GetChunk())
		summary = m.GetSummary()
	}
	hash := sha256.Sum256(bundle.Bytes())
	if stream.Err() != nil || summary.GetEntries() != 3 || summary.GetBytes() != int64(bundle.Len()) || !bytes.Equal(summary.GetSha256(), hash[:]) {
		t.Fatalf("%v %v of %d bytes", stream.Err(), summary, bundle.Len())
	}
	report, err := ledger.VerifyBundle(t.Context(), &bundle)
	if err != nil || !report.OK() || report.Entries != 3 {
		t.Errorf("%+v %v", report, err)
	}
	for role, regions := range map[string][]string{"auditor": {"320100"}, "viewer": {config.Province}} {
		stream, err := f.auditor(t, role, regions...).ExportBundle(t.Context(), &auditv1.ExportBundleRequest{})
		if err == nil {
			for stream.Receive() {
				t.Error("it is sent")
			}
			err = stream.Err()
			stream.Close()
		}
		if connect.CodeOf(err) != connect.CodePermissionDenied {
			t.Errorf("%s: %v", role, err)
		}
	}
}

func TestCallsAreListedWithWhatCameOfThem(t *testing.T) {
	t.Parallel()
	f := start(t)
	here := f.token("clerk", map[string][]string{"operator": {"320100"}})
	request := `{"entry":` + newEntry("recorded", "adjustment") + `}`
	for _, token := range []string{here, here, f.token("stranger", map[string][]string{"operator": {"320200"}})} {
		f.call(t, ledgerMethod+"Post", token, request)
	}
	f.call(t, ledgerMethod+"Post", here, `{"entry":`+newEntry("refused", "manual")+`}`)
	client := f.auditor(t, "auditor", "320100")
	first, err := client.ListCalls(t.Context(), &auditv1.ListCallsRequest{Action: "ledger.post", PageSize: 3})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := client.ListCalls(t.Context(), &auditv1.ListCallsRequest{Action: "ledger.post", PageSize: 3, PageToken: first.GetNextPageToken()})
	if err != nil || rest.GetNextPageToken() != "" {
		t.Fatal(rest, err)
	}
	var got []string
	for _, c := range append(first.GetCalls(), rest.GetCalls()...) {
		got = append(got, fmt.Sprintf("%s %s %s %s %v %s", c.GetSubject(), c.GetRole(), c.GetKey(), c.GetOutcome(), c.GetRegions(), c.GetError().GetKind()))
		if len(c.GetRequestHash()) != sha256.Size || c.GetRequestId() == "" || time.Since(c.GetTime().AsTime()) > time.Hour || c.GetMethod() != ledgerMethod+"Post" {
			t.Errorf("%v", c)
		}
	}
	want := []string{
		"clerk operator refused CALL_OUTCOME_FAILED [320100] precondition",
		"stranger operator recorded CALL_OUTCOME_DENIED [320100] permission",
		"clerk operator recorded CALL_OUTCOME_REPLAYED [320100] ",
		"clerk operator recorded CALL_OUTCOME_SUCCEEDED [320100] ",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if a, err := f.auditor(t, "auditor", "320200").ListCalls(t.Context(), &auditv1.ListCallsRequest{}); err != nil || len(a.GetCalls()) != 0 {
		t.Errorf("calls of another region are shown: %v %v", a, err)
	}
	denied, err := client.ListCalls(t.Context(), &auditv1.ListCallsRequest{Outcome: auditv1.CallOutcome_CALL_OUTCOME_DENIED, Subject: "stranger"})
	if err != nil || len(denied.GetCalls()) != 1 {
		t.Errorf("%v %v", denied, err)
	}
	begun := f.call(t, auditMethod+"Check", f.token("auditor", map[string][]string{"auditor": {config.Province}}), `{"idempotency_key":"c"}`)
	province, err := f.auditor(t, "auditor", config.Province).ListCalls(t.Context(), &auditv1.ListCallsRequest{Key: "c"})
	if err != nil || len(province.GetCalls()) != 1 || province.GetCalls()[0].GetJobId() != begun.body["job"].(map[string]any)["jobId"] {
		t.Errorf("%v %v", province, err)
	}
}
