package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/devdb"
)

// written is a file with the content.
func written(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBooksAreComparedWithABankStatement(t *testing.T) {
	url := devdb.Test(t).Pool.Config().ConnString()
	must(t, url, "setup", "--profile", "jiangsu", "--open-from", "2025-01")
	openings := written(t, "o.tsv", "#date 2025-01-01\nbook\tfund\tsubject\tcounterparty\tside\tamount\n"+
		"320100.finance\t310\t1001\t\tD\t500.00\n320100.finance\t310\t3001\t\tC\t500.00\n320100.agency\t310\t1003\t\tD\t400.00\n320100.agency\t310\t3001\t\tC\t400.00\n")
	must(t, url, "setup", "--openings", openings)
	must(t, url, "bank", "accounts", "--by", "admin", "--file", written(t, "a.tsv",
		"number\tbank\tholder\tbook\tbacks\tfrom\tto\tsource\n3201-0001\t中国银行\t南京市财政局\t320100.finance\t310/1001\t2025-01-01\t\t开户许可证\n"))
	if list := must(t, url, "bank", "accounts", "--on", "2025-01-31"); !strings.Contains(list, "南京市财政局") || !strings.Contains(list, "310/1001") {
		t.Errorf("%s", list)
	}
	statement := written(t, "s.tsv", "#from 2025-01-01\n#to 2025-01-31\n#opening 500.00\n#closing 503.00\naccount\tdate\tserial\tside\tamount\tremark\n"+
		"3201-0001\t2025-01-05\tS1\tC\t7.00\t利息\n3201-0001\t2025-01-06\tS2\tD\t4.00\t手续费\n")
	if first := must(t, url, "bank", "import", "--by", "clerk", statement); !strings.Contains(first, "opening 500.00, closing 503.00: 2 lines added, 0 known") {
		t.Errorf("%s", first)
	}
	if again := must(t, url, "bank", "import", "--by", "clerk", statement); !strings.Contains(again, "imported before, nothing changed") {
		t.Errorf("%s", again)
	}
	if none := must(t, url, "bank", "match", "3201-0001", "--day", "2025-01-31", "--by", "clerk"); !strings.Contains(none, "0 matches") {
		t.Errorf("%s", none)
	}
	directory := t.TempDir()
	table := must(t, url, "bank", "table", "3201-0001", "--day", "2025-01-31", "--out", directory)
	for _, text := range []string{"the adjusted balances agree", "500.00", "503.00", "bank_in_not_book", "7.00", "ALERT", "reconciliation-3201-0001-2025-01-31.xlsx"} {
		if !strings.Contains(table, text) {
			t.Errorf("%q is not in %s", text, table)
		}
	}
	var told struct {
		AdjustedBook, Difference accounts.Fen
		Items                    []struct{ Serial string }
	}
	if err := json.Unmarshal([]byte(must(t, url, "bank", "table", "3201-0001", "--day", "2025-01-31", "--json")), &told); err != nil || len(told.Items) != 2 || told.Difference != 0 {
		t.Errorf("%+v %v", told, err)
	}
	if alerts := must(t, url, "bank", "alerts", "--on", "2025-01-15"); !strings.Contains(alerts, "1 lines that nobody can explain") || !strings.Contains(alerts, "S1") {
		t.Errorf("%s", alerts)
	}
	if differences := must(t, url, "bank", "differences", "--on", "2025-01-31"); !strings.Contains(differences, "they differ by -100.00") || !strings.Contains(differences, "1 of 1 pairs differ") {
		t.Errorf("%s", differences)
	}
	// Lines that take each other back are matched by hand, and the match is undone.
	for _, args := range [][]string{{"lines", "3201-0001", "--open"}, {"statements", "3201-0001"}, {"matches", "3201-0001"}, {"suggestions", "3201-0001", "--day", "2025-01-31"}} {
		must(t, url, append([]string{"bank"}, args...)...)
	}
	if r := fundledger(t, url, "bank", "match", "3201-0001", "--day", "2025-01-31", "--by", "clerk", "--serial", "S1", "--serial", "S2"); r.code != exitFailed || !strings.Contains(r.stderr, "they differ by 3.00") {
		t.Errorf("%+v", r)
	}
	if r := fundledger(t, url, "bank", "undo", "6f0d2c1e-0000-4000-8000-000000000000", "--by", "clerk", "--on", "2025-01-31", "--reason", "x"); r.code != exitFailed || !strings.Contains(r.stderr, "there is no match") {
		t.Errorf("%+v", r)
	}
	theirs := written(t, "p.tsv", "#province 310000\n#from 2025-01-01\n#to 2025-01-31\nitem\tfund\trow\tdate\treference\tamount\tremark\n"+
		"our_prepayment\t310\topening\t\t\t5.00\t\nour_prepayment\t310\tclosing\t\t\t5.00\t\n")
	if compared := must(t, url, "bank", "province", theirs); !strings.Contains(compared, "-5.00") {
		t.Errorf("%s", compared)
	}
}
