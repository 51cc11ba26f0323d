package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"

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

// The versions that order corrections are no floors.
func TestExportLeavesOutCorrectionsThatHaveNoPlaceYet(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.post(t, income("a", 100), spend("b", 30))
	f.catchUp(t)
	f.reverse(t, "r", "b", 5, 5)
	f.reverse(t, "s", "b", 6, 6)
	f.pend(t, spend("p", 40))
	f.pend(t, spend("q", 3))
	if _, err := f.Finish(t.Context(), ledger.Finishing{Key: "q", By: "finisher"}); err != nil {
		t.Fatal(err)
	}
	bundle, exported := f.export(t)
	report := mustHold(t, bundle)
	if exported.Position != 2 || report.Behind != 3 {
		t.Errorf("%+v %+v", exported, report)
	}
	for _, c := range report.Checks {
		if want, ok := map[string]int64{"floors": 1, "corrections": 0, "reservations": 2}[c.Name]; ok && c.Items != want {
			t.Errorf("%s looked at %d items, want %d", c.Name, c.Items, want)
		}
	}
	f.mustBeWhole(t)
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
