package settlement_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fundledger/accounts"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/internal/sample"
	"fundledger/ledger"
	"fundledger/settlement"
)

func TestMain(m *testing.M) { devdb.Main(m) }

// fixture is a database whose books are open from 2025-01.
type fixture struct {
	*settlement.Settlements
	db      *postgres.DB
	book    *accounts.Rulebook
	journal *ledger.Journal
}

func open(t testing.TB) fixture {
	t.Helper()
	db := devdb.Test(t)
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	return openOn(t, db, book)
}

func openOn(t testing.TB, db *postgres.DB, book *accounts.Rulebook) fixture {
	t.Helper()
	journal := ledger.New(db, book)
	if _, err := journal.OpenBooks(t.Context(), "2025-01", "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	return fixture{settlement.New(db, journal, book), db, book, journal}
}

func (f fixture) load(t testing.TB, side settlement.Side, file settlement.File) *settlement.ImportReport {
	t.Helper()
	report, err := f.Import(t.Context(), side, file, settlement.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if sum := report.Accepted + report.Rejected + report.Duplicates + report.Conflicting + report.Superseded + report.ConflictsWithPosted; sum != report.Rows {
		t.Errorf("of %d rows %d are accounted for: %+v", report.Rows, sum, report)
	}
	return report
}

func (f fixture) loadSample(t testing.TB) {
	t.Helper()
	for _, side := range settlement.Sides() {
		f.load(t, side, settlement.FSFile(sample.Files, sample.Month+"/"+string(side)+".tsv"))
	}
}

func (f fixture) reconcile(t testing.TB, month accounts.Month) *settlement.ReconcileReport {
	t.Helper()
	report, err := f.Reconcile(t.Context(), month, settlement.ReconcileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// entries is the journal as a set: the digest of each entry by its key.
func (f fixture) entries(t testing.TB) map[string]string {
	t.Helper()
	rows, err := f.db.Pool.Query(t.Context(), "SELECT key, encode(digest, 'hex') FROM entries")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	set := map[string]string{}
	for rows.Next() {
		var key, digest string
		if err := rows.Scan(&key, &digest); err != nil {
			t.Fatal(err)
		}
		set[key] = digest
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return set
}

func (f fixture) mustBeWhole(t testing.TB) {
	t.Helper()
	if _, err := f.journal.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := f.journal.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("check: %+v", finding)
	}
}

// bill is a valid settlement that a test changes field by field.
func bill(id string, changes ...string) map[string]string {
	row := map[string]string{
		"setl_id": id, "mdtrt_id": "S" + id, "psn_no": "P26a4f69d17d3", "insutype": "310", "insu_admdvs": "320100",
		"mdtrtarea_admvs": "320500", "fixmedins_code": "H32050000001", "clr_type": "11", "med_type": "11",
		"begndate": "2025-01-10", "enddate": "2025-01-10", "setl_time": "2025-01-10T09:00:00+08:00",
		"medfee_sumamt": "100.00", "fund_pay_sumamt": "60.00", "hifp_pay": "55.00", "cvlserv_pay": "5.00",
		"hifes_pay": "0.00", "hifmi_pay": "0.00", "hifob_pay": "0.00", "maf_pay": "0.00", "oth_pay": "0.00",
		"acct_pay": "30.00", "psn_cash_pay": "10.00", "refd_setl_flag": "0", "orig_setl_id": "null",
	}
	return with(row, changes...)
}

// refund takes hifp back from the bill, nothing else.
func refund(id, orig, hifp string, changes ...string) map[string]string {
	row := bill(id, "refd_setl_flag", "1", "orig_setl_id", orig, "hifp_pay", "-"+hifp, "fund_pay_sumamt", "-"+hifp,
		"medfee_sumamt", "-"+hifp, "cvlserv_pay", "0.00", "acct_pay", "0.00", "psn_cash_pay", "0.00", "setl_time", "2025-01-20T09:00:00+08:00")
	return with(row, changes...)
}

func with(row map[string]string, changes ...string) map[string]string {
	row = maps.Clone(row)
	for i := 0; i < len(changes); i += 2 {
		row[changes[i]] = changes[i+1]
	}
	return row
}

var header = strings.Split("setl_id mdtrt_id psn_no insutype insu_admdvs mdtrtarea_admvs fixmedins_code clr_type med_type begndate enddate setl_time medfee_sumamt fund_pay_sumamt hifp_pay cvlserv_pay hifes_pay hifmi_pay hifob_pay maf_pay oth_pay acct_pay psn_cash_pay refd_setl_flag orig_setl_id", " ")

// text writes rows as a file.
func text(rows ...map[string]string) string {
	var b strings.Builder
	b.WriteString(strings.Join(header, "\t") + "\n")
	for _, row := range rows {
		cells := make([]string, len(header))
		for i, name := range header {
			cells[i] = row[name]
		}
		b.WriteString(strings.Join(cells, "\t") + "\n")
	}
	return b.String()
}

// file writes a file of the test's own.
func file(t testing.TB, name, content string) settlement.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return settlement.PathFile(path)
}

// loadAll gives all three sides the same rows, each in a file called name.
func (f fixture) loadAll(t testing.TB, name string, rows ...map[string]string) {
	t.Helper()
	for _, side := range settlement.Sides() {
		f.load(t, side, file(t, name, text(rows...)))
	}
}

func mustFail(t testing.TB, err error, kind fault.Kind, message string) {
	t.Helper()
	if fault.KindOf(err) != kind || err == nil || !strings.Contains(err.Error(), message) {
		t.Errorf("want %s: …%s…, got %s: %v", kind, message, fault.KindOf(err), err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func sampleFile(t testing.TB, name string) []byte {
	t.Helper()
	content, err := fs.ReadFile(sample.Files, sample.Month+"/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// indented is the value as JSON, for comparing and for showing what differs.
func indented(t testing.TB, value any) []string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	if err := e.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(b.String()), "\n")
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			from := max(0, i-6)
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, strings.Join(got[from:i+1], "\n     "), strings.Join(want[from:i+1], "\n     "))
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Sprintf("%d lines, want %d", len(got), len(want))
	}
	return ""
}
