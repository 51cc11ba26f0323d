package ledger_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// witness makes a key pair of the name.
func witness(t *testing.T, name string) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func TestCheckpointsCarryTheSignaturesOfAllWitnesses(t *testing.T) {
	t.Parallel()
	f := open(t)
	province, provinceKey := witness(t, "fundledger/320000")
	city, cityKey := witness(t, "fundledger/320100")
	if _, err := f.Sign(t.Context(), province); fault.KindOf(err) != fault.Precondition {
		t.Errorf("an empty journal was signed: %v", err)
	}
	f.post(t, income("a", 100))
	f.catchUp(t)
	if _, err := f.Sign(t.Context(), province); err != nil {
		t.Fatal(err)
	}
	signed, err := f.Sign(t.Context(), city, province) // the city joins, the province signs again
	if err != nil {
		t.Fatal(err)
	}
	c, opened, err := ledger.OpenCheckpoint(signed, note.VerifierList(provinceKey, cityKey))
	if err != nil || len(opened.Sigs) != 2 || c.Position != 1 || c.Origin != "fundledger/320000" {
		t.Fatalf("%+v %+v %v", c, opened, err)
	}
	stored, err := f.Checkpoint(t.Context(), 0)
	if err != nil || string(stored) != string(signed) {
		t.Error(string(stored), err)
	}
	_, strangerKey := witness(t, "stranger")
	if _, _, err := ledger.OpenCheckpoint(signed, note.VerifierList(strangerKey)); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
	forged := strings.Replace(string(signed), "\n1\n", "\n2\n", 1)
	if _, _, err := ledger.OpenCheckpoint([]byte(forged), note.VerifierList(provinceKey)); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func TestEveryEntryIsProvedAndEveryJournalBeginsWithTheOlderOne(t *testing.T) {
	t.Parallel()
	f := open(t)
	signer, key := witness(t, "province")
	var points []ledger.Checkpoint
	total := 0
	for round := range 6 {
		for i := range round + 1 {
			f.post(t, income(fmt.Sprintf("i%d/%d", round, i), 10), accepted(fmt.Sprintf("o%d/%d", round, i), "H1", 1))
			total += 2
		}
		f.catchUp(t)
		signed, err := f.Sign(t.Context(), signer)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := ledger.OpenCheckpoint(signed, note.VerifierList(key))
		if err != nil || int(c.Position) != total {
			t.Fatal(c, err)
		}
		points = append(points, c)
	}
	last := points[len(points)-1]
	err := f.Walk(t.Context(), func(r *ledger.Record) error {
		p, err := f.ProveInclusion(t.Context(), r.ID, last.Position)
		if err != nil {
			return err
		}
		full, err := f.Entry(t.Context(), r.ID)
		if err != nil {
			return err
		}
		if err := p.Verify(last, &full.Entry, full.Vouchers); err != nil {
			t.Error(err)
		}
		full.Summary += "!"
		if err := p.Verify(last, &full.Entry, full.Vouchers); err == nil {
			t.Error("a changed entry was proved")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, older := range points {
		for _, newer := range points[i:] {
			proof, err := f.ProveConsistency(t.Context(), older.Position, newer.Position)
			if err != nil {
				t.Fatal(err)
			}
			if err := ledger.VerifyConsistency(proof, older, newer); err != nil {
				t.Error(err)
			}
			older.Root[0] ^= 1
			if err := ledger.VerifyConsistency(proof, older, newer); err == nil {
				t.Error("another past was proved")
			}
			older.Root[0] ^= 1
		}
	}
	if _, err := f.ProveInclusion(t.Context(), ledger.EntryID("i5/0"), points[0].Position); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an entry was proved in a journal that is older than it: %v", err)
	}
	if _, err := f.ProveConsistency(t.Context(), 3, last.Position+1); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add("fundledger/320000\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	f.Add("x\n01\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ledger.ParseCheckpoint(text)
		if err == nil && !strings.HasPrefix(text, c.Text()) {
			t.Errorf("%q was read as %q", text, c.Text())
		}
	})
}

func TestSealingWorksWithoutTheProjection(t *testing.T) {
	t.Parallel()
	f := open(t)
	signer, key := witness(t, "fundledger/320000")
	f.post(t, income("a", 100))
	if err := f.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	signed, err := f.Sign(t.Context(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := ledger.OpenCheckpoint(signed, note.VerifierList(key)); err != nil || c.Position != 1 {
		t.Errorf("%+v %v", c, err)
	}
	if balances, seen, err := f.Balances(t.Context(), ledger.Filter{}, ledger.AsOf{}); err != nil || seen != 0 || len(balances) != 0 {
		t.Errorf("projected up to %d, %d balances, %v", seen, len(balances), err)
	}
	f.mustBeWhole(t)
}
