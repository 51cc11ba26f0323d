package provider_test

import (
	"fmt"
	"sync"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/provider"
)

func in(fund string, amount accounts.Fen) provider.Line {
	return provider.Line{Fund: fund, Amount: amount}
}

func TestAListPaysTheOldestSettlementsFirstAndTheLastOnePartly(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t,
		bill{id: "C", insured: wuxi, on: "2025-01-05", pooled: 50_00, acct: 20_00},
		bill{id: "A", insured: nanjing, on: "2025-01-20", pooled: 100_00, civil: 7_00},
		bill{id: "B", insured: shanghai, on: "2025-01-10", pooled: 30_00},
		bill{id: "E", insured: nanjing, on: "2025-01-01", pooled: 11_00, provider: "H2"},
	)
	f.fund(t, "310", 500_00)
	l := f.list(t, request("L1", in("310", 90_00))) // C 50+20, B 20 of 30
	equal(t, "settlements", l.Settlements, 2)
	equal(t, "paid before payment", f.paid(t, "C"), "")
	f.mustBeWhole(t)
	equal(t, "state", f.pay(t, "L1").State, provider.ListPaid)
	equal(t, "C", f.paid(t, "C"), "310/=50.00 310/account=20.00")
	equal(t, "B", f.paid(t, "B"), "310/=20.00")
	equal(t, "A", f.paid(t, "A"), "")
	equal(t, "another provider", f.paid(t, "E"), "")
	equal(t, "1101.03 Wuxi", f.balance(t, "320500.agency/310/1101.03/320200"), 70_00)
	equal(t, "1101.03 Shanghai", f.balance(t, "320500.agency/310/1101.03/310000"), 20_00)
	equal(t, "1004", f.balance(t, "320500.agency/310/1004"), 410_00)
	equal(t, "9002", f.balance(t, "320500.agency/310/9002/"+hospital), -110_00)
	f.mustBeWhole(t)

	mustFail(t, must(f.MakeList(t.Context(), request("L2", in("310", 110_01)))), fault.Insufficient, "110.01 was asked and 110.00 is payable: 0.01 is more than is owed")
	f.list(t, request("L2"))
	mustFail(t, must(f.Pay(t.Context(), payment("L2"))), fault.Insufficient, "320500.agency/320/1004 holds 0.00, 7.00 is needed, short by 7.00")
	f.mustBeWhole(t)
	f.fund(t, "320", 7_00)
	f.pay(t, "L2")
	equal(t, "A", f.paid(t, "A"), "310/=100.00 320/=7.00")
	equal(t, "B", f.paid(t, "B"), "310/=30.00")
	equal(t, "9002", f.balance(t, "320500.agency/310/9002/"+hospital), 0)
	mustFail(t, must(f.MakeList(t.Context(), request("L3"))), fault.Precondition, "nothing is payable")
	f.mustBeWhole(t)
}

func must[T any](_ T, err error) error { return err }

func TestARefundAfterPaymentIsSetOffAgainstTheNextList(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 100_00}, bill{id: "B", insured: wuxi, on: "2025-01-06", pooled: 40_00})
	f.fund(t, "310", 500_00)
	f.list(t, request("L1", in("310", 100_00)))
	f.settle(t, bill{id: "R0", insured: wuxi, on: "2025-01-16", pooled: -10_00, refundOf: "B"}) // not paid yet: lowers what is due
	f.pay(t, "L1")
	f.settle(t, bill{id: "R1", insured: nanjing, on: "2025-01-20", pooled: -60_00, refundOf: "A"})
	// open: B 30, A -60
	mustFail(t, must(f.MakeList(t.Context(), request("L2"))), fault.Precondition, "nothing is payable")
	mustFail(t, must(f.MakeList(t.Context(), request("L2", in("310", 1_00)))), fault.Insufficient, "-30.00 is payable")
	f.settle(t, bill{id: "C", insured: shanghai, on: "2025-02-06", pooled: 50_00})
	l := f.list(t, request("L2", in("310", 5_00))) // -60, B 30, 35 of C
	equal(t, "amount", l.Lines[0].Amount, 5_00)
	f.pay(t, "L2")
	equal(t, "A", f.paid(t, "A"), "310/=40.00")
	equal(t, "B", f.paid(t, "B"), "310/=30.00")
	equal(t, "C", f.paid(t, "C"), "310/=35.00")
	for region, want := range map[string]accounts.Fen{nanjing: 40_00, wuxi: 30_00, shanghai: 35_00} {
		equal(t, "1101.03 "+region, f.balance(t, "320500.agency/310/1101.03/"+region), want)
	}
	f.settle(t, bill{id: "R2", insured: shanghai, on: "2025-02-07", pooled: -50_00, refundOf: "C"}, bill{id: "D", insured: nanjing, on: "2025-02-08", pooled: 35_00})
	l = f.list(t, request("L3")) // C -35 and D 35: nothing to pay, and yet each is settled
	equal(t, "amount", l.Lines[0].Amount, 0)
	f.pay(t, "L3")
	equal(t, "C", f.paid(t, "C"), "")
	equal(t, "D", f.paid(t, "D"), "310/=35.00")
	f.mustBeWhole(t)
	equal(t, "9002", f.balance(t, "320500.agency/310/9002/"+hospital), 0)
}

func TestListsAndPaymentsAreReplayedAndNeverOverlap(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 100_00}, bill{id: "B", insured: wuxi, on: "2025-01-06", pooled: 40_00})
	f.fund(t, "310", 500_00)
	f.list(t, request("L1", in("310", 30_00)))
	again := f.list(t, request("L1", in("310", 30_00)))
	equal(t, "replayed", again.Replayed, true)
	mustFail(t, must(f.MakeList(t.Context(), request("L1", in("310", 31_00)))), fault.AlreadyExists, "stands with another request")
	f.pay(t, "L1")
	equal(t, "replayed", f.pay(t, "L1").Replayed, true)
	other := payment("L1")
	other.Date = day("2025-02-13")
	mustFail(t, must(f.Pay(t.Context(), other)), fault.AlreadyExists, "date is")
	f.list(t, request("L2", in("310", 10_00)))
	stolen := payment("L2")
	stolen.Reference = "B-L1"
	mustFail(t, must(f.Pay(t.Context(), stolen)), fault.AlreadyExists, `reference "B-L1" paid list L1`)
	early := payment("L2")
	early.Date = day("2025-02-09")
	mustFail(t, must(f.Pay(t.Context(), early)), fault.Invalid, "lies before list")
	mustFail(t, must(f.Pay(t.Context(), payment("L9"))), fault.NotFound, "no payment list L9")

	// Ten servers ask for 10.00 each of the 100.00 that are left: all fit, and one more does not.
	var wait sync.WaitGroup
	for n := range 10 {
		wait.Go(func() {
			desk := provider.New(f.db, ledger.New(f.db, f.book), f.book)
			id := fmt.Sprint("P", n)
			if _, err := desk.MakeList(t.Context(), request(id, in("310", 10_00))); err != nil {
				t.Error(err)
			}
			for range 2 {
				if _, err := desk.Pay(t.Context(), payment(id)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	f.pay(t, "L2")
	mustFail(t, must(f.MakeList(t.Context(), request("L3", in("310", 1)))), fault.Insufficient, "0.00 is payable")
	equal(t, "A", f.paid(t, "A"), "310/=100.00")
	equal(t, "B", f.paid(t, "B"), "310/=40.00")
	equal(t, "1004", f.balance(t, "320500.agency/310/1004"), 360_00)
	f.mustBeWhole(t)
}

func TestACancelledListAndAReturnedPaymentArePayableAgain(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 100_00})
	f.fund(t, "310", 100_00)
	f.list(t, request("L1", in("310", 30_00)))
	undo := provider.Undoing{List: "L1", Date: day("2025-02-11"), Reason: "wrong amount", By: "wang"}
	mustFail(t, must(f.ReturnPayment(t.Context(), undo)), fault.Precondition, "only one that is paid")
	for range 2 {
		if _, err := f.CancelList(t.Context(), undo); err != nil {
			t.Fatal(err)
		}
	}
	mustFail(t, must(f.Pay(t.Context(), payment("L1"))), fault.Precondition, "cancelled")
	f.list(t, request("L2"))
	f.pay(t, "L2")
	undo = provider.Undoing{List: "L2", Date: day("2025-02-14"), Reason: "account closed", Document: "退票 7", By: "wang"}
	mustFail(t, must(f.CancelList(t.Context(), undo)), fault.Precondition, "only one that is made")
	for range 2 {
		if _, err := f.ReturnPayment(t.Context(), undo); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "A", f.paid(t, "A"), "")
	equal(t, "1004", f.balance(t, "320500.agency/310/1004"), 100_00)
	f.mustBeWhole(t)
	f.list(t, request("L3"))
	f.pay(t, "L3")
	equal(t, "A", f.paid(t, "A"), "310/=100.00")
	f.mustBeWhole(t)
	l, err := f.List(t.Context(), "L2")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "history", fmt.Sprint(l.Events), "[{made 2025-02-10 wang  } {paid 2025-02-12 zhao B-L2 } {returned 2025-02-14 wang 退票 7 account closed}]")
	page, err := f.Lists(t.Context(), provider.ListQuery{Treating: suzhou, PageSize: 2}, 0)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "page", fmt.Sprint(len(page.Lists), page.NextPageToken), "2L2")
	equal(t, "states", fmt.Sprint(page.Lists[0].State, page.Lists[1].State), "cancelledreturned")
}

func TestTheStatementOfAProviderTiesToTheJournal(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 100_00, acct: 20_00}, bill{id: "B", insured: wuxi, on: "2025-01-31", pooled: 40_00, civil: 5_00})
	f.settle(t, bill{id: "C", insured: wuxi, on: "2025-02-01", pooled: 9_00}, bill{id: "R", insured: nanjing, on: "2025-02-20", pooled: -60_00, refundOf: "A"})
	f.fund(t, "310", 500_00)
	f.list(t, request("L1", in("310", 90_00)))
	f.pay(t, "L1")
	for month, want := range map[accounts.Month]string{
		"2024-12": "[]",
		"2025-01": "[{310 0.00 160.00 0.00 0.00 0.00 0.00 0.00 160.00} {320 0.00 5.00 0.00 0.00 0.00 0.00 0.00 5.00}]",
		"2025-02": "[{310 160.00 9.00 -60.00 0.00 0.00 0.00 90.00 19.00} {320 5.00 0.00 0.00 0.00 0.00 0.00 0.00 5.00}]",
	} {
		s, err := f.Statement(t.Context(), suzhou, hospital, month)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, string(month), fmt.Sprint(s.Lines), want)
	}
}

func TestAFundingIsPostedOnceAndNeverBeyondTheFiscalAccount(t *testing.T) {
	t.Parallel()
	f := open(t)
	funding := provider.Funding{Region: suzhou, Lines: []provider.Line{in("310", 100_00), in("390", 1_00)}, Date: day("2025-02-01"), Reference: "K1", By: "li"}
	for n := range 2 {
		made, err := f.Fund(t.Context(), funding)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "replayed", made.Replayed, n == 1)
	}
	funding.Lines[0].Amount++
	mustFail(t, must(f.Fund(t.Context(), funding)), fault.AlreadyExists, "")
	funding.Reference, funding.Lines[0].Amount = "K2", 200_000_00
	mustFail(t, must(f.Fund(t.Context(), funding)), fault.Insufficient, "short by")
	funding.Lines = []provider.Line{in("310", 0)}
	mustFail(t, must(f.Fund(t.Context(), funding)), fault.Invalid, "positive")
	equal(t, "1004", f.balance(t, "320500.agency/310/1004"), 100_00)
	f.mustBeWhole(t)
}
