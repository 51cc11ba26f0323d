package ledger

import (
	"sync/atomic"

	"fundledger/accounts"
)

// Position is a place in the journal's dense sequence: the first sealed entry
// stands at 1, and a journal of n sealed entries is at position n.
type Position int64

// Journal is the journal of one deployment. It is safe for concurrent use,
// by several processes on one database too.
type Journal struct {
	store accounts.Store
	book  *accounts.Rulebook
	books map[accounts.Book]bool
	funds map[string]bool

	commits commits
	looks   atomic.Int64  // how many batches are still to look their keys up first
	posted  chan struct{} // wakes a sealer of this process
	grown   signal        // wakes those of this process who follow the sequence
}

// New returns the journal kept in the store under the rules of the book.
func New(store accounts.Store, book *accounts.Rulebook) *Journal {
	j := &Journal{store: store, book: book, books: map[accounts.Book]bool{}, funds: map[string]bool{}, posted: make(chan struct{}, 1)}
	j.commits.floors = make(turn, 1)
	for _, b := range book.Regions.Books() {
		j.books[b] = true
	}
	for _, f := range book.Funds {
		j.funds[f.Code] = true
	}
	return j
}
