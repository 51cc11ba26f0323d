package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"fundledger/proto/gen/fundledger/accounts/v1/accountsv1connect"
	"fundledger/proto/gen/fundledger/audit/v1/auditv1connect"
	"fundledger/proto/gen/fundledger/clearing/v1/clearingv1connect"
	"fundledger/proto/gen/fundledger/jobs/v1/jobsv1connect"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
	"fundledger/proto/gen/fundledger/settlement/v1/settlementv1connect"
)

// Protocol is how calls are written on the wire.
type Protocol int

const (
	Connect Protocol = iota // over HTTP/1.1 or HTTP/2
	GRPC                    // over HTTP/2, without TLS too
	GRPCWeb                 // through proxies that know nothing of HTTP/2
)

// Options say which servers are called, and how. Only Servers must be given.
type Options struct {
	// Servers are base URLs of servers that share one database, such as
	// "https://ledger-1.example:8443". All calls go to the first one until it fails,
	// then to the next, and from the last to the first again.
	Servers []string
	// Token gives the bearer token of each attempt of each call; nil sends none. It
	// may be called from several goroutines and should remember its token until that
	// expires, as an oauth2.TokenSource does. Tokens are only sent by TLS and to
	// loopback addresses.
	Token func(context.Context) (string, error)
	// TLS has the client certificate of a job, and the roots that the servers'
	// certificates come from; nil: no certificate, the roots of the system.
	TLS *tls.Config
	// Header is sent with each call, such as Dev-Subject to servers that run open.
	Header http.Header
	// Protocol is Connect unless given.
	Protocol Protocol
	// Silence is how long an attempt of a call, or the next message of a stream, is
	// waited for, before the server is held for lost and the call repeated; 0 means
	// 75 seconds, which is more than servers take by themselves (limits.request_time).
	Silence time.Duration
	// Patience is how long a call is repeated, or a stream without anything new, when
	// the context does not end before; 0 means two minutes.
	Patience time.Duration
	// Interceptors see each attempt of a call, such as those of telemetry.
	Interceptors []connect.Interceptor
}

const (
	defaultSilence  = 75 * time.Second
	defaultPatience = 2 * time.Minute
)

// Client calls the service. It may be used by many goroutines.
type Client struct {
	Accounts    accountsv1connect.AccountsServiceClient
	Ledger      ledgerv1connect.LedgerServiceClient
	Settlements settlementv1connect.SettlementServiceClient
	Clearing    clearingv1connect.ClearingServiceClient
	Jobs        jobsv1connect.JobsServiceClient
	Audit       auditv1connect.AuditServiceClient

	ring              *ring
	silence, patience time.Duration
}

// New makes a client; it calls nobody yet. It returns an error for options that
// make no sense: no server, a URL that is none, a token that would be sent in the
// clear.
func New(options Options) (*Client, error) {
	ring, err := newRing(options)
	if err != nil {
		return nil, err
	}
	c := &Client{ring: ring, silence: options.Silence, patience: options.Patience}
	if c.silence <= 0 {
		c.silence = defaultSilence
	}
	if c.patience <= 0 {
		c.patience = defaultPatience
	}
	settings := []connect.ClientOption{connect.WithInterceptors(append([]connect.Interceptor{repeater{c}}, options.Interceptors...)...)}
	switch options.Protocol {
	case Connect:
	case GRPC:
		settings = append(settings, connect.WithGRPC())
	case GRPCWeb:
		settings = append(settings, connect.WithGRPCWeb())
	default:
		return nil, fmt.Errorf("there is no protocol %d", options.Protocol)
	}
	first := ring.servers[0]
	base := first.Scheme + "://" + first.Host // which the ring replaces
	c.Accounts = accountsv1connect.NewAccountsServiceClient(ring, base, settings...)
	c.Ledger = ledgerv1connect.NewLedgerServiceClient(ring, base, settings...)
	c.Settlements = settlementv1connect.NewSettlementServiceClient(ring, base, settings...)
	c.Clearing = clearingv1connect.NewClearingServiceClient(ring, base, settings...)
	c.Jobs = jobsv1connect.NewJobsServiceClient(ring, base, settings...)
	c.Audit = auditv1connect.NewAuditServiceClient(ring, base, settings...)
	return c, nil
}

// Close closes all connections; calls under way fail.
func (c *Client) Close() {
	c.ring.opened.close()
	c.ring.client.CloseIdleConnections()
}
