package ledger

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// noteCheck compares signed checkpoints with the tree as it is grown anew.
// Where keys are given, each checkpoint must be signed by one of them, and
// each of them must have signed one; without keys the signatures stay
// unverified.
type noteCheck struct {
	report  *CheckReport
	origin  string
	keys    []note.Verifier
	known   note.Verifiers
	signed  map[note.Verifier]bool
	waiting []waitingNote // for the tree to grow to their position
	items   int64
}

type waitingNote struct {
	Checkpoint
	verified bool
}

func newNoteCheck(report *CheckReport, origin string, keys []note.Verifier) *noteCheck {
	return &noteCheck{report: report, origin: origin, keys: keys, known: note.VerifierList(keys...), signed: map[note.Verifier]bool{}}
}

// openedNote is a signed note that was read, its signatures verified.
type openedNote struct {
	Checkpoint
	verified bool
	signed   []note.Verifier // whose signatures hold
	findings []string
}

// open reads a signed note; several may be read at once.
func (n *noteCheck) open(signed []byte) (o openedNote) {
	find := func(format string, args ...any) { o.findings = append(o.findings, fmt.Sprintf(format, args...)) }
	opened, err := note.Open(signed, n.known)
	var unverified *note.UnverifiedNoteError
	o.verified = err == nil
	if errors.As(err, &unverified) {
		opened = unverified.Note
	} else if err != nil {
		find("a checkpoint is not a note with valid signatures: %s", err)
		return o
	}
	if o.Checkpoint, err = ParseCheckpoint(opened.Text); err != nil {
		find("a signed note is no checkpoint: %s", err)
		return o
	}
	if o.Origin != n.origin {
		find("the checkpoint at position %d is of journal %q, this one is %q", o.Position, o.Origin, n.origin)
	}
	if !o.verified && len(n.keys) > 0 {
		var names []string
		for _, s := range opened.UnverifiedSigs {
			names = append(names, s.Name)
		}
		find("the checkpoint at position %d is signed by none of the given keys, only by %s", o.Position, strings.Join(names, ", "))
	}
	for _, s := range opened.Sigs {
		for _, key := range n.keys {
			if key.Name() == s.Name && key.KeyHash() == s.Hash {
				o.signed = append(o.signed, key)
			}
		}
	}
	return o
}

// take adds a note; its position is not before that of the one taken last.
func (n *noteCheck) take(o openedNote) {
	n.items++
	for _, message := range o.findings {
		n.report.find(checkNotes, "", "", "%s", message)
	}
	for _, key := range o.signed {
		n.signed[key] = true
	}
	if o.Origin != "" { // it could be read
		n.waiting = append(n.waiting, waitingNote{o.Checkpoint, o.verified})
	}
}

// reached compares the checkpoints of the position that the tree has now.
func (n *noteCheck) reached(tree *peaks) {
	var root tlog.Hash
	for i := 0; len(n.waiting) > 0 && int64(n.waiting[0].Position) <= tree.size; i++ {
		c := n.waiting[0]
		n.waiting = n.waiting[1:]
		if i == 0 {
			root = tree.root()
		}
		switch {
		case int64(c.Position) < tree.size:
			n.report.find(checkNotes, "", "", "the checkpoint of position %d stands behind it, so that it cannot be compared", c.Position)
		case c.Root != root:
			n.report.find(checkNotes, "", "", "the first %d entries are not those that were signed: their root is %s, the checkpoint says %s", c.Position, root, c.Root)
		case c.verified:
			n.report.Signed = c.Position
		}
	}
}

// end reports what the tree has not grown to and the keys that signed nothing.
func (n *noteCheck) end(tree *peaks) {
	for _, c := range n.waiting {
		n.report.find(checkNotes, "", "", "the checkpoint of position %d cannot be compared: only %d entries could be followed", c.Position, tree.size)
	}
	for _, key := range n.keys {
		if !n.signed[key] {
			n.report.find(checkNotes, "", "", "no checkpoint is signed by the given key %s", key.Name())
		}
	}
}
