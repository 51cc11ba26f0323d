package main

import (
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
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fundledger/proto/client"
)

// process is a server that runs as a process of its own.
type process struct {
	*exec.Cmd
	url   string
	log   buffer
	stdin io.Closer
	ended chan error
}

// serving starts "fundledger serve" at an address and waits until it serves.
func serving(t *testing.T, database, address string, args ...string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{ended: make(chan error, 1)}
	p.Cmd = exec.Command(program, append([]string{"--database-url", database, "serve", "--listen", address, "--admin-listen", "127.0.0.1:0"}, args...)...)
	p.Env, p.Stderr = append(os.Environ(), asProgram+"=1"), &p.log
	if p.stdin, err = p.StdinPipe(); err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.Wait() }()
	t.Cleanup(func() { p.kill(t) })
	for deadline := time.Now().Add(time.Minute); p.url == ""; time.Sleep(10 * time.Millisecond) {
		text := p.log.text()
		for _, m := range served.FindAllStringSubmatch(text, -1) {
			if m[1] == "serves" {
				p.url = "http://" + m[2]
			}
		}
		if strings.Contains(text, `"tls":true`) {
			p.url = strings.Replace(p.url, "http://", "https://", 1)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not start: %s", text)
		}
	}
	return p
}

func (b *buffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

// address is where it listens, host and port.
func (p *process) address() string { return p.url[strings.Index(p.url, "//")+2:] }

// kill ends it at once, as if the machine had gone.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		if !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		return
	}
	<-p.ended
}

// stop ends it as an operator does, and demands that it ends well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("the server ended: %v\n%s", err, p.log.text())
	}
}

// calling is a client of servers, in this order.
func calling(t *testing.T, options client.Options, servers ...*process) *client.Client {
	t.Helper()
	for _, s := range servers {
		options.Servers = append(options.Servers, s.url)
	}
	c, err := client.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// secured makes settings of a server that takes one job, by its certificate, and
// the client's side of them. One certificate is all of authority, server and job.
func secured(t *testing.T, job string) (settings string, side *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: job}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	certificate := write("job.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	keyFile := write("job.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	settings = write("fundledger.yaml", fmt.Appendf(nil, `
tls: {certificate: %[1]q, key: %[2]q, client_ca: %[1]q}
auth:
  jobs:
    - subject: CN=%[3]s
      roles: {admin: ["*"], operator: ["*"], auditor: ["*"]}
`, certificate, keyFile, job))
	own, err := tls.LoadX509KeyPair(certificate, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(own.Leaf)
	return settings, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}}
}
