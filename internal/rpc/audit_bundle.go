package rpc

import (
	"context"
	"crypto/sha256"
	"io"

	"connectrpc.com/connect"

	"fundledger/ledger"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
)

// chunkBytes is how much of a bundle one message carries, and all of it that is
// held in memory.
const chunkBytes = 256 << 10

// chunks sends what is written to it in messages. A client that takes nothing
// for sendPatience, or has vanished, fails the write and thereby ends the export
// with its snapshot.
type chunks struct {
	send           func(*auditv1.ExportBundleResponse) error
	held           []byte
	position, done ledger.Position
}

func (c *chunks) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), chunkBytes-len(c.held))]
		c.held, p, n = append(c.held, part...), p[len(part):], n+len(part)
		if len(c.held) == chunkBytes {
			if err := c.flush(nil); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// flush sends what is held, and the summary in the last message.
func (c *chunks) flush(summary *auditv1.BundleSummary) error {
	err := c.send(&auditv1.ExportBundleResponse{Chunk: c.held, Position: int64(c.position), EntriesDone: int64(c.done), Summary: summary})
	c.held = c.held[:0]
	return err
}

func (s *auditService) ExportBundle(ctx context.Context, q *auditv1.ExportBundleRequest, stream *connect.ServerStream[auditv1.ExportBundleResponse]) error {
	if _, err := reached(ctx, s.journal, s.book, q.GetAtLeastPosition()); err != nil {
		return err
	}
	out, hash := &chunks{send: stream.Send}, sha256.New()
	exported, err := s.journal.ExportBundle(ctx, io.MultiWriter(hash, out), func(done, of ledger.Position) { out.done, out.position = done, of })
	if err != nil {
		return err
	}
	return out.flush(&auditv1.BundleSummary{Entries: exported.Entries, Bytes: exported.Bytes, Sha256: hash.Sum(nil)})
}
