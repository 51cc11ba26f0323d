package provider_test

import (
	"testing"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/ledger"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

// recovery takes deductions and clawbacks.
func (f fixture) recovery() *recovery.Recovery {
	return recovery.New(f.db, f.journal, f.book, provider.PaidOf, clearing.New(f.db, f.journal, f.book))
}

// deduct decides on the part of a settlement on 15 February; what is paid
// becomes a clawback.
func (f fixture) deduct(t testing.TB, document, setlID, part string, amount accounts.Fen) {
	t.Helper()
	line := recovery.Line{SetlID: setlID, Part: part, Amount: amount, Reason: "重复收费", Document: document}
	if _, err := f.recovery().Deduct(t.Context(), recovery.Decision{Lines: []recovery.Line{line}, Date: day("2025-02-15"), By: "he"}); err != nil {
		t.Fatal(err)
	}
}

func TestADeductionBeforePaymentLowersWhatIsPayableOfItsSettlement(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 100_00, acct: 20_00}, bill{id: "B", insured: wuxi, on: "2025-01-06", pooled: 40_00})
	f.deduct(t, "7", "A", "acct_pay", 15_00)
	f.fund(t, "310", 500_00)
	f.list(t, request("L1", in("310", 106_00)))
	f.pay(t, "L1")
	equal(t, "A", f.paid(t, "A"), "310/=100.00 310/account=5.00")
	equal(t, "B", f.paid(t, "B"), "310/=1.00")
	// A deduction that comes while a list is made is set off against the next one.
	f.list(t, request("L2", in("310", 30_00)))
	f.deduct(t, "8", "B", "hifp_pay", 20_00)
	f.pay(t, "L2")
	equal(t, "B", f.paid(t, "B"), "310/=31.00")
	f.mustBeWhole(t)
	s, err := f.Statement(t.Context(), suzhou, hospital, "2025-02")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "statement", s.Lines[0].Deductions, -35_00)
	f.settle(t, bill{id: "C", insured: wuxi, on: "2025-02-20", pooled: 12_00})
	f.list(t, request("L3"))
	f.pay(t, "L3")
	equal(t, "B", f.paid(t, "B"), "310/=20.00")
	equal(t, "9002", f.balance(t, "320500.agency/310/9002/"+hospital), 0)
	f.mustBeWhole(t)
}

// Money that a provider pays back by a clawback that is offset takes its payment
// back in red, and the negative record lowers what it is owed: together nothing
// is payable, and nothing is set off.
func TestAClawbackThatIsOffsetLeavesNothingPayable(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 100_00}, bill{id: "B", insured: wuxi, on: "2025-01-06", pooled: 40_00})
	f.fund(t, "310", 500_00)
	f.list(t, request("L1", in("310", 100_00)))
	f.pay(t, "L1")
	f.deduct(t, "7", "A", "hifp_pay", 30_00)
	r := f.recovery()
	if _, err := r.Approve(t.Context(), recovery.Ruling{Case: "7/A", Date: day("2025-02-16"), By: "wang"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Move(t.Context(), recovery.Movement{Case: "7/A", Station: recovery.Received, Date: day("2025-02-20"), By: "zhao", Reference: "B9"}); err != nil {
		t.Fatal(err)
	}
	payables, _, err := f.Payables(t.Context(), suzhou, hospital, day("2025-03-31"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "open", payables[0].Open, 40_00)
	equal(t, "set off", payables[0].SetOff, 0)
	equal(t, "paid by lists", f.paid(t, "A"), "310/=100.00")
	s, err := f.Statement(t.Context(), suzhou, hospital, "2025-02")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "recovered", s.Lines[0].Recovered, 30_00)
	equal(t, "deductions", s.Lines[0].Deductions, -30_00)
	f.mustBeWhole(t)
}

// An opening balance and a manual entry are of no settlement: no list pays them.
func TestWhatIsOfNoSettlementIsShownAndNotListed(t *testing.T) {
	t.Parallel()
	f := open(t)
	account := accounts.Account{Book: "320500.agency", Fund: "310", Subject: "9002", Counterparty: hospital}
	contra := accounts.Account{Book: "320500.agency", Fund: "310", Subject: "9991"}
	f.post(t, ledger.Entry{Key: "manual-1", Date: day("2025-01-02"), Period: "2025-01", Kind: "manual", Summary: "旧账", Preparer: "a", Reviewer: "b",
		Postings: []ledger.Posting{{Account: contra, Side: accounts.Debit, Amount: 9_00}, {Account: account, Side: accounts.Credit, Amount: 9_00}}})
	payables, _, err := f.Payables(t.Context(), suzhou, hospital, day("2025-03-31"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "unassigned", payables[0].Unassigned, 9_00)
	equal(t, "open", payables[0].Open, 0)
	_, err = f.MakeList(t.Context(), request("L1"))
	mustFail(t, err, "precondition", "nothing is payable")
}
