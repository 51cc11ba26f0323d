package rpc

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"fundledger/accounts"
	"fundledger/internal/calls"
	"fundledger/internal/config"
	"fundledger/internal/devdb"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// buffer is a log that is read while it is written.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *buffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

// issuer signs tokens and publishes its keys in a file.
type issuer struct {
	t    testing.TB
	file string
	key  *ecdsa.PrivateKey
	id   string
}

const (
	issuerName = "https://login.example"
	audience   = "fundledger"
)

func newIssuer(t testing.TB) *issuer {
	i := &issuer{t: t, file: filepath.Join(t.TempDir(), "keys.json")}
	i.rotate("first")
	return i
}

// rotate takes a new key and publishes it alone.
func (i *issuer) rotate(id string) {
	i.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	i.key, i.id = key, id
	content, err := json.Marshal(i.published())
	if err == nil {
		err = os.WriteFile(i.file+".new", content, 0o600)
	}
	if err == nil {
		err = os.Rename(i.file+".new", i.file)
	}
	if err != nil {
		i.t.Fatal(err)
	}
}

func (i *issuer) published() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: i.id, Algorithm: string(jose.ES256), Use: "sig"}}}
}

// sign signs a token with the claims over good ones.
func (i *issuer) sign(claims map[string]any) string {
	i.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, (&jose.SignerOptions{}).WithHeader("kid", i.id))
	if err != nil {
		i.t.Fatal(err)
	}
	all := map[string]any{"iss": issuerName, "aud": audience, "exp": time.Now().Add(time.Hour).Unix(), "sub": "somebody"}
	for name, value := range claims {
		all[name] = value
	}
	token, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}

// token is one of a person with roles.
func (i *issuer) token(subject string, roles map[string][]string) string {
	return i.sign(map[string]any{"sub": subject, "fundledger_roles": roles})
}

// fixture is a server on a database of its own, with books open from 2025-01.
type fixture struct {
	*issuer
	url     string
	db      *postgres.DB
	journal *ledger.Journal
	server  *Server
	calls   *calls.Log
	log     *buffer
	stop    context.CancelFunc
	ended   chan error
	client  *http.Client
}

// settings are those of the tests.
func settings(t testing.TB, i *issuer) *config.Config {
	t.Helper()
	c, _, err := config.Load(config.Given{Env: func(string) string { return "" }, Flags: map[string]string{
		"auth.issuer": issuerName, "auth.audience": audience, "auth.jwks_file": i.file, "auth.clock_skew": "30s",
		"database_url": "postgres://in-the-fixture", "limits.burst": "100000", "limits.requests_per_second": "100000",
	}})
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t testing.TB, change ...func(*config.Config)) *fixture {
	t.Helper()
	f := &fixture{issuer: newIssuer(t), db: devdb.Test(t), log: &buffer{}, ended: make(chan error, 1)}
	if _, err := accounts.Setup(t.Context(), f.db, "jiangsu"); err != nil {
		t.Fatal(err)
	}
	book, err := accounts.Load(t.Context(), f.db)
	if err != nil {
		t.Fatal(err)
	}
	c := settings(t, f.issuer)
	for _, fn := range change {
		fn(c)
	}
	f.journal = ledger.New(f.db, book)
	if _, err := f.journal.OpenBooks(t.Context(), "2025-01", "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	f.calls = calls.NewLog(f.db)
	f.server, err = New(Deps{
		Journal: f.journal, Book: book, Store: f.db, Ready: f.db.Pool.Ping, CallLog: f.calls,
		Log: slog.New(slog.NewJSONHandler(f.log, nil)),
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := "http://"
	if c.TLS.Certificate != "" {
		scheme = "https://"
	}
	f.url = scheme + listener.Addr().String()
	f.client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	go func() {
		working := make(chan error, 1)
		go func() { working <- f.server.Work(ctx) }()
		err := f.server.Serve(ctx, listener)
		stop()
		f.ended <- errors.Join(err, <-working)
	}()
	t.Cleanup(f.close(t))
	return f
}

// close stops the server, once.
func (f *fixture) close(t testing.TB) func() {
	return sync.OnceFunc(func() {
		f.stop()
		f.client.CloseIdleConnections()
		if err := <-f.ended; err != nil {
			t.Errorf("the server ended: %v", err)
		}
	})
}

// answer is what a call over plain JSON gives.
type answer struct {
	status  int
	body    map[string]any
	request string // id
}

// code is that of the error, "ok" without one.
func (a answer) code() string {
	if a.status == http.StatusOK {
		return "ok"
	}
	code, _ := a.body["code"].(string)
	return code
}

func (a answer) message() string {
	message, _ := a.body["message"].(string)
	return message
}

// call sends JSON over HTTP/1.1, as curl would.
func (f *fixture) call(t testing.TB, method, token, request string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+method, bytes.NewBufferString(request))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := f.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, request: response.Header.Get(requestIDHeader)}
	if err := json.Unmarshal(content, &a.body); err != nil {
		t.Fatalf("%s answers %d %q: %v", method, response.StatusCode, content, err)
	}
	return a
}
