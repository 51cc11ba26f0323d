package bank

import (
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
)

// Side says which way money went, as the bank sees the account.
type Side string

const (
	In  Side = "C" // money in
	Out Side = "D" // money out
)

// Line is one line of a bank statement. With the bank account its serial number
// is unique for ever.
type Line struct {
	Account string       `json:"account"`
	Serial  string       `json:"serial"` // 银行流水号
	Date    civil.Date   `json:"date"`
	Side    Side         `json:"side"`
	Amount  accounts.Fen `json:"amount"`

	CounterpartyAccount string `json:"counterparty_account,omitempty"`
	CounterpartyName    string `json:"counterparty_name,omitempty"`
	Remark              string `json:"remark,omitempty"`
	// Reference that the payer gave, where the bank passes it on.
	Reference string `json:"reference,omitempty"`
	// Balance after the line, where the bank tells it.
	Balance *accounts.Fen `json:"balance,omitempty"`

	Match uuid.NullUUID `json:"match,omitzero"` // what it stands in now

	at int // line in the file
}

// Signed is the amount as it moves the balance.
func (l *Line) Signed() accounts.Fen {
	if l.Side == Out {
		return -l.Amount
	}
	return l.Amount
}

// same tells whether two lines of one serial number say the same.
func (l *Line) same(m *Line) bool {
	return l.Date == m.Date && l.Side == m.Side && l.Amount == m.Amount && l.CounterpartyAccount == m.CounterpartyAccount &&
		l.CounterpartyName == m.CounterpartyName && l.Remark == m.Remark && l.Reference == m.Reference
}

// references are what the line may be known by in the books: the payer's reference,
// the bank's serial number and the numbers that reference and remark name.
func (l *Line) references() []string {
	return numbersIn(l.Remark+" "+l.Reference, l.Reference, l.Serial)
}

// names tells whether the line names the other one.
func (l *Line) names(other *Line) bool {
	return slices.ContainsFunc(l.references(), func(r string) bool { return r == other.Serial || r == other.Reference })
}

// numbersIn are the names that are given, and those words of the text that have a
// digit: other words say nothing of which document is meant.
func numbersIn(text string, names ...string) []string {
	for word := range strings.FieldsSeq(text) {
		if strings.ContainsAny(word, "0123456789") {
			names = append(names, word)
		}
	}
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}

// Statement is the statement of one bank account over whole days.
type Statement struct {
	Account string       `json:"account"`
	From    civil.Date   `json:"from"`
	To      civil.Date   `json:"to"`
	Opening accounts.Fen `json:"opening"`
	Closing accounts.Fen `json:"closing"`
	Count   int          `json:"lines"`

	File       string    `json:"file"`
	ImportedBy string    `json:"imported_by,omitempty"`
	ImportedAt time.Time `json:"imported_at,omitzero"`

	Lines   []Line   `json:"-"` // of one that was read from a file, in its order
	Ignored []string `json:"-"` // columns that nobody knows, entries that are not booked
	digest  []byte
}
