package rpc

import (
	"context"
	"time"

	"fundledger/accounts"
)

// rulesEvery is how often the version of the rules is looked at. A change holds
// from the next day on at the earliest, so all servers know it before it holds.
const rulesEvery = time.Second

// FollowRules serves by the rules that stand in the database until the context
// ends: calls that begin after a change was taken up go by it, those under way
// end by the rules that they began with. What cannot be read is tried again.
func (s *Server) FollowRules(ctx context.Context) {
	book := s.deps.Book
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(rulesEvery):
		}
		version, err := accounts.RulesVersion(ctx, s.deps.Store)
		if err == nil && version == book.Version {
			continue
		}
		next := book
		if err == nil {
			next, err = accounts.Load(ctx, s.deps.Store)
		}
		if err == nil {
			err = s.renew(next)
		}
		if err == nil {
			book = next
			s.deps.Log.Info("serves by changed rules", "version", book.Version)
		} else if ctx.Err() == nil {
			s.deps.Log.Error("cannot take up the rules", "error", err)
		}
	}
}

// renew serves by other rules from the next call on.
func (s *Server) renew(book *accounts.Rulebook) error {
	s.deps.Journal.Renew(book)
	next := *s
	next.deps.Book = book
	s.desks.Store(newDesks(next.deps))
	return next.mount()
}
