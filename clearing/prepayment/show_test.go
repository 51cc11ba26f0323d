package prepayment_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// holding is that of a party at a place in fund 310; every holding must tie to
// the journal, and every figure to its entries.
func (f fixture) holding(t testing.TB, year int, place prepayment.Place, party string) prepayment.Holding {
	t.Helper()
	all, _, err := f.Holdings(t.Context(), prepayment.HoldingQuery{Year: year})
	if err != nil {
		t.Fatal(err)
	}
	var found prepayment.Holding
	for _, h := range all {
		sign := accounts.Fen(1)
		if place != prepayment.AtProvince {
			sign = -1
		}
		if h.Place == place && place != prepayment.Pool && h.Balance != sign*f.balance(t, h.Account.String()) {
			t.Errorf("%s of %s is %s, the journal has %s", place, h.Party, h.Balance, f.balance(t, h.Account.String()))
		}
		for _, figure := range []prepayment.Figure{h.Paid, h.ToppedUp, h.Returned, h.Other, h.Used, h.Refilled} {
			var sum accounts.Fen
			for _, id := range figure.Entries {
				sum += f.amountOf(t, h, id.String())
			}
			if sum != figure.Amount && sum != -figure.Amount {
				t.Errorf("%s of %s: %s is not the sum of its entries, %s", place, h.Party, figure.Amount, sum)
			}
		}
		if h.Place == place && h.Party == party && h.Fund == "310" {
			found = h
		}
	}
	return found
}

// amountOf is what an entry moves on the holding's accounts.
func (f fixture) amountOf(t testing.TB, h prepayment.Holding, id string) (sum accounts.Fen) {
	t.Helper()
	page, err := f.journal.Entries(t.Context(), ledger.EntryQuery{Selection: ledger.Selection{Lines: ledger.Filter{Book: h.Account.Book, Fund: h.Fund}}, PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Entries {
		if e.ID.String() != id {
			continue
		}
		for _, p := range e.Postings {
			if p.Account == h.Account || h.Place == prepayment.OfProvince && p.Account.Subject == "2001.04.02" && p.Account.Counterparty == h.Party {
				sum += p.Signed()
			}
		}
	}
	return sum
}

func TestShowTellsEveryFigureWithItsEntries(t *testing.T) {
	t.Parallel()
	f := prepaid(t)
	f.plan(t, prepayment.InProvince)
	f.moved(t, "2025/in-province/320100/pay", "2025-02-18")
	theirs := prepayment.Move{Province: beijing, Direction: clearing.Pay, Document: "国家通知", Lines: []clearing.Line{{Fund: "310", Amount: 50_00}}, Date: day("2025-02-26"), Reference: "in", By: "clerk"}
	if _, err := f.Record(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	// February: Nanjing owes Suzhou and Shanghai, Beijing owes Suzhou. Suzhou is paid
	// before the others' money has come, which uses the pools; then it is refilled.
	f.settle(t, "2025-02", bill{nanjing, suzhou, 12_00}, bill{nanjing, shanghai, 95_00}, bill{beijing, suzhou, 30_00})
	f.cleared(t, "2025-02")
	pay := func(notice string) {
		t.Helper()
		if _, err := f.clearing.Remit(t.Context(), clearing.Payment{Notice: notice, Date: day("2025-04-02"), Reference: notice}); err != nil {
			t.Fatal(err)
		}
	}
	pay("2025-02/in-province/320500/receive")
	pay("2025-02/cross-in/320500/receive")
	if h := f.holding(t, 2025, prepayment.Pool, home); h.Used.Amount != 12_00 || h.Advanced != 12_00 {
		t.Errorf("%+v", h)
	}
	pay("2025-02/in-province/320100/pay")
	pay("2025-02/cross-in/110000/pay")
	if _, err := f.Watch(t.Context(), "2025-02"); err != nil {
		t.Fatal(err)
	}
	id := prepayment.TopUpID("2025-02", shanghai)
	f.approved(t, id, "2025-05-06", 40_00)
	f.moved(t, id+"/320100/pay", "2025-05-08", 25_00)
	f.moved(t, id+"/310000/receive", "2025-05-09", 20_00)
	f.settle(t, "2025-03", bill{nanjing, shanghai, 60_00})

	if h := f.holding(t, 2025, prepayment.Pool, home); h.Used.Amount != 12_00 || h.Refilled.Amount != 12_00 || h.Advanced != 0 {
		t.Errorf("pool: %+v", h)
	}
	if h := f.holding(t, 2025, prepayment.OfProvince, beijing); h.Paid.Amount != 50_00 || h.Used.Amount != 30_00 || h.Refilled.Amount != 30_00 || h.Balance != 50_00 {
		t.Errorf("Beijing: %+v", h)
	}
	if h := f.holding(t, 2025, prepayment.CityCross, nanjing); h.Quota != 75_00 || h.Paid.Amount != 75_00 || h.ToppedUp.Amount != 25_00 || h.Balance != 100_00 {
		t.Errorf("Nanjing: %+v", h)
	}
	h := f.holding(t, 2025, prepayment.AtProvince, shanghai)
	if h.Quota != 100_00 || h.Paid.Amount != 100_00 || h.ToppedUp.Amount != 20_00 || h.Balance != 120_00 {
		t.Errorf("Shanghai: %+v", h)
	}
	if len(h.Months) != 2 || h.Months[0].Percent != "95.00" || h.Months[0].Run != "2025-02/cross-out" || h.Months[1].Percent != "50.00" || !h.Months[1].Projected {
		t.Errorf("%+v", h.Months)
	}
	// The year after: all of it is carried over.
	if h := f.holding(t, 2026, prepayment.AtProvince, shanghai); h.CarriedOver.Amount != 120_00 || h.Balance != 120_00 || len(h.Paid.Entries) != 0 {
		t.Errorf("carried over: %+v", h)
	}
	own, _, err := f.Holdings(t.Context(), prepayment.HoldingQuery{Year: 2025, Regions: []string{nanjing}})
	if err != nil || len(own) == 0 {
		t.Fatal(own, err)
	}
	for _, h := range own {
		if h.Party != nanjing {
			t.Errorf("Nanjing sees %s", h.Party)
		}
	}
	f.mustBeWhole(t)
}

func TestInterestIsTheHoldersAndFeesAreNobodys(t *testing.T) {
	t.Parallel()
	f := open(t)
	charge := prepayment.Charge{Holder: home, Deposit: prepayment.FiscalAccount, Lines: []clearing.Line{{Fund: "310", Amount: 3_21}, {Fund: "390", Amount: 1}},
		Date: day("2025-03-21"), Reference: "interest-1", By: "clerk"}
	for _, replayed := range []bool{false, true} {
		if c, err := f.Interest(t.Context(), charge); err != nil || c.Replayed != replayed {
			t.Fatal(c, err)
		}
	}
	other := charge
	other.Lines = charge.Lines[:1]
	_, err := f.Interest(t.Context(), other)
	mention(t, err, fault.AlreadyExists)
	charge.Deposit, charge.Reference = prepayment.SettlementAccount, "interest-2"
	if _, err := f.Interest(t.Context(), charge); err != nil {
		t.Fatal(err)
	}
	f.mustBe(t, home+".agency/310/4201", -6_42)
	f.mustBe(t, home+".agency/310/1004.02", 3_21)
	f.mustBe(t, home+".finance/310/1001", 3_21)
	f.mustBeWhole(t)
	charge.Reference = "fee"
	mention(t, f.BankFee(t.Context(), charge), fault.Precondition, "N四(三)", "3.21", "310")
	for name, change := range map[string]func(*prepayment.Charge){
		"another province":    func(c *prepayment.Charge) { c.Holder = shanghai },
		"a city's 结算户":        func(c *prepayment.Charge) { c.Holder = nanjing },
		"no account":          func(c *prepayment.Charge) { c.Deposit = "" },
		"a fee as interest":   func(c *prepayment.Charge) { c.Lines = []clearing.Line{{Fund: "310", Amount: -5}} },
		"nothing":             func(c *prepayment.Charge) { c.Lines = nil },
		"nobody":              func(c *prepayment.Charge) { c.By = "" },
		"without a reference": func(c *prepayment.Charge) { c.Reference = "" },
		"without a date":      func(c *prepayment.Charge) { c.Date.Month = 13 },
		"one of funds twice":  func(c *prepayment.Charge) { c.Lines = append(c.Lines, c.Lines[0]) },
	} {
		wrong := charge
		wrong.Lines = append([]clearing.Line{}, charge.Lines...)
		change(&wrong)
		if _, err := f.Interest(t.Context(), wrong); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
