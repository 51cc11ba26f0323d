package year

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// signers sign a checkpoint at the end of every month: the province and a city.
type signers struct {
	sign   []note.Signer
	verify []note.Verifier
}

func newSigners() (*signers, error) {
	s := &signers{}
	for _, name := range []string{"fundledger/320000", "fundledger/320100"} {
		secret, public, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			return nil, err
		}
		signer, err := note.NewSigner(secret)
		if err != nil {
			return nil, err
		}
		verifier, err := note.NewVerifier(public)
		if err != nil {
			return nil, err
		}
		s.sign, s.verify = append(s.sign, signer), append(s.verify, verifier)
	}
	return s, nil
}

// check signs the journal, proves it with its signatures, and checks the
// invariants of the books.
func (r *run) check(month accounts.Month) error {
	if _, err := r.journal.CatchUp(r.ctx); err != nil {
		return err
	}
	if _, err := r.journal.Sign(r.ctx, r.signers.sign...); err != nil {
		return err
	}
	verified, err := r.journal.VerifyCaughtUp(r.ctx, r.signers.verify...)
	if err == nil {
		err = green("verify", verified.Findings)
	}
	if err != nil {
		return err
	}
	if verified.Signed != verified.Position {
		return fault.New(fault.Internal, "the journal stands at %d and is signed up to %d", verified.Position, verified.Signed)
	}
	checked, err := clearing.Check(r.ctx, r.journal, r.store, r.book, prepayment.Check)
	if err != nil {
		return err
	}
	r.say("%s: %d entries, signed, verified and checked", month, checked.Entries)
	return green("check", checked.Findings)
}

func green(what string, findings []ledger.Finding) error {
	if len(findings) == 0 {
		return nil
	}
	texts := make([]string, 0, 10)
	for _, f := range findings[:min(10, len(findings))] {
		texts = append(texts, f.Check+": "+f.Message)
	}
	return fault.New(fault.Internal, "%s has %d findings:\n%s", what, len(findings), strings.Join(texts, "\n"))
}

// checkBundle exports the journal and proves the bundle without the database.
func (r *run) checkBundle() error {
	name := filepath.Join(r.Folder, fmt.Sprintf("%d.bundle", Year))
	file, err := os.Create(name)
	if err != nil {
		return fault.New(fault.Unavailable, "the bundle was not written: %w", err)
	}
	defer file.Close()
	if _, err := r.journal.ExportBundle(r.ctx, file, nil); err != nil {
		return err
	}
	if _, err := file.Seek(0, 0); err != nil {
		return err
	}
	report, err := ledger.VerifyBundle(r.ctx, file, r.signers.verify...)
	if err != nil {
		return err
	}
	r.say("the bundle %s of %d entries is verified", name, report.Entries)
	return green("the bundle", report.Findings)
}
