package rpc

import (
	"bytes"
	"context"
	"io"
	"strings"

	"connectrpc.com/connect"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/export"
	"fundledger/internal/fault"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

// formats are those that every document comes in.
var formats = []clearingv1.DocumentFormat{clearingv1.DocumentFormat_DOCUMENT_FORMAT_XLSX, clearingv1.DocumentFormat_DOCUMENT_FORMAT_JSON}

// documents are those of a run that the caller may see: tables have all cities,
// so they are for the whole province.
func (s *clearingService) documents(ctx context.Context, run string) ([]export.Document, error) {
	d, err := s.desks.Load().clearing.RunDocuments(ctx, run)
	if err != nil {
		return nil, err
	}
	regions := visibleRegions(ctx)
	seen := map[string]bool{"": regions == nil}
	for _, n := range d.Notices {
		seen[n.ID] = s.desks.Load().clearing.Sees(regions, n.Party)
	}
	var list []export.Document
	for _, document := range export.Documents(d, s.deps.Book) {
		if seen[document.Notice] {
			list = append(list, document)
		}
	}
	return list, nil
}

func (s *clearingService) ListDocuments(ctx context.Context, q *clearingv1.ListDocumentsRequest) (*clearingv1.ListDocumentsResponse, error) {
	documents, err := s.documents(ctx, q.GetRun())
	if err != nil {
		return nil, err
	}
	every := func(*export.Document) bool { return true }
	told, next, err := page(documents, q.GetPageSize(), q.GetPageToken(), every, func(d *export.Document) *clearingv1.Document {
		return &clearingv1.Document{Document: q.GetRun() + "/" + d.Name, Title: d.Title, Notice: d.Notice, Formats: formats}
	})
	return &clearingv1.ListDocumentsResponse{Documents: told, NextPageToken: next}, err
}

// documentChunk is how much of a file one message has.
const documentChunk = 256 << 10

func (s *clearingService) DownloadDocument(ctx context.Context, q *clearingv1.DownloadDocumentRequest, stream *connect.ServerStream[clearingv1.DownloadDocumentResponse]) error {
	cut := strings.LastIndexByte(q.GetDocument(), '/')
	run, name := q.GetDocument()[:max(cut, 0)], q.GetDocument()[cut+1:]
	documents, err := s.documents(ctx, run)
	if err != nil {
		return err
	}
	for i := range documents {
		if documents[i].Name == name {
			return send(&documents[i], q.GetFormat(), stream)
		}
	}
	return fault.New(fault.NotFound, "there is no document %s: ListDocuments lists those of a run", q.GetDocument()).With("document", q.GetDocument())
}

// documentFile is the name and media type of the file, and what writes it.
func documentFile(d *export.Document, format clearingv1.DocumentFormat) (name, media string, write func(io.Writer) error) {
	if format == clearingv1.DocumentFormat_DOCUMENT_FORMAT_JSON {
		return d.Name + ".json", "application/json", d.JSON
	}
	return d.Name + ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", d.XLSX
}

func send(d *export.Document, format clearingv1.DocumentFormat, stream *connect.ServerStream[clearingv1.DownloadDocumentResponse]) error {
	name, media, write := documentFile(d, format)
	var file bytes.Buffer
	if err := write(&file); err != nil {
		return fault.New(fault.Internal, "document %s cannot be written: %w", d.Name, err)
	}
	message := &clearingv1.DownloadDocumentResponse{FileName: name, MediaType: media}
	for {
		message.Chunk = file.Next(documentChunk)
		if err := stream.Send(message); err != nil {
			return err
		}
		if file.Len() == 0 {
			return nil
		}
		message = &clearingv1.DownloadDocumentResponse{}
	}
}

func (s *clearingService) GetQuotas(ctx context.Context, q *clearingv1.GetQuotasRequest) (*clearingv1.GetQuotasResponse, error) {
	name := q.GetFileName()
	if name == "" {
		name = "bases"
	}
	bases, err := clearing.ReadBases(s.deps.Book, int(q.GetYear()), name, bytes.NewReader(q.GetBases()))
	if err != nil {
		return nil, err
	}
	quotas, err := bases.Quotas(s.deps.Book)
	if err != nil {
		return nil, err
	}
	regions := callOf(ctx).regions
	response := &clearingv1.GetQuotasResponse{}
	for _, city := range quotas.InProvince {
		for _, fund := range city.Value {
			if regions.Has(city.Key) {
				response.InProvince = append(response.InProvince, &clearingv1.InProvinceQuota{City: city.Key, Fund: fund.Key, Amount: fund.Value.String()})
			}
		}
	}
	for _, province := range quotas.CrossProvince {
		for _, fund := range province.Value {
			if told := crossQuota(province.Key, fund.Key, fund.Value, regions); told != nil {
				response.CrossProvince = append(response.CrossProvince, told)
			}
		}
	}
	return response, nil
}

// crossQuota shows the shares of the caller's cities, and their sum as the quota;
// nil when there are none.
func crossQuota(province, fund string, quota clearing.CrossQuota, regions Regions) *clearingv1.CrossProvinceQuota {
	told := &clearingv1.CrossProvinceQuota{Province: province, Fund: fund}
	var sum accounts.Fen
	for _, city := range quota.Cities {
		if regions.Has(city.Key) {
			told.Shares = append(told.Shares, &clearingv1.CityShare{City: city.Key, Amount: city.Value.String()})
			sum += city.Value
		}
	}
	if told.Amount = sum.String(); told.Shares == nil {
		return nil
	}
	return told
}
