package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"

	"fundledger/internal/fault"
	"fundledger/ledger"
)

// postCmd posts or reserves entries from a file.
type postCmd struct {
	File    string `arg:"" default:"-" help:"File of entries, - for standard input."`
	Atomic  bool   `help:"All of them or none."`
	Pend    bool   `help:"Reserve instead of posting (预占): see fundledger pending."`
	Expires string `placeholder:"TIME" help:"With --pend: when the reservations end by themselves (2025-01-31T17:00:00+08:00)."`
}

// Help shows the format.
func (c *postCmd) Help() string {
	return `The file holds entries as JSON objects one after the other, or in one array: ` +
		`{"key":"A-1","date":"2025-01-15","period":"2025-01","kind":"adjustment","summary":"…","source":"…","preparer":"…","reviewer":"…",` +
		`"postings":[{"account":"320100.agency/310/1003","side":"D","amount":"12.34"},…]}. ` +
		`The key makes an entry unique: the same file again changes nothing. Each entry has a result of its own; when one is refused the command exits with 1. An entry of kind manual is made by two persons: --pend reserves it for its preparer, and another person posts it by fundledger pending finish --by.`
}

// postBatch is how many entries are sent at once unless all stand together.
const postBatch = 1000

// postResult is what became of one entry.
type postResult struct {
	Key    string       `json:"key"`
	ID     uuid.UUID    `json:"id,omitzero"`
	Result string       `json:"result"` // posted, replayed, refused; with --pend the state of the reservation
	Error  *fault.Error `json:"error,omitempty"`
}

func (c *postCmd) Run(app *app) error {
	expires, err := optionalTime(c.Expires)
	switch {
	case err != nil:
		return err
	case c.Pend && c.Atomic:
		return fault.New(fault.Invalid, "--pend reserves entry by entry: leave --atomic out")
	case c.Expires != "" && !c.Pend:
		return fault.New(fault.Invalid, "--expires belongs to --pend")
	}
	entries, err := readEntries(c.File)
	if err != nil {
		return err
	}
	s, err := app.open()
	if err != nil {
		return err
	}
	defer s.close()
	var results []postResult
	if c.Pend {
		results, err = s.pend(app, entries, expires)
	} else {
		results, err = s.post(app, entries, c.Atomic)
	}
	if err != nil && len(results) == 0 {
		return err
	}
	if err := printPosted(app, results); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("after %d of %d entries: %w", len(results), len(entries), err)
	}
	return refusal(results)
}

func (s *session) post(app *app, entries []ledger.Entry, atomic bool) ([]postResult, error) {
	results := []postResult{}
	for len(entries) > 0 {
		n := len(entries)
		if !atomic {
			n = min(n, postBatch)
		}
		made, err := s.journal.PostGiven(app.ctx, atomic, entries[:n]...)
		if err != nil {
			return results, err
		}
		for i, r := range made {
			result := postResult{Key: entries[i].Key, ID: r.ID, Result: "posted"}
			switch {
			case r.Err != nil:
				result.ID, result.Result, result.Error = uuid.Nil, "refused", asFault(r.Err)
			case r.Replayed:
				result.Result = "replayed"
			}
			results = append(results, result)
		}
		entries = entries[n:]
	}
	return results, nil
}

func (s *session) pend(app *app, entries []ledger.Entry, expires time.Time) ([]postResult, error) {
	results := []postResult{}
	for _, e := range entries {
		pending, err := s.journal.Pend(app.ctx, e, expires)
		switch kind := fault.KindOf(err); {
		case err == nil:
			results = append(results, postResult{Key: e.Key, Result: string(pending.State)})
		case kind == fault.Unavailable || kind == fault.Internal:
			return results, err
		default:
			results = append(results, postResult{Key: e.Key, Result: "refused", Error: asFault(err)})
		}
	}
	return results, nil
}

func printPosted(app *app, results []postResult) error {
	if app.json {
		return app.printJSON(results)
	}
	t := newTable("Key", "Result", "Entry")
	for _, r := range results {
		what := ""
		switch {
		case r.Error != nil:
			what = r.Error.Message
		case r.ID != uuid.Nil:
			what = r.ID.String()
		}
		t.row(r.Key, r.Result, what)
	}
	t.print(app.out)
	return nil
}

// printOne prints the result of a command that posts one entry.
func (a *app) printOne(key string, r ledger.Result) error {
	result := postResult{Key: key, ID: r.ID, Result: "posted"}
	if r.Replayed {
		result.Result = "replayed"
	}
	if a.json {
		return a.printJSON(result)
	}
	a.printf("%s is %s as entry %s\n", key, result.Result, result.ID)
	return nil
}

// refusal is the error of a run in which entries were refused: of the kind of
// the first.
func refusal(results []postResult) error {
	refused := 0
	var first *fault.Error
	for _, r := range results {
		if r.Error != nil {
			refused++
			if first == nil {
				first = r.Error
			}
		}
	}
	if refused == 0 {
		return nil
	}
	return fault.New(first.Kind, "%d of %d entries were refused; the first: %s", refused, len(results), first.Message)
}

// readEntries reads entries as JSON, one after the other or in an array.
func readEntries(name string) ([]ledger.Entry, error) {
	var data []byte
	var err error
	if name == "-" {
		name = "standard input"
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fault.New(fault.NotFound, "the entries cannot be read: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	array := bytes.HasPrefix(bytes.TrimSpace(data), []byte("["))
	if array {
		decoder.Token()
	}
	var entries []ledger.Entry
	for !array || decoder.More() {
		at := decoder.InputOffset()
		var e ledger.Entry
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) && !array {
			break
		}
		if err != nil {
			between := len(data[at:]) - len(bytes.TrimLeft(data[at:], ", \t\r\n"))
			line := 1 + bytes.Count(data[:int(at)+between], []byte("\n"))
			return nil, fault.New(fault.Invalid, "%s, line %d: entry %d cannot be read: %w", name, line, len(entries)+1, err)
		}
		entries = append(entries, e)
	}
	if array {
		if _, err := decoder.Token(); err != nil {
			return nil, fault.New(fault.Invalid, "%s: the array does not end: %w", name, err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return nil, fault.New(fault.Invalid, "%s: something follows the array", name)
		}
	}
	if len(entries) == 0 {
		return nil, fault.New(fault.Invalid, "%s has no entries", name)
	}
	return entries, nil
}

// optionalTime reads a time with its offset, or nothing.
func optionalTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "%q is not a time: write 2025-01-31T17:00:00+08:00", s)
	}
	return t, nil
}
