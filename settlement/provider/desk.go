package provider

import (
	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Desk is where providers are reconciled with and paid. It is safe for
// concurrent use, by several processes on one database too.
type Desk struct {
	store   accounts.Store
	journal *ledger.Journal
	book    *accounts.Rulebook
}

// New returns the desk that posts to the journal under the rules of the book.
func New(store accounts.Store, journal *ledger.Journal, book *accounts.Rulebook) *Desk {
	return &Desk{store, journal, book}
}

// Events of the posting table that are posted here.
const (
	eventPaid   = "provider.paid"
	eventFunded = "spending.funded"
	eventManual = "manual.reimbursed"
)

// byProvider is the counterparty of posting rules that stands for the provider.
const byProvider = "provider"

// payable is the subject on which a provider's claims stand: the one that a
// payment to a provider discharges.
func (d *Desk) payable() (string, error) {
	for _, rule := range d.book.Postings.Rules() {
		if rule.Event == eventPaid && rule.Counterparty == byProvider {
			return rule.Subject, nil
		}
	}
	return "", fault.New(fault.Internal, "the posting table has no line of event %s by provider", eventPaid)
}

// city refuses a region that keeps no book of its own here.
func (d *Desk) city(region, field string) error {
	if r, ok := d.book.Regions.Find(region); !ok || r.Kind != accounts.City {
		return fault.New(fault.Invalid, "%q is none of our cities", region).With("field", field)
	}
	return nil
}
