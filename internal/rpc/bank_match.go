package rpc

import (
	"context"

	"github.com/google/uuid"

	banking "fundledger/clearing/bank"
	"fundledger/internal/fault"
	"fundledger/ledger"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
)

// matching is what all requests that match have in common.
type matching interface {
	GetIdempotencyKey() string
	GetAccount() string
	GetDay() string
}

func (s *bankService) matchRequest(ctx context.Context, q matching) (banking.MatchRequest, error) {
	day, err := bankDay(q.GetDay())
	if err == nil {
		err = s.visible(ctx, q.GetAccount(), true)
	}
	return banking.MatchRequest{Key: q.GetIdempotencyKey(), By: caller(ctx), Account: q.GetAccount(), Day: day}, err
}

func (s *bankService) MatchAutomatically(ctx context.Context, q *clearingv1.MatchAutomaticallyRequest) (*clearingv1.MatchAutomaticallyResponse, error) {
	request, err := s.matchRequest(ctx, q)
	if err != nil {
		return nil, err
	}
	done, err := s.desk().MatchAutomatically(ctx, request)
	if err != nil {
		return nil, err
	}
	told := &clearingv1.MatchAutomaticallyResponse{Replayed: done.Replayed}
	for i := range done.Matches {
		told.Matches = append(told.Matches, bankMatchOf(&done.Matches[i]))
	}
	return told, nil
}

func bankMatchOf(m *banking.Match) *clearingv1.BankMatch {
	told := &clearingv1.BankMatch{MatchId: m.ID.String(), Account: m.Account, Rule: m.Rule, Automatic: m.Automatic, Serials: m.Serials,
		Amount: m.Amount.String(), MadeBy: m.By, MadeOn: m.On.String()}
	for _, p := range m.Postings {
		told.Postings = append(told.Postings, postingRef(p))
	}
	if u := m.Undone; u != nil {
		told.Undone = &clearingv1.BankMatchUndoing{UndoneBy: u.By, UndoneOn: u.On.String(), Reason: u.Reason}
	}
	return told
}

func postingRef(p banking.PostingID) *clearingv1.PostingRef {
	return &clearingv1.PostingRef{EntryId: p.Entry.String(), Line: int32(p.Leg)}
}

func (s *bankService) ListBankSuggestions(ctx context.Context, q *clearingv1.ListBankSuggestionsRequest) (*clearingv1.ListBankSuggestionsResponse, error) {
	day, err := bankDay(q.GetDay())
	if err != nil {
		return nil, err
	}
	if err := s.visible(ctx, q.GetAccount(), false); err != nil {
		return nil, err
	}
	list, position, err := s.desk().Suggestions(ctx, q.GetAccount(), day, ledger.Position(q.GetAtLeastPosition()))
	if err != nil {
		return nil, err
	}
	told, next, err := page(list, q.GetPageSize(), q.GetPageToken(), everyRow[banking.Proposal], func(p *banking.Proposal) *clearingv1.BankSuggestion {
		told := &clearingv1.BankSuggestion{Suggestion: p.Name, Rule: p.Rule.Name, Lines: bankLines(p.Lines), Amount: p.Total.String()}
		for _, b := range p.Books {
			told.Books = append(told.Books, &clearingv1.BankBookLine{Posting: postingRef(b.PostingID), Position: int64(b.Position), Account: b.Account.String(),
				Date: b.Date.String(), Kind: b.Kind, Summary: b.Summary, Source: b.Source, Amount: b.Amount.String()})
		}
		return told
	})
	return &clearingv1.ListBankSuggestionsResponse{Suggestions: told, NextPageToken: next, Position: int64(position)}, err
}

func (s *bankService) ConfirmBankSuggestion(ctx context.Context, q *clearingv1.ConfirmBankSuggestionRequest) (*clearingv1.ConfirmBankSuggestionResponse, error) {
	request, err := s.matchRequest(ctx, q)
	if err != nil {
		return nil, err
	}
	done, err := s.desk().Confirm(ctx, request, q.GetSuggestion())
	if err != nil {
		return nil, err
	}
	return &clearingv1.ConfirmBankSuggestionResponse{Match: bankMatchOf(&done.Matches[0]), Replayed: done.Replayed}, nil
}

func (s *bankService) MatchByHand(ctx context.Context, q *clearingv1.MatchByHandRequest) (*clearingv1.MatchByHandResponse, error) {
	request, err := s.matchRequest(ctx, q)
	if err != nil {
		return nil, err
	}
	var r reader
	var postings []banking.PostingID
	for _, p := range q.GetPostings() {
		postings = append(postings, banking.PostingID{Entry: parsed(&r, "postings.entry_id", p.GetEntryId(), uuid.Parse), Leg: int(p.GetLine())})
	}
	if r.err != nil {
		return nil, r.err
	}
	done, err := s.desk().MatchByHand(ctx, request, q.GetSerials(), postings)
	if err != nil {
		return nil, err
	}
	return &clearingv1.MatchByHandResponse{Match: bankMatchOf(&done.Matches[0]), Replayed: done.Replayed}, nil
}

func (s *bankService) UndoBankMatch(ctx context.Context, q *clearingv1.UndoBankMatchRequest) (*clearingv1.UndoBankMatchResponse, error) {
	var r reader
	id, on := parsed(&r, "match_id", q.GetMatchId(), uuid.Parse), r.date("on", q.GetOn())
	if r.err != nil {
		return nil, r.err
	}
	m, err := s.desk().Match(ctx, id)
	if err != nil {
		return nil, err
	}
	switch err := s.visible(ctx, m.Account, true); {
	case fault.KindOf(err) == fault.NotFound:
		return nil, fault.New(fault.NotFound, "there is no match %s", id).With("match", id.String())
	case err != nil:
		return nil, err
	}
	m, replayed, err := s.desk().Undo(ctx, q.GetIdempotencyKey(), id, caller(ctx), on, q.GetReason())
	if err != nil {
		return nil, err
	}
	return &clearingv1.UndoBankMatchResponse{Match: bankMatchOf(m), Replayed: replayed}, nil
}

func (s *bankService) ListBankMatches(ctx context.Context, q *clearingv1.ListBankMatchesRequest) (*clearingv1.ListBankMatchesResponse, error) {
	if err := s.visible(ctx, q.GetAccount(), false); err != nil {
		return nil, err
	}
	list, err := s.desk().Matches(ctx, q.GetAccount())
	if err != nil {
		return nil, err
	}
	standing := func(m *banking.Match) bool { return !q.GetStandingOnly() || m.Undone == nil }
	told, next, err := page(list, q.GetPageSize(), q.GetPageToken(), standing, bankMatchOf)
	return &clearingv1.ListBankMatchesResponse{Matches: told, NextPageToken: next}, err
}
