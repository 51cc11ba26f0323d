package main

import (
	"strings"
	"testing"

	"fundledger/ledger"
)

func TestAMonthIsClosedAndReopenedByAnotherPerson(t *testing.T) {
	url := opened(t)
	const book = "320100.agency"
	change := func(what string, more ...string) []string {
		return append([]string{"period", what, "2025-01"}, more...)
	}
	refusedWith(t, url, "is open, set by setup, so it cannot become closed", change("close", book, "--by", "clerk")...)
	if out := must(t, url, change("begin-close", book, "320100.finance", "--by", "clerk")...); !strings.Contains(out, "2025-01 is closing in 2 books") {
		t.Errorf("%s", out)
	}
	refusedWith(t, url, "another person must reopen it", change("reopen", book, "--by", "clerk", "--reason", "mistake")...)
	must(t, url, change("close", book, "--by", "clerk")...)
	entry := store(t, "entries.json", entryJSON("late", bank, incomes, "1.00"))
	refusedWith(t, url, "period 2025-01 of book 320100.agency is closed", "post", entry)
	refusedWith(t, url, "another person must reopen it", change("reopen", book, "--by", "clerk", "--reason", "mistake")...)
	reopened := decoded[periodReport](t, url, change("reopen", book, "--by", "chief", "--reason", "an invoice came late")...)
	if reopened.State != "reopened" || len(reopened.Books) != 1 {
		t.Errorf("%+v", reopened)
	}
	must(t, url, "post", entry)

	events := decoded[[]ledger.PeriodEvent](t, url, "period", "list", "--book", book, "--history")
	var states []string
	for _, e := range events {
		states = append(states, string(e.State)+" by "+e.By)
	}
	if got := strings.Join(states, ", "); got != "open by setup, closing by clerk, closed by clerk, reopened by chief" {
		t.Errorf("%s", got)
	}
	if list := must(t, url, "period", "list", "--book", book); !strings.Contains(list, "an invoice came late") || !strings.Contains(list, "1 rows") {
		t.Errorf("%s", list)
	}
	if list := must(t, url, "period", "list"); !strings.Contains(list, "28 rows") || strings.Count(list, " closing ") != 1 {
		t.Errorf("%s", list)
	}
}

func TestAllBooksAreClosedAtOnceAndAFailureSaysHowFarItCame(t *testing.T) {
	url := opened(t)
	all := decoded[periodReport](t, url, "period", "begin-close", "2025-01", "--all", "--by", "clerk")
	if len(all.Books) != 28 {
		t.Errorf("%+v", all)
	}
	first, second := string(all.Books[0]), string(all.Books[1])
	must(t, url, "period", "close", "2025-01", first, "--by", "clerk")
	refusedWith(t, url, "after 1 of 2 books: period 2025-01 of book "+first+" is closed", "period", "begin-close", "2025-01", second, first, "--by", "clerk")
}

func TestPeriodSaysWhatIsWrong(t *testing.T) {
	url := opened(t)
	for says, args := range map[string][]string{
		"name the books, or give --all": {"close", "2025-01", "--by", "x"},
		"give --all for every one":      {"close", "2025-01", "320100.agency", "--all", "--by", "x"},
		`"2025-1" is not a month`:       {"close", "2025-1", "--all", "--by", "x"},
		"there is no book 1.agency":     {"close", "2025-01", "1.agency", "--by", "x"},
		"there is no book 2.agency":     {"list", "--book", "2.agency"},
		"close period 2025-01 of book":  {"begin-close", "2025-02", "320100.agency", "--by", "x"},
	} {
		refusedWith(t, url, says, append([]string{"period"}, args...)...)
	}
	if r := fundledger(t, url, "period", "reopen", "2025-01", "--all", "--by", "x"); r.code != exitUsage || !strings.Contains(r.stderr, "--reason") {
		t.Errorf("exit %d, %s", r.code, r.stderr)
	}
}
