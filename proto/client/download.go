package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"connectrpc.com/connect"

	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

// ExportBundle writes the audit bundle, which VerifyBundle and "fundledger verify
// --bundle" prove, and compares its size and SHA-256 with what the server says.
// A bundle is one state of the journal, so a broken connection is an error once a
// byte was written: what was written is then no bundle.
func (c *Client) ExportBundle(ctx context.Context, request *auditv1.ExportBundleRequest, to io.Writer) (*auditv1.BundleSummary, error) {
	hash := sha256.New()
	out := &counted{to: io.MultiWriter(to, hash)}
	var summary *auditv1.BundleSummary
	err := c.repeat(ctx, func(ctx context.Context, t *try) error {
		stream, err := c.Audit.ExportBundle(ctx, request)
		if err != nil {
			return err
		}
		return download(t, stream, out, func(m *auditv1.ExportBundleResponse) { summary = m.GetSummary() })
	})
	switch {
	case err != nil:
		return nil, err
	case summary == nil:
		return nil, fmt.Errorf("the bundle ends after %d bytes without its summary", out.n)
	case summary.GetBytes() != out.n || !bytes.Equal(summary.GetSha256(), hash.Sum(nil)):
		return nil, fmt.Errorf("the bundle of %d bytes is not the one of %d that the server has sent", out.n, summary.GetBytes())
	}
	return summary, nil
}

// DownloadDocument writes a table or notice of a run and returns the name for
// its file. A broken connection is an error once a byte was written.
func (c *Client) DownloadDocument(ctx context.Context, request *clearingv1.DownloadDocumentRequest, to io.Writer) (name string, err error) {
	out := &counted{to: to}
	err = c.repeat(ctx, func(ctx context.Context, t *try) error {
		stream, err := c.Clearing.DownloadDocument(ctx, request)
		if err != nil {
			return err
		}
		return download(t, stream, out, func(m *clearingv1.DownloadDocumentResponse) {
			if m.GetFileName() != "" {
				name = m.GetFileName()
			}
		})
	})
	return name, err
}

// counted counts what was written.
type counted struct {
	to io.Writer
	n  int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// download writes a stream of chunks to its end.
func download[M any, P interface {
	*M
	GetChunk() []byte
}](t *try, stream *connect.ServerStreamForClient[M], to *counted, look func(P)) error {
	defer stream.Close()
	for {
		var more bool
		if t.receive(func() { more = stream.Receive() }); !more {
			break
		}
		message := P(stream.Msg())
		look(message)
		if _, err := to.Write(message.GetChunk()); err != nil {
			return err
		}
	}
	err := stream.Err()
	if t.final = to.n > 0; t.final && err != nil {
		return fmt.Errorf("what was written is not whole: %w", err)
	}
	return err
}
