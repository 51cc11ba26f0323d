package main

import (
	"strings"
	"testing"
	"time"

	"fundledger/ledger"
)

func TestAReservationIsListedFinishedVoidedOrExpires(t *testing.T) {
	url := opened(t)
	must(t, url, "post", store(t, "in.json", entryJSON("in", bank, incomes, "100.00")))
	file := store(t, "out.json", entryJSON("a", costs, bank, "60.00")+entryJSON("b", costs, bank, "30.00")+entryJSON("c", costs, bank, "20.00"))
	r := refusedWith(t, url, "1 of 3 entries were refused; the first: ", "post", "--pend", file)
	if strings.Count(r.stdout, "open") != 2 {
		t.Errorf("%s", r.stdout)
	}
	if balances := must(t, url, "balances", bank); !strings.Contains(balances, "100.00") || !strings.Contains(balances, "90.00") {
		t.Errorf("%s", balances)
	}
	if list := must(t, url, "pending", "list"); !strings.Contains(list, "60.00") || !strings.Contains(list, "never") || !strings.Contains(list, "2 reservations") {
		t.Errorf("%s", list)
	}
	page := decoded[ledger.PendingPage](t, url, "pending", "list", "--floor", bank, "--page-size", "1")
	if len(page.Pendings) != 1 || page.Pendings[0].Key != "a" || page.NextPageToken == "" {
		t.Errorf("%+v", page)
	}
	if next := must(t, url, "pending", "list", "--page-size", "1"); !strings.Contains(next, "more: --page "+page.NextPageToken) {
		t.Errorf("%s", next)
	}
	finished := decoded[postResult](t, url, "pending", "finish", "a", "--by", "chief", "--posting", "1=50.00", "--posting", "2=50.00", "--date", "2025-02-01", "--period", "2025-02")
	if finished.ID != ledger.FinishID("a") || finished.Result != "posted" {
		t.Errorf("%+v", finished)
	}
	if show := must(t, url, "pending", "show", "a"); !strings.Contains(show, "a is finished") || !strings.Contains(show, "by chief") || !strings.Contains(show, ledger.FinishID("a").String()) || !strings.Contains(show, "held 60.00 of "+bank) {
		t.Errorf("%s", show)
	}
	if entry := decoded[ledger.Record](t, url, "entry", "finish/a"); entry.Reviewer != "chief" || entry.Period != "2025-02" || entry.Postings[0].Amount != 5000 {
		t.Errorf("%+v", entry)
	}
	must(t, url, "pending", "void", "b", "--by", "chief", "--reason", "no longer needed")
	refusedWith(t, url, "was voided by chief: no longer needed", "pending", "finish", "b", "--by", "chief")
	refusedWith(t, url, "was finished by chief", "pending", "void", "a", "--by", "chief", "--reason", "x")
	refusedWith(t, url, `there is no pending entry "z"`, "pending", "show", "z")

	soon := time.Now().Add(1500 * time.Millisecond).Format(time.RFC3339Nano)
	must(t, url, "post", "--pend", "--expires", soon, store(t, "d.json", entryJSON("d", costs, bank, "20.00")))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if done := decoded[map[string]int](t, url, "pending", "expire"); done["expired"] == 1 {
			break
		} else if time.Now().After(deadline) {
			t.Fatal("it does not expire")
		}
	}
	if list := must(t, url, "pending", "list", "--state", "all"); !strings.Contains(list, "expired") || !strings.Contains(list, "voided") || !strings.Contains(list, "finished") {
		t.Errorf("%s", list)
	}
	if left := must(t, url, "pending", "list"); !strings.Contains(left, "0 reservations") {
		t.Errorf("%s", left)
	}
	must(t, url, "verify")
}

func TestAManualEntryTakesTwoPersonsByCommandsToo(t *testing.T) {
	url := opened(t)
	file := store(t, "manual.json", strings.ReplaceAll(entryJSON("m", bank, incomes, "100.00"), `"transfer"`, `"manual"`))
	refusedWith(t, url, "finished by another person", "post", file)
	must(t, url, "post", "--pend", file)
	refusedWith(t, url, "was prepared by tester: another person must finish it", "pending", "finish", "m", "--by", "tester")
	must(t, url, "pending", "finish", "m", "--by", "chief")
	if entry := decoded[ledger.Record](t, url, "entry", "finish/m"); entry.Preparer != "tester" || entry.Reviewer != "chief" {
		t.Errorf("%+v", entry)
	}
}
