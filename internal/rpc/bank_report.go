package rpc

import (
	"bytes"
	"context"

	"connectrpc.com/connect"

	banking "fundledger/clearing/bank"
	"fundledger/internal/export"
	"fundledger/internal/fault"
	"fundledger/ledger"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

var outstandingKinds = map[banking.Kind]clearingv1.OutstandingKind{
	banking.BookIn: clearingv1.OutstandingKind_OUTSTANDING_KIND_BOOK_IN, banking.BookOut: clearingv1.OutstandingKind_OUTSTANDING_KIND_BOOK_OUT,
	banking.BankIn: clearingv1.OutstandingKind_OUTSTANDING_KIND_BANK_IN, banking.BankOut: clearingv1.OutstandingKind_OUTSTANDING_KIND_BANK_OUT,
}

func (s *bankService) table(ctx context.Context, account, text string, atLeast int64) (*banking.Table, error) {
	day, err := bankDay(text)
	if err != nil {
		return nil, err
	}
	if err := s.visible(ctx, account, false); err != nil {
		return nil, err
	}
	return s.desk().Reconcile(ctx, account, day, ledger.Position(atLeast))
}

func (s *bankService) GetBankReconciliation(ctx context.Context, q *clearingv1.GetBankReconciliationRequest) (*clearingv1.GetBankReconciliationResponse, error) {
	t, err := s.table(ctx, q.GetAccount(), q.GetDay(), q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	told := &clearingv1.BankReconciliation{
		Account: bankAccountOf(&t.Account), Day: t.Day.String(), BookBalance: t.Book.String(), StatementBalance: t.Statement.String(),
		BookIn: t.BookIn.String(), BookOut: t.BookOut.String(), BankIn: t.BankIn.String(), BankOut: t.BankOut.String(),
		AdjustedBookBalance: t.AdjustedBook.String(), AdjustedStatementBalance: t.AdjustedStatement.String(), Difference: t.Difference.String(),
	}
	for _, f := range t.Funds {
		told.Funds = append(told.Funds, &clearingv1.BackedBalance{Account: f.Account.String(), Balance: f.Balance.String()})
	}
	for _, c := range t.Causes {
		told.Causes = append(told.Causes, &clearingv1.BankReconciliationCause{Amount: c.Amount.String(), Text: c.Text})
	}
	for _, i := range t.Items {
		item := &clearingv1.OutstandingItem{Kind: outstandingKinds[i.Kind], Date: i.Date.String(), Amount: i.Amount.String(), Age: int32(i.Age), Alert: i.Alert,
			Serial: i.Serial, Text: i.Text, Source: i.Source, MatchId: idOf(i.Match)}
		if i.Posting != nil {
			item.Posting, item.Account = postingRef(*i.Posting), i.Book.String()
		}
		told.Items = append(told.Items, item)
	}
	return &clearingv1.GetBankReconciliationResponse{Reconciliation: told, Position: int64(t.Position)}, nil
}

func (s *bankService) DownloadBankReconciliation(ctx context.Context, q *clearingv1.DownloadBankReconciliationRequest, stream *connect.ServerStream[clearingv1.DownloadBankReconciliationResponse]) error {
	t, err := s.table(ctx, q.GetAccount(), q.GetDay(), 0)
	if err != nil {
		return err
	}
	d := export.ReconciliationDocument(t)
	name, media, write := documentFile(&d, q.GetFormat())
	var file bytes.Buffer
	if err := write(&file); err != nil {
		return fault.New(fault.Internal, "document %s cannot be written: %w", d.Name, err)
	}
	message := &clearingv1.DownloadBankReconciliationResponse{FileName: name, MediaType: media}
	for {
		message.Chunk = file.Next(documentChunk)
		if err := stream.Send(message); err != nil {
			return err
		}
		if file.Len() == 0 {
			return nil
		}
		message = &clearingv1.DownloadBankReconciliationResponse{}
	}
}

func (s *bankService) ListBankAlerts(ctx context.Context, q *clearingv1.ListBankAlertsRequest) (*clearingv1.ListBankAlertsResponse, error) {
	on, err := bankDay(q.GetOn())
	if err != nil {
		return nil, err
	}
	list, err := s.desk().Alerts(ctx, q.GetAccount(), on, visibleRegions(ctx))
	if err != nil {
		return nil, err
	}
	told, next, err := page(list, q.GetPageSize(), q.GetPageToken(), everyRow[banking.Alert], func(a *banking.Alert) *clearingv1.BankAlert {
		return &clearingv1.BankAlert{Line: bankLineOf(&a.Line), Book: string(a.Book), Kind: outstandingKinds[a.Kind], Age: int32(a.Age)}
	})
	return &clearingv1.ListBankAlertsResponse{Alerts: told, NextPageToken: next}, err
}
