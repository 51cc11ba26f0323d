package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"fundledger/internal/devdb"
	"fundledger/ledger"
)

// opened is a database whose books are open from 2025-01.
func opened(t *testing.T) string {
	t.Helper()
	url := devdb.Test(t).Pool.Config().ConnString()
	must(t, url, "setup", "--profile", "jiangsu", "--open-from", "2025-01")
	return url
}

// entryJSON writes an entry that moves yuan from one account to another.
func entryJSON(key, to, from, yuan string) string {
	return fmt.Sprintf(`{"key":%q,"date":"2025-01-15","period":"2025-01","kind":"transfer","summary":"试验 %s","source":"test","preparer":"tester",
		"postings":[{"account":%q,"side":"D","amount":%q},{"account":%q,"side":"C","amount":%q}]}`, key, key, to, yuan, from, yuan)
}

const (
	bank    = "320100.agency/310/1003"
	incomes = "320100.agency/310/4001"
	costs   = "320100.agency/310/5001.01"
)

// decoded runs a command with --json and decodes what it prints.
func decoded[T any](t *testing.T, url string, args ...string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(must(t, url, append(args, "--json")...)), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// refusedWith runs a command that must fail and say something.
func refusedWith(t *testing.T, url, says string, args ...string) result {
	t.Helper()
	r := fundledger(t, url, args...)
	if r.code != exitFailed || !strings.Contains(r.stderr, says) {
		t.Errorf("fundledger %s: exit %d, %s%s\nwant %s", strings.Join(args, " "), r.code, r.stdout, r.stderr, says)
	}
	return r
}

func TestEachEntryOfAFileHasItsOwnResult(t *testing.T) {
	url := opened(t)
	file := store(t, "entries.json", entryJSON("in", bank, incomes, "100.00")+"\n"+entryJSON("too much", costs, bank, "100.01")+entryJSON("out", costs, bank, "40.00"))
	r := refusedWith(t, url, "1 of 3 entries were refused; the first: ", "post", file, "--json")
	var results []postResult
	if err := json.Unmarshal([]byte(r.stdout), &results); err != nil || len(results) != 3 {
		t.Fatal(err, r.stdout)
	}
	if results[0].Result != "posted" || results[0].ID != ledger.EntryID("in") || results[1].Result != "refused" || results[1].Error.Kind != "insufficient_funds" || results[2].Result != "posted" {
		t.Errorf("%+v", results)
	}
	var failed struct {
		Error struct{ Kind string }
	}
	if err := json.Unmarshal([]byte(r.stderr), &failed); err != nil || failed.Error.Kind != "insufficient_funds" {
		t.Errorf("%v %s", err, r.stderr)
	}
	again := refusedWith(t, url, "1 of 3", "post", file)
	if strings.Count(again.stdout, "replayed") != 2 || !strings.Contains(again.stdout, bank) {
		t.Errorf("%s", again.stdout)
	}
	if balances := must(t, url, "balances", bank); !strings.Contains(balances, "60.00") {
		t.Errorf("%s", balances)
	}
}

func TestAnAtomicFileStandsOrFalls(t *testing.T) {
	url := opened(t)
	array := func(last string) string {
		return store(t, "entries.json", "["+entryJSON("in", bank, incomes, "100.00")+",\n"+entryJSON("out", costs, bank, last)+"]\n")
	}
	r := refusedWith(t, url, "2 of 2 entries were refused", "post", "--atomic", array("100.01"))
	if strings.Contains(r.stdout, "posted") {
		t.Errorf("%s", r.stdout)
	}
	if s := decoded[sealReport](t, url, "seal", "--once"); s.Sealed != 0 {
		t.Errorf("something was posted: %+v", s)
	}
	for _, want := range []string{"posted", "replayed"} {
		results := decoded[[]postResult](t, url, "post", "--atomic", array("100.00"))
		if len(results) != 2 || results[0].Result != want || results[1].Result != want {
			t.Errorf("%+v, want %s", results, want)
		}
	}
}

func TestEntriesComeFromStandardInputToo(t *testing.T) {
	url := opened(t)
	stdin, err := os.Open(store(t, "entries.json", entryJSON("in", bank, incomes, "1.00")))
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	before := os.Stdin
	defer func() { os.Stdin = before }()
	os.Stdin = stdin
	if out := must(t, url, "post"); !strings.Contains(out, "posted") || !strings.Contains(out, ledger.EntryID("in").String()) {
		t.Errorf("%s", out)
	}
}

func TestPostSaysWhereAFileIsWrong(t *testing.T) {
	good := entryJSON("a", bank, incomes, "1.00")
	for says, text := range map[string]string{
		"line 1: entry 1 cannot be read":                        "{",
		"line 3: entry 2 cannot be read: json: unknown field":   good + "\n" + strings.Replace(good, `"kind"`, `"sort"`, 1),
		"line 5: entry 2 cannot be read":                        "[" + good + ",\n\n\n" + strings.Replace(good, "1.00", "1.001", 1) + "]",
		`"1.001" is not an amount in yuan`:                      strings.Replace(good, "1.00", "1.001", 1),
		`"320100" is not an account`:                            strings.Replace(good, bank, "320100", 1),
		"the array does not end":                                "[" + good,
		"something follows the array":                           "[" + good + "] " + good,
		"has no entries":                                        " ",
		"line 2: entry 2 cannot be read: invalid character 'x'": strings.ReplaceAll(good, "\n", "") + "\nx",
	} {
		refusedWith(t, "postgres://nowhere", says, "post", store(t, "entries.json", text))
	}
	file := store(t, "entries.json", good)
	refusedWith(t, "postgres://nowhere", "the entries cannot be read", "post", "no such file")
	refusedWith(t, "postgres://nowhere", "leave --atomic out", "post", file, "--pend", "--atomic")
	refusedWith(t, "postgres://nowhere", "--expires belongs to --pend", "post", file, "--expires", "2030-01-01T00:00:00Z")
	refusedWith(t, "postgres://nowhere", `"tomorrow" is not a time`, "post", file, "--pend", "--expires", "tomorrow")
}

func TestAnEntryIsReversedInPartAndInFullAndShownWithItsLinks(t *testing.T) {
	url := opened(t)
	must(t, url, "post", store(t, "entries.json", entryJSON("in", bank, incomes, "100.00")))
	part := []string{"reverse", "in", "--key", "R1", "--date", "2025-01-20", "--preparer", "tester", "--posting", "1=30.00", "--posting", "2=30.00"}
	for _, want := range []string{"posted", "replayed"} {
		if made := decoded[postResult](t, url, part...); made.Result != want || made.ID != ledger.EntryID("R1") {
			t.Errorf("%+v, want %s", made, want)
		}
	}
	refusedWith(t, url, "has 70.00 left to take back, 100.00 is asked", "reverse", "in", "--key", "R2", "--date", "2025-01-20", "--preparer", "tester")
	must(t, url, "reverse", ledger.EntryID("in").String(), "--key", "R3", "--date", "2025-02-01", "--preparer", "tester", "--reviewer", "checker",
		"--summary", "退款", "--posting", "1=70.00", "--posting", "2=70.00")
	shown := must(t, url, "entry", "in")
	for _, want := range []string{"at position 1", "2025-01-15 in 2025-01, transfer: 试验 in", "100.00", "借 Dr", "320100.agency 2025-01 no. 1",
		"corrected by " + ledger.EntryID("R1").String(), "corrected by " + ledger.EntryID("R3").String(), "prepared by tester, source test"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%s is missing:\n%s", want, shown)
		}
	}
	record := decoded[ledger.Record](t, url, "entry", "R3")
	if record.Corrects.UUID != ledger.EntryID("in") || record.Period != "2025-02" || record.Summary != "退款" || record.Postings[0].Amount != -7000 || record.Position != 3 || len(record.Vouchers) != 1 {
		t.Errorf("%+v", record)
	}
	if first := must(t, url, "entry", ledger.EntryID("R1").String()); !strings.Contains(first, "红字冲销 试验 in") || !strings.Contains(first, "-30.00") || !strings.Contains(first, "corrects "+ledger.EntryID("in").String()) {
		t.Errorf("%s", first)
	}
	for says, posting := range map[string]string{
		"write N=AMOUNT": "30.00", "the entry has 2 postings": "3=30.00", "is not an amount": "1=x", "of which -1.00 cannot be taken back": "1=-1.00",
	} {
		refusedWith(t, url, says, "reverse", "in", "--key", "R4", "--date", "2025-01-20", "--preparer", "tester", "--posting", posting)
	}
	refusedWith(t, url, "posting 1 is given twice", "reverse", "in", "--key", "R4", "--date", "2025-01-20", "--preparer", "tester", "--posting", "1=1", "--posting", "1=1")
	refusedWith(t, url, "the journal has no entry", "entry", "nothing")
	refusedWith(t, url, "the journal has no entry", "reverse", "nothing", "--key", "R4", "--date", "2025-01-20", "--preparer", "tester")
	must(t, url, "verify")
}

func TestBalancesRollUpAndGoBackToATimeOfPosting(t *testing.T) {
	url := opened(t)
	must(t, url, "post", store(t, "a.json", entryJSON("in", bank, incomes, "100.00")))
	posted := decoded[ledger.Record](t, url, "entry", "in").PostedAt
	must(t, url, "post", store(t, "b.json", entryJSON("out", costs, bank, "40.00")))
	rolled := must(t, url, "balances", "--rollup", "--levels", "1", "--subject", "5001")
	if !strings.Contains(rolled, "320100.agency/310/5001 ") || strings.Contains(rolled, costs) || !strings.Contains(rolled, "1 accounts") {
		t.Errorf("%s", rolled)
	}
	then := decoded[balancesReport](t, url, "balances", "--posted-at", posted.Format("2006-01-02T15:04:05.999999Z07:00"), bank)
	if then.Position != 1 || len(then.Balances) != 1 || then.Balances[0].Balance != 10000 {
		t.Errorf("%+v", then)
	}
	refusedWith(t, url, "belong to --rollup", "balances", "--levels", "1")
	refusedWith(t, url, "is not a time", "balances", "--posted-at", "noon")
	refusedWith(t, url, "not two of them", "balances", "--posted-at", "2025-01-01T00:00:00Z", "--position", "1")
}
