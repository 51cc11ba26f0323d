package ledger

import (
	"context"
	"strconv"
	"strings"

	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger/internal/db"
)

// SignedCheckpoint is a checkpoint with the note that its signers have signed.
type SignedCheckpoint struct {
	Checkpoint
	Signers []string // in order of name
	Note    []byte   // in the C2SP checkpoint format, with all signatures
}

// ReadCheckpoint reads a signed note without verifying its signatures, which
// OpenCheckpoint does. Invalid when it is none.
func ReadCheckpoint(signed []byte) (*SignedCheckpoint, error) {
	text, signatures, ok := strings.Cut(string(signed), "\n\n")
	c, err := ParseCheckpoint(text + "\n")
	if err != nil || !ok {
		return nil, fault.New(fault.Invalid, "the text is not a signed checkpoint")
	}
	s := &SignedCheckpoint{Checkpoint: c, Note: signed}
	for line := range strings.Lines(signatures) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != "—" {
			return nil, fault.New(fault.Invalid, "the checkpoint has a line that is no signature: %q", line)
		}
		s.Signers = append(s.Signers, fields[1])
	}
	return s, nil
}

// CheckpointQuery selects a page of checkpoints.
type CheckpointQuery struct {
	Signer    string   // who has signed them; empty: anybody
	AtLeast   Position // that the answer must have seen
	PageSize  int      // at most 1000; 0 means 100
	PageToken string
}

// CheckpointPage is a page of checkpoints, the last one first.
type CheckpointPage struct {
	Checkpoints   []*SignedCheckpoint `json:"checkpoints"`
	NextPageToken string              `json:"next_page_token,omitempty"`
	Position      Position            `json:"position"` // of the journal, as seen
}

// Checkpoints lists what was signed, each position with all its signatures.
// What is signed in between stands before the first page and changes no other.
// Errors: Invalid, NotFound (the journal is shorter than a position that is asked).
func (j *Journal) Checkpoints(ctx context.Context, query CheckpointQuery) (*CheckpointPage, error) {
	size, err := paging.Size(query.PageSize, "checkpoints")
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if query.PageToken != "" {
		if before, err = strconv.ParseInt(query.PageToken, 10, 64); err != nil || before < 1 {
			return nil, paging.BadToken(query.PageToken, "a list of checkpoints")
		}
	}
	var page *CheckpointPage
	err = j.read(ctx, func(q *db.Queries) error {
		page = &CheckpointPage{Checkpoints: []*SignedCheckpoint{}}
		if page.Position, err = sealed(ctx, q, query.AtLeast); err != nil {
			return err
		}
		positions, err := q.CheckpointPositions(ctx, db.CheckpointPositionsParams{Before: before, Signer: query.Signer, Page: int32(size) + 1})
		if err != nil {
			return err
		}
		if len(positions) > size {
			positions = positions[:size]
			page.NextPageToken = strconv.FormatInt(positions[size-1], 10)
		}
		for _, at := range positions { // a few bytes each, found by key
			signed, err := checkpointAt(ctx, q, Position(at))
			if err != nil {
				return err
			}
			c, err := ReadCheckpoint(signed)
			if err != nil {
				return fault.New(fault.Internal, "the checkpoint at position %d cannot be read: %w", at, err)
			}
			page.Checkpoints = append(page.Checkpoints, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}
