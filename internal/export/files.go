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

// Document is a table or notice of a frozen run that can be written as a file.
type Document struct {
	Name   string // "balance", "detail", "notice-320100-pay", "carried-over"
	Title  string // 表题
	Notice string // id of the notice; empty for a table
	value  any
	sheets []Sheet
}

// XLSX writes the document as a workbook, for people.
func (d *Document) XLSX(out io.Writer) error { return WriteXLSX(out, d.sheets...) }

// JSON writes the document for programs, amounts in yuan as strings.
func (d *Document) JSON(out io.Writer) error { return WriteJSON(out, d.value) }

// Documents lays the documents of a run out: tables, then notices.
func Documents(d *clearing.Documents, book *accounts.Rulebook) []Document {
	home := book.Regions.Home().Name
	var list []Document
	add := func(name, notice string, value any, sheets ...Sheet) {
		list = append(list, Document{Name: name, Title: sheets[0].Title, Notice: notice, value: value, sheets: sheets})
	}
	if d.Balance != nil {
		add("balance", "", d.Balance, BalanceSheet(home, d.Balance))
	}
	if d.Detail != nil {
		add("detail", "", d.Detail, DetailSheets(home, d.Detail)...)
	}
	add("carried-over", "", d.Carried, CarriedSheet(d.Run, d.Carried))
	for _, n := range d.Notices {
		add("notice-"+n.Party+"-"+string(n.Direction), n.ID, n, NoticeSheet(home, d.Run.Kind, n, func(code string) string { return fundName(book, code) }))
	}
	return list
}

// WriteDocuments writes each table and notice of the runs below dir as XLSX
// and as JSON, in a directory for each kind, and returns the paths. Files of
// an earlier call are replaced.
func WriteDocuments(dir string, documents []clearing.Documents, book *accounts.Rulebook) ([]string, error) {
	w := &fileWriter{}
	for i := range documents {
		w.dir = filepath.Join(dir, string(documents[i].Run.Kind))
		for _, d := range Documents(&documents[i], book) {
			w.file(d.Name+".xlsx", d.XLSX)
			w.file(d.Name+".json", d.JSON)
		}
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
