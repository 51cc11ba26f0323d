package settlement_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/internal/sample"
	"fundledger/ledger"
	"fundledger/settlement"
)

func TestABadRowIsReportedWithFileLineFieldAndReason(t *testing.T) {
	t.Parallel()
	f := open(t)
	for i, c := range []struct {
		kind, want string
		changes    []string
	}{
		{"missing_field", "setl_id:the field is required", []string{"setl_id", "null"}},
		{"missing_field", "setl_time:the field is required", []string{"setl_time", ""}},
		{"missing_field", "medfee_sumamt:the field is required", []string{"medfee_sumamt", "null"}},
		{"invalid_field", "setl_id:at most 30 characters, this has 31", []string{"setl_id", strings.Repeat("A", 31)}},
		{"invalid_field", `setl_id:"A B" has characters other than letters`, []string{"setl_id", "A B"}},
		{"invalid_field", "fixmedins_code:a value that is not shown has characters other than", []string{"fixmedins_code", "南京医院"}},
		{"personal_data", "psn_no:not a salted person hash", []string{"psn_no", "320102199003071233"}},
		{"personal_data", "psn_no:not a salted person hash", []string{"psn_no", "32010219900307123X"}},
		{"personal_data", "psn_no:not a salted person hash", []string{"psn_no", "张三"}},
		{"personal_data", "psn_no:not a salted person hash", []string{"psn_no", "ZhangSan"}},
		{"unknown_code", `insutype:"510" is no code of insutype on 2025-01-10`, []string{"insutype", "510"}},
		{"unknown_code", `clr_type:"99" is no code of clr_type`, []string{"clr_type", "99"}},
		{"unknown_code", `med_type:"99" is no code of med_type`, []string{"med_type", "99"}},
		{"unknown_region", `insu_admdvs:"329900" is no region we know`, []string{"insu_admdvs", "329900"}},
		{"unknown_region", "insu_admdvs:320000 is the province itself", []string{"insu_admdvs", "320000"}},
		{"not_ours", "mdtrtarea_admvs:neither 310000 nor 110000 is a city of ours", []string{"insu_admdvs", "310000", "mdtrtarea_admvs", "110000"}},
		{"not_ours", "mdtrtarea_admvs:insured and treated in 320100", []string{"mdtrtarea_admvs", "320100"}},
		{"invalid_date", `begndate:"10.1.2025" is not a date: write YYYY-MM-DD`, []string{"begndate", "10.1.2025"}},
		{"invalid_date", "enddate:discharge 2025-01-09 lies before admission 2025-01-10", []string{"enddate", "2025-01-09"}},
		{"invalid_date", `setl_time:"2025-01-10T09:00:00" is not a time with offset`, []string{"setl_time", "2025-01-10T09:00:00"}},
		{"invalid_amount", `hifp_pay:"55.001" is not an amount in yuan`, []string{"hifp_pay", "55.001"}},
		{"invalid_amount", `medfee_sumamt:"1,000.00" is not an amount in yuan`, []string{"medfee_sumamt", "1,000.00"}},
		{"invalid_amount", "psn_cash_pay:-10.00 is negative: only a refund", []string{"psn_cash_pay", "-10.00", "medfee_sumamt", "80.00"}},
		{"invalid_amount", "medfee_sumamt:100.00 in a refund: its amounts are negative", []string{"refd_setl_flag", "1", "orig_setl_id", "X1"}},
		{"invalid_field", `refd_setl_flag:"2" is neither 0 nor 1`, []string{"refd_setl_flag", "2"}},
		{"missing_field", "orig_setl_id:a refund (refd_setl_flag 1) names its original", []string{"refd_setl_flag", "1"}},
		{"invalid_field", "orig_setl_id:only a refund", []string{"orig_setl_id", "X1"}},
		{"invalid_field", "acct_pay:only insutype 310 has individual accounts", []string{"insutype", "390"}},
		{"components_do_not_sum", "fund_pay_sumamt:fund_pay_sumamt is 60.00, its seven parts sum to 61.00", []string{"hifp_pay", "56.00"}},
		{"components_do_not_sum", "medfee_sumamt:medfee_sumamt is 100.01, fund_pay_sumamt + acct_pay + psn_cash_pay is 100.00", []string{"medfee_sumamt", "100.01"}},
	} {
		name := fmt.Sprintf("bad%d.tsv", i)
		report := f.load(t, settlement.Treating, file(t, name, text(bill(fmt.Sprintf("GOOD%d", i)), bill(fmt.Sprintf("B%d", i), c.changes...))))
		if report.Accepted != 1 || len(report.BadRows) != 1 {
			t.Errorf("%v: the good row must stay and the bad one be reported: %+v", c.changes, report)
			continue
		}
		if got, want := report.BadRows[0].String(), name+":3:"+c.want; !strings.HasPrefix(got, want) || report.BadRows[0].Kind != c.kind {
			t.Errorf("got  %s (%s)\nwant %s (%s)", got, report.BadRows[0].Kind, want, c.kind)
		}
	}
}

func TestARowThatIsNoRowIsReported(t *testing.T) {
	t.Parallel()
	f := open(t)
	report := f.load(t, settlement.Center, file(t, "f.tsv", text(bill("A1"))+"only\tthree\tcells\n\n"+strings.Repeat("x", 70_000)+"\n\xff\xfe\n"+"A2"))
	equal(t, "accepted", report.Accepted, 1)
	var got []string
	for _, b := range report.BadRows {
		got = append(got, b.String())
	}
	want := "f.tsv:3::the line has 3 columns, the header has 25 columns|f.tsv:5::the line is longer than 65536 bytes|f.tsv:6::the line is not UTF-8|f.tsv:7::the line has 1 column, the header has 25 columns"
	equal(t, "bad rows", strings.Join(got, "|"), want)
}

func TestNamesAndIdentityNumbersAreNeverStored(t *testing.T) {
	t.Parallel()
	f := open(t)
	secrets := []string{"32010219900307123X", "张三丰", "P320102199003071233", "11010519491231002X"}
	f.load(t, settlement.Treating, file(t, "f.tsv", text(
		bill("A1", "psn_no", secrets[0]), bill("A2", "psn_no", secrets[1]), bill("A3", "fixmedins_code", secrets[1]),
		bill("A4", "med_type", secrets[0], "psn_no", "P26a4f69d17d3"), bill("A5", "psn_no", "P"+secrets[3]))))
	for _, table := range []string{"import_files", "side_records", "set_aside"} {
		rows, err := f.db.Pool.Query(t.Context(), "SELECT to_jsonb(x)::text FROM "+table+" AS x")
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			for _, secret := range secrets {
				if strings.Contains(line, secret) {
					t.Errorf("%s holds %s: %s", table, secret, line)
				}
			}
		}
	}
}

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, c := range []struct {
		file    settlement.File
		kind    fault.Kind
		message string
	}{
		{settlement.PathFile("/nowhere/f.tsv"), fault.NotFound, "f.tsv cannot be opened"},
		{settlement.PathFile(t.TempDir()), fault.Invalid, "not a regular file"},
		{file(t, "e.tsv", ""), fault.Invalid, "e.tsv is empty: its first line must name the columns"},
		{file(t, "h.tsv", "setl_id\tpsn_no\nA1\tP1\n"), fault.Invalid, "h.tsv lacks the columns mdtrt_id, insutype, insu_admdvs"},
		{file(t, "d.tsv", "setl_id\tsetl_id\n"), fault.Invalid, `d.tsv names the column "setl_id" twice`},
		{file(t, "z.zip", "PK\x03\x04 and nothing"), fault.Invalid, "z.zip begins like a zip archive and cannot be read as one"},
		{file(t, "two.zip", zipped(t, "a.tsv", "x", "b.tsv", "y")), fault.Invalid, "two.zip holds 2 files: a zip must hold exactly one"},
	} {
		_, err := f.Import(t.Context(), settlement.Treating, c.file, settlement.ImportOptions{})
		mustFail(t, err, c.kind, c.message)
	}
	_, err := f.Import(t.Context(), "hospital", file(t, "f.tsv", text()), settlement.ImportOptions{})
	mustFail(t, err, fault.Invalid, `"hospital" is no side`)
}

func zipped(t *testing.T, namesAndContents ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(namesAndContents); i += 2 {
		entry, err := w.Create(namesAndContents[i])
		if err != nil {
			t.Fatal(err)
		}
		entry.Write([]byte(namesAndContents[i+1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryFormOfTheFormatGivesTheSameRecords(t *testing.T) {
	t.Parallel()
	f := open(t)
	plain := text(bill("A1"), refund("A1R", "A1", "5.00"))
	var turned strings.Builder // columns in the other order, one more, absent parts
	for _, line := range strings.Split(strings.TrimSpace(plain), "\n") {
		cells := strings.Split(line, "\t")
		for i := len(cells) - 1; i >= 0; i-- {
			cell := cells[i]
			if cell == "0.00" && i != 12 && i != 13 {
				cell = ""
			}
			turned.WriteString(cell + "\t")
		}
		turned.WriteString("note\r\n")
	}
	utc := strings.ReplaceAll(plain, "2025-01-10T09:00:00+08:00", "2025-01-10T01:00:00Z")
	f.load(t, settlement.Center, file(t, "plain.tsv", plain))
	report := f.load(t, settlement.Treating, file(t, "turned.tsv", "\uFEFF"+turned.String()))
	equal(t, "ignored", strings.Join(report.IgnoredColumns, ","), "note")
	f.load(t, settlement.Insured, file(t, "utc.zip", zipped(t, "inner.tsv", utc)))
	equal(t, "matched", f.reconcile(t, "2025-01").Matched, 2)
}

func TestTheSameFileAgainChangesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	content := text(bill("A1"), bill("A1"), bill("A2", "medfee_sumamt", "1.00"))
	first := f.load(t, settlement.Treating, file(t, "first.tsv", content))
	again := f.load(t, settlement.Treating, file(t, "renamed.zip", zipped(t, "x", content)))
	if !again.AlreadyLoaded || again.File != "first.tsv" || again.Rows != first.Rows || again.Rejected != 1 || again.Duplicates != 1 || again.Added != 0 {
		t.Errorf("%+v", again)
	}
	equal(t, "bad rows", len(again.BadRows), 1)
	other := f.load(t, settlement.Center, file(t, "first.tsv", content))
	equal(t, "the same file of another side is another file", other.AlreadyLoaded, false)
}

func TestStrictLoadsNothingOfAFileWithABadRow(t *testing.T) {
	t.Parallel()
	f := open(t)
	in := file(t, "f.tsv", text(bill("A1"), bill("A2", "clr_type", "99")))
	_, err := f.Import(t.Context(), settlement.Treating, in, settlement.ImportOptions{Strict: true})
	mustFail(t, err, fault.Invalid, "f.tsv has 1 bad row, so nothing of it was loaded")
	if known := err.(*fault.Error); !strings.HasPrefix(known.Detail("row"), "f.tsv:3:clr_type:") {
		t.Error(known.Details)
	}
	var n int
	if err := f.db.Pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM side_records) + (SELECT count(*) FROM import_files)").Scan(&n); err != nil || n != 0 {
		t.Error(n, err)
	}
	good := file(t, "g.tsv", text(bill("A1")))
	if report, err := f.Import(t.Context(), settlement.Treating, good, settlement.ImportOptions{Strict: true}); err != nil || report.Accepted != 1 {
		t.Error(report, err)
	}
}

// breaking fails the transaction with the given number, and all after it.
type breaking struct {
	*postgres.DB
	left atomic.Int64
}

func (b *breaking) InTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	if b.left.Add(-1) < 0 {
		return fault.New(fault.Unavailable, "the plug was pulled")
	}
	return b.DB.InTx(ctx, fn)
}

func TestAHalfLoadedFileGoesOnWhereItWasLeft(t *testing.T) {
	t.Parallel()
	// Duplicates and conflicts far apart, over several batches.
	var rows []map[string]string
	for i := range 9000 {
		rows = append(rows, bill(fmt.Sprintf("A%05d", i%8000), "psn_cash_pay", fmt.Sprintf("%d.00", i/8500), "medfee_sumamt", fmt.Sprintf("%d.00", 90+i/8500)))
	}
	content := text(rows...)
	quiet := open(t)
	want := quiet.load(t, settlement.Treating, file(t, "f.tsv", content))
	equal(t, "duplicates", want.Duplicates, 500)
	equal(t, "conflicting", want.Conflicting, 500)
	for _, transactions := range []int64{1, 3, 5} {
		f := open(t)
		b := &breaking{DB: f.db}
		b.left.Store(transactions)
		s := settlement.New(b, ledger.New(b, f.book), f.book)
		_, err := s.Import(t.Context(), settlement.Treating, file(t, "f.tsv", content), settlement.ImportOptions{})
		mustFail(t, err, fault.Unavailable, "the plug was pulled")
		got := f.load(t, settlement.Treating, file(t, "f.tsv", content))
		got.Added = want.Added
		if got.AlreadyLoaded || strings.Join(indented(t, got), "\n") != strings.Join(indented(t, want), "\n") {
			t.Errorf("after %d transactions: %+v\nwant %+v", transactions, got, want)
		}
		equal(t, "records", f.state(t), quiet.state(t))
	}
}

// state is all that stands of the records and the rows set aside.
func (f fixture) state(t testing.TB) string {
	t.Helper()
	var state string
	err := f.db.Pool.QueryRow(t.Context(), `SELECT md5((SELECT string_agg(x, '|' ORDER BY x) FROM (
			SELECT concat_ws(' ', setl_id, side, status, kind, file_id, line, encode(digest, 'hex')) AS x FROM side_records
			UNION ALL SELECT concat_ws(' ', file_id, line, cause, setl_id, reason) FROM set_aside) AS s))`).Scan(&state)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestTwoImportsOfTheSameFileAtOnceAreOne(t *testing.T) {
	t.Parallel()
	f, quiet := open(t), open(t)
	quiet.load(t, settlement.Treating, settlement.FSFile(sample.Files, sample.Month+"/center.tsv"))
	errs := make(chan error, 3)
	for range 3 {
		go func() {
			s := settlement.New(f.db, f.journal, f.book)
			_, err := s.Import(context.Background(), settlement.Treating, settlement.FSFile(sample.Files, sample.Month+"/center.tsv"), settlement.ImportOptions{})
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	equal(t, "records", f.state(t), quiet.state(t))
}

func TestProgressReachesTheEndOfTheFile(t *testing.T) {
	t.Parallel()
	f := open(t)
	content := text(bill("A1"))
	var last [2]int64
	_, err := f.Import(t.Context(), settlement.Treating, file(t, "f.tsv", content), settlement.ImportOptions{Progress: func(done, total int64) {
		last = [2]int64{done, total}
	}})
	if err != nil || last != [2]int64{int64(len(content)), int64(len(content))} {
		t.Error(last, err)
	}
}
