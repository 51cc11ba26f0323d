package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fundledger/internal/devdb"
	"fundledger/internal/fault"
)

// asProgram makes the test binary the program, for tests of processes. It ends
// with the test that has started it, whose end of a pipe it holds.
const asProgram = "FUNDLEDGER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case asFundledger:
		main()
	case asCurl:
		if err := curl(os.Args[1:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitFailed)
		}
		os.Exit(exitOK)
	}
	if os.Getenv(asProgram) != "" {
		go func() {
			io.Copy(io.Discard, os.Stdin) //nolint:errcheck // it ends however it ends
			os.Exit(exitFailed)
		}()
		main()
	}
	devdb.Main(m)
}

// result is what a run of the program leaves.
type result struct {
	code           int
	stdout, stderr string
}

// fundledger runs the program with the database URL in its environment.
func fundledger(t testing.TB, url string, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	env := func(name string) string {
		if name == "FUNDLEDGER_DATABASE_URL" {
			return url
		}
		return ""
	}
	code := run(t.Context(), args, &out, &errOut, env)
	return result{code, out.String(), errOut.String()}
}

func TestHelpListsTheCommands(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {}} {
		r := fundledger(t, "", args...)
		if r.code != exitOK || r.stderr != "" {
			t.Errorf("%v: exit %d, %s", args, r.code, r.stderr)
		}
		for _, word := range []string{"migrate", "statement", "--database-url", "$FUNDLEDGER_DATABASE_URL"} {
			if !strings.Contains(r.stdout, word) {
				t.Errorf("%v: %s is missing:\n%s", args, word, r.stdout)
			}
		}
	}
}

func TestWrongUsageExitsWith2AndSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"migrat"}, "migrat"},
		{[]string{"migrate", "--no-such-flag"}, "--no-such-flag"},
		{[]string{"statement"}, "<account>"},
	} {
		r := fundledger(t, "", c.args...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.says) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, %q", c.args, r.code, r.stderr)
		}
	}
}

func TestNoCommandMakesUpADatabase(t *testing.T) {
	for _, args := range [][]string{{"migrate"}, {"balances"}, {"--json", "balances"}} {
		r := fundledger(t, "", args...)
		if r.code != exitFailed || !strings.Contains(r.stderr, "--database-url") || !strings.Contains(r.stderr, "FUNDLEDGER_DATABASE_URL") {
			t.Errorf("%v: exit %d, %q", args, r.code, r.stderr)
		}
	}
}

func TestErrorIsAnObjectWithJSON(t *testing.T) {
	for _, c := range []struct {
		code int
		kind fault.Kind
		args []string
	}{
		{exitUsage, fault.Invalid, []string{"no-such-command", "--json"}},
		{exitFailed, fault.Unavailable, []string{"balances", "--json", "--database-url", "postgres://root@127.0.0.1:1/x?sslmode=disable"}},
	} {
		r := fundledger(t, "", c.args...)
		var object struct{ Error fault.Error }
		if err := json.Unmarshal([]byte(r.stderr), &object); err != nil {
			t.Fatalf("%v: %q", err, r.stderr)
		}
		if r.code != c.code || object.Error.Kind != c.kind || object.Error.Message == "" || r.stdout != "" {
			t.Errorf("%v: exit %d, %s", c.args, r.code, r.stderr)
		}
	}
}

func TestDetailsThatTheMessageLacksArePrinted(t *testing.T) {
	var out bytes.Buffer
	printError(&out, false, fault.New(fault.Insufficient, "account A would fall below zero").With("account", "A").With("shortfall", "0.01"))
	if got, want := out.String(), "fundledger: account A would fall below zero (shortfall: 0.01)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMigrateTwiceAppliesNothingMore(t *testing.T) {
	db := devdb.Test(t) // migrated already
	r := fundledger(t, db.URL, "migrate")
	if r.code != exitOK || !strings.HasPrefix(r.stdout, "0 migrations applied") {
		t.Errorf("exit %d, %s%s", r.code, r.stdout, r.stderr)
	}
	r = fundledger(t, "", "migrate", "--status", "--json", "--database-url", db.URL)
	var report migrateReport
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatal(err, r.stderr)
	}
	if len(report.Migrations) == 0 || !report.Migrations[0].Applied {
		t.Errorf("%+v", report)
	}
	r = fundledger(t, db.URL, "migrate", "--status")
	if !strings.Contains(r.stdout, "0010_journal.sql") || strings.Contains(r.stdout, "pending\n") {
		t.Errorf("%s", r.stdout)
	}
}
