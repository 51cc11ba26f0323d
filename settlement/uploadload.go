package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/settlement/internal/db"
)

// claimRenew is how often who loads an upload renews its claim, which holds for
// a minute. The claim only saves work: to load a file twice changes nothing.
const claimRenew = 20 * time.Second

// LoadUpload loads an upload of which all bytes are there, and returns it as
// loaded, or as refused with the reason as error too; one that was loaded or
// refused before comes out the same again. One that another call is loading is
// returned as loading. After a failure of the database, of the server or of the
// context it stays to be loaded, by the next LoadUpload or LoadUploads.
// Errors: NotFound (no such upload), Precondition (bytes are missing), Invalid
// (not the content announced, not readable, columns missing, with Strict any
// bad row, the rows in the details).
func (s *Settlements) LoadUpload(ctx context.Context, batchID string, progress func(done, total int64)) (*Upload, error) {
	u, err := s.Upload(ctx, batchID)
	if err != nil {
		return nil, err
	}
	if u.State == UploadReceiving {
		return nil, fault.New(fault.Precondition, "upload %q lacks %d of %d bytes", batchID, u.Size-u.Received, u.Size).
			With("batch_id", batchID).With("received", strconv.FormatInt(u.Received, 10))
	}
	if u.State == UploadLoading {
		claimed, err := s.claimUpload(ctx, batchID)
		if err != nil {
			return nil, err
		}
		if claimed {
			if err := s.loadUpload(ctx, u, progress); err != nil {
				return nil, err
			}
		}
		if u, err = s.Upload(ctx, batchID); err != nil {
			return nil, err
		}
	}
	if u.Refusal != nil {
		return u, u.Refusal
	}
	return u, nil
}

// LoadUploads loads the uploads that a server has left to be loaded, such as
// one that has died, and returns how many have come to an end. Servers call it from time to
// time. What is refused is no error.
func (s *Settlements) LoadUploads(ctx context.Context) (ended int, err error) {
	var ids []string
	err = s.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		ids, err = db.New(tx).UploadsToLoad(ctx, shownBadRows)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		u, err := s.LoadUpload(ctx, id, nil)
		if u == nil && err != nil {
			return ended, err
		}
		if u.State != UploadLoading {
			ended++
		}
	}
	return ended, nil
}

// DropUploads forgets uploads that have not been loaded and got no byte for
// the time, and returns how many.
func (s *Settlements) DropUploads(ctx context.Context, idle time.Duration) (dropped int, err error) {
	err = s.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		ids, err := q.IdleUploads(ctx, db.IdleUploadsParams{Seconds: int64(idle / time.Second), RowLimit: shownBadRows})
		if err != nil {
			return err
		}
		dropped = len(ids)
		for _, id := range ids {
			if err := errors.Join(q.DropChunks(ctx, id), q.DropUpload(ctx, id)); err != nil {
				return err
			}
		}
		return nil
	})
	return dropped, err
}

func (s *Settlements) claimUpload(ctx context.Context, batchID string) (bool, error) {
	var claimed int64
	err := s.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		claimed, err = db.New(tx).ClaimUpload(ctx, batchID)
		return err
	})
	return claimed == 1, err
}

// loadUpload loads a claimed upload. Only what is wrong with the file ends it
// as refused; the claim is given back where anything else fails.
func (s *Settlements) loadUpload(ctx context.Context, u *Upload, progress func(done, total int64)) error {
	report, id, err := s.importUpload(ctx, u, progress)
	end := db.EndUploadParams{BatchID: u.BatchID, State: string(UploadLoaded)}
	known, refused := errors.AsType[*fault.Error](err)
	switch {
	case err == nil:
		end.FileID, end.AlreadyLoaded, end.Added, end.Replaced = id.String(), report.AlreadyLoaded, report.Added, report.Replaced
	case refused && known.Kind == fault.Invalid:
		text, err := json.Marshal(known)
		if err != nil {
			return err
		}
		end.State, end.Error = string(UploadRefused), string(text)
	default:
		release := context.WithoutCancel(ctx)
		return errors.Join(err, s.store.InTx(release, func(tx pgx.Tx) error { return db.New(tx).ReleaseUpload(release, u.BatchID) }))
	}
	return s.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if n, err := q.EndUpload(ctx, end); err != nil || n == 0 { // another one was faster
			return err
		}
		return q.DropChunks(ctx, u.BatchID)
	})
}

// importUpload puts the chunks together in a file of its own, since a file is
// read more than once, and imports that.
func (s *Settlements) importUpload(ctx context.Context, u *Upload, progress func(done, total int64)) (*ImportReport, uuid.UUID, error) {
	dir, err := os.MkdirTemp("", "fundledger-upload-")
	if err != nil {
		return nil, uuid.Nil, fault.New(fault.Unavailable, "there is no room to put upload %q together: %w", u.BatchID, err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "file")
	if err := s.putTogether(ctx, u, path); err != nil {
		return nil, uuid.Nil, err
	}
	file := PathFile(path)
	file.Name = u.FileName
	renewed := time.Now()
	return s.importFile(ctx, u.Side, file, ImportOptions{Strict: u.Strict, Progress: func(done, total int64) {
		if progress != nil {
			progress(done, total)
		}
		if time.Since(renewed) < claimRenew {
			return
		}
		renewed = time.Now()
		_ = s.store.InTx(ctx, func(tx pgx.Tx) error { return db.New(tx).RenewUpload(ctx, u.BatchID) }) // else another server may load it too
	}})
}

// chunksAtOnce are read by one statement.
const chunksAtOnce = 8

// putTogether writes the chunks to the path and proves that they are the content
// announced.
func (s *Settlements) putTogether(ctx context.Context, u *Upload, path string) error {
	out, err := os.Create(path)
	if err != nil {
		return fault.New(fault.Unavailable, "upload %q cannot be put together: %w", u.BatchID, err)
	}
	defer out.Close()
	sum := sha256.New()
	for at := int64(0); at < u.Size; {
		var chunks []db.ReadChunksRow
		err := s.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
			chunks, err = db.New(tx).ReadChunks(ctx, db.ReadChunksParams{BatchID: u.BatchID, FirstByte: at, Chunks: chunksAtOnce})
			return err
		})
		if err != nil {
			return err
		}
		if len(chunks) == 0 || chunks[0].FirstByte != at { // another server has loaded it and dropped them
			return fault.New(fault.Unavailable, "upload %q is being loaded by another server: ask how far it is", u.BatchID)
		}
		for _, c := range chunks {
			if _, err := io.MultiWriter(out, sum).Write(c.Content); err != nil {
				return fault.New(fault.Unavailable, "upload %q cannot be put together: %w", u.BatchID, err)
			}
			at += int64(len(c.Content))
		}
	}
	if err := out.Close(); err != nil {
		return fault.New(fault.Unavailable, "upload %q cannot be put together: %w", u.BatchID, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != u.SHA256 {
		return fault.New(fault.Invalid, "upload %q is not the content announced: its SHA-256 is %s, not %s; send it again under another batch id", u.BatchID, got, u.SHA256).
			With("batch_id", u.BatchID).With("sha256", got)
	}
	return nil
}

// RowErrorQuery selects a page of the rows of an upload that are not (or no
// longer) their side's record.
type RowErrorQuery struct {
	BatchID   string
	Kind      string // empty: every one
	PageSize  int    // at most 1000; 0 means 100
	PageToken string
}

// RowErrorPage is a page of rows, by line.
type RowErrorPage struct {
	Rows          []BadRow `json:"rows"`
	NextPageToken string   `json:"next_page_token,omitempty"`
}

// RowErrors lists rows of an upload; one that is not loaded has none yet.
// Errors: Invalid, NotFound (no such upload).
func (s *Settlements) RowErrors(ctx context.Context, query RowErrorQuery) (*RowErrorPage, error) {
	size, err := paging.Size(query.PageSize, "rows")
	if err != nil {
		return nil, err
	}
	after := int64(0)
	if query.PageToken != "" {
		if after, err = strconv.ParseInt(query.PageToken, 10, 64); err != nil || after < 1 {
			return nil, paging.BadToken(query.PageToken, "a list of rows")
		}
	}
	page := &RowErrorPage{Rows: []BadRow{}}
	u, err := s.findUpload(ctx, query.BatchID)
	if err != nil || !u.FileID.Valid {
		return page, err
	}
	err = s.store.Snapshot(ctx, func(tx pgx.Tx) error {
		*page = RowErrorPage{Rows: []BadRow{}}
		rows, err := db.New(tx).RowErrors(ctx, db.RowErrorsParams{FileID: u.FileID.UUID, After: after, Kind: query.Kind, Page: int32(size) + 1})
		if len(rows) > size {
			rows = rows[:size]
			page.NextPageToken = strconv.FormatInt(rows[size-1].Line, 10)
		}
		for _, r := range rows {
			page.Rows = append(page.Rows, BadRow{File: u.FileName, Line: r.Line, Field: r.Field, Kind: r.Kind, Reason: r.Reason})
		}
		return err
	})
	return page, err
}
