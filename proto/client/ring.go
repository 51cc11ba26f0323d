package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
)

// ring sends requests to one of several servers.
type ring struct {
	servers []*url.URL
	current atomic.Int64 // counts on; the server is that of the remainder
	client  *http.Client
	opened  *connections
	token   func(context.Context) (string, error)
	header  http.Header
}

const (
	dialPatience   = 5 * time.Second
	idleConnection = 90 * time.Second
	// A server that has vanished without a word is noticed within half a minute.
	pingAfter    = 15 * time.Second
	pingPatience = 15 * time.Second
	probeAfter   = 15 * time.Second
	probeEach    = 5 * time.Second
	probes       = 3
	// Callers beyond as many at once open and close connections of their own.
	keptConnections = 512
)

func newRing(options Options) (*ring, error) {
	r := &ring{token: options.Token, header: options.Header}
	for _, text := range options.Servers {
		server, err := url.Parse(strings.TrimRight(text, "/"))
		switch {
		case err != nil:
			return nil, fmt.Errorf("server %q: %w", text, err)
		case (server.Scheme != "http" && server.Scheme != "https") || server.Host == "" || server.RawQuery != "" || server.Fragment != "":
			return nil, fmt.Errorf("server %q is no base URL, such as https://ledger.example:8443", text)
		case options.Token != nil && server.Scheme == "http" && !loopback(server.Hostname()):
			return nil, fmt.Errorf("server %q: tokens are sent by https only, or to a loopback address", text)
		}
		r.servers = append(r.servers, server)
	}
	if len(r.servers) == 0 {
		return nil, errors.New("no server is given")
	}
	dialer := &net.Dialer{
		Timeout:         dialPatience,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeAfter, Interval: probeEach, Count: probes},
	}
	r.opened = &connections{dial: dialer.DialContext, open: map[*connection]bool{}}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: r.opened.DialContext, TLSHandshakeTimeout: 2 * dialPatience, TLSClientConfig: options.TLS.Clone(),
		MaxIdleConns: keptConnections, MaxIdleConnsPerHost: keptConnections, IdleConnTimeout: idleConnection,
		Protocols: new(http.Protocols), HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingPatience},
	}
	transport.Protocols.SetHTTP2(true)
	if options.Protocol == GRPC {
		transport.Protocols.SetUnencryptedHTTP2(true)
	} else {
		transport.Protocols.SetHTTP1(true)
	}
	r.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return r, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// attempt is one attempt of a call: where it was sent, and whether the
// connection was lost over it.
type attempt struct {
	turn int64
	lost atomic.Bool
}

type attemptKey struct{}

// Do sends a request to the server whose turn it is.
func (r *ring) Do(request *http.Request) (*http.Response, error) {
	a, ok := request.Context().Value(attemptKey{}).(*attempt)
	if !ok {
		a = &attempt{} // of a stream that its caller looks after
	}
	a.turn = r.current.Load()
	server := r.servers[a.turn%int64(len(r.servers))]
	request.URL.Scheme, request.URL.Host, request.Host = server.Scheme, server.Host, server.Host
	request.URL.Path = server.Path + request.URL.Path
	for name, values := range r.header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if r.token != nil {
		token, err := r.token(request.Context())
		if err != nil {
			return nil, connect.NewError(connect.CodeUnauthenticated, fmt.Errorf("no token: %w", err))
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := r.client.Do(request)
	if err != nil {
		a.lost.Store(true)
		return nil, err
	}
	response.Body = &body{response.Body, a}
	return response, nil
}

// body notices when the connection is lost over an answer.
type body struct {
	io.ReadCloser
	attempt *attempt
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.attempt.lost.Store(true)
	}
	return n, err
}

// leave gives the turn to the next server, unless another call has done so
// since the attempt.
func (r *ring) leave(a *attempt) { r.current.CompareAndSwap(a.turn, a.turn+1) }
