package settlement_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
)

func start(id, content string) settlement.UploadStart {
	sum := sha256.Sum256([]byte(content))
	return settlement.UploadStart{BatchID: id, Side: settlement.Center, FileName: "center.tsv", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Subject: "clerk"}
}

// send sends the content from what was received, in chunks, until the end of the given part.
func send(t testing.TB, s *settlement.Settlements, id, content string, until, chunk int) {
	t.Helper()
	u, err := s.Upload(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for at := int(u.Received); at < until; {
		n := min(chunk, until-at)
		received, err := s.AddToUpload(t.Context(), id, int64(at), []byte(content[at:at+n]))
		if err != nil || int(received) != at+n {
			t.Fatal(received, err)
		}
		at += n
	}
}

func (f fixture) countRows(t testing.TB, table string) (n int) {
	t.Helper()
	if err := f.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAnUploadThatBreaksGoesOnAtAnotherServer(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	second := settlement.New(f.db, ledger.New(f.db, f.book), f.book)
	content := text(bill("A1"), bill("A1"), bill("A2", "psn_cash_pay", "x"), bill("A3"), bill("A4", "insutype", "999"))
	u, err := f.BeginUpload(ctx, start("b1", content))
	if err != nil || u.State != settlement.UploadReceiving || u.Received != 0 || u.Subject != "clerk" || u.Created.IsZero() {
		t.Fatalf("%+v %v", u, err)
	}
	send(t, f.Settlements, "b1", content, 100, 33)
	_, err = f.LoadUpload(ctx, "b1", nil)
	mustFail(t, err, fault.Precondition, fmt.Sprintf(`upload "b1" lacks %d of %d bytes`, len(content)-100, len(content)))
	if u, err = second.BeginUpload(ctx, start("b1", content)); err != nil || u.Received != 100 {
		t.Fatalf("%+v %v", u, err)
	}
	// What was received is passed over, what lies beyond is refused.
	if received, err := second.AddToUpload(ctx, "b1", 90, []byte(content[90:120])); err != nil || received != 120 {
		t.Fatal(received, err)
	}
	if received, err := second.AddToUpload(ctx, "b1", 0, []byte(content[:50])); err != nil || received != 120 {
		t.Fatal(received, err)
	}
	_, err = second.AddToUpload(ctx, "b1", 121, []byte("x"))
	mustFail(t, err, fault.Precondition, "has received 120 bytes, so it cannot go on at 121")
	_, err = second.AddToUpload(ctx, "b1", 120, bytes.Repeat([]byte("x"), len(content)))
	mustFail(t, err, fault.Invalid, "bytes as announced, and the chunk ends at")
	_, err = second.AddToUpload(ctx, "none", 0, []byte("x"))
	mustFail(t, err, fault.NotFound, `there is no upload "none"`)
	if page, err := f.RowErrors(ctx, settlement.RowErrorQuery{BatchID: "b1"}); err != nil || len(page.Rows) != 0 {
		t.Error(page, err)
	}
	send(t, second, "b1", content, len(content), 50)
	for i, s := range []*settlement.Settlements{second, f.Settlements} {
		u, err = s.LoadUpload(ctx, "b1", nil)
		if err != nil || u.State != settlement.UploadLoaded || u.Ended.IsZero() {
			t.Fatalf("%d: %+v %v", i, u, err)
		}
		r := u.Report
		if r.Rows != 5 || r.Accepted != 2 || r.Rejected != 2 || r.Duplicates != 1 || r.AlreadyLoaded || r.Added != 4 || r.File != "center.tsv" || len(r.BadRows) != 2 {
			t.Errorf("%d: %+v", i, r)
		}
	}
	equal(t, "chunks left", f.countRows(t, "upload_chunks"), 0)
	var lines []string
	query := settlement.RowErrorQuery{BatchID: "b1", PageSize: 1}
	for {
		page, err := f.RowErrors(ctx, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			lines = append(lines, fmt.Sprint(r.Line, " ", r.Kind))
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	if want := []string{"3 duplicate_row_ignored", "4 invalid_amount", "6 unknown_code"}; !slices.Equal(lines, want) {
		t.Errorf("%v, want %v", lines, want)
	}
	page, err := f.RowErrors(ctx, settlement.RowErrorQuery{BatchID: "b1", Kind: settlement.UnknownCode})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].Field != "insutype" || page.Rows[0].File != "center.tsv" {
		t.Errorf("%+v %v", page, err)
	}
	// The same bytes under another id change nothing, and say so.
	if _, err = f.BeginUpload(ctx, start("b2", content)); err != nil {
		t.Fatal(err)
	}
	send(t, f.Settlements, "b2", content, len(content), 1000)
	if u, err = f.LoadUpload(ctx, "b2", nil); err != nil || !u.Report.AlreadyLoaded || u.Report.Added != 0 {
		t.Errorf("%+v %v", u, err)
	}
	equal(t, "files", f.countRows(t, "import_files"), 1)
	_, err = f.RowErrors(ctx, settlement.RowErrorQuery{BatchID: "none"})
	mustFail(t, err, fault.NotFound, "there is no upload")
}

func TestABatchIDStandsForOneFile(t *testing.T) {
	t.Parallel()
	f := open(t)
	content := text(bill("A1"))
	if _, err := f.BeginUpload(t.Context(), start("b", content)); err != nil {
		t.Fatal(err)
	}
	again := start("b", content)
	again.Subject = "colleague" // who goes on with it may be another
	if u, err := f.BeginUpload(t.Context(), again); err != nil || u.Subject != "clerk" {
		t.Error(u, err)
	}
	for field, change := range map[string]func(*settlement.UploadStart){
		"side":      func(u *settlement.UploadStart) { u.Side = settlement.Insured },
		"file_name": func(u *settlement.UploadStart) { u.FileName = "other" },
		"size":      func(u *settlement.UploadStart) { u.Size++ },
		"sha256":    func(u *settlement.UploadStart) { u.SHA256 = strings.Repeat("0", 64) },
		"strict":    func(u *settlement.UploadStart) { u.Strict = true },
	} {
		other := start("b", content)
		change(&other)
		_, err := f.BeginUpload(t.Context(), other)
		mustFail(t, err, fault.AlreadyExists, `batch id "b" was used for another upload: `+field)
	}
	for message, change := range map[string]func(*settlement.UploadStart){
		"needs a batch id":      func(u *settlement.UploadStart) { u.BatchID = "" },
		"is no side":            func(u *settlement.UploadStart) { u.Side = "middle" },
		"needs the name":        func(u *settlement.UploadStart) { u.FileName = " " },
		"0 were announced":      func(u *settlement.UploadStart) { u.Size = 0 },
		"64 hexadecimal digits": func(u *settlement.UploadStart) { u.SHA256 = strings.ToUpper(u.SHA256) },
	} {
		other := start("c", content)
		change(&other)
		_, err := f.BeginUpload(t.Context(), other)
		mustFail(t, err, fault.Invalid, message)
	}
}

func TestWhatIsWrongWithAnUploadedFileRefusesItForGood(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	good := text(bill("A1"))
	other := strings.Replace(good, "A1", "A9", 1)
	bad := text(bill("A1"), bill("A2", "psn_cash_pay", "x"))
	strict := start("strict", bad)
	strict.Strict = true
	for _, c := range []struct {
		start   settlement.UploadStart
		content string
		message string
	}{
		{start("hash", good), other, "is not the content announced"},
		{start("columns", "a\tb\n"), "a\tb\n", "lacks the columns"},
		{strict, bad, "has 1 bad row"},
	} {
		if _, err := f.BeginUpload(ctx, c.start); err != nil {
			t.Fatal(err)
		}
		send(t, f.Settlements, c.start.BatchID, c.content, len(c.content), 4000)
		for range 2 {
			u, err := f.LoadUpload(ctx, c.start.BatchID, nil)
			mustFail(t, err, fault.Invalid, c.message)
			if u == nil || u.State != settlement.UploadRefused || u.Refusal == nil || u.Report != nil || u.Ended.IsZero() {
				t.Fatalf("%s: %+v", c.start.BatchID, u)
			}
		}
	}
	u, err := f.Upload(ctx, "strict")
	if err != nil || u.Refusal.Detail("row") == "" {
		t.Errorf("%+v %v", u, err)
	}
	equal(t, "chunks left", f.countRows(t, "upload_chunks"), 0)
	equal(t, "files", f.countRows(t, "import_files"), 0)
}

func TestAZipIsUploadedAsItIs(t *testing.T) {
	t.Parallel()
	f := open(t)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("center.tsv")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, text(bill("A1")))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.BeginUpload(t.Context(), start("zip", b.String())); err != nil {
		t.Fatal(err)
	}
	send(t, f.Settlements, "zip", b.String(), b.Len(), 100)
	if u, err := f.LoadUpload(t.Context(), "zip", nil); err != nil || u.Report.Accepted != 1 {
		t.Errorf("%+v %v", u, err)
	}
}

// A server dies with a claim on an upload: when the claim is over another one
// loads it. What nobody goes on with is forgotten.
func TestAnUploadIsLoadedWhenItsServerHasDied(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx := t.Context()
	content := text(bill("A1"))
	for _, id := range []string{"done", "half"} {
		if _, err := f.BeginUpload(ctx, start(id, content)); err != nil {
			t.Fatal(err)
		}
	}
	send(t, f.Settlements, "done", content, len(content), 100)
	send(t, f.Settlements, "half", content, 10, 10)
	exec := func(statement string) {
		t.Helper()
		if _, err := f.db.Pool.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("UPDATE uploads SET claimed_until = now() + INTERVAL '1 minute' WHERE batch_id = 'done'")
	if u, err := f.LoadUpload(ctx, "done", nil); err != nil || u.State != settlement.UploadLoading {
		t.Errorf("another one loads it: %+v %v", u, err)
	}
	if n, err := f.LoadUploads(ctx); err != nil || n != 0 {
		t.Error(n, err)
	}
	exec("UPDATE uploads SET claimed_until = now() - INTERVAL '1 second' WHERE batch_id = 'done'")
	if n, err := f.LoadUploads(ctx); err != nil || n != 1 {
		t.Error(n, err)
	}
	if u, err := f.Upload(ctx, "done"); err != nil || u.State != settlement.UploadLoaded || u.Report.Accepted != 1 {
		t.Errorf("%+v %v", u, err)
	}
	if n, err := f.DropUploads(ctx, time.Hour); err != nil || n != 0 {
		t.Error(n, err)
	}
	exec("UPDATE uploads SET touched_at = now() - INTERVAL '2 hours'")
	if n, err := f.DropUploads(ctx, time.Hour); err != nil || n != 1 {
		t.Error(n, err)
	}
	_, err := f.Upload(ctx, "half")
	mustFail(t, err, fault.NotFound, `there is no upload "half"`)
	if _, err = f.Upload(ctx, "done"); err != nil {
		t.Error(err)
	}
	equal(t, "chunks left", f.countRows(t, "upload_chunks"), 0)
}
