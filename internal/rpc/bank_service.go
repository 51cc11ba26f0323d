package rpc

import (
	"context"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	banking "fundledger/clearing/bank"
	"fundledger/internal/fault"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

// bankService serves what compares the books with money and with each other.
type bankService struct{ *Server }

func (s *bankService) desk() *banking.Desk { return s.desks.Load().bank }

var bankSides = map[banking.Side]clearingv1.BankSide{banking.In: clearingv1.BankSide_BANK_SIDE_IN, banking.Out: clearingv1.BankSide_BANK_SIDE_OUT}

// visible refuses a bank account of which no book lies in the caller's regions, as
// one that there is not; one that is changed must lie in them wholly.
func (s *bankService) visible(ctx context.Context, number string, changes bool) error {
	names, err := s.booksOf(ctx, number)
	if err != nil {
		return err
	}
	missing := fault.New(fault.NotFound, "there is no bank account %s", number).With("account", number)
	if changes {
		return mayChange(ctx, names, missing)
	}
	if !callOf(ctx).regions.HasAny(names) {
		return missing
	}
	return nil
}

// booksOf names the books whose money the bank account has held.
func (s *bankService) booksOf(ctx context.Context, number string) (names []string, err error) {
	books, err := s.desk().BooksOf(ctx, number)
	for _, b := range books {
		names = append(names, string(b))
	}
	return names, err
}

func everyRow[T any](*T) bool { return true }

func (s *bankService) ListBankAccounts(ctx context.Context, q *clearingv1.ListBankAccountsRequest) (*clearingv1.ListBankAccountsResponse, error) {
	var r reader
	on := r.date("on", q.GetOn())
	if r.err != nil {
		return nil, r.err
	}
	list, err := s.desk().Accounts(ctx, on)
	if err != nil {
		return nil, err
	}
	regions := callOf(ctx).regions
	wanted := func(a *banking.Account) bool {
		return regions.Has(string(a.Book)) && (q.GetBook() == "" || q.GetBook() == string(a.Book))
	}
	told, next, err := page(list, q.GetPageSize(), q.GetPageToken(), wanted, bankAccountOf)
	return &clearingv1.ListBankAccountsResponse{Accounts: told, NextPageToken: next}, err
}

func bankAccountOf(a *banking.Account) *clearingv1.BankAccount {
	told := &clearingv1.BankAccount{Number: a.Number, Bank: a.Bank, Holder: a.Holder, Book: string(a.Book), From: a.From.String(), Source: a.Source, EnteredBy: a.EnteredBy}
	if !a.To.IsZero() {
		told.To = a.To.String()
	}
	for _, b := range a.Backs {
		told.Backs = append(told.Backs, &clearingv1.Backing{Fund: b.Fund, Subject: b.Subject})
	}
	return told
}

func (s *bankService) PutBankAccounts(ctx context.Context, q *clearingv1.PutBankAccountsRequest) (*clearingv1.PutBankAccountsResponse, error) {
	var r reader
	change := banking.AccountChange{Key: q.GetIdempotencyKey(), By: caller(ctx)}
	for _, x := range q.GetAccounts() {
		a := banking.Account{Number: x.GetNumber(), Bank: x.GetBank(), Holder: x.GetHolder(), Book: accounts.Book(x.GetBook()),
			Effective: accounts.Effective{From: r.date("from", x.GetFrom()), To: r.date("to", x.GetTo()), Source: x.GetSource()}}
		for _, b := range x.GetBacks() {
			a.Backs = append(a.Backs, banking.Backing{Fund: b.GetFund(), Subject: b.GetSubject()})
		}
		change.Accounts = append(change.Accounts, a)
	}
	if r.err != nil {
		return nil, r.err
	}
	for _, a := range change.Accounts { // a number that another region has is not the caller's to change
		names, err := s.booksOf(ctx, a.Number)
		if fault.KindOf(err) != fault.NotFound && err != nil {
			return nil, err
		}
		if !callOf(ctx).regions.HasAll(names) {
			return nil, fault.New(fault.Permission, "bank account %s lies in another region, in which you hold no role for this", a.Number).With("account", a.Number)
		}
	}
	done, err := s.desk().ChangeAccounts(ctx, change)
	if err != nil {
		return nil, err
	}
	return &clearingv1.PutBankAccountsResponse{Inserted: int32(done.Inserted), Ended: int32(done.Ended), Unchanged: int32(done.Unchanged), Replayed: done.Replayed}, nil
}

func (s *bankService) ImportBankStatements(ctx context.Context, q *clearingv1.ImportBankStatementsRequest) (*clearingv1.ImportBankStatementsResponse, error) {
	report, err := s.desk().Import(ctx, banking.ImportRequest{Key: q.GetIdempotencyKey(), By: caller(ctx), File: q.GetFileName(), Content: q.GetContent(), Regions: visibleRegions(ctx)})
	if err != nil {
		return nil, err
	}
	told := &clearingv1.ImportBankStatementsResponse{Replayed: report.Replayed}
	for i := range report.Statements {
		d := &report.Statements[i]
		told.Statements = append(told.Statements, &clearingv1.ImportedBankStatement{
			Statement: bankStatementOf(&d.Statement), Added: int64(d.Added), Known: int64(d.Known), Replayed: d.Replayed, Ignored: d.Ignored, Gaps: bankGaps(d.Gaps),
		})
	}
	return told, nil
}

func bankStatementOf(s *banking.Statement) *clearingv1.BankStatement {
	return &clearingv1.BankStatement{Account: s.Account, From: s.From.String(), To: s.To.String(), Opening: s.Opening.String(), Closing: s.Closing.String(),
		Lines: int64(s.Count), FileName: s.File, ImportedBy: s.ImportedBy, ImportTime: timestamp(s.ImportedAt)}
}

func bankGaps(gaps []banking.Gap) (told []*clearingv1.BankStatementGap) {
	for _, g := range gaps {
		told = append(told, &clearingv1.BankStatementGap{After: g.After.String(), Closing: g.Closing.String(), Before: g.Before.String(), Opening: g.Opening.String(),
			Days: int32(g.Days), Difference: g.Difference.String()})
	}
	return told
}

func (s *bankService) ListBankStatements(ctx context.Context, q *clearingv1.ListBankStatementsRequest) (*clearingv1.ListBankStatementsResponse, error) {
	if err := s.visible(ctx, q.GetAccount(), false); err != nil {
		return nil, err
	}
	list, gaps, err := s.desk().Statements(ctx, q.GetAccount())
	if err != nil {
		return nil, err
	}
	told, next, err := page(list, q.GetPageSize(), q.GetPageToken(), everyRow[banking.Statement], bankStatementOf)
	return &clearingv1.ListBankStatementsResponse{Statements: told, NextPageToken: next, Gaps: bankGaps(gaps)}, err
}

func (s *bankService) ListBankLines(ctx context.Context, q *clearingv1.ListBankLinesRequest) (*clearingv1.ListBankLinesResponse, error) {
	var r reader
	query := banking.LineQuery{Account: q.GetAccount(), From: r.date("from_date", q.GetFromDate()), To: r.date("to_date", q.GetToDate()),
		OpenOnly: q.GetOpenOnly(), PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken()}
	if r.err != nil {
		return nil, r.err
	}
	if err := s.visible(ctx, q.GetAccount(), false); err != nil {
		return nil, err
	}
	list, err := s.desk().Lines(ctx, query)
	if err != nil {
		return nil, err
	}
	return &clearingv1.ListBankLinesResponse{Lines: bankLines(list.Lines), NextPageToken: list.NextPageToken}, nil
}

func bankLines(lines []banking.Line) (told []*clearingv1.BankLine) {
	for i := range lines {
		told = append(told, bankLineOf(&lines[i]))
	}
	return told
}

func bankLineOf(l *banking.Line) *clearingv1.BankLine {
	told := &clearingv1.BankLine{Account: l.Account, Serial: l.Serial, Date: l.Date.String(), Side: bankSides[l.Side], Amount: l.Amount.String(),
		CounterpartyAccount: l.CounterpartyAccount, CounterpartyName: l.CounterpartyName, Remark: l.Remark, Reference: l.Reference, MatchId: idOf(l.Match)}
	if l.Balance != nil {
		told.Balance = l.Balance.String()
	}
	return told
}

// bankDay reads a day of a request.
func bankDay(text string) (civil.Date, error) {
	var r reader
	return r.date("day", text), r.err
}
