package main

import (
	"strings"
	"testing"

	"fundledger/clearing"
	"fundledger/internal/devdb"
	"fundledger/settlement"
	"fundledger/settlement/recovery"
)

// billed is a database with a bill of Nanjing's in Suzhou (A1) and one in Shanghai
// (A2), 90.00 of 统筹 each, both reconciled.
func billed(t *testing.T) string {
	t.Helper()
	url := devdb.Test(t).Pool.Config().ConnString()
	must(t, url, "setup", "--profile", "jiangsu", "--open-from", "2025-01", "--openings", sampleFiles+"openings.tsv")
	rows := strings.Join(settlement.Columns(), "\t") + "\n"
	for id, treating := range map[string]string{"A1": "320500", "A2": "310000"} {
		rows += strings.Join([]string{id, "S" + id, "P26a4f69d17d3", "310", "320100", treating, "H" + treating + "00001", "21", "21", "2025-01-10", "2025-01-12",
			"2025-01-12T10:00:00+08:00", "90.00", "90.00", "90.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0", "null"}, "\t") + "\n"
	}
	file := store(t, "jan.tsv", rows)
	for _, side := range []string{"treating", "center", "insured"} {
		must(t, url, "import", "settlements", "--side", side, file)
	}
	must(t, url, "reconcile", "--month", "2025-01")
	return url
}

func TestRecoveryByCommands(t *testing.T) {
	t.Parallel()
	url := billed(t)
	list := store(t, "list.tsv", "setl_id\tpart\tamount\treason\tdocument\nA1\thifp_pay\t20.00\t超标准收费\t审1号\nA2\thifp_pay\t5.00\t超标准收费\t审1号\n")
	bad := store(t, "bad.tsv", "setl_id\tpart\tamount\treason\tdocument\nA1\thifp_pay\t20.005\tr\td\nA2\tno_pay\t5.00\tr\td\n")
	refusedWith(t, url, "bad.tsv:2:amount:", "recovery", "deduct", bad, "--date", "2025-01-20", "--by", "auditor")
	refusedWith(t, url, "give a LIST, or one line", "recovery", "deduct", "--date", "2025-01-20", "--by", "auditor")
	if out := must(t, url, "recovery", "deduct", list, "--date", "2025-01-20", "--by", "auditor"); !strings.Contains(out, "审1号/A1") || !strings.Contains(out, "20.00") || !strings.Contains(out, "2 deductions") {
		t.Error(out)
	}
	if out := must(t, url, "recovery", "deduct", list, "--date", "2025-01-20", "--by", "auditor"); strings.Count(out, "recorded before") != 2 {
		t.Error(out)
	}
	if out := must(t, url, "recovery", "deductions", "--page-size", "1"); !strings.Contains(out, "more: --page 审1号/A1") {
		t.Error(out)
	}
	refusedWith(t, url, "was paid 0.00", "recovery", "open", "--settlement", "A1", "--amount", "1.00", "--reason", "r", "--document", "审2号", "--date", "2025-01-21", "--by", "auditor")
	must(t, url, "clear", "--month", "2025-01")
	must(t, url, "remit", "--month", "2025-01", "--all", "--date", "2025-03-10", "--reference", "MARCH")
	if out := must(t, url, "recovery", "open", "--settlement", "A2", "--amount", "40.00", "--reason", "r", "--document", "审2号", "--date", "2025-03-11", "--by", "auditor"); !strings.Contains(out, "审2号/A2") || !strings.Contains(out, "inbound") {
		t.Error(out)
	}
	const id = "审2号/A2"
	refusedWith(t, url, "another person", "recovery", "approve", id, "--date", "2025-03-12", "--by", "auditor")
	must(t, url, "recovery", "approve", id, "--date", "2025-03-12", "--by", "head")
	must(t, url, "recovery", "penalty", id, "--amount", "300.00", "--document", "罚1号", "--date", "2025-03-12", "--by", "head")
	refusedWith(t, url, "write PART=AMOUNT", "recovery", "arrive", id, "--amount", "10.00", "--date", "2025-03-13", "--by", "cashier", "--reference", "B1")
	must(t, url, "recovery", "arrive", id, "--amount", "hifp_pay=30.00", "--date", "2025-03-13", "--by", "cashier", "--reference", "B1")
	refusedWith(t, url, "has come", "recovery", "cancel", id, "--reason", "r", "--date", "2025-03-13", "--by", "head")
	c := decoded[recovery.Case](t, url, "recovery", "home", id, "--date", "2025-03-14", "--by", "cashier", "--reference", "B2")
	if c.Total.Home != 30_00 || c.Total.Outstanding != 10_00 || c.Penalty != 300_00 {
		t.Errorf("%+v", c)
	}
	if out := must(t, url, "recovery", "list", "--state", "approved"); !strings.Contains(out, id) || !strings.Contains(out, "1 clawbacks") {
		t.Error(out)
	}
	if out := must(t, url, "recovery", "show", id); !strings.Contains(out, "penalties, posted nowhere: 300.00") || !strings.Contains(out, c.Steps[len(c.Steps)-1].Entries[0].String()) {
		t.Error(out)
	}
	story := decoded[clearing.Story](t, url, "settlement", "show", "A2")
	if story.Clearing == nil || story.Clearing.Run != "2025-01/cross-out" || len(story.Clearing.Notices) != 2 || len(story.Clearing.Remittances) != 2 ||
		len(story.Deductions) != 1 || len(story.Clawbacks) != 1 || story.Remaining != 45_00 || len(story.Entries) != 2 {
		t.Errorf("%+v", story)
	}
	out := must(t, url, "settlement", "show", "A2")
	for _, word := range []string{"45.00 is left", "jan.tsv", "2025-01/cross-out/320100/pay", "MARCH", "审1号/A2", "clawback 审2号/A2", "settlement.out"} {
		if !strings.Contains(out, word) {
			t.Errorf("%s is not in\n%s", word, out)
		}
	}
	must(t, url, "check")
}

func TestWithdrawalsByCommand(t *testing.T) {
	t.Parallel()
	url := billed(t)
	file := store(t, "w.tsv", "setl_id\tdate\treason\tdocument\nA1\t2025-02-02\t重复上传\t冲1号\n")
	for i, side := range []string{"treating", "center", "insured"} {
		state := "pending"
		if i == 2 {
			state = "reversed"
		}
		if out := must(t, url, "import", "withdrawals", "--side", side, file); !strings.Contains(out, state) {
			t.Errorf("%s: %s", side, out)
		}
	}
	if again := must(t, url, "import", "withdrawals", "--side", "center", file); !strings.Contains(again, "nothing changed") {
		t.Error(again)
	}
	if out := must(t, url, "settlement", "show", "A1"); !strings.Contains(out, "is withdrawn, 0.00 is left") || !strings.Contains(out, "withdrawn by insured on 2025-02-02") {
		t.Error(out)
	}
	must(t, url, "check")
}
