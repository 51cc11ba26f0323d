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
	store   accounts.Store
	current atomic.Pointer[rules]

	commits commits
	looks   atomic.Int64  // how many batches are still to look their keys up first
	posted  chan struct{} // wakes a sealer of this process
	grown   signal        // wakes those of this process who follow the sequence
}

// New returns the journal kept in the store under the rules of the book.
func New(store accounts.Store, book *accounts.Rulebook) *Journal {
	j := &Journal{store: store, posted: make(chan struct{}, 1)}
	j.commits.floors = make(turn, 1)
	j.Renew(book)
	return j
}

// rules are those that a journal follows.
type rules struct {
	book  *accounts.Rulebook
	books map[accounts.Book]bool
	funds map[string]bool
}

// Renew lets the journal follow the rules of another version of its rulebook.
// Posts that are under way may be examined by the old ones: a change holds from
// the next day on at the earliest (accounts.ApplyRuleChange), so both say the
// same of today. What was examined by the new ones is committed by them, whoever
// leads the commit.
func (j *Journal) Renew(book *accounts.Rulebook) {
	r := &rules{book: book, books: map[accounts.Book]bool{}, funds: map[string]bool{}}
	for _, b := range book.Regions.Books() {
		r.books[b] = true
	}
	for _, f := range book.Funds {
		r.funds[f.Code] = true
	}
	j.current.Store(r)
}

func (j *Journal) rules() *rules { return j.current.Load() }
