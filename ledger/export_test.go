package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// export writes the bundle of the journal.
func (f fixture) export(t testing.TB) (*bytes.Buffer, ledger.Exported) {
	t.Helper()
	var out bytes.Buffer
	exported, err := f.ExportBundle(t.Context(), &out, nil)
	if err != nil {
		t.Fatal(err)
	}
	if exported.Bytes != int64(out.Len()) {
		t.Errorf("%d bytes written, %d told", out.Len(), exported.Bytes)
	}
	return &out, exported
}

// mustHold proves the bundle.
func mustHold(t testing.TB, bundle *bytes.Buffer, keys ...note.Verifier) *ledger.CheckReport {
	t.Helper()
	report, err := ledger.VerifyBundle(t.Context(), bundle, keys...)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		t.Errorf("%+v", finding)
	}
	return report
}

func TestExportedJournalIsProvedWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	f := open(t)
	bundle, exported := f.export(t)
	if exported.Position != 0 {
		t.Errorf("%+v", exported)
	}
	mustHold(t, bundle)

	province, provinceKey := witness(t, "province")
	city, cityKey := witness(t, "city")
	for i := range 30 {
		f.post(t, income(fmt.Sprint("i", i), 100), spend(fmt.Sprint("s", i), 30), accepted(fmt.Sprint("o", i), "H1", 9))
		f.catchUp(t)
		if i%10 == 3 {
			if _, err := f.Sign(t.Context(), province, city); err != nil {
				t.Fatal(err)
			}
		}
	}
	bundle, exported = f.export(t)
	report := mustHold(t, bundle, provinceKey, cityKey)
	if exported.Position != 90 || exported.Entries != 90 || report.Position != 90 || report.Entries != 90 || report.Postings != 180 || report.Signed != 72 {
		t.Errorf("%+v %+v", exported, report)
	}
	verified, err := f.Verify(t.Context(), provinceKey, cityKey)
	if err != nil || !verified.OK() || verified.Signed != 72 {
		t.Errorf("%+v %v", verified, err)
	}
}

// Floor balances run ahead of the sequence; the bundle has those of its position.
func TestExportLeavesOutWhatHasNoPlaceYet(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 100))
	f.catchUp(t)
	f.post(t, spend("b", 30))
	f.post(t, spend("c", 60), income("d", 1))
	f.post(t, entry("e", debit("320200.agency/310/1003", 5), credit("320200.agency/310/4001", 5)))
	bundle, exported := f.export(t)
	if report := mustHold(t, bundle); exported.Position != 1 || report.Entries != 1 {
		t.Errorf("%+v %+v", exported, report)
	}
	report, err := f.Check(t.Context())
	if err != nil || !report.OK() {
		t.Errorf("%+v %v", report, err)
	}
	f.catchUp(t)
	bundle, exported = f.export(t)
	if report := mustHold(t, bundle); exported.Position != 5 || report.Entries != 5 {
		t.Errorf("%+v %+v", exported, report)
	}
}

func TestExportOfManyEntriesTellsItsProgress(t *testing.T) {
	t.Parallel()
	f := open(t)
	var entries []ledger.Entry
	for _, key := range keys("o", 5000) {
		entries = append(entries, accepted(key, "H1", 9))
	}
	f.post(t, entries...)
	f.post(t, income("a", 100), spend("b", 30))
	f.catchUp(t)
	var out bytes.Buffer
	var last ledger.Position
	calls := 0
	_, err := f.ExportBundle(t.Context(), &out, func(done, of ledger.Position) {
		if done < last || of != 5002 {
			t.Errorf("%d of %d after %d", done, of, last)
		}
		last, calls = done, calls+1
	})
	if err != nil || last != 5002 || calls < 2 {
		t.Errorf("%d calls to %d: %v", calls, last, err)
	}
	mustHold(t, &out)
}

type fullDisk struct{ left int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.left -= len(b); d.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestExportReportsAWriteThatFails(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 100))
	f.catchUp(t)
	for left := range 10 {
		if _, err := f.ExportBundle(t.Context(), &fullDisk{left * 100}, nil); !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: %v", left*100, err)
		}
	}
}

func TestVerifyNamesWhatTheOwnerTamperedWith(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, statement string
		check, account  string
		inBundle        string // the check that finds it in a bundle made afterwards
	}{
		{"an amount", `UPDATE entries SET legs = replace(legs::text, '"m": 100', '"m": 101')::jsonb WHERE key = 'a'`, "entry content", "320100.agency/310/1003", "entry content"},
		{"an entry removed", `DELETE FROM entries WHERE key = 'b'`, "entry content", "", "sequence"},
		{"entry and digests", `WITH e AS (UPDATE entries SET summary = 'x', digest = sha256('x') WHERE key = 'c' RETURNING batch_id) UPDATE batches SET digests = sha256('x') FROM e WHERE id = e.batch_id`, "merkle tree", "", "checkpoints"},
		{"a key", `UPDATE entries SET key = 'z' WHERE key = 'b'`, "entry content", "", "entry ids"},
		{"a voucher", `UPDATE vouchers SET number = 7 WHERE number = 2`, "voucher numbers", "320100.agency", "voucher numbers"},
		{"a floor", `UPDATE floors SET balance_fen = balance_fen + 1`, "floors", "320100.agency/310/1003", "floors"},
		{"a balance", `UPDATE balances SET credit_fen = credit_fen + 1 WHERE subject = '4001'`, "account balances", "320100.agency/310/4001", "account balances"},
		{"the opening of the books", `UPDATE periods SET month = '2025-02'`, "periods", "320100.agency/310/", "periods"},
		{"the root of a checkpoint", `UPDATE checkpoints SET note = replace(note, E'\n3\n', E'\n2\n')`, "checkpoints", "", "checkpoints"},
		{"checkpoints removed", `DELETE FROM checkpoints`, "checkpoints", "", "checkpoints"},
		{"a hash of the tree", `UPDATE tree_hashes SET hashes = sha256('x') WHERE first_index = 3`, "merkle tree", "", "merkle tree"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			signer, key := witness(t, "province")
			f.post(t, income("a", 100), spend("b", 30))
			f.catchUp(t)
			f.post(t, income("c", 5))
			f.catchUp(t)
			if _, err := f.Sign(t.Context(), signer); err != nil {
				t.Fatal(err)
			}
			owner, err := postgres.OpenOwner(t.Context(), f.db.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer owner.Close()
			tag, err := owner.Pool.Exec(t.Context(), c.statement)
			if err != nil || tag.RowsAffected() == 0 {
				t.Fatalf("%v %v", tag, err)
			}
			report, err := f.Verify(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			mustName(t, report, c.check, c.account)
			bundle, _ := f.export(t)
			if report, err = ledger.VerifyBundle(t.Context(), bundle, key); err != nil {
				t.Fatal(err)
			}
			mustName(t, report, c.inBundle, c.account)
		})
	}
}

func mustName(t *testing.T, report *ledger.CheckReport, check, account string) {
	t.Helper()
	for _, finding := range report.Findings {
		if finding.Check == check && strings.HasPrefix(finding.Account, account) {
			return
		}
	}
	t.Errorf("no finding of %q on %q: %+v", check, account, report.Findings)
}

func TestVerifyWantsEveryCheckpointSignedByAGivenKey(t *testing.T) {
	t.Parallel()
	f := open(t)
	province, provinceKey := witness(t, "province")
	_, strangerKey := witness(t, "stranger")
	f.post(t, income("a", 100))
	f.catchUp(t)
	if _, err := f.Sign(t.Context(), province); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keys []note.Verifier
		ok   bool
	}{
		{nil, true}, {[]note.Verifier{provinceKey}, true},
		{[]note.Verifier{strangerKey}, false}, {[]note.Verifier{provinceKey, strangerKey}, false},
	} {
		report, err := f.Verify(t.Context(), c.keys...)
		if err != nil || report.OK() != c.ok {
			t.Errorf("%d keys: %+v %v", len(c.keys), report, err)
		}
	}
}
