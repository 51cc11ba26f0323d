package provider_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement/provider"
)

func application(document string, bill accounts.Fen) provider.Application {
	return provider.Application{Region: suzhou, Document: document, PsnNo: "P26a4f69d17d3", Category: "11", Bill: bill,
		Shares: []provider.Share{{Fund: "310", Amount: bill / 2}, {Fund: "310", Part: "account", Amount: 1_00}}, Received: day("2025-01-20"), By: "chen"}
}

func step(document, by, date string) provider.ReimbursementStep {
	return provider.ReimbursementStep{Region: suzhou, Document: document, Date: day(date), By: by}
}

// The spring festival of 2025 is worked off on Sunday 26 January and Saturday 8 February.
func TestAReimbursementIsDueByTheBillAndTheCalendar(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, c := range []struct {
		document, category string
		bill               accounts.Fen
		due                string
	}{
		{"D1", "11", 999_99, "2025-01-26"}, {"D2", "11", 1000_00, "2025-02-08"}, {"D3", "21", 999_99, "2025-02-08"}, {"D4", "41", 999_99, "2025-01-26"},
	} {
		a := application(c.document, c.bill)
		a.Category = c.category
		r, err := f.Receive(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, c.document, r.Due.String()+" "+r.Longest.String(), c.due+" 2025-02-21")
	}
	listed := func(asOf string, overdue bool) string {
		var list []string
		for token := ""; ; {
			page, err := f.Reimbursements(t.Context(), provider.ReimbursementQuery{Region: suzhou, AsOf: day(asOf), Overdue: overdue, PageSize: 3, PageToken: token})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Reimbursements {
				list = append(list, fmt.Sprintf("%s:%t", r.Document, r.Overdue))
			}
			if token = page.NextPageToken; token == "" {
				return strings.Join(list, " ")
			}
		}
	}
	equal(t, "on the due day", listed("2025-01-26", false), "D1:false D4:false D2:false D3:false")
	equal(t, "the day after", listed("2025-01-27", true), "D1:true D4:true")
	extension := step("D1", "chen", "2025-01-24")
	extension.Reason = "papers abroad"
	if _, err := f.Extend(t.Context(), extension); err != nil {
		t.Fatal(err)
	}
	equal(t, "extended", listed("2025-02-10", true), "D4:true D2:true D3:true")
	equal(t, "before it was received", listed("2025-01-19", false), "")
	a := application("D9", 1)
	a.Received = day("2035-01-01")
	mustFail(t, must(f.Receive(t.Context(), a)), fault.Invalid, "positive") // half a fen is nothing
	a.Bill, a.Shares = 2_00, []provider.Share{{Fund: "310", Amount: 2_01}}
	mustFail(t, must(f.Receive(t.Context(), a)), fault.Invalid, "the funds pay 2.01 of a bill of 2.00")
	a.Shares[0].Amount = 1_00
	mustFail(t, must(f.Receive(t.Context(), a)), fault.NotFound, "the working-day calendar has no year 2035")
	a.PsnNo = "320501198001011234"
	mustFail(t, must(f.Receive(t.Context(), a)), fault.Invalid, "no salted person hash")
}

func TestADocumentIsReimbursedOnceAndByTwoPeople(t *testing.T) {
	t.Parallel()
	f := open(t)
	a := application("D1", 800_00)
	for n := range 2 {
		r, err := f.Receive(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "replayed", r.Replayed, n == 1)
	}
	a.Bill++
	mustFail(t, must(f.Receive(t.Context(), a)), fault.AlreadyExists, "with other content")
	payment := step("D1", "zhao", "2025-01-22")
	payment.Reference = "B1"
	mustFail(t, must(f.Reimburse(t.Context(), payment)), fault.Precondition, "must be approved")
	mustFail(t, must(f.Approve(t.Context(), step("D1", "chen", "2025-01-21"))), fault.Permission, "was received by chen: another person than chen must approve")
	for range 2 {
		if _, err := f.Approve(t.Context(), step("D1", "wang", "2025-01-21")); err != nil {
			t.Fatal(err)
		}
	}
	mustFail(t, must(f.Reimburse(t.Context(), payment)), fault.Insufficient, "320500.agency/310/1004 holds 0.00, 401.00 is needed, short by 401.00")
	f.fund(t, "310", 401_00)
	var wait sync.WaitGroup
	for range 4 { // of four servers one posts it
		wait.Go(func() {
			if _, err := provider.New(f.db, ledger.New(f.db, f.book), f.book).Reimburse(t.Context(), payment); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	equal(t, "1004", f.balance(t, "320500.agency/310/1004"), 0)
	equal(t, "outpatient expense", f.balance(t, "320500.agency/310/5001.02"), 400_00)
	equal(t, "expense of accounts", f.balance(t, "320500.agency/310/5001.05"), 1_00)
	payment.Reference = "B2"
	mustFail(t, must(f.Reimburse(t.Context(), payment)), fault.AlreadyExists, "it is reimbursed once")
	refusal := step("D1", "wang", "2025-01-23")
	refusal.Reason = "no"
	mustFail(t, must(f.Decline(t.Context(), refusal)), fault.Precondition, "is paid")
	r, err := f.Reimbursement(t.Context(), suzhou, "D1")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "history", fmt.Sprint(r.Events), "[{received 2025-01-20 chen D1 } {approved 2025-01-21 wang  } {paid 2025-01-22 zhao B1 }]")

	if _, err := f.Receive(t.Context(), application("D2", 800_00)); err != nil {
		t.Fatal(err)
	}
	refusal.Document = "D2"
	for range 2 {
		if _, err := f.Decline(t.Context(), refusal); err != nil {
			t.Fatal(err)
		}
	}
	mustFail(t, must(f.Approve(t.Context(), step("D2", "wang", "2025-01-24"))), fault.Precondition, "is declined")
	mustFail(t, must(f.Approve(t.Context(), step("D3", "wang", "2025-01-24"))), fault.NotFound, "no application with document D3")
	f.mustBeWhole(t)
}

func TestAFeeCheckIsAnsweredConfirmedAndListedWhenLate(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.settle(t, bill{id: "A", insured: nanjing, on: "2025-01-05", pooled: 30_000_00}, bill{id: "B", insured: nanjing, on: "2025-01-05", pooled: 29_999_99})
	asking := provider.Asking{ID: "C1", SetlID: "A", Reason: "double scan", Date: day("2025-01-20"), By: "chen"}
	for n := range 2 {
		c, err := f.Ask(t.Context(), asking)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "asked", fmt.Sprintln(c.AnswerDue, c.Insured, c.Treating, c.Bill, c.Replayed), fmt.Sprintln("2025-02-26 320100 320500 30000.00", n == 1))
	}
	other := asking
	other.ID = "C2"
	mustFail(t, must(f.Ask(t.Context(), other)), fault.AlreadyExists, "fee check C1 of settlement A is open")
	other.SetlID = "B"
	mustFail(t, must(f.Ask(t.Context(), other)), fault.Invalid, "29999.99: fee checks are for 30000.00 and more")
	other.SetlID = "Z"
	mustFail(t, must(f.Ask(t.Context(), other)), fault.NotFound, "no valid record of settlement Z")
	other.ID, other.SetlID = "C1", "B"
	mustFail(t, must(f.Ask(t.Context(), other)), fault.Invalid, "29999.99")

	late := func(asOf string) string {
		page, err := f.FeeChecks(t.Context(), provider.CheckQuery{Region: suzhou, AsOf: day(asOf), Overdue: true})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(len(page.Checks))
	}
	equal(t, "on the 26th", late("2025-02-26"), "0")
	equal(t, "after it", late("2025-02-27"), "1")
	confirmation := provider.Confirmation{ID: "C1", Agreed: true, Date: day("2025-02-28"), By: "chen"}
	mustFail(t, must(f.Confirm(t.Context(), confirmation)), fault.Precondition, "must be answered first")
	answer := provider.Answer{ID: "C1", Outcome: provider.OutcomeDiffers, Differs: 120_00, Date: day("2025-01-22"), By: "he"}
	mustFail(t, must(f.Answer(t.Context(), answer)), fault.Invalid, "what differs must be said")
	answer.Reason = "one scan was billed twice"
	for n := range 2 {
		c, err := f.Answer(t.Context(), answer)
		if err != nil {
			t.Fatal(err)
		}
		// five working days after Wednesday 22 January: 23, 24, Sunday 26, 27 and 5 February
		equal(t, "answered", fmt.Sprint(c.State, " ", c.ConfirmDue, c.Replayed), fmt.Sprint("answered 2025-02-05 ", n == 1))
	}
	answer.Differs++
	mustFail(t, must(f.Answer(t.Context(), answer)), fault.AlreadyExists, "was answered on 2025-01-22: differs")
	equal(t, "on the day of confirmation", late("2025-02-05"), "0")
	equal(t, "after it", late("2025-02-06"), "1")
	dispute := provider.Confirmation{ID: "C1", Reason: "both were billed", Date: day("2025-02-05"), By: "chen"}
	if _, err := f.Confirm(t.Context(), dispute); err != nil {
		t.Fatal(err)
	}
	answer.Differs, answer.Date = 240_00, day("2025-02-07")
	if _, err := f.Answer(t.Context(), answer); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f.Confirm(t.Context(), confirmation); err != nil {
			t.Fatal(err)
		}
	}
	mustFail(t, must(f.Answer(t.Context(), answer)), fault.Precondition, "was closed on 2025-02-28")
	c, err := f.FeeCheck(t.Context(), "C1")
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, e := range c.Events {
		steps = append(steps, e.Step)
	}
	equal(t, "history", fmt.Sprint(steps, c.Differs, c.Closed), "[asked answered disputed answered closed] 240.00 2025-02-28")
	asking.ID = "C3" // closed: it may be checked again
	if _, err := f.Ask(t.Context(), asking); err != nil {
		t.Fatal(err)
	}
}
