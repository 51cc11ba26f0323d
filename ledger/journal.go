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
	*shared
	book  *accounts.Rulebook
	books map[accounts.Book]bool
	funds map[string]bool
}

// shared is what journals of a process on one database have in common, whatever
// rules they follow.
type shared struct {
	store   accounts.Store
	commits commits
	looks   atomic.Int64  // how many batches are still to look their keys up first
	posted  chan struct{} // wakes a sealer of this process
	grown   signal        // wakes those of this process who follow the sequence
}

// New returns the journal kept in the store under the rules of the book.
func New(store accounts.Store, book *accounts.Rulebook) *Journal {
	common := &shared{store: store, posted: make(chan struct{}, 1)}
	common.commits.floors = make(turn, 1)
	return under(common, book)
}

// Under returns the same journal under other rules. Posts to either meet in the
// same commits, and wake the same sealer and the same followers.
func (j *Journal) Under(book *accounts.Rulebook) *Journal { return under(j.shared, book) }

func under(common *shared, book *accounts.Rulebook) *Journal {
	j := &Journal{shared: common, book: book, books: map[accounts.Book]bool{}, funds: map[string]bool{}}
	for _, b := range book.Regions.Books() {
		j.books[b] = true
	}
	for _, f := range book.Funds {
		j.funds[f.Code] = true
	}
	return j
}
