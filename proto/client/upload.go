package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"connectrpc.com/connect"

	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
)

// File is a settlement file to be uploaded.
type File struct {
	// BatchID is the key of the upload: the same one continues it, also after a crash
	// of the caller, and recognises it when it was done already.
	BatchID string
	Side    settlementv1.Side
	Name    string // shown to people
	Content io.ReaderAt
	Size    int64 // in bytes
	Strict  bool  // a file with a bad row loads nothing
	// Progress is told how many bytes were sent, unless it is nil.
	Progress func(sent, size int64)
}

// chunkBytes is how much of a file one message carries, and what is sent again
// at most after a break.
const chunkBytes = 512 << 10

// loadedEach is how often a server is asked whether another one has loaded a file.
const loadedEach = time.Second

// UploadSettlements uploads a file from where its batch id has come to, through
// breaks of the connection and on whichever server, and waits until it is loaded.
// Bad rows are set aside and told in the report of the answer; it is a replay when
// all bytes had been received before the last attempt. Errors are those of the
// call, and of reading the file.
func (c *Client) UploadSettlements(ctx context.Context, file File) (*settlementv1.UploadSettlementsResponse, error) {
	hash := sha256.New()
	read, err := io.Copy(hash, io.NewSectionReader(file.Content, 0, file.Size))
	if err == nil && read < file.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name, err)
	}
	start := &settlementv1.UploadStart{
		BatchId: file.BatchID, Side: file.Side, FileName: file.Name, Size: file.Size, Sha256: hex.EncodeToString(hash.Sum(nil)), Strict: file.Strict,
	}
	var answer *settlementv1.UploadSettlementsResponse
	err = c.repeat(ctx, func(ctx context.Context, t *try) (err error) {
		answer, err = c.upload(ctx, t, &file, start)
		return err
	})
	if err != nil {
		return nil, err
	}
	for answer.Upload.GetState() == settlementv1.UploadState_UPLOAD_STATE_LOADING {
		select {
		case <-time.After(loadedEach):
		case <-ctx.Done():
			return nil, connect.NewError(codeOfEnd(ctx), ctx.Err())
		}
		seen, err := c.Settlements.GetUpload(ctx, &settlementv1.GetUploadRequest{BatchId: file.BatchID})
		if err != nil {
			return nil, err
		}
		answer.Upload = seen.GetUpload()
	}
	if refusal := answer.Upload.GetError(); refusal != nil {
		return nil, errorOf(refusal)
	}
	return answer, nil
}

// upload sends what is not there yet.
func (c *Client) upload(ctx context.Context, t *try, file *File, start *settlementv1.UploadStart) (*settlementv1.UploadSettlementsResponse, error) {
	seen, err := c.Settlements.GetUpload(ctx, &settlementv1.GetUploadRequest{BatchId: file.BatchID})
	if err != nil && connect.CodeOf(err) != connect.CodeNotFound {
		return nil, err
	}
	if start.Offset = 0; seen.GetUpload().GetSha256() == start.GetSha256() {
		start.Offset = min(seen.GetUpload().GetReceived(), file.Size)
	}
	stream, err := c.Settlements.UploadSettlements(ctx)
	if err != nil {
		return nil, err
	}
	send := func(request *settlementv1.UploadSettlementsRequest) (err error) {
		t.receive(func() { err = stream.Send(request) })
		return err
	}
	err = send(&settlementv1.UploadSettlementsRequest{Part: &settlementv1.UploadSettlementsRequest_Start{Start: start}})
	chunk := make([]byte, chunkBytes)
	for offset := start.Offset; err == nil && offset < file.Size; {
		n := min(chunkBytes, file.Size-offset)
		if _, err := io.ReadFull(io.NewSectionReader(file.Content, offset, n), chunk[:n]); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err) // the end of the context gives up the stream
		}
		err = send(&settlementv1.UploadSettlementsRequest{Part: &settlementv1.UploadSettlementsRequest_Chunk{Chunk: chunk[:n]}})
		if offset += n; err == nil && file.Progress != nil {
			file.Progress(offset, file.Size)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	// Loading a large file takes its time, which is not bounded here: to break it off
	// would only begin it again.
	return stream.CloseAndReceive() // after io.EOF it tells the error
}
