package ledger

import (
	"fundledger/accounts"
)

// Journal is the journal of one deployment. It is safe for concurrent use,
// by several processes on one database too.
type Journal struct {
	store accounts.Store
	book  *accounts.Rulebook
}

// New returns the journal kept in the store under the rules of the book.
func New(store accounts.Store, book *accounts.Rulebook) *Journal {
	return &Journal{store: store, book: book}
}
