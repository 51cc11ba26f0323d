package bank

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// The elements of camt.053.001 that a statement needs. They are called the same
// in all versions from .02 on; where a version has put something one level
// deeper, both places are read.
type (
	camtAccount struct {
		IBAN     string `xml:"Id>IBAN"`
		Other    string `xml:"Id>Othr>Id"`
		Currency string `xml:"Ccy"`
	}
	camtDate struct {
		Date string `xml:"Dt"`
		Time string `xml:"DtTm"`
	}
	camtAmount struct {
		Currency string `xml:"Ccy,attr"`
		Text     string `xml:",chardata"`
	}
	camtBalance struct {
		Code   string     `xml:"Tp>CdOrPrtry>Cd"`
		Amount camtAmount `xml:"Amt"`
		Side   string     `xml:"CdtDbtInd"`
		Day    camtDate   `xml:"Dt"`
	}
	camtPeriod struct {
		From string `xml:"FrDtTm"`
		To   string `xml:"ToDtTm"`
	}
	camtParty struct {
		Name  string `xml:"Nm"`
		Party string `xml:"Pty>Nm"` // from .08 on
	}
	camtEntry struct {
		Reference string     `xml:"NtryRef"`
		Servicer  string     `xml:"AcctSvcrRef"`
		Amount    camtAmount `xml:"Amt"`
		Side      string     `xml:"CdtDbtInd"`
		Status    struct {
			Text string `xml:",chardata"`
			Code string `xml:"Cd"` // from .08 on
		} `xml:"Sts"`
		Booked  camtDate `xml:"BookgDt"`
		Info    string   `xml:"AddtlNtryInf"`
		Details []struct {
			EndToEnd   string      `xml:"Refs>EndToEndId"`
			Debtor     camtParty   `xml:"RltdPties>Dbtr"`
			Creditor   camtParty   `xml:"RltdPties>Cdtr"`
			DebtorAt   camtAccount `xml:"RltdPties>DbtrAcct"`
			CreditorAt camtAccount `xml:"RltdPties>CdtrAcct"`
			Remark     []string    `xml:"RmtInf>Ustrd"`
		} `xml:"NtryDtls>TxDtls"`
	}
)

const camtSpace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."

// camtReader reads the statements of one document as a stream, so that a fault
// tells its line.
type camtReader struct {
	*faults
	in         *xml.Decoder
	statements []*Statement
}

func readCamt(file string, content []byte) ([]*Statement, error) {
	r := &camtReader{faults: &faults{file: file}, in: xml.NewDecoder(bytes.NewReader(content))}
	known := false
	for {
		token, err := r.in.Token()
		if err == io.EOF {
			break
		}
		line, _ := r.in.InputPos()
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s:%d: cannot be read as XML in UTF-8: %w", file, line, err).With("file", file)
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case start.Name.Local == "Document":
			version, camt := strings.CutPrefix(start.Name.Space, camtSpace)
			if known = camt && version >= "02"; !known {
				return nil, fault.New(fault.Invalid, "%s:%d: %q is no camt.053.001 of version 02 or later", file, line, start.Name.Space).With("file", file)
			}
		case start.Name.Local == "Stmt" && known:
			if err := r.statement(line); err != nil {
				return nil, err
			}
		}
	}
	if len(r.statements) == 0 && len(r.list) == 0 {
		return nil, fault.New(fault.Invalid, "%s has no statement (Document/BkToCstmrStmt/Stmt)", file).With("file", file)
	}
	return r.statements, r.err()
}

func (r *camtReader) statement(begin int) error {
	s := &Statement{File: r.file}
	before := len(r.list)
	var opening, closing bool
	closingAt := begin
	for {
		token, err := r.in.Token()
		line, _ := r.in.InputPos()
		if err != nil {
			return fault.New(fault.Invalid, "%s:%d: cannot be read as XML: %w", r.file, line, err).With("file", r.file)
		}
		if end, ok := token.(xml.EndElement); ok && end.Name.Local == "Stmt" {
			break
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		var read any
		account, balance, entry := camtAccount{}, camtBalance{}, camtEntry{}
		period := camtPeriod{}
		switch start.Name.Local {
		case "Acct":
			read = &account
		case "Bal":
			read = &balance
		case "Ntry":
			read = &entry
		case "FrToDt":
			read = &period
		default:
			if err := r.in.Skip(); err != nil {
				return fault.New(fault.Invalid, "%s:%d: cannot be read as XML: %w", r.file, line, err).With("file", r.file)
			}
			continue
		}
		if err := r.in.DecodeElement(read, &start); err != nil {
			return fault.New(fault.Invalid, "%s:%d:%s: %w", r.file, line, start.Name.Local, err).With("file", r.file)
		}
		switch start.Name.Local {
		case "Acct":
			s.Account = account.number()
			if account.Currency != "" && account.Currency != currency {
				r.fail(line, "Acct/Ccy", "%s, the books are kept in %s", account.Currency, currency)
			}
		case "Bal":
			switch balance.Code {
			case "OPBD", "PRCD": // opening, or closing of the day before
				if balance.Code == "OPBD" || !opening {
					opening, s.Opening = true, r.signed(line, balance.Amount, balance.Side)
				}
				if day := r.day(line, "Bal/Dt", balance.Day); balance.Code == "OPBD" && s.From.IsZero() {
					s.From = day
				}
			case "CLBD":
				closing, closingAt, s.Closing = true, line, r.signed(line, balance.Amount, balance.Side)
				if day := r.day(line, "Bal/Dt", balance.Day); s.To.IsZero() {
					s.To = day
				}
			}
		case "FrToDt":
			s.From, s.To = r.day(line, "FrDtTm", camtDate{Time: period.From}), r.day(line, "ToDtTm", camtDate{Time: period.To})
			if strings.Contains(period.To, "T00:00:00") && s.To.After(s.From) { // the end of the day before
				s.To = s.To.AddDays(-1)
			}
		case "Ntry":
			r.entry(s, line, &entry)
		}
	}
	if !opening || !closing {
		r.fail(begin, "Bal", "the statement has no opening balance (OPBD) or no closing one (CLBD)")
	}
	if s.Account == "" {
		r.fail(begin, "Acct/Id", "is missing")
	}
	if s.From.IsZero() && len(s.Lines) == 0 {
		r.fail(begin, "FrToDt", "is missing")
	}
	if len(r.list) == before {
		s.prove(r.faults, closingAt)
	}
	r.statements = append(r.statements, s)
	return nil
}

// currency is that of the books.
const currency = "CNY"

func (a *camtAccount) number() string {
	if a.IBAN != "" {
		return a.IBAN
	}
	return a.Other
}

// entry reads one entry. Those that are not booked are no movements yet.
func (r *camtReader) entry(s *Statement, line int, e *camtEntry) {
	status := e.Status.Code
	if status == "" {
		status = strings.TrimSpace(e.Status.Text)
	}
	if status != "BOOK" {
		s.Ignored = append(s.Ignored, fmt.Sprintf("entry in line %d (%s)", line, status))
		return
	}
	l := Line{Account: s.Account, Serial: e.Servicer, Date: r.day(line, "BookgDt", e.Booked), Side: Out, Remark: e.Info, at: line}
	if l.Serial == "" {
		l.Serial = e.Reference
	}
	if l.Serial == "" {
		r.fail(line, "AcctSvcrRef", "is missing, and NtryRef too: a line needs a number of the bank")
	}
	if l.Amount = r.signed(line, e.Amount, e.Side); e.Side == "CRDT" {
		l.Side = In
	} else {
		l.Amount = -l.Amount
	}
	for i := range e.Details {
		d := &e.Details[i]
		party, account := d.Creditor, d.CreditorAt
		if l.Side == In {
			party, account = d.Debtor, d.DebtorAt
		}
		if len(e.Details) == 1 {
			l.CounterpartyName, l.CounterpartyAccount = party.Name+party.Party, account.number()
			if d.EndToEnd != "NOTPROVIDED" {
				l.Reference = d.EndToEnd
			}
		}
		l.Remark = strings.TrimSpace(l.Remark + " " + strings.Join(d.Remark, " "))
	}
	s.Lines = append(s.Lines, l)
}

// signed is an amount with its side; more decimals than two must be zeros.
func (r *camtReader) signed(line int, a camtAmount, side string) accounts.Fen {
	if a.Currency != currency {
		r.fail(line, "Amt/Ccy", "%q, the books are kept in %s", a.Currency, currency)
	}
	text := strings.TrimSpace(a.Text)
	if whole, decimals, point := strings.Cut(text, "."); point && len(decimals) > 2 {
		text = whole + "." + decimals[:2] + strings.TrimRight(decimals[2:], "0")
	}
	amount := r.amount(line, "Amt", text)
	switch side {
	case "CRDT":
		return amount
	case "DBIT":
		return -amount
	}
	r.fail(line, "CdtDbtInd", "%q is neither CRDT nor DBIT", side)
	return amount
}

// day is the date of an element; of a time, the day that it names itself.
func (r *camtReader) day(line int, field string, d camtDate) civil.Date {
	text := strings.TrimSpace(d.Date)
	if text == "" {
		text, _, _ = strings.Cut(strings.TrimSpace(d.Time), "T")
	}
	return r.date(line, field, text)
}
