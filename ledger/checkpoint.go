package ledger

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Checkpoint is what a signer vouches for: that the journal of the origin had
// so many sealed entries, and the root of the Merkle tree over them.
type Checkpoint struct {
	Origin   string
	Position Position
	Root     tlog.Hash
}

// Text is the body of the signed note, in the C2SP checkpoint format.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Position, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads what Text writes; extension lines after it are
// accepted and ignored, as the format asks.
func ParseCheckpoint(text string) (Checkpoint, error) {
	malformed := fault.New(fault.Invalid, "the text is not a checkpoint: origin, size and root hash, a line each")
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) != 4 || lines[0] == "" {
		return Checkpoint{}, malformed
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || lines[1] != strconv.FormatInt(size, 10) {
		return Checkpoint{}, malformed
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, malformed
	}
	return Checkpoint{Origin: lines[0], Position: Position(size), Root: tlog.Hash(root)}, nil
}

// origin names this journal in its checkpoints.
func (j *Journal) origin() string { return "fundledger/" + j.rules().book.Regions.Home().Code }

// Sign signs a checkpoint of the whole sealed journal with each of the
// signers and stores it. Signing the same position again adds the signatures
// that are missing; nothing is ever replaced. It returns the note with all
// signatures of that position. An empty journal has no checkpoint: Precondition.
func (j *Journal) Sign(ctx context.Context, signers ...note.Signer) ([]byte, error) {
	var signed []byte
	err := j.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		head, err := lockHead(ctx, q, headSealed)
		if err != nil {
			return err
		}
		if head == 0 {
			return fault.New(fault.Precondition, "the journal is empty: there is nothing to sign")
		}
		root, err := tlog.TreeHash(int64(head), newTree(ctx, q, head))
		if err != nil {
			return err
		}
		c := Checkpoint{j.origin(), head, root}
		for _, s := range signers {
			message, err := note.Sign(&note.Note{Text: c.Text()}, s)
			if err != nil {
				return fault.New(fault.Invalid, "the checkpoint cannot be signed as %q: %w", s.Name(), err)
			}
			if err := q.InsertCheckpoint(ctx, db.InsertCheckpointParams{Position: int64(head), Signer: s.Name(), Note: string(message)}); err != nil {
				return err
			}
		}
		signed, err = checkpointAt(ctx, q, c.Position)
		return err
	})
	return signed, err
}

// Checkpoint returns the signed note of a position, of the last one signed if
// it is 0. NotFound when there is none.
func (j *Journal) Checkpoint(ctx context.Context, at Position) ([]byte, error) {
	var signed []byte
	err := j.store.Snapshot(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if at == 0 {
			last, err := q.LastCheckpoint(ctx)
			if err != nil {
				return err
			}
			if len(last) == 0 {
				return fault.New(fault.NotFound, "no checkpoint was signed yet")
			}
			at = Position(last[0])
		}
		var err error
		signed, err = checkpointAt(ctx, q, at)
		return err
	})
	return signed, err
}

// checkpointAt puts the signatures of a position under one text.
func checkpointAt(ctx context.Context, q *db.Queries, at Position) ([]byte, error) {
	rows, err := q.CheckpointsAt(ctx, int64(at))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "no checkpoint was signed at position %d", at)
	}
	var text, signatures string
	for _, r := range rows {
		body, lines, ok := strings.Cut(r.Note, "\n\n")
		if !ok || (text != "" && body != text) {
			return nil, fault.New(fault.Internal, "the checkpoint of %s at position %d is not that of the other signers", r.Signer, at)
		}
		text = body
		signatures += lines
	}
	return []byte(text + "\n\n" + signatures), nil
}

// OpenCheckpoint verifies a signed note against the known keys, of which at
// least one must have signed it, and reads its checkpoint. Invalid otherwise.
func OpenCheckpoint(signed []byte, known note.Verifiers) (Checkpoint, *note.Note, error) {
	opened, err := note.Open(bytes.Clone(signed), known)
	if err != nil {
		return Checkpoint{}, nil, fault.New(fault.Invalid, "the checkpoint is not signed by a known key: %w", err)
	}
	c, err := ParseCheckpoint(opened.Text)
	return c, opened, err
}
