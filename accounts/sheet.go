package accounts

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/internal/fault"
)

// sheetRow is one line of a profile file, read field by field. What is wrong
// with it is collected, so that one reading names all mistakes.
type sheetRow struct {
	file   string
	line   int
	fields map[string]string
	faults *[]string
}

// readSheet reads TAB-separated lines under a header that names exactly the
// columns, in any order; lines that begin with # are comments. A mistake is an
// Invalid error that lists file, line, field and reason, one a line.
func readSheet[T any](file string, in io.Reader, columns []string, parse func(*sheetRow) T) ([]T, error) {
	content, err := io.ReadAll(in)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "%s cannot be read: %w", file, err)
	}
	var rows []T
	var header, faults []string
	text := strings.TrimPrefix(string(content), "\ufeff")
	line := 0
	for raw := range strings.Lines(text) {
		line++
		raw = strings.TrimRight(raw, "\r\n")
		if raw == "" || strings.HasPrefix(raw, "#") {
			continue
		}
		cells := strings.Split(raw, "\t")
		if header == nil {
			if header = cells; !sameColumns(header, columns) {
				return nil, fault.New(fault.Invalid, "%s:%d: the header has %s, it must have %s", file, line, strings.Join(header, ", "), strings.Join(columns, ", "))
			}
			continue
		}
		if len(cells) != len(header) {
			faults = append(faults, fmt.Sprintf("%s:%d: %d fields, the header has %d", file, line, len(cells), len(header)))
			continue
		}
		row := sheetRow{file: file, line: line, fields: make(map[string]string, len(cells)), faults: &faults}
		for i, name := range header {
			row.fields[name] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, parse(&row))
	}
	if header == nil {
		faults = append(faults, file+": no header line")
	}
	if len(faults) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(faults, "\n")).With("file", file)
	}
	return rows, nil
}

func sameColumns(have, want []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want)))
}

func (r *sheetRow) fail(field, format string, args ...any) {
	*r.faults = append(*r.faults, fmt.Sprintf("%s:%d:%s: ", r.file, r.line, field)+fmt.Sprintf(format, args...))
}

func (r *sheetRow) optional(field string) string { return r.fields[field] }

func (r *sheetRow) text(field string) string {
	s := r.fields[field]
	if s == "" {
		r.fail(field, "is missing")
	}
	return s
}

// oneOf reads one of the allowed values.
func (r *sheetRow) oneOf(field string, allowed ...string) string {
	s := r.fields[field]
	if !slices.Contains(allowed, s) {
		r.fail(field, "%q is none of %q", s, allowed)
	}
	return s
}

// flag reads "yes" or nothing.
func (r *sheetRow) flag(field string) bool { return r.oneOf(field, "yes", "") == "yes" }

func (r *sheetRow) number(field string) int {
	n, err := strconv.Atoi(r.fields[field])
	if err != nil || n < 0 {
		r.fail(field, "%q is not a whole number", r.fields[field])
	}
	return n
}

func (r *sheetRow) date(field string) civil.Date {
	d, err := ParseDate(r.fields[field])
	if err != nil {
		r.fail(field, "%s", err)
	}
	return d
}

// effective reads the columns from, to and source.
func (r *sheetRow) effective() Effective {
	e := Effective{From: r.date("from"), Source: r.text("source")}
	if r.fields["to"] != "" {
		if e.To = r.date("to"); !e.To.After(e.From) {
			r.fail("to", "%s is not after %s", e.To, e.From)
		}
	}
	return e
}
