package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// proveCmd groups proofs for others, who have no access to the database.
type proveCmd struct {
	Inclusion   proveInclusionCmd   `cmd:"" help:"Prove that an entry stands in the journal of a checkpoint; --json prints the proof as a file."`
	Consistency proveConsistencyCmd `cmd:"" help:"Prove that the journal of one checkpoint begins with that of another; --json prints the proof as a file."`
	Check       proveCheckCmd       `cmd:"" help:"Check a proof against signed checkpoints, without a database."`
}

// proofFile is a proof that travels: one of inclusion with its entry, or one
// of consistency.
type proofFile struct {
	Inclusion   *inclusionProof   `json:"inclusion,omitempty"`
	Consistency *consistencyProof `json:"consistency,omitempty"`
}

type inclusionProof struct {
	ledger.Inclusion
	Entry    ledger.Entry     `json:"entry"`
	Vouchers []ledger.Voucher `json:"vouchers,omitempty"`
}

type consistencyProof struct {
	Older ledger.Position `json:"older"`
	Newer ledger.Position `json:"newer"`
	Proof tlog.TreeProof  `json:"proof"`
}

// proveInclusionCmd proves an entry.
type proveInclusionCmd struct {
	Entry string `arg:"" help:"The entry's id or its key."`
	Size  int64  `help:"In the journal of this many entries. Default: that of the last signed checkpoint."`
}

func (c *proveInclusionCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	size := ledger.Position(c.Size)
	if size == 0 {
		signed, err := s.journal.Checkpoint(app.ctx, 0)
		if err != nil {
			return err
		}
		body, _, _ := strings.Cut(string(signed), "\n\n")
		last, err := ledger.ParseCheckpoint(body + "\n")
		if err != nil {
			return err
		}
		size = last.Position
	}
	id := entryNamed(c.Entry)
	record, err := s.journal.Entry(app.ctx, id)
	if err != nil {
		return err
	}
	proof, err := s.journal.ProveInclusion(app.ctx, id, size)
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(proofFile{Inclusion: &inclusionProof{*proof, record.Entry, record.Vouchers}})
	}
	app.printf("entry %s (%s) stands at position %d of %d; its leaf is %s\n", id, record.Key, proof.Position, proof.Size, tlog.RecordHash(proof.Leaf))
	for _, h := range proof.Proof {
		app.printf("%s\n", h)
	}
	return nil
}

// proveConsistencyCmd proves that a journal begins with an older one.
type proveConsistencyCmd struct {
	Old int64 `arg:"" help:"Entries of the older journal."`
	New int64 `arg:"" help:"Entries of the newer journal."`
}

func (c *proveConsistencyCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	proof, err := s.journal.ProveConsistency(app.ctx, ledger.Position(c.Old), ledger.Position(c.New))
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(proofFile{Consistency: &consistencyProof{ledger.Position(c.Old), ledger.Position(c.New), proof}})
	}
	app.printf("the journal of %d entries begins with that of %d\n", c.New, c.Old)
	for _, h := range proof {
		app.printf("%s\n", h)
	}
	return nil
}

// proveCheckCmd checks a proof without a database.
type proveCheckCmd struct {
	File       string   `arg:"" type:"existingfile" help:"The proof, as prove inclusion --json or prove consistency --json prints it."`
	Checkpoint []string `required:"" sep:"none" type:"existingfile" placeholder:"NOTE" help:"File with a signed checkpoint; consistency needs two."`
	Key        []string `required:"" sep:"none" placeholder:"VKEY" help:"Verifier key, of which one must have signed each checkpoint; may be given several times."`
}

type proofReport struct {
	Holds  bool            `json:"holds"`
	Entry  string          `json:"entry,omitempty"`
	Size   ledger.Position `json:"size"`            // of the journal it is proved in
	Signed []string        `json:"signed"`          // names of the known signers of all checkpoints
	Older  ledger.Position `json:"older,omitempty"` // of consistency
}

func (c *proveCheckCmd) Run(app *app) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return fault.New(fault.Invalid, "the proof cannot be read: %w", err)
	}
	var proof proofFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&proof); err != nil || (proof.Inclusion == nil) == (proof.Consistency == nil) {
		return fault.New(fault.Invalid, "%s is not a proof of inclusion or of consistency", c.File)
	}
	keys, err := verifierKeys(c.Key)
	if err != nil {
		return err
	}
	checkpoints := map[ledger.Position]ledger.Checkpoint{}
	report := proofReport{Holds: true}
	for _, name := range c.Checkpoint {
		signed, err := os.ReadFile(name)
		if err != nil {
			return fault.New(fault.Invalid, "the checkpoint cannot be read: %w", err)
		}
		checkpoint, opened, err := ledger.OpenCheckpoint(signed, note.VerifierList(keys...))
		if err != nil {
			return err
		}
		checkpoints[checkpoint.Position] = checkpoint
		for _, s := range opened.Sigs {
			if !slices.Contains(report.Signed, s.Name) {
				report.Signed = append(report.Signed, s.Name)
			}
		}
	}
	if p := proof.Inclusion; p != nil {
		err = c.inclusion(p, checkpoints)
		report.Entry, report.Size = p.Entry.ID().String(), p.Size
	} else {
		err = c.consistency(proof.Consistency, checkpoints)
		report.Older, report.Size = proof.Consistency.Older, proof.Consistency.Newer
	}
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(report)
	}
	names := strings.Join(report.Signed, ", ")
	if report.Entry != "" {
		app.printf("entry %s (%s) stands at position %d of the journal of %d entries that %s signed\n",
			report.Entry, proof.Inclusion.Entry.Key, proof.Inclusion.Position, report.Size, names)
	} else {
		app.printf("the journal of %d entries begins with that of %d, both signed by %s\n", report.Size, report.Older, names)
	}
	return nil
}

func (c *proveCheckCmd) inclusion(p *inclusionProof, checkpoints map[ledger.Position]ledger.Checkpoint) error {
	checkpoint, ok := checkpoints[p.Size]
	if !ok {
		return fault.New(fault.Invalid, "the proof is for a journal of %d entries: give the checkpoint of that position", p.Size)
	}
	return p.Verify(checkpoint, &p.Entry, p.Vouchers)
}

func (c *proveCheckCmd) consistency(p *consistencyProof, checkpoints map[ledger.Position]ledger.Checkpoint) error {
	older, known := checkpoints[p.Older]
	newer, ok := checkpoints[p.Newer]
	if !known || !ok {
		return fault.New(fault.Invalid, "the proof is for journals of %d and %d entries: give the checkpoints of both", p.Older, p.Newer)
	}
	if older.Origin != newer.Origin {
		return fault.New(fault.Invalid, "the checkpoints are of two journals, %s and %s", older.Origin, newer.Origin)
	}
	return ledger.VerifyConsistency(p.Proof, older, newer)
}
