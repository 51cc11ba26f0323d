package rpc

import (
	"context"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	auditv1 "fundledger/proto/gen/fundledger/audit/v1"
)

// auditService serves those who prove the books.
type auditService struct {
	*Server
	journal *ledger.Journal
	book    *accounts.Rulebook
}

func checkpointOf(c *ledger.SignedCheckpoint) *auditv1.Checkpoint {
	return &auditv1.Checkpoint{Origin: c.Origin, Position: int64(c.Position), Root: c.Root[:], Signers: c.Signers, Note: string(c.Note)}
}

// checkpoint is the signed checkpoint of a position, or the last one of 0.
func (s *auditService) checkpoint(ctx context.Context, at int64) (*auditv1.Checkpoint, error) {
	note, err := s.journal.Checkpoint(ctx, ledger.Position(at))
	if err != nil {
		return nil, err
	}
	signed, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return nil, fault.New(fault.Internal, "a checkpoint of the database cannot be read: %w", err)
	}
	return checkpointOf(signed), nil
}

// checkpointIfAny is absent where none was signed.
func (s *auditService) checkpointIfAny(ctx context.Context, at int64) (*auditv1.Checkpoint, error) {
	c, err := s.checkpoint(ctx, at)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	return c, err
}

func (s *auditService) GetCheckpoint(ctx context.Context, q *auditv1.GetCheckpointRequest) (*auditv1.GetCheckpointResponse, error) {
	position, err := reached(ctx, s.journal, s.book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	c, err := s.checkpoint(ctx, q.GetCheckpointPosition())
	if err != nil {
		return nil, err
	}
	return &auditv1.GetCheckpointResponse{Checkpoint: c, Position: max(position, c.GetPosition())}, nil
}

func (s *auditService) ListCheckpoints(ctx context.Context, q *auditv1.ListCheckpointsRequest) (*auditv1.ListCheckpointsResponse, error) {
	page, err := s.journal.Checkpoints(ctx, ledger.CheckpointQuery{
		Signer: q.GetSigner(), AtLeast: ledger.Position(q.GetAtLeastPosition()), PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &auditv1.ListCheckpointsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for _, c := range page.Checkpoints {
		response.Checkpoints = append(response.Checkpoints, checkpointOf(c))
	}
	return response, nil
}

// ProveInclusion tells nothing of an entry in none of the caller's regions, and
// proves one only to those who may see all of it.
func (s *auditService) ProveInclusion(ctx context.Context, q *auditv1.ProveInclusionRequest) (*auditv1.ProveInclusionResponse, error) {
	var r reader
	id := ledger.EntryID(q.GetIdempotencyKey())
	if q.GetEntryId() != "" {
		id = parsed(&r, "entry_id", q.GetEntryId(), uuid.Parse)
	}
	if r.err != nil {
		return nil, r.err
	}
	position, err := reached(ctx, s.journal, s.book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	record, err := s.journal.Entry(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := mayChange(ctx, booksOf(record.Postings), noEntry(id)); err != nil {
		return nil, err
	}
	response := &auditv1.ProveInclusionResponse{TreeSize: q.GetTreeSize()}
	if response.TreeSize == 0 {
		if response.Checkpoint, err = s.checkpoint(ctx, 0); err == nil {
			response.TreeSize = response.Checkpoint.GetPosition()
		}
	} else {
		response.Checkpoint, err = s.checkpointIfAny(ctx, response.TreeSize)
	}
	if err != nil {
		return nil, err
	}
	proof, err := s.journal.ProveInclusion(ctx, id, ledger.Position(response.TreeSize))
	if err != nil {
		return nil, err
	}
	response.Entry, response.Leaf, response.Position = entryOf(record, callOf(ctx).regions), proof.Leaf, max(position, response.TreeSize)
	for _, h := range proof.Proof {
		response.Hashes = append(response.Hashes, h[:])
	}
	return response, nil
}

func (s *auditService) ProveConsistency(ctx context.Context, q *auditv1.ProveConsistencyRequest) (*auditv1.ProveConsistencyResponse, error) {
	position, err := reached(ctx, s.journal, s.book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	proof, err := s.journal.ProveConsistency(ctx, ledger.Position(q.GetOldSize()), ledger.Position(q.GetNewSize()))
	if err != nil {
		return nil, err
	}
	response := &auditv1.ProveConsistencyResponse{Position: max(position, q.GetNewSize())}
	for _, h := range proof {
		response.Hashes = append(response.Hashes, h[:])
	}
	if response.OldCheckpoint, err = s.checkpointIfAny(ctx, q.GetOldSize()); err != nil {
		return nil, err
	}
	response.NewCheckpoint, err = s.checkpointIfAny(ctx, q.GetNewSize())
	return response, err
}

func (s *auditService) GetSealerStatus(ctx context.Context, q *auditv1.GetSealerStatusRequest) (*auditv1.GetSealerStatusResponse, error) {
	if q.GetAtLeastPosition() > 0 { // otherwise nothing is caught up: the lag is to be seen
		if _, err := reached(ctx, s.journal, s.book, q.GetAtLeastPosition()); err != nil {
			return nil, err
		}
	}
	status, err := s.journal.SealerStatus(ctx)
	if err != nil {
		return nil, err
	}
	last, err := s.checkpointIfAny(ctx, 0)
	if err != nil {
		return nil, err
	}
	return &auditv1.GetSealerStatusResponse{
		Time: timestamp(status.At), WaitingBatches: status.WaitingBatches, WaitingEntries: status.WaitingEntries,
		OldestWaitingTime: timestamp(status.OldestWaiting), SealedPosition: int64(status.Sealed), Position: int64(status.Projected),
		SignedPosition: last.GetPosition(), Leader: status.Leader, LeaderSince: timestamp(status.Since), LeaderUntil: timestamp(status.Until),
		LeaderTerm: status.Term,
	}, nil
}
