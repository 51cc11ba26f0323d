package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// exportCmd groups the exports.
type exportCmd struct {
	Bundle exportBundleCmd `cmd:"" help:"Write the sealed journal with all that is needed to verify it."`
}

// exportBundleCmd writes an audit bundle.
type exportBundleCmd struct {
	File string `arg:"" help:"The file to write; it appears when it is complete."`
}

// exportStep is after how many entries the progress is told.
const exportStep = 100_000

func (c *exportBundleCmd) Run(app *app) error {
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.journal.CatchUp(app.ctx); err != nil {
		return err
	}
	var exported ledger.Exported
	err = writeWhole(c.File, func(w *bufio.Writer) (err error) {
		told := ledger.Position(0)
		exported, err = s.journal.ExportBundle(app.ctx, w, func(done, of ledger.Position) {
			if done-told >= exportStep {
				told = done
				fmt.Fprintf(app.errOut, "%d of %d entries\n", done, of)
			}
		})
		return err
	})
	if err != nil {
		return err
	}
	if app.json {
		return app.printJSON(exported)
	}
	app.printf("%s: journal position %d, %d entries, %d bytes\n", c.File, exported.Position, exported.Entries, exported.Bytes)
	return nil
}

// writeWhole writes a file that is there only when it is complete.
func writeWhole(name string, write func(*bufio.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-")
	if err != nil {
		return fault.New(fault.Invalid, "the file cannot be written: %w", err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it is gone when it was renamed
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	if err := write(w); err != nil {
		return err
	}
	for _, step := range []func() error{
		w.Flush, func() error { return file.Chmod(0o644) }, file.Sync, file.Close,
		func() error { return os.Rename(file.Name(), name) },
	} {
		if err := step(); err != nil {
			return fault.New(fault.Unavailable, "%s was not written: %w", name, err)
		}
	}
	return nil
}
