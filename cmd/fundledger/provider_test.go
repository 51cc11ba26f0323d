package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fundledger/internal/devdb"
)

// reconciled is a database in which the sample month is reconciled.
func reconciled(t *testing.T) (url string) {
	t.Helper()
	url = devdb.Test(t).Pool.Config().ConnString()
	must(t, url, "migrate")
	must(t, url, "setup", "--profile", "jiangsu", "--open-from", "2025-01", "--openings", sampleFiles+"openings.tsv")
	for _, side := range []string{"treating", "center", "insured"} {
		must(t, url, "import", "settlements", "--side", side, sampleFiles+"2025-01/"+side+".tsv")
	}
	return url
}

func wants(t *testing.T, got string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(got, word) {
			t.Errorf("%q is missing in\n%s", word, got)
		}
	}
}

func TestAProviderIsReconciledPaidAndShown(t *testing.T) {
	url := reconciled(t)
	wants(t, must(t, url, "reconcile", "--day", "2025-01-10"), "2025-01-10: ", "settlements agree on all three sides")
	must(t, url, "reconcile", "--month", "2025-01")
	wants(t, must(t, url, "late", "--as-of", "2025-02-21"), "accepted", "carried_over")
	wants(t, must(t, url, "report", "benefit-years", "2025", "--region", "320100"), "320100")
	var claims []struct{ Provider, Fund, Amount string }
	if err := json.Unmarshal([]byte(must(t, url, "--json", "provider", "payable", "--region", "320500")), &claims); err != nil || len(claims) == 0 {
		t.Fatal(claims, err)
	}
	first := claims[0]
	whose := []string{"--region", "320500", "--provider", first.Provider}
	provider := func(args ...string) string {
		t.Helper()
		return must(t, url, append([]string{"provider"}, args...)...)
	}
	wants(t, provider(append([]string{"payable", "--through", "2025-01-31"}, whose...)...), first.Amount)
	file := filepath.Join(t.TempDir(), "h.tsv")
	if err := os.WriteFile(file, []byte("setl_id\tmonth\ttotal\nZ9\t2025-01\t5.00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, provider(append([]string{"match", file, "--month", "2025-01", "--date", "2025-02-03", "--by", "wang"}, whose...)...), "1 missing_here", "comparison 1")
	wants(t, provider(append([]string{"differences", "--month", "2025-01"}, whose...)...), "Z9", "no file has it")
	wants(t, provider(append([]string{"list", "L1", "--through", "2025-01-31", "--fund", first.Fund, "--amount", "10.00", "--date", "2025-02-10", "--by", "wang"}, whose...)...), "L1", "made", "10.00")
	pay := []string{"provider", "pay", "L1", "--date", "2025-02-12", "--reference", "B1", "--by", "zhao"}
	provider("fund", "--region", "320500", "--fund", first.Fund, "--amount", "10.00", "--date", "2025-02-11", "--reference", "K1", "--by", "li")
	wants(t, must(t, url, pay...), "paid", "B1")
	wants(t, must(t, url, pay...), "recorded before")
	wants(t, provider("show", "L1"), "2025-02-10 made by wang", "2025-02-12 paid by zhao, B1", first.Fund)
	var shown struct {
		Items []struct {
			SetlID string `json:"setl_id"`
		}
	}
	if err := json.Unmarshal([]byte(must(t, url, "--json", "provider", "show", "L1")), &shown); err != nil || len(shown.Items) == 0 {
		t.Fatal(shown, err)
	}
	wants(t, must(t, url, "settlement", "show", shown.Items[0].SetlID), "benefit year 待遇年度 2025: fund "+first.Fund, "provider paid: fund "+first.Fund)
	wants(t, provider("lists", "--region", "320500"), "L1")
	wants(t, provider(append([]string{"statement", "--month", "2025-02"}, whose...)...), "10.00")
	refusedWith(t, url, "only one that is made", "provider", "cancel", "L1", "--date", "2025-02-13", "--reason", "late", "--by", "wang")
	wants(t, provider("return", "L1", "--date", "2025-02-13", "--reason", "account closed", "--by", "wang"), "returned")
	refusedWith(t, url, "the header lacks", append([]string{"provider", "match", sampleFiles + "openings.tsv", "--month", "2025-01", "--date", "2025-02-03", "--by", "wang"}, whose...)...)
	wants(t, must(t, url, "check"), "all checks hold")
}

func TestPatientsAreReimbursedAndBillsCheckedByCommand(t *testing.T) {
	url := reconciled(t)
	of := []string{"--region", "320500"}
	reimburse := func(args ...string) []string { return append(append([]string{"reimburse"}, args...), of...) }
	wants(t, must(t, url, reimburse("receive", "D1", "--person", "P26a4f69d17d3", "--med-type", "11", "--bill", "500.00",
		"--fund", "310", "--amount", "300.00", "--fund", "310/account", "--amount", "20.00", "--date", "2025-01-20", "--by", "chen")...), "2025-01-26", "300.00")
	refusedWith(t, url, "another person than chen", reimburse("approve", "D1", "--date", "2025-01-21", "--by", "chen")...)
	must(t, url, reimburse("approve", "D1", "--date", "2025-01-21", "--by", "wang")...)
	must(t, url, reimburse("extend", "D1", "--date", "2025-01-21", "--by", "wang", "--reason", "abroad")...)
	must(t, url, "provider", "fund", "--region", "320500", "--fund", "310", "--amount", "320.00", "--date", "2025-01-21", "--reference", "K1", "--by", "li")
	must(t, url, reimburse("pay", "D1", "--date", "2025-01-22", "--by", "zhao", "--reference", "B1")...)
	wants(t, must(t, url, reimburse("show", "D1")...), "2025-01-21 approved by wang", "paid by zhao, B1")
	must(t, url, reimburse("receive", "D2", "--person", "P26a4f69d17d3", "--med-type", "21", "--bill", "500.00", "--fund", "310", "--amount", "300.00", "--date", "2025-01-20", "--by", "chen")...)
	wants(t, must(t, url, reimburse("list", "--as-of", "2025-02-09", "--overdue")...), "D2", "overdue")
	must(t, url, reimburse("decline", "D2", "--date", "2025-01-22", "--by", "wang", "--reason", "paid directly")...)

	center, err := os.ReadFile(sampleFiles + "2025-01/center.tsv")
	if err != nil {
		t.Fatal(err)
	}
	id := ""
	lines := strings.Split(string(center), "\n")
	header := strings.Split(lines[0], "\t")
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			row[header[i]] = cell
		}
		if len(row["medfee_sumamt"]) >= len("30000.00") && row["med_type"] == "21" && row["refd_setl_flag"] == "0" && row["medfee_sumamt"] >= "30000.00" {
			id = row["setl_id"]
			break
		}
	}
	if id == "" {
		t.Fatal("the sample has no large bill")
	}
	wants(t, must(t, url, "feecheck", "ask", "C1", "--settlement", id, "--date", "2025-02-03", "--by", "chen"), "2025-03-26", "asked")
	wants(t, must(t, url, "feecheck", "list", "--as-of", "2025-03-27", "--overdue"), "C1", "overdue")
	must(t, url, "feecheck", "answer", "C1", "--outcome", "differs", "--differs", "12.00", "--reason", "billed twice", "--date", "2025-03-03", "--by", "he")
	must(t, url, "feecheck", "confirm", "C1", "--dispute", "--reason", "more than that", "--date", "2025-03-05", "--by", "chen")
	must(t, url, "feecheck", "answer", "C1", "--outcome", "confirmed", "--date", "2025-03-06", "--by", "he")
	must(t, url, "feecheck", "confirm", "C1", "--date", "2025-03-07", "--by", "chen")
	wants(t, must(t, url, "feecheck", "show", "C1"), "closed by chen", "disputed")
}
