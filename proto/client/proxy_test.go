package client_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// fault is what goes wrong with a request on its way.
type fault func(w http.ResponseWriter, r *http.Request, forward http.HandlerFunc)

// proxy stands between a client and its server and loses requests and answers.
type proxy struct {
	url string
	// decide gives the fault of a request; nil: it passes.
	decide atomic.Pointer[func(*http.Request) fault]
	faults atomic.Int64 // that happened
}

func newProxy(t testing.TB, server string) *proxy {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	overH1, overH2 := new(http.Transport), &http.Transport{Protocols: new(http.Protocols)}
	overH2.Protocols.SetUnencryptedHTTP2(true)
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = target.Host }, FlushInterval: -1,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		Transport:    byVersion{overH1, overH2},
	}
	p := &proxy{}
	server1 := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if decide := p.decide.Load(); decide != nil {
			if f := (*decide)(r); f != nil {
				p.faults.Add(1)
				f(w, r, forward.ServeHTTP)
				return
			}
		}
		forward.ServeHTTP(w, r)
	}))
	server1.Config.Protocols = new(http.Protocols)
	server1.Config.Protocols.SetHTTP1(true)
	server1.Config.Protocols.SetUnencryptedHTTP2(true)
	server1.Config.ErrorLog = quiet
	server1.Start()
	t.Cleanup(func() {
		server1.CloseClientConnections()
		server1.Close()
		overH1.CloseIdleConnections()
		overH2.CloseIdleConnections()
	})
	p.url = server1.URL
	return p
}

// byVersion forwards in the version of HTTP that the client speaks.
type byVersion struct{ h1, h2 http.RoundTripper }

func (b byVersion) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ProtoMajor == 2 {
		return b.h2.RoundTrip(r)
	}
	return b.h1.RoundTrip(r)
}

// next lets the faults happen to the next requests in turn that are not asking how
// far an upload is.
func (p *proxy) next(faults ...fault) {
	var mu sync.Mutex
	decide := func(r *http.Request) (f fault) {
		mu.Lock()
		defer mu.Unlock()
		if len(faults) > 0 && r.URL.Path != "/fundledger.settlement.v1.SettlementService/GetUpload" {
			f, faults = faults[0], faults[1:]
		}
		return f
	}
	p.decide.Store(&decide)
}

// pass lets a request pass.
var pass fault

// loseRequest breaks the connection before the server hears of the request.
func loseRequest(http.ResponseWriter, *http.Request, http.HandlerFunc) { panic(http.ErrAbortHandler) }

// loseAnswer breaks the connection after the server has served the request.
func loseAnswer(_ http.ResponseWriter, r *http.Request, forward http.HandlerFunc) {
	forward(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// cutAnswer breaks the connection after so many bytes of the answer.
func cutAnswer(after int) fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.HandlerFunc) {
		forward(&cutWriter{w, after}, r)
	}
}

type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	c.ResponseWriter.Write(p[:c.left])
	http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// cutRequest breaks the connection after so many bytes of the request.
func cutRequest(after int64) fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.HandlerFunc) {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(r.Body, after), broken{}), r.Body}
		forward(w, r)
		panic(http.ErrAbortHandler)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the connection broke") }

// away answers as a proxy whose server is away.
func away(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
	http.Error(w, "no server", http.StatusServiceUnavailable)
}
