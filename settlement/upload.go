package settlement

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
	"fundledger/settlement/internal/db"
)

// UploadState is how far an upload has come.
type UploadState string

const (
	UploadReceiving UploadState = "receiving" // bytes are missing
	UploadLoading   UploadState = "loading"   // all bytes are there, rows are being loaded
	UploadLoaded    UploadState = "loaded"
	UploadRefused   UploadState = "refused" // nothing of it was loaded
)

// UploadStart says what is uploaded.
type UploadStart struct {
	BatchID  string `json:"batch_id"` // chosen by the sender, 1 to 200 bytes
	Side     Side   `json:"side"`
	FileName string `json:"file_name"` // shown to people
	Size     int64  `json:"size"`      // in bytes
	SHA256   string `json:"sha256"`    // of the bytes as they are sent, in lower case
	Strict   bool   `json:"strict"`    // a file with a bad row loads nothing
	Subject  string `json:"subject"`   // who began it
}

// Upload is a file that is sent in chunks.
type Upload struct {
	UploadStart
	State    UploadState   `json:"state"`
	Received int64         `json:"received"` // bytes from its begin: where to go on
	Created  time.Time     `json:"created"`
	Ended    time.Time     `json:"ended,omitzero"`   // when it was loaded or refused
	Report   *ImportReport `json:"report,omitempty"` // of a loaded one
	Refusal  *fault.Error  `json:"refusal,omitempty"`
}

const (
	maxBatchID = 200
	maxUpload  = 4 << 30
	maxChunk   = 1 << 20
)

func (u *UploadStart) check() error {
	digest, err := hex.DecodeString(u.SHA256)
	fail := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).With("field", field)
	}
	switch {
	case u.BatchID == "" || len(u.BatchID) > maxBatchID:
		return fail("batch_id", "an upload needs a batch id of 1 to %d bytes", maxBatchID)
	case !slices.Contains(Sides(), u.Side):
		return fail("side", "%q is no side: name treating, center or insured", u.Side)
	case strings.TrimSpace(u.FileName) == "":
		return fail("file_name", "an upload needs the name of its file")
	case u.Size < 1 || u.Size > maxUpload:
		return fail("size", "an upload has 1 to %d bytes, %d were announced", maxUpload, u.Size)
	case err != nil || len(digest) != 32 || strings.ToLower(u.SHA256) != u.SHA256:
		return fail("sha256", "the SHA-256 of a file is 64 hexadecimal digits in lower case")
	}
	return nil
}

// BeginUpload begins an upload, or finds the one that was begun with the same
// batch id, by whichever server and person. Errors: Invalid, AlreadyExists (the
// batch id was used for another file).
func (s *Settlements) BeginUpload(ctx context.Context, start UploadStart) (*Upload, error) {
	if err := start.check(); err != nil {
		return nil, err
	}
	err := s.store.InTx(ctx, func(tx pgx.Tx) error {
		return db.New(tx).InsertUpload(ctx, db.InsertUploadParams{
			BatchID: start.BatchID, Side: string(start.Side), FileName: start.FileName, Size: start.Size,
			Sha256: start.SHA256, Strict: start.Strict, Subject: start.Subject,
		})
	})
	// Whether a commit of unknown outcome has happened, the look tells.
	if err != nil && fault.KindOf(err) != fault.Unavailable {
		return nil, err
	}
	u, lookErr := s.Upload(ctx, start.BatchID)
	if lookErr != nil {
		if err != nil {
			return nil, err
		}
		return nil, lookErr
	}
	for _, f := range []struct{ name, before, now string }{
		{"side", string(u.Side), string(start.Side)}, {"file_name", u.FileName, start.FileName},
		{"size", fmt.Sprint(u.Size), fmt.Sprint(start.Size)}, {"sha256", u.SHA256, start.SHA256},
		{"strict", fmt.Sprint(u.Strict), fmt.Sprint(start.Strict)},
	} {
		if f.before != f.now {
			return nil, fault.New(fault.AlreadyExists, "batch id %q was used for another upload: %s is %q there, %q here", start.BatchID, f.name, f.before, f.now).
				With("batch_id", start.BatchID).With("field", f.name)
		}
	}
	return u, nil
}

// AddToUpload stores the bytes of the file that begin at the offset, at most
// 1 MiB, and returns how many bytes from its begin are there now. Bytes that
// were received before are passed over, so a chunk may be sent again. When the
// last byte is there, LoadUpload loads the file. Errors: NotFound (no such upload),
// Precondition (the offset lies beyond what was received), Invalid (more bytes
// than announced, or in one chunk).
func (s *Settlements) AddToUpload(ctx context.Context, batchID string, offset int64, chunk []byte) (received int64, err error) {
	if len(chunk) > maxChunk || offset < 0 {
		return 0, fault.New(fault.Invalid, "a chunk has at most %d bytes and an offset that is not negative", maxChunk).With("batch_id", batchID)
	}
	for range 2 { // once more when the outcome of the commit is unknown: it then passes over what is there
		err = s.store.InTx(ctx, func(tx pgx.Tx) (err error) {
			received, err = addChunk(ctx, db.New(tx), batchID, offset, chunk)
			return err
		})
		if fault.KindOf(err) != fault.Unavailable {
			break
		}
	}
	if err != nil {
		return 0, err
	}
	return received, nil
}

func addChunk(ctx context.Context, q *db.Queries, batchID string, offset int64, chunk []byte) (int64, error) {
	rows, err := q.LockUpload(ctx, batchID)
	if err != nil {
		return 0, err
	}
	if len(rows) == 0 {
		return 0, noUpload(batchID)
	}
	u := rows[0]
	end := offset + int64(len(chunk))
	switch {
	case offset > u.Received:
		return 0, fault.New(fault.Precondition, "upload %q has received %d bytes, so it cannot go on at %d", batchID, u.Received, offset).
			With("batch_id", batchID).With("received", fmt.Sprint(u.Received))
	case end > u.Size:
		return 0, fault.New(fault.Invalid, "upload %q has %d bytes as announced, and the chunk ends at %d", batchID, u.Size, end).With("batch_id", batchID)
	case end <= u.Received:
		return u.Received, nil
	}
	err = q.InsertChunk(ctx, db.InsertChunkParams{BatchID: batchID, FirstByte: u.Received, Content: chunk[u.Received-offset:]})
	if err != nil {
		return 0, err
	}
	state := UploadReceiving
	if end == u.Size {
		state = UploadLoading
	}
	return end, q.ReceiveUpload(ctx, db.ReceiveUploadParams{BatchID: batchID, Received: end, State: string(state)})
}

func noUpload(batchID string) error {
	return fault.New(fault.NotFound, "there is no upload %q", batchID).With("batch_id", batchID)
}

// Upload tells how far an upload is, or NotFound.
func (s *Settlements) Upload(ctx context.Context, batchID string) (*Upload, error) {
	row, err := s.findUpload(ctx, batchID)
	if err != nil {
		return nil, err
	}
	u := &Upload{
		UploadStart: UploadStart{BatchID: row.BatchID, Side: Side(row.Side), FileName: row.FileName, Size: row.Size, SHA256: row.Sha256, Strict: row.Strict, Subject: row.Subject},
		State:       UploadState(row.State), Received: row.Received, Created: row.CreatedAt,
	}
	if row.EndedAt.Valid {
		u.Ended = row.EndedAt.Time
	}
	if row.Error != nil {
		u.Refusal = &fault.Error{}
		if err := json.Unmarshal(row.Error, u.Refusal); err != nil {
			return nil, fault.New(fault.Internal, "the refusal of upload %q cannot be read: %w", batchID, err)
		}
	}
	if row.FileID.Valid {
		if u.Report, err = s.importReport(ctx, row.FileID.UUID, shownBadRows); err != nil {
			return nil, err
		}
		u.Report.File = u.FileName // the content may have come under another name before
		u.Report.AlreadyLoaded, u.Report.Added, u.Report.Replaced = row.AlreadyLoaded, row.Added, row.Replaced
	}
	return u, nil
}

func (s *Settlements) findUpload(ctx context.Context, batchID string) (*db.Upload, error) {
	var found []db.Upload
	err := s.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		found, err = db.New(tx).GetUpload(ctx, batchID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noUpload(batchID)
	}
	return &found[0], nil
}
