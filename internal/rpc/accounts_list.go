package rpc

import (
	"context"
	"slices"
	"strings"

	"fundledger/accounts"
	"fundledger/ledger"
	accountsv1 "fundledger/proto/gen/fundledger/accounts/v1"
)

func (s *accountsService) ListAccessRules(_ context.Context, q *accountsv1.ListAccessRulesRequest) (*accountsv1.ListAccessRulesResponse, error) {
	today := accounts.Today()
	rules := slices.SortedStableFunc(slices.Values(s.book.Access), func(a, b accounts.AccessRule) int { return strings.Compare(a.Action, b.Action) })
	told, next, err := page(rules, q.GetPageSize(), q.GetPageToken(), func(r *accounts.AccessRule) bool {
		return r.On(today) && (q.GetRole() == "" || slices.Contains(r.Roles.Roles(), accounts.AccessRole(q.GetRole())))
	}, func(r *accounts.AccessRule) *accountsv1.AccessRule {
		rule := &accountsv1.AccessRule{Action: r.Action, Title: r.Title, Source: r.Source}
		for _, role := range r.Roles.Roles() {
			rule.Roles = append(rule.Roles, string(role))
		}
		return rule
	})
	return &accountsv1.ListAccessRulesResponse{AccessRules: told, NextPageToken: next}, err
}

func (s *accountsService) ListAccounts(ctx context.Context, request *accountsv1.ListAccountsRequest) (*accountsv1.ListAccountsResponse, error) {
	var r reader
	query := ledger.BalanceQuery{
		Filter: filterOf(request), AsOf: r.asOf(request.GetAsOf(), request.GetAtLeastPosition()), Regions: callOf(ctx).regions.filter(),
		IncludeZero: true, PageSize: int(request.GetPageSize()), PageToken: request.GetPageToken(),
	}
	if r.err != nil {
		return nil, r.err
	}
	page, err := s.journal.PageOfBalances(ctx, query)
	if err != nil {
		return nil, err
	}
	response := &accountsv1.ListAccountsResponse{NextPageToken: page.NextPageToken, Position: int64(page.Position)}
	today := accounts.Today()
	for _, b := range page.Balances {
		subject, _ := s.book.Chart.Find(b.Account.Book.Role(), b.Account.Subject, today)
		response.Accounts = append(response.Accounts, &accountsv1.Account{
			Account: b.Account.String(), SubjectName: subject.Name, Layer: layers[subject.Layer], Normal: sides[subject.Normal],
			Floor: subject.Floor, Group: subject.Group, Balance: b.Balance.String(),
		})
	}
	return response, nil
}
