package bank

import (
	"bytes"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

// StatementColumns are the columns of a bank statement, those that a file must
// have and those that it may have.
func StatementColumns() (required, optional []string) {
	return []string{"account", "date", "serial", "side", "amount"},
		[]string{"counterparty_account", "counterparty_name", "remark", "reference", "balance"}
}

// ReadStatements reads a file of bank statements: ISO 20022 camt.053, or lines
// divided by TAB or comma of one bank account, or a zip archive of one such file.
// It proves that opening balance, movements and closing balance tie, and that the
// running balance does where the bank tells it. Errors: Invalid, each fault as
// file:line:field.
func ReadStatements(file string, content []byte) ([]*Statement, error) {
	content, err := unpacked(file, content)
	if err != nil {
		return nil, err
	}
	if start := bytes.TrimSpace(bytes.TrimPrefix(content, []byte("\ufeff"))); bytes.HasPrefix(start, []byte("<")) {
		return readCamt(file, start)
	}
	s, err := readStatement(file, content)
	if err != nil {
		return nil, err
	}
	return []*Statement{s}, nil
}

// readStatement reads lines under a header. Above the columns stand "#opening"
// and "#closing" with a balance each, and where the days of the statement are not
// those of its first and last line, or it has no lines, "#from", "#to" and
// "#account".
func readStatement(file string, content []byte) (*Statement, error) {
	required, optional := StatementColumns()
	in, err := readSheet(file, content, required, optional)
	if err != nil {
		return nil, err
	}
	s := &Statement{File: file, Ignored: in.ignored}
	head := func(name string, must bool, read func(line int, field, text string)) {
		if text, line := in.head(name, must); text != "" {
			read(line, "#"+name, text)
		}
	}
	closingAt := 1
	head("opening", true, func(line int, field, text string) { s.Opening = in.amount(line, field, text) })
	head("closing", true, func(line int, field, text string) { closingAt, s.Closing = line, in.amount(line, field, text) })
	head("account", len(in.rows) == 0, func(_ int, _, text string) { s.Account = text })
	head("from", len(in.rows) == 0, func(line int, field, text string) { s.From = in.date(line, field, text) })
	head("to", len(in.rows) == 0, func(line int, field, text string) { s.To = in.date(line, field, text) })
	for i := range in.rows {
		r := &in.rows[i]
		l := Line{Account: r.text("account"), Serial: r.text("serial"), Date: r.date(r.line, "date", r.fields["date"]), Side: Side(r.text("side")),
			Amount: r.amount(r.line, "amount", r.fields["amount"]), CounterpartyAccount: r.fields["counterparty_account"],
			CounterpartyName: r.fields["counterparty_name"], Remark: r.fields["remark"], Reference: r.fields["reference"], at: r.line}
		if text := r.fields["balance"]; text != "" {
			balance := r.amount(r.line, "balance", text)
			l.Balance = &balance
		}
		s.Lines = append(s.Lines, l)
	}
	if len(in.list) == 0 {
		s.prove(in.faults, closingAt)
	}
	return s, in.err()
}

const maxText = 500 // bytes of a text that a bank sends

// prove checks that the lines are of one account and of the days of the
// statement, and that its figures tie.
func (s *Statement) prove(f *faults, closingAt int) {
	serials := map[string]int{}
	for i := range s.Lines {
		l := &s.Lines[i]
		if s.Account == "" {
			s.Account = l.Account
		}
		switch {
		case l.Account != s.Account:
			f.fail(l.at, "account", "%s, the statement is of %s: a file has the lines of one bank account", l.Account, s.Account)
		case l.Side != In && l.Side != Out:
			f.fail(l.at, "side", "%q is neither C (money in) nor D (money out)", l.Side)
		case l.Amount == 0:
			f.fail(l.at, "amount", "is 0.00")
		case serials[l.Serial] != 0:
			f.fail(l.at, "serial", "%s stands in line %d already", l.Serial, serials[l.Serial])
		}
		for _, t := range [][2]string{{"serial", l.Serial}, {"counterparty_account", l.CounterpartyAccount}, {"counterparty_name", l.CounterpartyName}, {"remark", l.Remark}, {"reference", l.Reference}} {
			if len(t[1]) > maxText {
				f.fail(l.at, t[0], "has more than %d bytes", maxText)
			}
		}
		serials[l.Serial] = l.at
	}
	first, last := s.days()
	if s.From.IsZero() {
		s.From = first
	}
	if s.To.IsZero() {
		s.To = last
	}
	if s.To.Before(s.From) {
		f.fail(closingAt, "#to", "%s lies before %s", s.To, s.From)
	}
	sum := s.Opening
	for i := range s.Lines {
		l := &s.Lines[i]
		sum += l.Signed()
		if l.Date.Before(s.From) || l.Date.After(s.To) {
			f.fail(l.at, "date", "%s lies outside the statement of %s to %s", l.Date, s.From, s.To)
		}
	}
	if sum != s.Closing {
		f.fail(closingAt, "#closing", "opening %s and movements %s come to %s, the statement closes with %s: %s too much", s.Opening, sum-s.Opening, sum, s.Closing, s.Closing-sum)
	}
	s.Count = len(s.Lines)
	s.proveRunning(f)
}

func (s *Statement) days() (first, last civil.Date) {
	for i := range s.Lines {
		d := s.Lines[i].Date
		if first.IsZero() || d.Before(first) {
			first = d
		}
		if last.IsZero() || d.After(last) {
			last = d
		}
	}
	return first, last
}

// proveRunning checks the balances after the lines, which banks list from the
// oldest line or from the newest.
func (s *Statement) proveRunning(f *faults) {
	wrong := func(i int, running accounts.Fen) bool {
		return s.Lines[i].Balance != nil && *s.Lines[i].Balance != running
	}
	forward, backward, first := true, true, -1
	var should accounts.Fen
	for i, running := 0, s.Opening; i < len(s.Lines); i++ {
		if running += s.Lines[i].Signed(); wrong(i, running) && forward {
			forward, first, should = false, i, running
		}
	}
	for i, running := len(s.Lines)-1, s.Opening; i >= 0; i-- {
		running += s.Lines[i].Signed()
		backward = backward && !wrong(i, running)
	}
	if !forward && !backward {
		l := &s.Lines[first]
		f.fail(l.at, "balance", "%s after serial %s, the lines before come to %s", *l.Balance, l.Serial, should)
	}
}
