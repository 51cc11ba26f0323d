package rpc

import (
	"context"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/paging"
	"fundledger/ledger"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
)

// pageSize is how many a page may hold when so many were asked, which the contract
// has bounded.
func pageSize(asked int32) int {
	if asked == 0 {
		return paging.Default
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

func (s *ledgerService) GetBalances(ctx context.Context, request *ledgerv1.GetBalancesRequest) (*ledgerv1.GetBalancesResponse, error) {
	var r reader
	query := ledger.BalanceQuery{
		Filter: filterOf(request), AsOf: r.asOf(request.GetAsOf(), request.GetAtLeastPosition()), Regions: callOf(ctx).regions.filter(),
		IncludeZero: request.GetIncludeZero(), PageSize: int(request.GetPageSize()), PageToken: request.GetPageToken(),
	}
	var account accounts.Account
	if request.GetAccount() != "" {
		account = parsed(&r, "account", request.GetAccount(), accounts.ParseAccount)
		query.Filter = ledger.Filter(account)
	}
	if r.err != nil {
		return nil, r.err
	}
	if up := request.GetRollUp(); up != nil {
		query.RollUp = &ledger.RollupOptions{Levels: int(up.GetLevels()), ByCounterparty: up.GetByCounterparty()}
	} else if request.GetAccount() != "" {
		return s.balanceOf(ctx, account, query)
	}
	page, err := s.journal.PageOfBalances(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.GetBalancesResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for i := range page.Balances {
		response.Balances = append(response.Balances, s.tellBalance(&page.Balances[i], request.GetAsOf() == nil))
	}
	return response, nil
}

// balanceOf shows one account, which is told in one statement.
func (s *ledgerService) balanceOf(ctx context.Context, account accounts.Account, query ledger.BalanceQuery) (*ledgerv1.GetBalancesResponse, error) {
	balance, position, err := s.journal.Balance(ctx, account, query.AsOf)
	if err != nil {
		return nil, err
	}
	response := &ledgerv1.GetBalancesResponse{Position: int64(position)}
	if balance.Balance != 0 || balance.Reserved != 0 || query.IncludeZero {
		balance.Account = account
		now := query.AsOf.Date.IsZero() && query.Position == 0 && query.PostedAt.IsZero()
		response.Balances = append(response.Balances, s.tellBalance(&balance, now))
	}
	return response, nil
}

// tellBalance shows a balance; what is reserved is of now only.
func (s *ledgerService) tellBalance(b *ledger.Balance, now bool) *ledgerv1.Balance {
	told := &ledgerv1.Balance{
		Account: b.Account.String(), SubjectName: s.subjectName(b.Account), Debit: b.Debit.String(), Credit: b.Credit.String(),
		Balance: b.Balance.String(),
	}
	if now {
		told.Reserved = b.Reserved.String()
	}
	return told
}

func (s *ledgerService) subjectName(account accounts.Account) string {
	subject, _ := s.book.Chart.Find(account.Book.Role(), account.Subject, accounts.Today())
	return subject.Name
}

func (s *ledgerService) GetStatement(ctx context.Context, request *ledgerv1.GetStatementRequest) (*ledgerv1.GetStatementResponse, error) {
	var r reader
	account := parsed(&r, "account", request.GetAccount(), accounts.ParseAccount)
	as := r.asOf(request.GetAsOf(), request.GetAtLeastPosition())
	query := ledger.StatementQuery{
		From: r.date("from_date", request.GetFromDate()), To: r.date("to_date", request.GetToDate()), Until: as.Position, PostedAt: as.PostedAt, AtLeast: as.AtLeast,
		PageSize: int(request.GetPageSize()), PageToken: request.GetPageToken(),
	}
	if r.err != nil {
		return nil, r.err
	}
	if !as.Date.IsZero() && (query.To.IsZero() || as.Date.Before(query.To)) {
		query.To = as.Date
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
