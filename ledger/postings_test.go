package ledger_test

import (
	"slices"
	"testing"

	"fundledger/accounts"
	"fundledger/ledger"
)

// sample gives every event amounts that belong together: what is discharged
// of debts and claims is what the cash and the offsets come to.
func sample(event string) map[string][]ledger.Part {
	one := ledger.Total
	debts := []ledger.Part{ // 500.00 by region or province, with detail
		{Counterparty: "310000", Amount: 30000, Dimensions: ledger.Dimensions{Category: "21", BenefitYear: 2025}},
		{Counterparty: "310000", Amount: 12000, Dimensions: ledger.Dimensions{Category: "11", Part: "account", BenefitYear: 2025}},
		{Counterparty: "330000", Amount: 8000, Dimensions: ledger.Dimensions{Category: "14", BenefitYear: 2024}},
	}
	claims := func(total accounts.Fen) []ledger.Part {
		return []ledger.Part{{Counterparty: "310000", Amount: total - 700}, {Counterparty: "330000", Amount: 700}}
	}
	switch event {
	case "net.debtor_paid": // p 500, r 200, c 300
		return map[string][]ledger.Part{"cash": one(30000), "payable": debts, "receivable": claims(20000), "payable_total": one(50000), "receivable_total": one(20000), "discharged_total": one(50000)}
	case "net.creditor_paid": // p 500, r 900, c 400, of which 100 from the pool
		return map[string][]ledger.Part{"cash": one(40000), "payable": debts, "receivable": claims(90000), "payable_total": one(50000), "received_total": one(90000), "from_debtors": claims(30000), "from_pool": one(10000)}
	case "net.offset":
		return map[string][]ledger.Part{"payable": debts, "receivable": claims(50000), "payable_total": one(50000), "receivable_total": one(50000)}
	case "out.city_paid":
		return map[string][]ledger.Part{"cash": one(50000), "payable": debts}
	case "out.city_refunded":
		negative := slices.Clone(debts)
		for i := range negative {
			negative[i].Amount = -negative[i].Amount
		}
		return map[string][]ledger.Part{"cash": one(-50000), "payable": negative, "from_held": claims(50000)}
	case "out.province_paid":
		return map[string][]ledger.Part{"cash": one(50000), "from_held": claims(50000)}
	case "in.city_paid":
		return map[string][]ledger.Part{"cash": one(50000), "receivable": claims(50000), "from_held": claims(42000), "from_prepayment": claims(8000)}
	}
	return nil
}

func TestEveryEventOfThePostingTableBalances(t *testing.T) {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	chart := func(p ledger.Posting) accounts.Subject {
		s, ok := book.Chart.Find(p.Account.Book.Role(), p.Account.Subject, day)
		if !ok || !s.Postable {
			t.Errorf("%s takes no postings", p.Account)
		}
		return s
	}
	var events []string
	for _, r := range book.Postings.Rules() {
		if !slices.Contains(events, r.Event) {
			events = append(events, r.Event)
		}
	}
	for _, event := range events {
		t.Run(event, func(t *testing.T) {
			given := sample(event)
			if given == nil { // all lines have amounts of their own
				given = map[string][]ledger.Part{}
				for i, r := range book.Postings.Event(event, day) {
					if given[r.Amount] == nil {
						given[r.Amount] = []ledger.Part{
							{Counterparty: "320200", Amount: accounts.Fen(100 + i), Dimensions: ledger.Dimensions{Category: "21", BenefitYear: 2025}},
							{Counterparty: "320300", Amount: 50, Dimensions: ledger.Dimensions{Category: "41", Part: "account", BenefitYear: 2025}},
						}
					}
				}
			}
			lines, err := ledger.Draft(book, ledger.Facts{
				Event: event, Date: day, Fund: "310", Run: "2025-01/x", Amounts: given,
				Regions: map[string]string{"I": "320100", "T": "320500", "P": "320000", "X": "310000", "H": "320100", "provider": "H32010000001"},
			})
			if err != nil {
				t.Fatal(err)
			}
			type place struct {
				book  accounts.Book
				fund  string
				layer accounts.Layer
			}
			sums := map[place]accounts.Fen{}
			for _, p := range lines {
				s := chart(p)
				sums[place{p.Account.Book, p.Account.Fund, s.Layer}] += p.Signed()
				if (s.Counterparty == "") != (p.Account.Counterparty == "") {
					t.Errorf("%s: the counterparty of this subject is %q", p.Account, s.Counterparty)
				}
				if detailed := p.Category != "" || p.BenefitYear != 0; detailed != (s.Code[:4] == "9101") {
					t.Errorf("%s carries category %q, year %d", p.Account, p.Category, p.BenefitYear)
				}
			}
			if len(sums) == 0 {
				t.Error("no lines")
			}
			for at, sum := range sums {
				if sum != 0 {
					t.Errorf("%+v does not balance: %s", at, sum)
				}
			}
		})
	}
	if len(events) < 40 {
		t.Errorf("only %d events", len(events))
	}
}

// A payment that needs no offset, pool or refund leaves those lines out.
func TestEmptyAmountsLeaveLinesOut(t *testing.T) {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	given := sample("net.debtor_paid")
	given["cash"], given["receivable"] = ledger.Total(50000), []ledger.Part{}
	given["receivable_total"] = ledger.Total(0)
	lines, err := ledger.Draft(book, ledger.Facts{Event: "net.debtor_paid", Date: day, Fund: "310", Amounts: given, Regions: map[string]string{"I": "320100", "T": "320100", "P": "320000"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]accounts.Fen{
		"320100.agency/310/5001.01": 30000, "320100.agency/310/5001.05": 12000, "320100.agency/310/5001.03": 8000, "320100.agency/310/1003": -50000,
		"320100.finance/310/5001": 50000, "320100.finance/310/1001": -50000,
		"320000.agency/310/1004.02": 50000, "320000.agency/310/2001.02.01/320100": -50000,
		"320100.agency/310/9101.02/310000": 42000, "320100.agency/310/9101.02/330000": 8000, "320100.agency/310/9992": -50000,
		"320000.agency/310/9993": 50000, "320000.agency/310/9201.02/320100": -50000,
	}
	got := map[string]accounts.Fen{}
	for _, p := range lines {
		got[p.Account.String()] += p.Signed()
	}
	for account, amount := range want {
		if got[account] != amount {
			t.Errorf("%s: %s, want %s", account, got[account], amount)
		}
		delete(got, account)
	}
	for account, amount := range got {
		t.Errorf("%s %s was not expected", account, amount)
	}
}
