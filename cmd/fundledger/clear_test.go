package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fundledger/internal/devdb"
)

const sampleFiles = "../../internal/sample/"

// cleared is a database in which the sample month is cleared, and the
// directory of its documents.
func cleared(t *testing.T) (url, directory string) {
	t.Helper()
	url, directory = devdb.Test(t).Pool.Config().ConnString(), t.TempDir()
	must(t, url, "migrate")
	must(t, url, "setup", "--profile", "jiangsu", "--open-from", "2025-01", "--openings", sampleFiles+"openings.tsv")
	for _, side := range []string{"treating", "center", "insured"} {
		must(t, url, "import", "settlements", "--side", side, sampleFiles+"2025-01/"+side+".tsv")
	}
	must(t, url, "reconcile", "--month", "2025-01")
	must(t, url, "clear", "--month", "2025-01", "--out", directory)
	return url, directory
}

func must(t *testing.T, url string, args ...string) string {
	t.Helper()
	r := fundledger(t, url, args...)
	if r.code != exitOK {
		t.Fatalf("fundledger %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

func TestMonthIsClearedPaidAndChecked(t *testing.T) {
	url, directory := cleared(t)
	if files, err := filepath.Glob(directory + "/*/*.xlsx"); err != nil || len(files) < 60 {
		t.Errorf("%d workbooks in %s, %v", len(files), directory, err)
	}
	if again := must(t, url, "clear", "--month", "2025-01", "--out", directory); !strings.Contains(again, "run 2025-01/in-province: frozen, notices of 2025-02-28") {
		t.Errorf("clear prints %s", again)
	}
	var open []struct {
		ID     string `json:"notice"`
		Amount string `json:"amount"`
	}
	if err := json.Unmarshal([]byte(must(t, url, "notices", "--month", "2025-01", "--open", "--json")), &open); err != nil || len(open) < 60 {
		t.Fatalf("%d open notices, %v", len(open), err)
	}
	const pays = "2025-01/cross-out/320100/pay"
	must(t, url, "remit", pays, "--fund", "310", "--amount", "1000.00", "--date", "2025-03-03", "--reference", "B1")
	if check := must(t, url, "check"); !strings.Contains(check, "all checks hold") || !strings.Contains(check, "unpaid: "+pays) || !strings.Contains(check, "open exceptions of 2025-01: 8 missing_center") {
		t.Errorf("check prints %s", check)
	}
	must(t, url, "remit", "--month", "2025-01", "--all", "--date", "2025-03-10", "--reference", "B2")
	if left := must(t, url, "notices", "--open"); !strings.Contains(left, "0 notices") {
		t.Errorf("open after all is paid: %s", left)
	}
	if check := must(t, url, "check"); strings.Contains(check, "unpaid") {
		t.Errorf("check prints %s", check)
	}
}

func TestRemitSaysWhatIsWrong(t *testing.T) {
	const notice = "2025-01/in-province/320100/pay"
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing named":          {nil, "name a NOTICE, or give --month YYYY-MM --all"},
		"a month without all":    {[]string{"--month", "2025-01"}, "name a NOTICE, or give --month YYYY-MM --all"},
		"notice and month":       {[]string{notice, "--month", "2025-01"}, "give a NOTICE or --month, not both"},
		"a fund without amount":  {[]string{notice, "--fund", "310"}, "1 --fund and 0 --amount were given"},
		"three decimals":         {[]string{notice, "--fund", "310", "--amount", "1.001"}, `"1.001" is not an amount`},
		"all and an amount":      {[]string{notice, "--all", "--fund", "310", "--amount", "1.00"}, "leave --fund and --amount out"},
		"an amount for a month":  {[]string{"--month", "2025-01", "--all", "--fund", "310", "--amount", "1.00"}, "belong to one NOTICE"},
		"a month that is no one": {[]string{"--month", "2025-13", "--all"}, `"2025-13" is not a month`},
	} {
		args := append([]string{"remit", "--date", "2025-03-03", "--reference", "B"}, c.args...)
		if r := fundledger(t, "postgres://nowhere", args...); r.code != exitFailed || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: exit %d, %s", name, r.code, r.stderr)
		}
	}
}

func TestQuotasNeedNoDatabase(t *testing.T) {
	var got, want map[string]any
	if err := json.Unmarshal([]byte(must(t, "", "report", "quotas", "2025", "--bases", sampleFiles+"2025-01/prepayment_bases.tsv", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	expected, err := os.ReadFile(sampleFiles + "2025-01/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(expected, &want); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"quota_in_province", "quota_cross_province"} {
		a, _ := json.Marshal(got[key])
		b, _ := json.Marshal(want[key])
		if len(got) != 2 || string(a) != string(b) {
			t.Errorf("%s differs", key)
		}
	}
	r := fundledger(t, "", "report", "quotas", "2025", "--bases", "nowhere.tsv")
	if r.code != exitFailed || !strings.Contains(r.stderr, "nowhere.tsv") {
		t.Errorf("exit %d, %s", r.code, r.stderr)
	}
}
