package rpc

import (
	"context"
	"errors"

	"fundledger/accounts"
	"fundledger/clearing/statement"
	"fundledger/internal/fault"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// statementService serves the statements of books.
type statementService struct{ *Server }

func (s *statementService) office() *statement.Statements {
	return statement.New(s.deps.Journal, s.desks.Load().book)
}

var statementKinds = map[accounts.StatementKind]clearingv1.StatementKind{
	accounts.BalanceSheet:    clearingv1.StatementKind_STATEMENT_KIND_BALANCE_SHEET,
	accounts.IncomeStatement: clearingv1.StatementKind_STATEMENT_KIND_INCOME,
}

// statementRequest is what requests for statements have in common.
type statementRequest interface {
	GetBook() string
	GetFund() string
	GetAsOf() *typev1.AsOf
	GetAtLeastPosition() int64
}

// of reads what a statement is wanted of.
func (r *reader) of(q statementRequest, from, to string) statement.Query {
	return statement.Query{
		Book: accounts.Book(q.GetBook()), Fund: q.GetFund(), From: accounts.Month(from), To: accounts.Month(to),
		AsOf: r.asOf(q.GetAsOf(), q.GetAtLeastPosition()),
	}
}

func (s *statementService) GetTrialBalance(ctx context.Context, q *clearingv1.GetTrialBalanceRequest) (*clearingv1.GetTrialBalanceResponse, error) {
	var r reader
	query := r.of(q, q.GetFromMonth(), q.GetToMonth())
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.office().TrialBalance(ctx, query, q.GetBeforeClosing())
	if err != nil {
		return nil, err
	}
	return &clearingv1.GetTrialBalanceResponse{
		Rows: trialRows(made.Rows), Totals: trialRows(made.Totals), Balances: made.Err() == nil, Position: int64(made.Position),
	}, nil
}

func trialRows(rows []statement.TrialRow) (told []*clearingv1.TrialBalanceRow) {
	for _, r := range rows {
		told = append(told, &clearingv1.TrialBalanceRow{
			Subject: r.Subject, Name: r.Name, Level: int32(r.Level), Layer: string(r.Layer),
			OpeningDebit: r.OpeningDebit.String(), OpeningCredit: r.OpeningCredit.String(), Debit: r.Debit.String(), Credit: r.Credit.String(),
			ClosingDebit: r.ClosingDebit.String(), ClosingCredit: r.ClosingCredit.String(),
		})
	}
	return told
}

func (s *statementService) GetBalanceSheet(ctx context.Context, q *clearingv1.GetBalanceSheetRequest) (*clearingv1.GetBalanceSheetResponse, error) {
	var r reader
	query := r.of(q, q.GetMonth(), q.GetMonth())
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.office().BalanceSheet(ctx, query)
	if err != nil {
		return nil, err
	}
	figures, ties := figuresOf(made)
	return &clearingv1.GetBalanceSheetResponse{Figures: figures, Ties: ties, TiesHold: made.Err() == nil, Position: int64(made.Position)}, nil
}

func (s *statementService) GetIncomeStatement(ctx context.Context, q *clearingv1.GetIncomeStatementRequest) (*clearingv1.GetIncomeStatementResponse, error) {
	var r reader
	query := r.of(q, q.GetFromMonth(), q.GetToMonth())
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.office().IncomeStatement(ctx, query)
	if err != nil {
		return nil, err
	}
	figures, ties := figuresOf(made)
	return &clearingv1.GetIncomeStatementResponse{Figures: figures, Ties: ties, TiesHold: made.Err() == nil, Position: int64(made.Position)}, nil
}

func figuresOf(made *statement.Statement) (figures []*clearingv1.StatementFigure, ties []*clearingv1.StatementTie) {
	for _, f := range made.Figures {
		figures = append(figures, &clearingv1.StatementFigure{
			Line: f.Line, Title: f.Title, Section: string(f.Section), Amount: f.Amount.String(), Other: f.Other.String(),
		})
	}
	for _, t := range made.Ties {
		ties = append(ties, &clearingv1.StatementTie{Title: t.Title, Formula: t.Formula, Difference: t.Difference.String(), Other: t.Other.String()})
	}
	return figures, ties
}

func (s *statementService) GetGeneralLedger(ctx context.Context, q *clearingv1.GetGeneralLedgerRequest) (*clearingv1.GetGeneralLedgerResponse, error) {
	var r reader
	query := r.of(q, q.GetFromMonth(), q.GetToMonth())
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.office().GeneralLedger(ctx, query, q.GetSubject(), int(q.GetLevel()))
	if err != nil {
		return nil, err
	}
	response := &clearingv1.GetGeneralLedgerResponse{Position: int64(made.Position)}
	for _, of := range made.Subjects {
		told := &clearingv1.LedgerSubject{Subject: of.Subject, Name: of.Name, Opening: of.Opening.String()}
		for _, m := range of.Months {
			told.Months = append(told.Months, &clearingv1.LedgerMonth{
				Month: string(m.Month), Debit: m.Debit.String(), Credit: m.Credit.String(),
				YearDebit: m.YearDebit.String(), YearCredit: m.YearCredit.String(), Balance: m.Balance.String(),
			})
		}
		response.Subjects = append(response.Subjects, told)
	}
	return response, nil
}

func (s *statementService) GetAgeing(ctx context.Context, q *clearingv1.GetAgeingRequest) (*clearingv1.GetAgeingResponse, error) {
	var r reader
	date, as := r.date("date", q.GetDate()), r.asOf(q.GetAsOf(), q.GetAtLeastPosition())
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.office().Ageing(ctx, accounts.Book(q.GetBook()), q.GetFund(), date, as)
	if err != nil {
		return nil, err
	}
	response := &clearingv1.GetAgeingResponse{Total: amountsOf(made.Total), Position: int64(made.Position)}
	for _, days := range made.Days {
		response.BucketDays = append(response.BucketDays, int32(days))
	}
	for _, row := range made.Rows {
		response.Rows = append(response.Rows, &clearingv1.AgeingRow{
			Account: row.Account.String(), Name: row.Name, Balance: row.Balance.String(), Buckets: amountsOf(row.Buckets), OldestDate: row.Oldest.String(),
		})
	}
	return response, nil
}

func amountsOf(amounts []accounts.Fen) (list []string) {
	for _, a := range amounts {
		list = append(list, a.String())
	}
	return list
}

func (s *statementService) ListFigureLines(ctx context.Context, q *clearingv1.ListFigureLinesRequest) (*clearingv1.ListFigureLinesResponse, error) {
	var r reader
	query := r.of(q, q.GetFromMonth(), q.GetToMonth())
	if r.err != nil {
		return nil, r.err
	}
	page, err := s.office().Explain(ctx, statement.Explanation{
		Query: query, Statement: keyOf(statementKinds, q.GetStatement()), Line: q.GetLine(),
		PageSize: pageSize(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &clearingv1.ListFigureLinesResponse{Title: page.Title, NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	for _, l := range page.Lines {
		response.Lines = append(response.Lines, &clearingv1.FigureLine{
			Account: l.Account.String(), EntryId: l.Entry.String(), Position: int64(l.Position), Date: l.Date.String(), Kind: l.Kind, Summary: l.Summary,
			Side: sides[l.Side], Amount: l.Amount.String(), Adds: l.Adds.String(),
		})
	}
	return response, nil
}

func (s *statementService) CheckTable(_ context.Context, q *clearingv1.CheckTableRequest) (*clearingv1.CheckTableResponse, error) {
	var r reader
	table := statement.Published{
		Name: "the table", Statement: keyOf(statementKinds, q.GetStatement()), Role: accounts.Role(q.GetRole()), Fund: q.GetFund(), Date: r.date("date", q.GetDate()),
		Lines: map[string]accounts.Fen{}, Rows: map[string]int{},
	}
	for i, l := range q.GetLines() {
		if _, ok := table.Rows[l.GetLine()]; ok {
			return nil, fault.New(fault.Invalid, "line %s is given twice", l.GetLine()).With("field", "lines")
		}
		table.Lines[l.GetLine()], table.Rows[l.GetLine()] = parsed(&r, "lines.amount", l.GetAmount(), accounts.ParseYuan), i+1
	}
	if r.err != nil {
		return nil, r.err
	}
	ties, err := s.office().CheckPublished(&table)
	if known, ok := errors.AsType[*fault.Error](err); err != nil && !(ok && known.Kind == fault.Precondition) {
		return nil, err // a difference is the answer, not an error
	}
	response := &clearingv1.CheckTableResponse{TiesHold: err == nil}
	for _, t := range ties {
		response.Ties = append(response.Ties, &clearingv1.TableTie{
			Line: t.Line, Title: t.Title, Formula: t.Formula, Computed: t.Computed.String(), Printed: t.Printed.String(), Difference: t.Difference.String(),
		})
	}
	return response, nil
}
