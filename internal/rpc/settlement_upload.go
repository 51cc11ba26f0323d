package rpc

import (
	"context"

	"connectrpc.com/connect"

	"fundledger/internal/fault"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement"
)

// settlementService serves settlements.
type settlementService struct{ *Server }

var fileSides = map[settlement.Side]settlementv1.Side{
	settlement.Treating: settlementv1.Side_SIDE_TREATING, settlement.Center: settlementv1.Side_SIDE_CENTER,
	settlement.Insured: settlementv1.Side_SIDE_INSURED,
}

var uploadStates = map[settlement.UploadState]settlementv1.UploadState{
	settlement.UploadReceiving: settlementv1.UploadState_UPLOAD_STATE_RECEIVING, settlement.UploadLoading: settlementv1.UploadState_UPLOAD_STATE_LOADING,
	settlement.UploadLoaded: settlementv1.UploadState_UPLOAD_STATE_LOADED, settlement.UploadRefused: settlementv1.UploadState_UPLOAD_STATE_REFUSED,
}

func (s *settlementService) UploadSettlements(ctx context.Context, stream *connect.ClientStream[settlementv1.UploadSettlementsRequest]) (*settlementv1.UploadSettlementsResponse, error) {
	if !stream.Receive() {
		if err := stream.Err(); err != nil {
			return nil, err
		}
		return nil, fault.New(fault.Invalid, "the upload has no message: the first one is its start")
	}
	start := stream.Msg().GetStart()
	if start == nil {
		return nil, fault.New(fault.Invalid, "the first message of an upload is its start")
	}
	upload, err := s.desks.Load().settlements.BeginUpload(ctx, settlement.UploadStart{
		BatchID: start.GetBatchId(), Side: keyOf(fileSides, start.GetSide()), FileName: start.GetFileName(), Size: start.GetSize(),
		SHA256: start.GetSha256(), Strict: start.GetStrict(), Subject: caller(ctx),
	})
	if err != nil {
		return nil, err
	}
	replayed, received := upload.State != settlement.UploadReceiving, upload.Received
	for offset := start.GetOffset(); stream.Receive(); {
		chunk := stream.Msg().GetChunk()
		if chunk == nil {
			return nil, fault.New(fault.Invalid, "only the first message of an upload is a start").With("batch_id", upload.BatchID)
		}
		if received, err = s.desks.Load().settlements.AddToUpload(ctx, upload.BatchID, offset, chunk); err != nil {
			return nil, err
		}
		offset += int64(len(chunk))
	}
	if err := stream.Err(); err != nil {
		return nil, err
	}
	if received == upload.Size {
		upload, err = s.desks.Load().settlements.LoadUpload(ctx, upload.BatchID, nil)
	} else {
		upload, err = s.desks.Load().settlements.Upload(ctx, upload.BatchID)
	}
	if err != nil {
		return nil, err
	}
	return &settlementv1.UploadSettlementsResponse{Upload: uploadOf(upload), Replayed: replayed}, nil
}

func (s *settlementService) GetUpload(ctx context.Context, q *settlementv1.GetUploadRequest) (*settlementv1.GetUploadResponse, error) {
	upload, err := s.desks.Load().settlements.Upload(ctx, q.GetBatchId())
	if err != nil {
		return nil, err
	}
	return &settlementv1.GetUploadResponse{Upload: uploadOf(upload)}, nil
}

func (s *settlementService) ListRowErrors(ctx context.Context, q *settlementv1.ListRowErrorsRequest) (*settlementv1.ListRowErrorsResponse, error) {
	page, err := s.desks.Load().settlements.RowErrors(ctx, settlement.RowErrorQuery{
		BatchID: q.GetBatchId(), Kind: q.GetKind(), PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	return &settlementv1.ListRowErrorsResponse{RowErrors: rowErrors(page.Rows), NextPageToken: page.NextPageToken}, nil
}

func uploadOf(u *settlement.Upload) *settlementv1.Upload {
	told := &settlementv1.Upload{
		BatchId: u.BatchID, Side: fileSides[u.Side], FileName: u.FileName, Size: u.Size, Sha256: u.SHA256, Received: u.Received, Strict: u.Strict,
		State: uploadStates[u.State], Subject: u.Subject, CreateTime: timestamp(u.Created), EndTime: timestamp(u.Ended),
	}
	if r := u.Report; r != nil {
		told.Report = &settlementv1.ImportReport{
			AlreadyLoaded: r.AlreadyLoaded, Rows: r.Rows, Accepted: r.Accepted, Rejected: r.Rejected, Duplicates: r.Duplicates,
			Conflicting: r.Conflicting, Superseded: r.Superseded, ConflictsWithPosted: r.ConflictsWithPosted, Added: r.Added,
			Replaced: r.Replaced, IgnoredColumns: r.IgnoredColumns, RowErrors: rowErrors(r.BadRows), MoreRowErrors: r.MoreBadRows,
		}
	}
	if u.Refusal != nil {
		told.Error = errorInfo(u.Refusal)
	}
	return told
}

func rowErrors(rows []settlement.BadRow) (told []*settlementv1.RowError) {
	for _, r := range rows {
		told = append(told, &settlementv1.RowError{Line: r.Line, Field: r.Field, Kind: r.Kind, Reason: r.Reason})
	}
	return told
}
