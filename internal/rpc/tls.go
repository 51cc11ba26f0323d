package rpc

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"sync"
	"time"

	"fundledger/internal/config"
	"fundledger/internal/fault"
)

// tlsConfig takes the certificate anew when its file changes, and client
// certificates that the CA has signed.
func tlsConfig(c config.TLS) (*tls.Config, error) {
	pair := &certificateFile{certificate: c.Certificate, key: c.Key}
	if _, err := pair.get(nil); err != nil {
		return nil, err
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
	if c.ClientCA != "" {
		pem, err := os.ReadFile(c.ClientCA)
		if err != nil {
			return nil, fault.New(fault.Invalid, "tls.client_ca cannot be read: %w", err)
		}
		t.ClientCAs = x509.NewCertPool()
		if !t.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New(fault.Invalid, "tls.client_ca: %s has no PEM certificate", c.ClientCA)
		}
		t.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return t, nil
}

// certificateFile is the certificate of the server.
type certificateFile struct {
	certificate, key string

	mu      sync.Mutex
	changed time.Time
	pair    *tls.Certificate
}

// get returns the pair of the files. While they are being replaced and do not
// fit each other, the one before holds.
func (f *certificateFile) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	state, err := os.Stat(f.certificate)
	if err == nil && f.pair != nil && state.ModTime().Equal(f.changed) {
		return f.pair, nil
	}
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	switch {
	case err == nil:
		f.pair, f.changed = &pair, state.ModTime()
	case f.pair == nil:
		return nil, fault.New(fault.Invalid, "tls.certificate and tls.key cannot be used: %w", err)
	}
	return f.pair, nil
}
