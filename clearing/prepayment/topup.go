package prepayment

import (
	"context"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
)

// TopUpState is how far a top-up has come.
type TopUpState string

const (
	Opened   TopUpState = "open"     // red, nothing is decided
	Proposed TopUpState = "proposed" // 申请调增
	Approved TopUpState = "approved" // 国家核定, allocated to the cities
	Notified TopUpState = "notified" // 下达通知书 (annex 6); money moves
	Closed   TopUpState = "closed"   // all of it is forwarded
	Declined TopUpState = "declined"
)

// TopUpID names the case of a province and service month.
func TopUpID(month accounts.Month, province string) string {
	return topUpPrefix + string(month) + "/" + province
}

// Watch opens a top-up case for every province whose prepayment the frozen run of
// the month has used to red, in total or in a fund (J31二), and returns how far all
// are used. A case opens once per province and month: asked again it changes
// nothing. Call it after every clearing. Precondition when the run is not frozen.
func (p *Prepayments) Watch(ctx context.Context, month accounts.Month) ([]Utilisation, error) {
	list, frozen, err := p.utilisation(ctx, month)
	if err == nil && !frozen {
		err = fault.New(fault.Precondition, "the cross-province run of %s is not frozen: run clear --month %s first", month, month)
	}
	if err != nil {
		return nil, err
	}
	for i := range list {
		u := &list[i]
		if u.Level() != Red || u.TopUp != "" {
			continue
		}
		u.TopUp = TopUpID(month, u.Province)
		if err := p.store.InTx(ctx, func(tx pgx.Tx) error { return openTopUp(ctx, db.New(tx), u) }); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func openTopUp(ctx context.Context, q *db.Queries, u *Utilisation) error {
	made, err := q.InsertTopUp(ctx, db.InsertTopUpParams{ID: u.TopUp, Month: string(u.Month), Province: u.Province, OpenedOn: dateParam(u.MeasuredOn)})
	if err != nil || made == 0 {
		return err
	}
	funds := db.InsertTopUpFundsParams{TopUp: u.TopUp}
	for _, fund := range slices.Sorted(maps.Keys(u.Funds)) {
		funds.Funds, funds.Cleared = append(funds.Funds, fund), append(funds.Cleared, int64(u.Funds[fund].Cleared))
		funds.Held = append(funds.Held, int64(u.Funds[fund].Held))
	}
	return q.InsertTopUpFunds(ctx, funds)
}

// topUpsOf are the cases of the month by province.
func topUpsOf(ctx context.Context, tx pgx.Tx, month accounts.Month) (map[string]string, error) {
	rows, err := db.New(tx).ListTopUps(ctx, db.ListTopUpsParams{Month: string(month)})
	cases := map[string]string{}
	for _, row := range rows {
		cases[row.Province] = row.ID
	}
	return cases, err
}

// TopUpStep asks to take a case one step on.
type TopUpStep struct {
	TopUp    string
	Lines    []clearing.Line // what is proposed or approved, per fund
	Date     civil.Date
	By       string
	Document string // of the approval
	Reason   string // of a proposal or a refusal
	Key      string // of idempotency
}

// act is one kind of step: from which states it leads where, and what it does.
type act struct {
	name  string
	from  []TopUpState
	to    TopUpState
	check func(TopUpStep) error
	do    func(p *Prepayments, ctx context.Context, q *db.Queries, of db.TopUp, s TopUpStep) error
}

// Propose proposes an amount per fund; a proposal takes the place of an earlier one.
func (p *Prepayments) Propose(ctx context.Context, s TopUpStep) (*TopUp, error) {
	return p.take(ctx, s, act{"proposed", []TopUpState{Opened, Proposed}, Proposed, p.checkAmounts,
		func(p *Prepayments, ctx context.Context, q *db.Queries, of db.TopUp, s TopUpStep) error {
			w := db.WriteProposalParams{TopUp: of.ID}
			w.Funds, w.Amounts = p.everyFund(s)
			return q.WriteProposal(ctx, w)
		}})
}

// Approve records the amount that the national agency has approved, by its
// document, and allocates it to the cities as the quotas are. Another person than
// the one who proposed approves: Permission otherwise.
func (p *Prepayments) Approve(ctx context.Context, s TopUpStep) (*TopUp, error) {
	return p.take(ctx, s, act{"approved", []TopUpState{Proposed}, Approved,
		func(s TopUpStep) error {
			if s.Document == "" {
				return fault.New(fault.Invalid, "an approval needs the document that names the amount").With("field", "document")
			}
			return p.checkAmounts(s)
		}, (*Prepayments).approve})
}

func (p *Prepayments) approve(ctx context.Context, q *db.Queries, of db.TopUp, s TopUpStep) error {
	steps, err := q.StepsOf(ctx, of.ID)
	if err != nil {
		return err
	}
	for _, before := range slices.Backward(steps) {
		if before.Step != "proposed" {
			continue
		}
		if before.ByWhom == s.By {
			return fault.New(fault.Permission, "top-up %s was proposed by %s, so %s cannot approve it: another person must", of.ID, before.ByWhom, s.By).
				With("top_up", of.ID).With("proposed_by", before.ByWhom).With("approved_by", s.By)
		}
		break
	}
	if err := p.asApproved(ctx, q, of, s); err != nil {
		return err
	}
	w := db.WriteApprovalParams{TopUp: of.ID}
	w.Funds, w.Amounts = p.everyFund(s)
	if err := q.WriteApproval(ctx, w); err != nil {
		return err
	}
	parts := db.InsertTopUpPartsParams{TopUp: of.ID}
	for _, line := range s.Lines {
		shares, err := p.split(ctx, q, line.Fund, line.Amount, s.Date)
		if err != nil {
			return err
		}
		for _, share := range shares {
			parts.Funds, parts.Cities, parts.Amounts = append(parts.Funds, line.Fund), append(parts.Cities, share.City), append(parts.Amounts, int64(share.Amount))
		}
	}
	return q.InsertTopUpParts(ctx, parts)
}

// asApproved wants the amounts of the national list, where one was imported for
// the month: what was approved is downloaded, not typed.
func (p *Prepayments) asApproved(ctx context.Context, q *db.Queries, of db.TopUp, s TopUpStep) error {
	list, national, err := inForce(ctx, q, ApprovedTopUps, of.Month)
	if err != nil || list == nil {
		return err
	}
	given := map[provinceFund]accounts.Fen{}
	for _, line := range s.Lines {
		given[provinceFund{of.Province, line.Fund}] = line.Amount
	}
	maps.DeleteFunc(national, func(key provinceFund, _ accounts.Fen) bool { return key.province != of.Province })
	for _, key := range sortedKeys(national, given) {
		if given[key] != national[key] {
			return fault.New(fault.Precondition, "top-up %s, fund %s: %s is to be approved, and list %s of the national platform has %s", of.ID, key.fund, given[key], list.ID, national[key]).
				With("top_up", of.ID).With("fund", key.fund).With("national", national[key].String()).With("asked", given[key].String())
		}
	}
	return nil
}

// Notify issues the notices: to each city for its part (annex 6), and for what is
// to be forwarded to the province.
func (p *Prepayments) Notify(ctx context.Context, s TopUpStep) (*TopUp, error) {
	return p.take(ctx, s, act{"notified", []TopUpState{Approved}, Notified, nil, (*Prepayments).notify})
}

func (p *Prepayments) notify(ctx context.Context, q *db.Queries, of db.TopUp, s TopUpStep) error {
	terms, err := p.topUpTerms(s.Date)
	if err != nil {
		return err
	}
	parts, err := q.TopUpParts(ctx, []string{of.ID})
	if err != nil {
		return err
	}
	drafts := map[string]*Notice{}
	add := func(party, fund string, amount accounts.Fen, n Notice) {
		n.ID, n.Origin, n.Scheme, n.Party, n.Issued = of.ID+"/"+party+"/"+string(n.Direction), of.ID, CrossProvince, party, s.Date
		addLine(drafts, n, fund, amount)
	}
	for _, part := range parts {
		if part.AmountFen > 0 {
			add(part.City, part.Fund, accounts.Fen(part.AmountFen), Notice{Direction: clearing.Pay, Annex: "6", ApplyBy: terms.applies, Due: terms.pays})
		}
	}
	funds, err := q.TopUpFunds(ctx, []string{of.ID})
	if err != nil {
		return err
	}
	for _, f := range funds {
		if f.ApprovedFen > 0 {
			add(of.Province, f.Fund, accounts.Fen(f.ApprovedFen), Notice{Direction: clearing.Receive})
		}
	}
	return insertNotices(ctx, q, s.Date.Year, inOrder(drafts))
}

// Decline ends a case that no notice was issued of, with the reason.
func (p *Prepayments) Decline(ctx context.Context, s TopUpStep) (*TopUp, error) {
	return p.take(ctx, s, act{"declined", []TopUpState{Opened, Proposed, Approved}, Declined,
		func(s TopUpStep) error {
			if s.Reason == "" {
				return fault.New(fault.Invalid, "a refusal needs its reason").With("field", "reason")
			}
			return nil
		}, nil})
}

func (p *Prepayments) checkAmounts(s TopUpStep) error {
	funds, err := p.fundsOn(s.Date)
	if err != nil {
		return err
	}
	for i, line := range s.Lines {
		switch {
		case !slices.Contains(funds, line.Fund):
			return fault.New(fault.Invalid, "fund %s has no prepayments: those that have are %s", line.Fund, strings.Join(funds, ", ")).With("field", "fund")
		case slices.ContainsFunc(s.Lines[:i], func(l clearing.Line) bool { return l.Fund == line.Fund }):
			return fault.New(fault.Invalid, "fund %s is given twice", line.Fund).With("field", "fund")
		case line.Amount <= 0:
			return fault.New(fault.Invalid, "fund %s: a top-up of %s raises nothing", line.Fund, line.Amount).With("field", "amount")
		}
	}
	if len(s.Lines) == 0 {
		return fault.New(fault.Invalid, "say how much, per fund").With("field", "lines")
	}
	return nil
}

// everyFund is the amount of each fund that has prepayments, 0 where none is given.
func (p *Prepayments) everyFund(s TopUpStep) (funds []string, amounts []int64) {
	funds, _ = p.fundsOn(s.Date) // known since checkAmounts
	for _, fund := range funds {
		var amount accounts.Fen
		for _, line := range s.Lines {
			if line.Fund == fund {
				amount = line.Amount
			}
		}
		amounts = append(amounts, int64(amount))
	}
	return funds, amounts
}

// take does the step under the lock of the case. The same key with the same
// content gives the case as it stands. Errors: Invalid (form), NotFound (no such
// case), AlreadyExists (the key stands with other content), Precondition (the case
// has not come that far, or further; no plan says how the cities share),
// Permission.
func (p *Prepayments) take(ctx context.Context, s TopUpStep, a act) (*TopUp, error) {
	taking := step{Step: Step{Key: s.Key, Name: a.name, Date: s.Date, By: s.By, Document: s.Document, Reason: s.Reason},
		subject: s.TopUp, content: (&Move{Lines: s.Lines}).requested()}
	if err := taking.check(); err != nil {
		return nil, err
	}
	if a.check != nil {
		if err := a.check(s); err != nil {
			return nil, err
		}
	}
	var after *TopUp
	err := p.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		row, err := q.LockTopUp(ctx, s.TopUp)
		if err == pgx.ErrNoRows {
			return missingTopUp(s.TopUp)
		}
		if err != nil {
			return err
		}
		replayed, err := taking.taken(ctx, q)
		if err != nil {
			return err
		}
		if !replayed {
			if err := p.advance(ctx, q, row, s, a, &taking); err != nil {
				return err
			}
		}
		cases, err := p.topUps(ctx, q, TopUpQuery{TopUp: s.TopUp})
		if err != nil {
			return err
		}
		after = &cases[0]
		after.Replayed = replayed
		return nil
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

func (p *Prepayments) advance(ctx context.Context, q *db.Queries, row db.TopUp, s TopUpStep, a act, taking *step) error {
	if !slices.Contains(a.from, TopUpState(row.State)) {
		return fault.New(fault.Precondition, "top-up %s is %s, so it cannot be %s", row.ID, row.State, a.name).With("top_up", row.ID).With("state", row.State)
	}
	if opened := civil.DateOf(row.OpenedOn); s.Date.Before(opened) {
		return fault.New(fault.Invalid, "%s lies before %s, when top-up %s was opened", s.Date, opened, row.ID).With("field", "date")
	}
	if a.do != nil {
		if err := a.do(p, ctx, q, row, s); err != nil {
			return err
		}
	}
	if err := taking.record(ctx, q); err != nil {
		return err
	}
	return q.SetTopUpState(ctx, db.SetTopUpStateParams{ID: row.ID, State: string(a.to)})
}

func missingTopUp(id string) error {
	return fault.New(fault.NotFound, "there is no top-up %s: prepayment topups lists those there are", id).With("top_up", id)
}
