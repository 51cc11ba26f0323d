package rpc

import (
	"context"
	"crypto/sha256"

	"connectrpc.com/connect"

	"fundledger/ledger"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
)

// chunkBytes is how much of a bundle one message carries, and all of it that is
// held in memory.
const chunkBytes = 256 << 10

func (s *auditService) ExportBundle(ctx context.Context, q *auditv1.ExportBundleRequest, stream *connect.ServerStream[auditv1.ExportBundleResponse]) error {
	if _, err := reached(ctx, s.journal, s.book, q.GetAtLeastPosition()); err != nil {
		return err
	}
	return sendBundle(ctx, s.journal, stream.Send)
}

// sendBundle sends a bundle in messages, beside its being exported. A client that
// takes nothing for sendPatience, or has vanished, fails the sending and thereby
// ends the export.
func sendBundle(ctx context.Context, journal *ledger.Journal, send func(*auditv1.ExportBundleResponse) error) error {
	bundle, err := newAside()
	if err != nil {
		return err
	}
	defer bundle.close()
	ctx, stop := context.WithCancel(ctx)
	var exported ledger.Exported
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if r := recover(); r != nil {
				bundle.end(panicked(r))
			}
		}()
		var err error
		exported, err = journal.ExportBundle(ctx, bundle, bundle.progress)
		bundle.end(err)
	}()
	defer func() {
		stop()
		<-ended
	}()
	hash, chunk := sha256.New(), make([]byte, chunkBytes)
	for all := false; !all; {
		var message auditv1.ExportBundleResponse
		n, position, done, last, err := bundle.fill(ctx, chunk)
		if err != nil {
			return err
		}
		hash.Write(chunk[:n])
		message.Chunk, message.Position, message.EntriesDone = chunk[:n], int64(position), int64(done)
		if all = last; all {
			<-ended
			message.Summary = &auditv1.BundleSummary{Entries: exported.Entries, Bytes: exported.Bytes, Sha256: hash.Sum(nil)}
		}
		if err := send(&message); err != nil {
			return err
		}
	}
	return nil
}
