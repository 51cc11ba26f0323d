package ledger

import (
	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
)

// Entry is one business event in double entry: postings that balance to zero
// per book, fund and layer. Once posted it is never changed or deleted.
type Entry struct {
	// Key is the idempotency key, at most 200 bytes, unique for ever. The same
	// key with the same content gives the first result again.
	Key string `json:"key"`
	// Date is the business date; Period the accounting month that the entry
	// counts in, which must be open in every book it touches.
	Date        civil.Date     `json:"date"`
	Period      accounts.Month `json:"period"`
	Kind        string         `json:"kind"`    // event of the posting table, or "opening", "manual", …
	Summary     string         `json:"summary"` // 摘要
	Source      string         `json:"source"`  // reference of the source document
	Attachments int            `json:"attachments,omitempty"`
	Preparer    string         `json:"preparer"`
	Reviewer    string         `json:"reviewer,omitempty"`
	Corrects    uuid.NullUUID  `json:"corrects,omitzero"` // the entry that this one corrects
	Postings    []Posting      `json:"postings"`
}

// ID is the entry's identity, derived from its idempotency key.
func (e *Entry) ID() uuid.UUID { return EntryID(e.Key) }

// Posting is one line of an entry. A negative amount is a red-letter line.
type Posting struct {
	Account accounts.Account `json:"account"`
	Side    accounts.Side    `json:"side"`
	Amount  accounts.Fen     `json:"amount"`
	Dimensions
}

// Dimensions are what a line carries beside its account, only where needed to report.
type Dimensions struct {
	Run         string `json:"run,omitempty"`          // clearing run
	Category    string `json:"category,omitempty"`     // med_type
	Part        string `json:"part,omitempty"`         // "account" for 个人账户, else empty
	BenefitYear int    `json:"benefit_year,omitempty"` // 待遇年度
}

// Signed returns the amount as a debit: positive on the debit side, negative
// on the credit side.
func (p Posting) Signed() accounts.Fen {
	if p.Side == accounts.Credit {
		return -p.Amount
	}
	return p.Amount
}

// Result is what became of one entry. Err is nil when the entry stands in the
// journal; Replayed when it already stood there with the same content.
type Result struct {
	ID       uuid.UUID
	Replayed bool
	Err      error
}
