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
	if err := checkTexts(e); err != nil {
		return err.With("key", e.Key)
	}
	if !e.Date.IsValid() {
		return invalid(e, "the business date is missing")
	}
	if _, err := accounts.ParseMonth(string(e.Period)); err != nil {
		return invalid(e, "the period %q is not a month", e.Period)
	}
	if len(e.Postings) == 0 || len(e.Postings) > maxPostings {
		return invalid(e, "an entry has 1 to %d postings, this one has %d", maxPostings, len(e.Postings))
	}
	sums := make(balancer, 0, 8)
	for i := range e.Postings {
		p := &e.Postings[i]
		subject, err := j.subject(e, p)
		if err != nil {
			return err
		}
		sums.add(p.Account.Book, p.Account.Fund, subject.Layer, p.Signed())
	}
	for _, s := range sums {
		if s.sum != 0 {
			return invalid(e, "the entry does not balance: debits less credits are %s in %s, fund %s, layer %s", s.sum, s.book, s.fund, s.layer).
				With("account", string(s.book)+"/"+s.fund).With("difference", s.sum.String())
		}
	}
	return nil
}

func (j *Journal) subject(e *Entry, p *Posting) (accounts.Subject, *fault.Error) {
	a := p.Account
	fail := func(kind fault.Kind, format string, args ...any) (accounts.Subject, *fault.Error) {
		return accounts.Subject{}, fault.New(kind, format, args...).With("key", e.Key).With("account", a.String())
	}
	if !isCode(string(a.Book)) || !isCode(a.Fund) || !isCode(a.Subject) || (a.Counterparty != "" && !isCode(a.Counterparty)) {
		return fail(fault.Invalid, "the account %s has characters other than letters, digits, point, dash and underscore", a)
	}
	if (p.Run != "" && !isPath(p.Run)) || (p.Category != "" && !isCode(p.Category)) || (p.Part != "" && !isCode(p.Part)) {
		return fail(fault.Invalid, "run %q, category %q or part %q has characters that a code may not have", p.Run, p.Category, p.Part)
	}
	if p.Side != accounts.Debit && p.Side != accounts.Credit {
		return fail(fault.Invalid, "the line on %s is neither debit nor credit: %q", a, p.Side)
	}
	if p.Amount == 0 || p.Amount > maxAmount || p.Amount < -maxAmount {
		return fail(fault.Invalid, "the amount %s on %s is zero or too large", p.Amount, a)
	}
	if !j.books[a.Book] {
		return fail(fault.NotFound, "there is no book %s", a.Book)
	}
	if !j.funds[a.Fund] {
		return fail(fault.NotFound, "there is no fund %s", a.Fund)
	}
	subject, ok := j.book.Chart.Find(a.Book.Role(), a.Subject, e.Date)
	switch {
	case !ok:
		return fail(fault.NotFound, "the chart of %s books has no account %s on %s", a.Book.Role(), a.Subject, e.Date)
	case !subject.Postable:
		return fail(fault.Invalid, "%s %s is a heading: post to one of its sub-accounts", a.Subject, subject.Name)
	case subject.Counterparty == "" && a.Counterparty != "":
		return fail(fault.Invalid, "%s %s is kept without counterparty, %q was given", a.Subject, subject.Name, a.Counterparty)
	case subject.Counterparty != "" && a.Counterparty == "":
		return fail(fault.Invalid, "%s %s is kept by %s: name the counterparty", a.Subject, subject.Name, subject.Counterparty)
	}
	return subject, nil
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
