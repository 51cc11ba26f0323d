package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fundledger/clearing/prepayment"
)

// refused runs a command that must fail and say so.
func TestPrepaymentsFromPlanToTopUp(t *testing.T) {
	url, _ := cleared(t)
	bases := sampleFiles + "2025-01/prepayment_bases.tsv"
	dry := must(t, url, "prepayment", "plan", "2025", "--bases", bases, "--dry-run")
	if !strings.Contains(dry, "2025/cross-province/310000/receive") {
		t.Errorf("plan prints %s", dry)
	}
	refusedWith(t, url, "there is no plan 2025/in-province", "prepayment", "plan", "2025")
	out := t.TempDir()
	must(t, url, "prepayment", "plan", "2025", "--bases", bases, "--by", "clerk", "--out", out)
	if files, err := filepath.Glob(out + "/*/*.xlsx"); err != nil || len(files) < 10 {
		t.Errorf("%d workbooks in %s, %v", len(files), out, err)
	}
	if again := must(t, url, "prepayment", "plan", "2025", "--bases", bases, "--by", "clerk"); !strings.Contains(again, "made before") {
		t.Errorf("plan prints %s", again)
	}
	var notices []prepayment.Notice
	if err := json.Unmarshal([]byte(must(t, url, "prepayment", "notices", "--year", "2025", "--open", "--json")), &notices); err != nil || len(notices) < 10 {
		t.Fatalf("%d notices, %v", len(notices), err)
	}
	pays := ""
	for _, n := range notices {
		if n.Scheme == prepayment.InProvince && n.Direction == "pay" && n.Lines[0].Fund == "310" {
			pays = n.ID
		}
	}
	moved := must(t, url, "prepayment", "move", pays, "--fund", "310", "--amount", "100.00", "--date", "2025-02-10", "--reference", "P1", "--by", "clerk")
	if !strings.Contains(moved, "fund 310: 100.00 on 2025-02-10") {
		t.Errorf("move prints %s", moved)
	}
	refusedWith(t, url, "other content", "prepayment", "move", pays, "--fund", "310", "--amount", "99.00", "--date", "2025-02-10", "--reference", "P1", "--by", "clerk")
	must(t, url, "prepayment", "move", "--province", "110000", "--direction", "pay", "--document", "D1", "--fund", "310", "--amount", "7.00", "--date", "2025-02-20", "--reference", "P2", "--by", "clerk")
	if late := must(t, url, "prepayment", "notices", "--late-on", "2025-03-01"); !strings.Contains(late, pays) {
		t.Errorf("late: %s", late)
	}
	if used := must(t, url, "prepayment", "utilisation", "--month", "2025-01"); !strings.Contains(used, "上海") {
		t.Errorf("utilisation prints %s", used)
	}
	shown := must(t, url, "prepayment", "show", "--year", "2025", "--province", "110000", "--explain")
	if !strings.Contains(shown, "7.00") || !strings.Contains(shown, "paid 7.00: ") {
		t.Errorf("show prints %s", shown)
	}
	// The sample's opening balances have 540,000.00 of fund 310 at Shanghai.
	if own := must(t, url, "prepayment", "show", "--year", "2025", "--province", "310000", "--explain"); !strings.Contains(own, "carried over, opened 540000.00: ") {
		t.Errorf("show prints %s", own)
	}
	refusedWith(t, url, "320100 is not a counterparty", "prepayment", "show", "--year", "2025", "--province", "320100")
	fee := []string{"--holder", "320000", "--fund", "310", "--amount", "3.00", "--date", "2025-03-21", "--reference", "I1", "--by", "clerk"}
	must(t, url, append([]string{"prepayment", "interest"}, fee...)...)
	refusedWith(t, url, "N四(三)", append([]string{"prepayment", "fee"}, fee...)...)
	if check := must(t, url, "check"); !strings.Contains(check, "all checks hold") {
		t.Errorf("check prints %s", check)
	}
}

func TestTopUpAndNationalFiguresByCommand(t *testing.T) {
	url, _ := cleared(t)
	must(t, url, "prepayment", "plan", "2025", "--bases", sampleFiles+"2025-01/prepayment_bases.tsv", "--by", "clerk")
	cases := must(t, url, "prepayment", "topup", "list", "--month", "2025-01")
	if !strings.Contains(cases, "topup/2025-01/310000") { // January has used what lay at Shanghai to red
		t.Fatalf("cases: %s", cases)
	}
	step := func(name, by string, more ...string) []string {
		return append([]string{"prepayment", "topup", name, "topup/2025-01/310000", "--date", "2025-03-10", "--by", by, "--key", name + by}, more...)
	}
	amount := []string{"--fund", "310", "--amount", "500.00"}
	must(t, url, step("propose", "maker", amount...)...)
	refusedWith(t, url, "another person", step("approve", "maker", append(amount, "--document", "D")...)...)
	must(t, url, step("approve", "checker", append(amount, "--document", "D")...)...)
	if told := must(t, url, step("notify", "maker")...); !strings.Contains(told, "notified") {
		t.Errorf("notify prints %s", told)
	}
	refusedWith(t, url, "is notified", step("decline", "maker", "--reason", "no")...)

	file := filepath.Join(t.TempDir(), "list.tsv")
	if err := os.WriteFile(file, []byte("month\tprovince\tfund\tpayable\treceivable\n2025-01\t310000\t310\t1.00\t0.00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	imported := must(t, url, "prepayment", "national", "import", file, "--kind", "clearing", "--date", "2025-02-28", "--by", "maker", "--json")
	var list prepayment.NationalList
	if err := json.Unmarshal([]byte(imported), &list); err != nil || len(list.Comparison) == 0 {
		t.Fatal(imported, err)
	}
	refusedWith(t, url, "accepted first", "remit", "2025-01/cross-out/310000/receive", "--date", "2025-03-10", "--reference", "R")
	must(t, url, "prepayment", "national", "accept", list.ID, "--date", "2025-03-01", "--by", "checker", "--reason", "以国家为准")
	if listed := must(t, url, "prepayment", "national", "list"); !strings.Contains(listed, "accepted") || !strings.Contains(listed, "figures differ") {
		t.Errorf("list prints %s", listed)
	}
}
