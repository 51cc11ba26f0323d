package bank

import (
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/bank/internal/db"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Match (勾对) says which lines of the books stand for which lines of a statement.
type Match struct {
	ID        uuid.UUID    `json:"match"`
	Account   string       `json:"account"`
	Rule      string       `json:"rule"` // key of the policy, or "hand"
	Automatic bool         `json:"automatic"`
	Serials   []string     `json:"serials"` // of the statement
	Postings  []PostingID  `json:"postings"`
	Amount    accounts.Fen `json:"amount"` // money in positive
	By        string       `json:"by"`
	On        civil.Date   `json:"on"`
	Undone    *Undoing     `json:"undone,omitempty"`
}

// Undoing says who has taken a match back, when and why.
type Undoing struct {
	By     string     `json:"by"`
	On     civil.Date `json:"on"`
	Reason string     `json:"reason"`
}

// Matched is what a request has matched.
type Matched struct {
	Matches  []Match         `json:"matches"`
	Position ledger.Position `json:"position"` // of the journal, as seen; 0 of a replay
	Replayed bool            `json:"replayed,omitempty"`
}

// MatchRequest asks to match lines of a bank account up to a day.
type MatchRequest struct {
	Key     string // idempotency key; may be empty
	By      string // who asks
	Account string
	Day     civil.Date // by it the rules hold; lines that lie behind it are left
}

func (r *MatchRequest) check(act string) error {
	if !r.Day.IsValid() {
		return fault.New(fault.Invalid, "say the day up to which lines are matched").With("field", "day")
	}
	return person(r.By, act)
}

// MatchAutomatically matches what the automatic rules of the policy find, which
// each match names. What a person has undone is not put together again. Errors:
// NotFound (the bank account), Invalid (a rule that cannot be read), AlreadyExists
// (the key was used for something else).
func (d *Desk) MatchAutomatically(ctx context.Context, r MatchRequest) (*Matched, error) {
	return d.match(ctx, r, "match", nil, func(p *pool) ([]Proposal, error) { return p.automatic(), nil })
}

// Confirm makes a match of a suggestion: the person has looked at it. Errors as
// for MatchAutomatically, and NotFound when it is suggested no longer.
func (d *Desk) Confirm(ctx context.Context, r MatchRequest, suggestion string) (*Matched, error) {
	return d.match(ctx, r, "confirm", suggestion, func(p *pool) ([]Proposal, error) {
		all := p.suggestions()
		i := slices.IndexFunc(all, func(s Proposal) bool { return s.Name == suggestion })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "nothing is suggested as %s on %s of %s: its lines were matched, or it never was", suggestion, r.Day, r.Account).
				With("suggestion", suggestion)
		}
		return all[i : i+1], nil
	})
}

// match matches what choose takes of the open lines.
func (d *Desk) match(ctx context.Context, r MatchRequest, act string, content any, choose func(*pool) ([]Proposal, error)) (*Matched, error) {
	if err := r.check(act); err != nil {
		return nil, err
	}
	view, err := d.look(ctx, r.Account, r.Day, 0)
	if err != nil {
		return nil, err
	}
	rules, err := matchingOn(d.book.Policy, r.Day)
	if err != nil {
		return nil, err
	}
	var done *Matched
	err = d.store.InTx(ctx, func(tx pgx.Tx) error {
		done = &Matched{Position: view.position}
		before, err := claim(ctx, tx, "bank "+act, r.Key, []any{r.Account, r.Day, content})
		if err != nil || before {
			return done.under(ctx, tx, r.Key, err)
		}
		q := db.New(tx)
		if err := view.open(ctx, q); err != nil {
			return err
		}
		proposals, err := choose(newPool(rules, view.books, view.lines, view.undone))
		if err != nil {
			return err
		}
		for i := range proposals {
			m, err := write(ctx, q, r, &proposals[i])
			if err != nil {
				return err
			}
			done.Matches = append(done.Matches, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// under finds what a replayed request has matched.
func (m *Matched) under(ctx context.Context, tx pgx.Tx, key string, err error) error {
	if err != nil {
		return err
	}
	rows, err := db.New(tx).MatchEventsUnder(ctx, key)
	*m = Matched{Matches: matchesOf(rows), Replayed: true}
	return err
}

const (
	stepMade   = 1
	stepUndone = 2
)

// write makes the match: an event, and its lines as matched now.
func write(ctx context.Context, q *db.Queries, r MatchRequest, p *Proposal) (Match, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return Match{}, err
	}
	m := Match{ID: id, Account: r.Account, Rule: p.Rule.Name, Automatic: p.Rule.Automatic, Serials: []string{}, Postings: []PostingID{}, Amount: p.Total, By: r.By, On: r.Day}
	event := db.InsertMatchEventParams{MatchID: m.ID, Step: stepMade, Account: r.Account, Rule: m.Rule, Automatic: m.Automatic, Serials: []string{},
		Entries: []uuid.UUID{}, Legs: []int64{}, AmountFen: int64(m.Amount), Person: m.By, HappenedOn: dateParam(m.On), RequestKey: r.Key}
	for i := range p.Lines {
		m.Serials = append(m.Serials, p.Lines[i].Serial)
	}
	event.Serials = m.Serials
	for i := range p.Books {
		m.Postings = append(m.Postings, p.Books[i].PostingID)
		event.Entries, event.Legs = append(event.Entries, p.Books[i].Entry), append(event.Legs, int64(p.Books[i].Leg))
	}
	if err := q.InsertMatchEvent(ctx, event); err != nil {
		return m, err
	}
	if err := q.InsertMatchedLines(ctx, db.InsertMatchedLinesParams{Account: r.Account, Serials: m.Serials, MatchID: m.ID}); err != nil {
		return m, err
	}
	return m, q.InsertMatchedPostings(ctx, db.InsertMatchedPostingsParams{Entries: event.Entries, Legs: event.Legs, Account: r.Account, MatchID: m.ID})
}

// Undo takes a match back, with a reason: its lines are open again. Errors:
// NotFound, Invalid (no reason), Precondition (it is undone already),
// AlreadyExists (the key was used for something else).
func (d *Desk) Undo(ctx context.Context, key string, id uuid.UUID, by string, on civil.Date, reason string) (m *Match, replayed bool, err error) {
	if err := person(by, "undo a match"); err != nil {
		return nil, false, err
	}
	if reason == "" || len(reason) > maxText || !on.IsValid() {
		return nil, false, fault.New(fault.Invalid, "to undo a match takes a day and a reason of at most %d bytes", maxText).With("field", "reason")
	}
	err = d.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		before, err := claim(ctx, tx, "bank undo", key, []any{id, on, reason})
		if err != nil {
			return err
		}
		if m, err = readMatch(ctx, q, id); err != nil {
			return err
		}
		if replayed = before; before {
			return nil
		}
		if m.Undone != nil {
			return fault.New(fault.Precondition, "match %s was undone by %s on %s: %s", id, m.Undone.By, m.Undone.On, m.Undone.Reason).With("match", id.String())
		}
		m.Undone = &Undoing{by, on, reason}
		event := db.InsertMatchEventParams{MatchID: id, Step: stepUndone, Account: m.Account, Rule: m.Rule, Automatic: m.Automatic, Serials: m.Serials,
			Entries: []uuid.UUID{}, Legs: []int64{}, AmountFen: int64(m.Amount), Person: by, HappenedOn: dateParam(on), Reason: reason, RequestKey: key}
		for _, p := range m.Postings {
			event.Entries, event.Legs = append(event.Entries, p.Entry), append(event.Legs, int64(p.Leg))
		}
		if err := q.InsertMatchEvent(ctx, event); err != nil {
			return err
		}
		if err := q.DeleteMatchedLines(ctx, db.DeleteMatchedLinesParams{Account: m.Account, Serials: m.Serials, MatchID: id}); err != nil {
			return err
		}
		return q.DeleteMatchedPostings(ctx, db.DeleteMatchedPostingsParams{Entries: event.Entries, MatchID: id})
	})
	if err != nil {
		return nil, false, err
	}
	return m, replayed, nil
}

// Match is one match. NotFound.
func (d *Desk) Match(ctx context.Context, id uuid.UUID) (m *Match, err error) {
	err = d.store.Snapshot(ctx, func(tx pgx.Tx) error {
		m, err = readMatch(ctx, db.New(tx), id)
		return err
	})
	return m, err
}

// Matches lists the matches of a bank account and what was undone of them.
func (d *Desk) Matches(ctx context.Context, number string) (list []Match, err error) {
	err = d.store.Read(ctx, func(r accounts.Reader) error {
		rows, err := db.New(r).MatchEventsOf(ctx, number)
		list = matchesOf(rows)
		return err
	})
	return list, err
}

func readMatch(ctx context.Context, q *db.Queries, id uuid.UUID) (*Match, error) {
	rows, err := q.MatchEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	list := matchesOf(rows)
	if len(list) == 0 {
		return nil, noMatch(id)
	}
	return &list[0], nil
}

func noMatch(id uuid.UUID) error {
	return fault.New(fault.NotFound, "there is no match %s", id).With("match", id.String())
}

// matchesOf puts events together, those of one match behind each other; of an
// undoing alone it makes none.
func matchesOf(rows []db.BankMatchEvent) []Match {
	list := []Match{}
	for _, r := range rows {
		if r.Step == stepUndone {
			if last := len(list) - 1; last >= 0 && list[last].ID == r.MatchID {
				list[last].Undone = &Undoing{r.Person, civil.DateOf(r.HappenedOn), r.Reason}
			}
			continue
		}
		m := Match{ID: r.MatchID, Account: r.Account, Rule: r.Rule, Automatic: r.Automatic, Serials: r.Serials, Postings: []PostingID{},
			Amount: accounts.Fen(r.AmountFen), By: r.Person, On: civil.DateOf(r.HappenedOn)}
		for i, entry := range r.Entries {
			m.Postings = append(m.Postings, PostingID{entry, int(r.Legs[i])})
		}
		list = append(list, m)
	}
	return list
}
