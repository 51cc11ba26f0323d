package year

import (
	"fmt"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/settlement"
	"fundledger/settlement/provider"
)

// paidFor are the bills of the month before whose providers are paid, by what
// becomes of them later.
var paidFor = map[accounts.Month][]struct{ name, where string }{
	"2025-03": {{"offset", "within"}, {"remitted", "within"}, {"partly", "within"}},
	"2025-04": {{"remitted to another province", "in"}, {"offset against another province", "in"}},
	"2025-10": {{"remitted in the next year", "within"}},
}

// payProviders reconciles with providers, makes their payment lists, brings the
// money to the spending account and pays.
func (r *run) payProviders(month accounts.Month) error {
	before := month.Add(-1)
	for _, want := range paidFor[month] {
		b := r.pick(before, want.where, 40_00)
		for b != nil && !r.alone(b) {
			b = r.pick(before, want.where, 40_00)
		}
		if b == nil {
			return fault.New(fault.Internal, "%s has no bill %s for %q: ask for more settlements", before, want.where, want.name)
		}
		r.chosen[want.name] = b
		if err := r.match(month, b); err != nil {
			return err
		}
		if err := r.payProvider(month, b, want.name == "partly"); err != nil {
			return err
		}
	}
	return nil
}

// alone tells whether the provider has no other bill.
func (r *run) alone(b *bill) bool {
	for _, bills := range r.bills {
		for _, other := range bills {
			if other != b && other.provider() == b.provider() {
				return false
			}
		}
	}
	return true
}

// match compares what the provider says of the bill's month, once with a fen
// too much.
func (r *run) match(month accounts.Month, b *bill) error {
	for i, claimed := range []accounts.Fen{b.cleared() + 1, b.cleared()} {
		text := fmt.Sprintf("setl_id\tmonth\ttotal\n%s\t%s\t%s\n", b.id(), month.Add(-1), claimed)
		m, err := r.desk.Match(r.ctx, provider.MatchRequest{Treating: b.treating(), Provider: b.provider(), Month: month.Add(-1),
			File: fmt.Sprintf("%s-%d.tsv", b.provider(), i), Content: strings.NewReader(text), Date: on(month, 4+i), By: clerk})
		if err != nil {
			return err
		}
		if found := len(m.Differences); found != 1-i {
			return fmt.Errorf("provider %s: %d differences were found: %v", b.provider(), found, m.Differences)
		}
	}
	return nil
}

// payProvider pays what is payable to the bill's provider, in full or about the half.
func (r *run) payProvider(month accounts.Month, b *bill, half bool) error {
	request := provider.ListRequest{ID: fmt.Sprintf("LIST-%s-%s", month, b.provider()), Treating: b.treating(), Provider: b.provider(),
		Through: month.Add(-1).Last(), Date: on(month, 6), By: clerk}
	if half {
		payable, _, err := r.desk.Payables(r.ctx, b.treating(), b.provider(), request.Through)
		if err != nil {
			return err
		}
		for _, p := range payable {
			request.Lines = append(request.Lines, provider.Line{Fund: p.Fund, Amount: (p.Open + 1) / 2})
		}
	}
	list, err := r.desk.MakeList(r.ctx, request)
	if err != nil {
		return err
	}
	if _, err := r.desk.Fund(r.ctx, provider.Funding{Region: b.treating(), Lines: list.Lines, Date: on(month, 6), Reference: "FUND-" + list.ID, By: clerk}); err != nil {
		return err
	}
	_, err = r.desk.Pay(r.ctx, provider.Payment{List: list.ID, Date: on(month, 7), Reference: "PAY-" + list.ID, By: cashier})
	return err
}

// patients reimburses a patient in April, and has a large bill checked in
// summer, of which a part turns out to be wrong and is deducted.
func (r *run) patients(month accounts.Month) error {
	switch month {
	case "2025-04":
		return r.reimburse(month)
	case "2025-06":
		return r.checkFee(month)
	}
	return nil
}

func (r *run) reimburse(month accounts.Month) error {
	const region, document = "320100", "零报〔2025〕1号"
	_, err := r.desk.Receive(r.ctx, provider.Application{Region: region, Document: document, PsnNo: "P0123456789ab", Category: "21", Bill: 2_400_00,
		Shares: []provider.Share{{Fund: "310", Amount: 1_500_00}, {Fund: "310", Part: "account", Amount: 200_00}}, Received: on(month, 2), By: clerk})
	if err != nil {
		return err
	}
	step := provider.ReimbursementStep{Region: region, Document: document, Date: on(month, 8), By: head}
	if _, err := r.desk.Approve(r.ctx, step); err != nil {
		return err
	}
	step.Date, step.By, step.Reference = on(month, 10), cashier, "REIMBURSE-1"
	_, err = r.desk.Reimburse(r.ctx, step)
	return err
}

// largeBill is an inpatient bill that may be checked (J56).
func (r *run) largeBill() *bill {
	for month := opened; month <= last; month = month.Add(1) {
		for _, b := range r.bills[month] {
			if b.fen("medfee_sumamt") < 30_000_00 || b.get("med_type") != "21" || b.refund() || r.used[b.id()] || b.fen("hifp_pay") < 800_00 {
				continue
			}
			s, _, err := r.settlements.Settlement(r.ctx, b.id(), 0)
			if err == nil && s.State == settlement.StatePosted {
				r.used[b.id()] = true
				return b
			}
		}
	}
	return nil
}

func (r *run) checkFee(month accounts.Month) error {
	b := r.largeBill()
	if b == nil {
		return fault.New(fault.Internal, "no bill is large enough for a fee check: ask for more settlements")
	}
	r.chosen["checked"] = b
	const id = "协查〔2025〕1号"
	if _, err := r.desk.Ask(r.ctx, provider.Asking{ID: id, SetlID: b.id(), Reason: "费用疑似偏高", Date: on(month, 5), By: clerk}); err != nil {
		return err
	}
	if _, err := r.desk.Answer(r.ctx, provider.Answer{ID: id, Outcome: provider.OutcomeDiffers, Differs: 800_00, Reason: "重复收费", Date: on(month, 20), By: auditor}); err != nil {
		return err
	}
	if _, err := r.desk.Confirm(r.ctx, provider.Confirmation{ID: id, Agreed: true, Date: on(month, 24), By: head}); err != nil {
		return err
	}
	return r.deduct(month, b, 800_00)
}
