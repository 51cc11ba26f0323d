package rpc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"go.uber.org/goleak"

	"fundledger/internal/calls"
	"fundledger/internal/config"
	"fundledger/internal/fault"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// bearer adds a token to what a generated client sends.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

// h2c speaks HTTP/2 without TLS.
func h2c(t testing.TB) *http.Transport {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func postRequest(key string) *ledgerv1.PostRequest {
	line := func(account string, side typev1.Side) *ledgerv1.Posting {
		return &ledgerv1.Posting{Account: account, Side: side, Amount: "1.00"}
	}
	return &ledgerv1.PostRequest{Entry: &ledgerv1.NewEntry{
		IdempotencyKey: key, Date: "2025-01-15", Period: "2025-01", Kind: "adjustment", Summary: "试验",
		Postings: []*ledgerv1.Posting{line(bank, typev1.Side_SIDE_DEBIT), line(incomes, typev1.Side_SIDE_CREDIT)},
	}}
}

func TestOnePortSpeaksEveryProtocol(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.token("person", map[string][]string{"operator": {"320100"}})
	for name, c := range map[string]struct {
		transport http.RoundTripper
		options   []connect.ClientOption
	}{
		"connect": {f.client.Transport, nil}, "json": {f.client.Transport, []connect.ClientOption{connect.WithProtoJSON()}},
		"grpc": {h2c(t), []connect.ClientOption{connect.WithGRPC()}}, "grpc-web": {f.client.Transport, []connect.ClientOption{connect.WithGRPCWeb()}},
		"gzip": {h2c(t), []connect.ClientOption{connect.WithSendGzip()}},
	} {
		client := ledgerv1connect.NewLedgerServiceClient(&http.Client{Transport: bearer{token, c.transport}}, f.url, c.options...)
		for _, replayed := range []bool{false, true} {
			response, err := client.Post(t.Context(), postRequest(name))
			if err != nil || response.GetReplayed() != replayed {
				t.Errorf("%s: %v %v", name, response, err)
			}
		}
	}
}

func TestReflectionListsAllServices(t *testing.T) {
	t.Parallel()
	f := start(t)
	client := grpcreflect.NewClient(&http.Client{Transport: h2c(t)}, f.url, connect.WithGRPC())
	stream := client.NewStream(t.Context())
	services, err := stream.ListServices()
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range f.server.services() {
		name := service.descriptor.FullName()
		if !slices.Contains(services, name) {
			t.Errorf("%s is missing among %v", name, services)
		}
		if files, err := stream.FileContainingSymbol(name); err != nil || len(files) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stream.Close(); err != nil {
		t.Error(err)
	}
}

func TestReadinessFailsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	f := start(t)
	health := grpchealth.NewClient(f.client, f.url)
	status := func(path string) int {
		response, err := f.client.Get(f.url + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	check := func(ready int, serving grpchealth.Status) {
		t.Helper()
		if got := status("/readyz"); got != ready {
			t.Errorf("/readyz answers %d, want %d", got, ready)
		}
		if got := status("/healthz"); got != http.StatusOK {
			t.Errorf("/healthz answers %d: the process lives", got)
		}
		for _, service := range []string{"", ledgerv1connect.LedgerServiceName} {
			if got, err := health.Check(t.Context(), &grpchealth.CheckRequest{Service: service}); err != nil || got.Status != serving {
				t.Errorf("service %q: %v, %v", service, got, err)
			}
		}
	}
	check(http.StatusOK, grpchealth.StatusServing)
	f.server.deps.Ready = func(context.Context) error { return errors.New("connection refused") }
	check(http.StatusServiceUnavailable, grpchealth.StatusNotServing)
	if _, err := health.Check(t.Context(), &grpchealth.CheckRequest{Service: "nothing"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("%v", err)
	}
}

func TestDrainLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := f.token("person", map[string][]string{"operator": {"320100"}})
	client := ledgerv1connect.NewLedgerServiceClient(&http.Client{Transport: bearer{token, h2c(t)}}, f.url, connect.WithGRPC())
	var mu sync.Mutex
	acknowledged := map[string]string{}
	enough := make(chan struct{})
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("%d/%d", caller, n)
				response, err := client.Post(context.Background(), postRequest(key))
				if err != nil {
					return
				}
				mu.Lock()
				if acknowledged[response.GetEntryId()] = key; len(acknowledged) == 100 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	f.close(t)()
	callers.Wait()
	f.ended <- nil // for the cleanup of the fixture
	position, err := f.journal.CatchUp(t.Context())
	if err != nil || int(position) < len(acknowledged) {
		t.Fatalf("%d entries stand, %d were acknowledged: %v", position, len(acknowledged), err)
	}
	for id, key := range acknowledged {
		if _, err := f.journal.Entry(t.Context(), entryID(t, id)); err != nil {
			t.Errorf("entry %s was acknowledged: %v", key, err)
		}
	}
	report, err := f.journal.Check(t.Context())
	if err != nil || !report.OK() {
		t.Errorf("%v %+v", err, report)
	}
}

// TestStoppedServerLeavesNothingRunning is not parallel: it looks at all that runs.
func TestStoppedServerLeavesNothingRunning(t *testing.T) {
	f := start(t) // the database of the tests runs on
	f.close(t)()
	f.ended <- nil
	before := goleak.IgnoreCurrent()
	g := start(t)
	if a := g.call(t, readRegions, g.token("person", all), `{}`); a.code() != "ok" {
		t.Fatal(a.body)
	}
	g.close(t)()
	g.ended <- nil
	g.db.Close()
	goleak.VerifyNone(t, before)
}

func TestStreamsEndUnavailableWhenTheServerStops(t *testing.T) {
	t.Parallel()
	s := &Server{}
	s.draining, s.drain = context.WithCancel(t.Context())
	begun := make(chan struct{})
	go func() { <-begun; s.drain() }()
	err := s.faultsOfStream(t.Context(), nil, func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return s.boundedStream(ctx, conn, func(ctx context.Context, _ connect.StreamingHandlerConn) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		})
	})
	if connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), "being stopped") {
		t.Errorf("%v", err)
	}
}

func TestDeadlineOfTheServerHolds(t *testing.T) {
	t.Parallel()
	s := &Server{limits: config.Limits{RequestTime: time.Millisecond}}
	_, err := s.faults(t.Context(), nil, func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		return s.bounded(ctx, request, func(ctx context.Context, _ connect.AnyRequest) (connect.AnyResponse, error) {
			<-ctx.Done()
			return nil, fault.New(fault.Unavailable, "the database does not answer: %w", ctx.Err())
		})
	})
	if connect.CodeOf(err) != connect.CodeDeadlineExceeded {
		t.Errorf("%v", err)
	}
}

func TestLargeMessageIsRefused(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *config.Config) { c.Limits.MessageBytes = 1 << 16 })
	large := strings.Repeat(" ", 1<<17)
	if a := f.call(t, readRegions, f.token("person", all), `{`+large+`}`); a.code() != "resource_exhausted" {
		t.Errorf("%v", a.body)
	}
}

func TestJobsComeWithClientCertificates(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	ca := newCertificate(t, folder, "ca", nil, &x509.Certificate{Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	server := newCertificate(t, folder, "server", ca, &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	stranger := newCertificate(t, folder, "strange", nil, &x509.Certificate{Subject: pkix.Name{CommonName: "clearing"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	job := func(name string, parent *certificate) *certificate {
		return newCertificate(t, folder, name, parent, &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"医保局"}}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	}
	clearing, unknown, forged := job("clearing", ca), job("unknown", ca), job("clearing", stranger)
	f := start(t, func(c *config.Config) {
		c.TLS = config.TLS{Certificate: server.file, Key: server.keyFile, ClientCA: ca.file}
		c.Auth.Jobs = []config.Job{{Subject: "CN=clearing,O=医保局", Roles: map[string][]string{"operator": {"320100"}}}}
	})
	pool := x509.NewCertPool()
	pool.AddCert(ca.parsed)
	client := func(given *certificate) *http.Client {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
		if given != nil {
			// Even one that the server did not ask for.
			transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &tls.Certificate{Certificate: [][]byte{given.parsed.Raw}, PrivateKey: given.key}, nil
			}
		}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	post := func(c *http.Client) error {
		_, err := ledgerv1connect.NewLedgerServiceClient(c, f.url, connect.WithGRPC()).Post(t.Context(), postRequest("job"))
		return err
	}
	if err := post(client(clearing)); err != nil {
		t.Errorf("the job: %v", err)
	}
	if err := post(client(unknown)); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a certificate that is no job: %v", err)
	}
	if got := f.recorded(t, "certificate:CN=unknown,O=医保局"); len(got) != 1 || got[0].End.Outcome != calls.Denied {
		t.Errorf("a certificate that is no job is recorded as %+v", got)
	}
	if err := post(client(nil)); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("without a certificate: %v", err)
	}
	if err := post(client(forged)); err == nil {
		t.Error("a certificate of another CA is taken")
	}
	f.client = client(clearing)
	if a := f.call(t, ledgerMethod+"GetEntry", "", `{"idempotency_key":"job"}`); a.code() != "ok" || a.body["entry"].(map[string]any)["preparer"] != "certificate:CN=clearing,O=医保局" {
		t.Errorf("%v", a.body)
	}
}

// certificate is one with its key, in files too.
type certificate struct {
	parsed        *x509.Certificate
	key           *ecdsa.PrivateKey
	file, keyFile string
}

func newCertificate(t testing.TB, folder, name string, parent *certificate, template *x509.Certificate) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &certificate{key: key, file: filepath.Join(folder, name+".pem"), keyFile: filepath.Join(folder, name+".key")}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	signer := &certificate{parsed: template, key: key}
	if parent != nil {
		signer = parent
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, signer.parsed, key.Public(), signer.key)
	if err != nil {
		t.Fatal(err)
	}
	if c.parsed, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{c.file: {Type: "CERTIFICATE", Bytes: raw}, c.keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestMetricsStandOnTheirOwnAddress(t *testing.T) {
	t.Parallel()
	f := start(t)
	admin := f.server.AdminHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }))
	for path, want := range map[string]string{"/metrics": "up 1", "/readyz": "ready", "/healthz": "ok"} {
		w := newRecorder(admin, path)
		if !strings.HasPrefix(w, want) {
			t.Errorf("%s answers %q", path, w)
		}
	}
	response, err := f.client.Get(f.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("the service itself answers /metrics: %d", response.StatusCode)
	}
}
