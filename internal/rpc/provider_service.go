package rpc

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/settlement/provider"
)

// providerService serves providers, manual reimbursements and fee checks.
type providerService struct{ *Server }

func (s *providerService) desk() *provider.Desk { return s.desks.Load().provider }

func (s *providerService) MatchStatement(ctx context.Context, q *settlementv1.MatchStatementRequest) (*settlementv1.MatchStatementResponse, error) {
	var r reader
	request := provider.MatchRequest{
		Treating: q.GetTreating(), Provider: q.GetProvider(), Month: r.month("month", q.GetMonth()), File: cmp.Or(q.GetFileName(), "content"),
		Content: bytes.NewReader(q.GetContent()), Date: r.date("date", q.GetDate()), By: caller(ctx),
	}
	if r.err != nil {
		return nil, r.err
	}
	if sum := sha256.Sum256(q.GetContent()); hex.EncodeToString(sum[:]) != q.GetSha256() {
		return nil, fault.New(fault.Invalid, "the SHA-256 of the content is %x, not the one that is given", sum).With("field", "sha256")
	}
	m, err := s.desk().Match(ctx, request)
	if err != nil {
		return nil, err
	}
	return &settlementv1.MatchStatementResponse{Match: matchOf(m), Replayed: m.Replayed}, nil
}

func matchOf(m *provider.Match) *settlementv1.ProviderMatch {
	told := &settlementv1.ProviderMatch{
		Treating: m.Treating, Provider: m.Provider, Month: string(m.Month), Number: m.Number, FileName: m.File, Sha256: m.SHA256,
		Theirs: matchSum(m.Theirs), Ours: matchSum(m.Ours), Equal: matchSum(m.Equal), Date: dateOf(m.Date), Person: m.By, Position: int64(m.Position),
	}
	for _, kind := range []string{provider.KindAmountDiffers, provider.KindMissingAtProvider, provider.KindMissingHere} {
		if n := m.Differences[kind]; n > 0 {
			told.Differences = append(told.Differences, &settlementv1.DifferenceCount{Kind: kind, Count: n})
		}
	}
	return told
}

func matchSum(s provider.Sum) *settlementv1.MatchSum {
	return &settlementv1.MatchSum{Records: s.Records, Amount: s.Amount.String()}
}

func (s *providerService) ListDifferences(ctx context.Context, q *settlementv1.ListDifferencesRequest) (*settlementv1.ListDifferencesResponse, error) {
	position, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition())
	if err != nil {
		return nil, err
	}
	page, err := s.desk().Differences(ctx, provider.DifferenceQuery{
		Treating: q.GetTreating(), Provider: q.GetProvider(), Month: accounts.Month(q.GetMonth()), Number: q.GetNumber(), Kind: q.GetKind(),
		PageSize: int(q.GetPageSize()), PageToken: q.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &settlementv1.ListDifferencesResponse{Match: matchOf(page.Match), NextPageToken: page.NextPageToken, Position: position}
	for _, d := range page.Differences {
		response.Differences = append(response.Differences, &settlementv1.ProviderDifference{
			SetlId: d.SetlID, Kind: d.Kind, Theirs: d.Theirs.String(), Ours: d.Ours.String(), Detail: d.Detail,
		})
	}
	return response, nil
}

func (s *providerService) GetPayables(ctx context.Context, q *settlementv1.GetPayablesRequest) (*settlementv1.GetPayablesResponse, error) {
	var r reader
	through := r.date("through", q.GetThrough())
	if r.err != nil {
		return nil, r.err
	}
	if _, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition()); err != nil {
		return nil, err
	}
	list, position, err := s.desk().Payables(ctx, q.GetTreating(), q.GetProvider(), through)
	response := &settlementv1.GetPayablesResponse{Position: int64(position)}
	for _, p := range list {
		response.Payables = append(response.Payables, &settlementv1.Payable{
			Fund: p.Fund, Balance: p.Balance.String(), Open: p.Open.String(), SetOff: p.SetOff.String(), Later: p.Later.String(),
			Listed: p.Listed.String(), Unassigned: p.Unassigned.String(), Settlements: p.Settlements,
		})
	}
	return response, err
}

func (s *providerService) ListClaims(ctx context.Context, q *settlementv1.ListClaimsRequest) (*settlementv1.ListClaimsResponse, error) {
	if _, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition()); err != nil {
		return nil, err
	}
	claims, position, err := s.desk().Claims(ctx, q.GetTreating())
	if err != nil {
		return nil, err
	}
	size := cmp.Or(int(q.GetPageSize()), 100)
	response := &settlementv1.ListClaimsResponse{Position: int64(position)}
	for _, c := range claims {
		if place := c.Provider + " " + c.Fund; q.GetPageToken() != "" && strings.Compare(place, q.GetPageToken()) <= 0 {
			continue
		}
		if len(response.Claims) == size {
			last := response.Claims[size-1]
			response.NextPageToken = last.Provider + " " + last.Fund
			break
		}
		response.Claims = append(response.Claims, &settlementv1.Claim{Provider: c.Provider, Fund: c.Fund, Amount: c.Amount.String()})
	}
	return response, nil
}

func (s *providerService) GetProviderStatement(ctx context.Context, q *settlementv1.GetProviderStatementRequest) (*settlementv1.GetProviderStatementResponse, error) {
	var r reader
	month := r.month("month", q.GetMonth())
	if r.err != nil {
		return nil, r.err
	}
	if _, err := reached(ctx, s.deps.Journal, s.deps.Book, q.GetAtLeastPosition()); err != nil {
		return nil, err
	}
	statement, err := s.desk().Statement(ctx, q.GetTreating(), q.GetProvider(), month)
	if err != nil {
		return nil, err
	}
	response := &settlementv1.GetProviderStatementResponse{Position: int64(statement.Position)}
	for _, l := range statement.Lines {
		response.Lines = append(response.Lines, &settlementv1.ProviderStatementLine{
			Fund: l.Fund, Opening: l.Opening.String(), Accepted: l.Accepted.String(), Refunds: l.Refunds.String(), Deductions: l.Deductions.String(),
			Recovered: l.Recovered.String(), Other: l.Other.String(), Paid: l.Paid.String(), Closing: l.Closing.String(),
		})
	}
	return response, nil
}

func (s *providerService) FundSpending(ctx context.Context, q *settlementv1.FundSpendingRequest) (*settlementv1.FundSpendingResponse, error) {
	var r reader
	funding := provider.Funding{Region: q.GetRegion(), Lines: r.fundLines(q.GetLines()), Date: r.date("date", q.GetDate()), Reference: q.GetReference(), By: caller(ctx)}
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.desk().Fund(ctx, funding)
	if err != nil {
		return nil, err
	}
	return &settlementv1.FundSpendingResponse{EntryId: made.Entry.String(), Replayed: made.Replayed}, nil
}

// fundLines are amounts per fund.
func (r *reader) fundLines(lines []*settlementv1.FundAmount) (list []provider.Line) {
	for _, l := range lines {
		list = append(list, provider.Line{Fund: l.GetFund(), Amount: parsed(r, "amount", l.GetAmount(), accounts.ParseYuan)})
	}
	return list
}

func providerEvents(events []provider.Event) (told []*settlementv1.ProviderEvent) {
	for _, e := range events {
		told = append(told, &settlementv1.ProviderEvent{Step: e.Step, Date: dateOf(e.On), Person: e.By, Document: e.Document, Reason: e.Reason})
	}
	return told
}

// optionalID is empty for none.
func optionalID(id uuid.NullUUID) string {
	if !id.Valid {
		return ""
	}
	return id.UUID.String()
}

// keeper is the region whose people act for a region: another province's are
// those of the home province.
func (s *providerService) keeper(region string) string {
	if r, ok := s.deps.Book.Regions.Find(region); ok && r.Kind == accounts.City {
		return region
	}
	return s.deps.Book.Regions.Home().Code
}

// hidden is nil for what lies in one of the caller's regions, else the error.
func (s *providerService) hidden(ctx context.Context, missing error, regions ...string) error {
	mine := callOf(ctx).regions
	for _, region := range regions {
		if mine.Has(s.keeper(region)) {
			return nil
		}
	}
	return missing
}

func notThere(what, id string) error {
	return fault.New(fault.NotFound, "there is no %s %s", what, id).With("id", id)
}
