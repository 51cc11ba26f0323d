package rpc

import (
	"context"

	"fundledger/accounts"
	accountsv1 "fundledger/proto/gen/fundledger/accounts/v1"
)

func (s *accountsService) ApplyRuleChange(ctx context.Context, request *accountsv1.ApplyRuleChangeRequest) (*accountsv1.ApplyRuleChangeResponse, error) {
	var r reader
	change := r.ruleChange(request)
	if r.err != nil {
		return nil, r.err
	}
	change.Subject = caller(ctx)
	changed, err := accounts.ApplyRuleChange(ctx, s.store, change)
	if err != nil {
		return nil, err
	}
	response := &accountsv1.ApplyRuleChangeResponse{Replayed: changed.Replayed}
	for _, c := range changed.Changes {
		response.Changes = append(response.Changes, &accountsv1.RuleChange{
			Rows: c.Rows, Inserted: int32(c.Inserted), Ended: int32(c.Ended), Unchanged: int32(c.Unchanged),
		})
	}
	return response, nil
}

// ruleChange reads the rows of a change.
func (r *reader) ruleChange(q *accountsv1.ApplyRuleChangeRequest) accounts.RuleChange {
	change := accounts.RuleChange{Key: q.GetIdempotencyKey(), Reason: q.GetReason(), ValidateOnly: q.GetValidateOnly()}
	for _, x := range q.GetRegions() {
		change.Regions = append(change.Regions, accounts.Region{Code: x.GetCode(), Name: x.GetName(), Kind: named(regionKinds, x.GetKind())})
	}
	for _, x := range q.GetFunds() {
		change.Funds = append(change.Funds, accounts.Fund{Code: x.GetCode(), Name: x.GetName(), Field: x.GetField(), Effective: r.effective(x.GetEffective())})
	}
	for _, x := range q.GetSubjects() {
		change.Subjects = append(change.Subjects, accounts.Subject{
			Role: named(institutionRoles, x.GetRole()), Code: x.GetCode(), Name: x.GetName(), Layer: named(layers, x.GetLayer()),
			Normal: sideOf(x.GetNormal()), Postable: x.GetPostable(), Counterparty: x.GetCounterparty(), Floor: x.GetFloor(),
			Group: x.GetGroup(), GroupByCounterparty: x.GetGroupByCounterparty(), Effective: r.effective(x.GetEffective()),
		})
	}
	for _, x := range q.GetPostingRules() {
		change.Postings = append(change.Postings, accounts.PostingRule{
			Event: x.GetEvent(), Title: x.GetTitle(), Step: int(x.GetStep()), Region: x.GetRegion(), Role: named(institutionRoles, x.GetRole()),
			Side: sideOf(x.GetSide()), Red: x.GetRed(), Subject: x.GetSubject(), Counterparty: x.GetCounterparty(), Amount: x.GetAmount(),
			Detail: x.GetDetail(), Effective: r.effective(x.GetEffective()),
		})
	}
	for _, x := range q.GetParameters() {
		change.Policy = append(change.Policy, accounts.Parameter{
			Key: x.GetKey(), Value: x.GetValue(), Unit: x.GetUnit(), Title: x.GetTitle(), Effective: r.effective(x.GetEffective()),
		})
	}
	for _, x := range q.GetCalendarDays() {
		change.Calendar = append(change.Calendar, accounts.CalendarDay{
			Date: r.date("calendar_days.date", x.GetDate()), Kind: named(dayKinds, x.GetKind()), Name: x.GetName(), Source: x.GetSource(),
		})
	}
	for _, x := range q.GetCodes() {
		change.Codes = append(change.Codes, accounts.Code{
			List: accounts.CodeList(x.GetList()), Code: x.GetCode(), Name: x.GetName(), Expense: x.GetExpense(), Effective: r.effective(x.GetEffective()),
		})
	}
	for _, x := range q.GetStatementLines() {
		change.Statements = append(change.Statements, accounts.StatementLine{
			Statement: accounts.StatementKind(x.GetStatement()), Role: named(institutionRoles, x.GetRole()), Fund: x.GetFund(), Line: x.GetLine(),
			Title: x.GetTitle(), Section: accounts.Section(x.GetSection()), Subjects: x.GetSubjects(), Formula: x.GetFormula(),
			Effective: r.effective(x.GetEffective()),
		})
	}
	return change
}

func (r *reader) effective(e *accountsv1.Effective) accounts.Effective {
	return accounts.Effective{From: r.date("effective.from", e.GetFrom()), To: r.date("effective.to", e.GetTo()), Source: e.GetSource()}
}

// named is what a value of the contract is in the domain.
func named[D, C comparable](values map[D]C, value C) (found D) {
	for d, c := range values {
		if c == value {
			found = d
		}
	}
	return found
}
