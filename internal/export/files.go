package export

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
)

// WriteDocuments writes each table and notice of the runs below dir as XLSX
// and as JSON, in a directory for each kind, and returns the paths. Files of
// an earlier call are replaced.
func WriteDocuments(dir string, documents []clearing.Documents, book *accounts.Rulebook) ([]string, error) {
	home := book.Regions.Home().Name
	w := &fileWriter{}
	for _, d := range documents {
		w.dir = filepath.Join(dir, string(d.Run.Kind))
		if d.Balance != nil {
			w.write("balance", d.Balance, BalanceSheet(home, d.Balance))
		}
		if d.Detail != nil {
			w.write("detail", d.Detail, DetailSheets(home, d.Detail)...)
		}
		for _, n := range d.Notices {
			w.write("notice-"+n.Party+"-"+string(n.Direction), n, NoticeSheet(home, d.Run.Kind, n, func(code string) string { return fundName(book, code) }))
		}
		w.write("carried-over", d.Carried, CarriedSheet(d.Run, d.Carried))
	}
	return w.paths, w.err
}

func fundName(book *accounts.Rulebook, code string) string {
	for _, f := range book.Funds {
		if f.Code == code {
			return f.Name
		}
	}
	return code
}

type fileWriter struct {
	dir   string
	paths []string
	err   error
}

func (w *fileWriter) write(name string, value any, sheets ...Sheet) {
	w.file(name+".xlsx", func(out io.Writer) error { return WriteXLSX(out, sheets...) })
	w.file(name+".json", func(out io.Writer) error { return WriteJSON(out, value) })
}

func (w *fileWriter) file(name string, write func(io.Writer) error) {
	if w.err != nil {
		return
	}
	path := filepath.Join(w.dir, name)
	if w.err = writeFile(path, write); w.err != nil {
		w.err = fault.New(fault.Invalid, "%s cannot be written: %w", path, w.err)
		return
	}
	w.paths = append(w.paths, path)
}

// writeFile replaces the file only once the new one is whole.
func writeFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // no effect after the rename
	if err := errors.Join(write(temp), temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
