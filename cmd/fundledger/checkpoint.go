package main

import (
	"crypto/rand"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// checkpointCmd groups what signers do.
type checkpointCmd struct {
	Keygen checkpointKeygenCmd `cmd:"" help:"Make a key pair for signing checkpoints."`
	Sign   checkpointSignCmd   `cmd:"" help:"Sign the journal as it stands."`
	Show   checkpointShowCmd   `cmd:"" help:"Print the last signed checkpoint, or that of a position."`
}

// checkpointKeygenCmd makes a key pair.
type checkpointKeygenCmd struct {
	Name    string `arg:"" help:"Name of the signer, such as fundledger/320100; no spaces, no plus sign."`
	KeyFile string `required:"" type:"path" placeholder:"FILE" help:"The new file for the secret key."`
}

type keygenReport struct {
	Name    string `json:"name"`
	KeyFile string `json:"key_file"`
	Key     string `json:"key"` // for --key of verify
}

func (c *checkpointKeygenCmd) Run(app *app) error {
	if c.Name == "" || strings.ContainsAny(c.Name, "+ \t\r\n") {
		return fault.New(fault.Invalid, "%q cannot name a signer: it is empty or has a space or a plus sign", c.Name)
	}
	secret, public, err := note.GenerateKey(rand.Reader, c.Name)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(c.KeyFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fault.New(fault.Invalid, "the key file cannot be made; an existing one is not replaced: %w", err)
	}
	defer file.Close()
	for _, step := range []func() error{
		func() error { _, err := file.WriteString(secret + "\n"); return err }, file.Sync, file.Close,
	} {
		if err := step(); err != nil {
			return fault.New(fault.Unavailable, "%s was not written: %w", c.KeyFile, err)
		}
	}
	if app.json {
		return app.printJSON(keygenReport{c.Name, c.KeyFile, public})
	}
	app.printf("%s\n", public)
	return nil
}

// checkpointSignCmd signs the journal with one or more keys.
type checkpointSignCmd struct {
	KeyFile []string `required:"" sep:"none" type:"existingfile" placeholder:"FILE" help:"File with the secret key; may be given several times."`
}

func (c *checkpointSignCmd) Run(app *app) error {
	var signers []note.Signer
	for _, name := range c.KeyFile {
		secret, err := os.ReadFile(name)
		if err != nil {
			return fault.New(fault.Invalid, "the key file cannot be read: %w", err)
		}
		signer, err := note.NewSigner(strings.TrimSpace(string(secret)))
		if err != nil { // the error of note does not show the key
			return fault.New(fault.Invalid, "%s has no secret key, as fundledger checkpoint keygen makes it: %w", name, err)
		}
		signers = append(signers, signer)
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.journal.CatchUp(app.ctx); err != nil {
		return err
	}
	signed, err := s.journal.Sign(app.ctx, signers...)
	if err != nil {
		return err
	}
	return app.printCheckpoint(signed)
}

// checkpointShowCmd prints a signed checkpoint.
type checkpointShowCmd struct {
	Position int64 `help:"The checkpoint of this position. Default: the last one."`
}

func (c *checkpointShowCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	signed, err := s.journal.Checkpoint(app.ctx, ledger.Position(c.Position))
	if err != nil {
		return err
	}
	return app.printCheckpoint(signed)
}

type checkpointReport struct {
	Origin   string          `json:"origin"`
	Position ledger.Position `json:"position"`
	Root     string          `json:"root"`
	Note     string          `json:"note"`
}

// printCheckpoint prints the note as it is, which is a file that prove check reads.
func (a *app) printCheckpoint(signed []byte) error {
	if !a.json {
		a.printf("%s", signed)
		return nil
	}
	body, _, _ := strings.Cut(string(signed), "\n\n")
	c, err := ledger.ParseCheckpoint(body + "\n")
	if err != nil {
		return err
	}
	return a.printJSON(checkpointReport{c.Origin, c.Position, c.Root.String(), string(signed)})
}
