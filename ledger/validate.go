package ledger

import (
	"strings"
	"unicode/utf8"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

const (
	maxKey      = 200
	maxText     = 500
	maxPostings = 5000
	maxAmount   = accounts.Fen(1_000_000_000_000_000)
)

// validate checks the form of an entry and that each line stands on an
// account that takes postings on its date.
func (j *Journal) validate(e *Entry) *fault.Error {
	_, err := validate(e, j.knownAccounts(), nil)
	return err
}

// validate does so for one of many entries, and appends what is known of the
// account of each line.
func validate(e *Entry, found knownAccounts, lines []*known) ([]*known, *fault.Error) {
	if err := checkTexts(e); err != nil {
		return lines, err.With("key", e.Key)
	}
	if !e.Date.IsValid() {
		return lines, invalid(e, "the business date is missing")
	}
	if _, err := accounts.ParseMonth(string(e.Period)); err != nil {
		return lines, invalid(e, "the period %q is not a month", e.Period)
	}
	if len(e.Postings) == 0 || len(e.Postings) > maxPostings {
		return lines, invalid(e, "an entry has 1 to %d postings, this one has %d", maxPostings, len(e.Postings))
	}
	var room [8]layerSum
	sums := balancer(room[:0])
	for i := range e.Postings {
		p := &e.Postings[i]
		account, err := found.find(&p.Account, e.Date)
		if err == nil {
			err = checkLine(p)
		}
		if err != nil {
			return lines, err.With("key", e.Key)
		}
		lines = append(lines, account)
		sums.add(p.Account.Book, p.Account.Fund, account.subject.Layer, p.Signed())
	}
	for _, s := range sums {
		if s.sum != 0 {
			return lines, invalid(e, "the entry does not balance: debits less credits are %s in %s, fund %s, layer %s", s.sum, s.book, s.fund, s.layer).
				With("account", string(s.book)+"/"+s.fund).With("difference", s.sum.String())
		}
	}
	return lines, nil
}

// checkLine checks what a line has beside its account.
func checkLine(p *Posting) *fault.Error {
	switch {
	case (p.Run != "" && !isPath(p.Run)) || (p.Category != "" && !isCode(p.Category)) || (p.Part != "" && !isCode(p.Part)):
		return lineFault(p, "run %q, category %q or part %q has characters that a code may not have", p.Run, p.Category, p.Part)
	case p.Side != accounts.Debit && p.Side != accounts.Credit:
		return lineFault(p, "the line on %s is neither debit nor credit: %q", p.Account, p.Side)
	case p.Amount == 0 || p.Amount > maxAmount || p.Amount < -maxAmount:
		return lineFault(p, "the amount %s on %s is zero or too large", p.Amount, p.Account)
	}
	return nil
}

func lineFault(p *Posting, format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).With("account", p.Account.String())
}

func checkTexts(e *Entry) *fault.Error {
	if e.Key == "" || len(e.Key) > maxKey {
		return fault.New(fault.Invalid, "an idempotency key has 1 to %d bytes, this one has %d", maxKey, len(e.Key))
	}
	for _, text := range []struct{ name, value string }{
		{"key", e.Key}, {"kind", e.Kind}, {"summary", e.Summary}, {"source", e.Source},
		{"preparer", e.Preparer}, {"reviewer", e.Reviewer},
	} {
		if len(text.value) > maxText || !utf8.ValidString(text.value) || strings.ContainsRune(text.value, 0) {
			return fault.New(fault.Invalid, "the %s is not UTF-8 text of at most %d bytes", text.name, maxText).With("field", text.name)
		}
	}
	if e.Kind == "" || e.Summary == "" || e.Preparer == "" {
		return fault.New(fault.Invalid, "an entry needs a kind, a summary (摘要) and a preparer")
	}
	if e.Attachments < 0 {
		return fault.New(fault.Invalid, "the number of attachments is negative").With("field", "attachments")
	}
	return nil
}

func invalid(e *Entry, format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).With("key", e.Key)
}

// isCode: letters, digits, point, dash and underscore. Such a text needs no
// escape in JSON and cannot be mistaken for a border between parts.
func isCode(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return s != "" && len(s) <= 100
}

func isPath(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		if !isCode(part) {
			return false
		}
	}
	return true
}

// balancer sums debits less credits per book, fund and layer.
type balancer []layerSum

type layerSum struct {
	book  accounts.Book
	fund  string
	layer accounts.Layer
	sum   accounts.Fen
}

func (b *balancer) add(book accounts.Book, fund string, layer accounts.Layer, amount accounts.Fen) {
	for i := range *b {
		if s := &(*b)[i]; s.book == book && s.fund == fund && s.layer == layer {
			s.sum += amount
			return
		}
	}
	*b = append(*b, layerSum{book, fund, layer, amount})
}
