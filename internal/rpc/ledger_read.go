package rpc

import (
	"context"
	"errors"
	"time"

	"cloud.google.com/go/civil"
	"connectrpc.com/connect"
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/ledger"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

// defaultPage is the size of a page that asks for none.
const defaultPage = 100

func pageSize(asked int32) int {
	if asked == 0 {
		return defaultPage
	}
	return int(asked)
}

// reached is the position of the journal that is seen now, which must have
// reached atLeast. A balance tells it in one statement, and catches up when the
// projection is behind, whatever the account.
func reached(ctx context.Context, journal *ledger.Journal, book *accounts.Rulebook, atLeast int64) (int64, error) {
	account := accounts.Account{Book: accounts.BookOf(book.Regions.Home().Code, accounts.Agency), Fund: "position", Subject: "position"}
	_, position, err := journal.Balance(ctx, account, ledger.AsOf{AtLeast: ledger.Position(atLeast)})
	return int64(position), err
}

func (s *ledgerService) GetEntry(ctx context.Context, request *ledgerv1.GetEntryRequest) (*ledgerv1.GetEntryResponse, error) {
	var r reader
	id := ledger.EntryID(request.GetIdempotencyKey())
	if request.GetEntryId() != "" {
		id = parsed(&r, "entry_id", request.GetEntryId(), uuid.Parse)
	}
	if r.err != nil {
		return nil, r.err
	}
	position, err := reached(ctx, s.journal, s.book, request.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	record, err := s.journal.Entry(ctx, id)
	if err != nil {
		return nil, err
	}
	regions := callOf(ctx).regions
	if !regions.HasAny(booksOf(record.Postings)) {
		return nil, noEntry(id)
	}
	return &ledgerv1.GetEntryResponse{Entry: entryOf(record, regions), Position: max(position, int64(record.Position))}, nil
}

// GetBalances shows one account; lists and sums wait for pages in the journal.
func (s *ledgerService) GetBalances(ctx context.Context, request *ledgerv1.GetBalancesRequest) (*ledgerv1.GetBalancesResponse, error) {
	if request.GetAccount() == "" || request.GetRollUp() != nil {
		return nil, connect.NewError(connect.CodeUnimplemented, errors.New("balances are shown of one account: give account"))
	}
	var r reader
	account := parsed(&r, "account", request.GetAccount(), accounts.ParseAccount)
	as := r.asOf(request.GetAsOf(), request.GetAtLeastPosition())
	if r.err != nil {
		return nil, r.err
	}
	balance, position, err := s.journal.Balance(ctx, account, as)
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.GetBalancesResponse{Position: int64(position)}
	if balance.Debit == 0 && balance.Credit == 0 && balance.Reserved == 0 && !request.GetIncludeZero() {
		return response, nil
	}
	told := &ledgerv1.Balance{
		Account: request.GetAccount(), SubjectName: s.subjectName(account), Debit: balance.Debit.String(), Credit: balance.Credit.String(),
		Balance: balance.Balance.String(),
	}
	if request.GetAsOf() == nil {
		told.Reserved = balance.Reserved.String()
	}
	response.Balances = append(response.Balances, told)
	return response, nil
}

func (s *ledgerService) subjectName(account accounts.Account) string {
	subject, _ := s.book.Chart.Find(account.Book.Role(), account.Subject, civil.DateOf(time.Now()))
	return subject.Name
}

func (s *ledgerService) GetStatement(ctx context.Context, request *ledgerv1.GetStatementRequest) (*ledgerv1.GetStatementResponse, error) {
	var r reader
	account := parsed(&r, "account", request.GetAccount(), accounts.ParseAccount)
	as := r.asOf(request.GetAsOf(), request.GetAtLeastPosition())
	query := ledger.StatementQuery{
		From: r.date("from_date", request.GetFromDate()), To: r.date("to_date", request.GetToDate()), Until: as.Position, AtLeast: as.AtLeast,
		PageSize: int(request.GetPageSize()), PageToken: request.GetPageToken(),
	}
	if r.err != nil {
		return nil, r.err
	}
	if !as.Date.IsZero() && (query.To.IsZero() || as.Date.Before(query.To)) {
		query.To = as.Date
	}
	if !as.PostedAt.IsZero() {
		_, position, err := s.journal.Balance(ctx, account, as)
		if err != nil {
			return nil, err
		}
		if query.Until = position; position == 0 { // nothing was posted by then
			return &ledgerv1.GetStatementResponse{Account: request.GetAccount()}, nil
		}
	}
	statement, err := s.journal.Statement(ctx, account, query)
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.GetStatementResponse{
		Account: request.GetAccount(), NextPageToken: statement.NextPageToken, Position: int64(statement.Position),
		Lines: make([]*ledgerv1.StatementLine, len(statement.Lines)),
	}
	for i, l := range statement.Lines {
		response.Lines[i] = &ledgerv1.StatementLine{
			Position: int64(l.Position), PostingIndex: int32(l.Leg), EntryId: l.Entry.String(), Date: l.Date.String(), Kind: l.Kind,
			Summary: l.Summary, Side: sides[l.Side], Amount: l.Amount.String(), Balance: l.Balance.String(),
			Run: l.Run, Category: l.Category, Part: l.Part, BenefitYear: int32(l.BenefitYear),
		}
	}
	return response, nil
}
