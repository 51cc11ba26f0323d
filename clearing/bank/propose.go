package bank

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

// Proposal is lines that a rule puts together; their amounts agree.
type Proposal struct {
	// Name of the proposal, made of its lines, by which it is confirmed.
	Name  string       `json:"suggestion"`
	Rule  Rule         `json:"rule"`
	Books []BookLine   `json:"books"`
	Lines []Line       `json:"lines"`
	Total accounts.Fen `json:"amount"` // of either side, money in positive; 0.00 where lines of one side take each other back
}

// pool are the open lines from which matches are made.
type pool struct {
	*matching
	books []*BookLine
	lines []*Line
	// booksBy and linesBy find open lines by reference.
	booksBy map[string][]*BookLine
	linesBy map[string][]*Line
	taken   map[any]bool    // lines of earlier proposals
	refused map[string]bool // proposals that a person has undone
}

func newPool(m *matching, books []BookLine, lines []Line, refused map[string]bool) *pool {
	p := &pool{matching: m, booksBy: map[string][]*BookLine{}, linesBy: map[string][]*Line{}, taken: map[any]bool{}, refused: refused}
	for i := range books {
		b := &books[i]
		if b.Match.Valid || b.Kind == openingKind {
			continue
		}
		p.books = append(p.books, b)
		for _, r := range slices.Compact(slices.Sorted(slices.Values(b.references()))) {
			p.booksBy[r] = append(p.booksBy[r], b)
		}
	}
	for i := range lines {
		l := &lines[i]
		if l.Match.Valid {
			continue
		}
		p.lines = append(p.lines, l)
		for _, r := range slices.Compact(slices.Sorted(slices.Values(l.references()))) {
			p.linesBy[r] = append(p.linesBy[r], l)
		}
	}
	return p
}

// automatic applies the automatic rules, in order of name; no line is taken twice.
func (p *pool) automatic() (made []Proposal) {
	for _, rule := range p.rules {
		if !rule.Automatic {
			continue
		}
		switch rule.Form {
		case OneToOne:
			for _, b := range p.books {
				made = p.take(made, rule, []*BookLine{b}, p.nearest(b, rule))
			}
		case ManyToOne:
			for _, l := range p.lines {
				for _, r := range l.references() {
					made = p.take(made, rule, near(p, p.booksBy[r], l.Date, rule.Days), near(p, p.linesBy[r], l.Date, rule.Days))
				}
			}
		case OneToMany:
			for _, b := range p.books {
				for _, r := range b.references() {
					made = p.take(made, rule, near(p, p.booksBy[r], b.Date, rule.Days), near(p, p.linesBy[r], b.Date, rule.Days))
				}
			}
		case BookOffset:
			for _, b := range p.books {
				made = p.take(made, rule, p.corrected(b, rule), nil)
			}
		case BankOffset:
			for _, l := range p.lines {
				made = p.take(made, rule, nil, p.returned(l, rule))
			}
		}
	}
	return made
}

// take adds the proposal if its lines are free, have the rule's form and agree.
func (p *pool) take(made []Proposal, rule Rule, books []*BookLine, lines []*Line) []Proposal {
	proposal, ok := p.propose(rule, books, lines)
	if !ok {
		return made
	}
	for _, b := range books {
		p.taken[b] = true
	}
	for _, l := range lines {
		p.taken[l] = true
	}
	return append(made, proposal)
}

func (p *pool) propose(rule Rule, books []*BookLine, lines []*Line) (Proposal, bool) {
	many := map[Form]bool{
		OneToOne: len(books) == 1 && len(lines) == 1, ManyToOne: len(books) > 1 && len(lines) == 1, OneToMany: len(books) == 1 && len(lines) > 1,
		BookOffset: len(books) == 2 && len(lines) == 0, BankOffset: len(books) == 0 && len(lines) == 2,
	}
	if !many[rule.Form] {
		return Proposal{}, false
	}
	made := Proposal{Rule: rule, Books: []BookLine{}, Lines: []Line{}}
	var inBooks accounts.Fen
	for _, b := range books {
		if p.taken[b] {
			return Proposal{}, false
		}
		made.Books = append(made.Books, *b)
		inBooks += b.Amount
	}
	for _, l := range lines {
		if p.taken[l] {
			return Proposal{}, false
		}
		made.Lines = append(made.Lines, *l)
		made.Total += l.Signed()
	}
	made.Name = nameOf(made.Books, made.Lines)
	return made, inBooks == made.Total && !p.refused[made.Name]
}

// nameOf is the same for the same lines, in whatever order.
func nameOf(books []BookLine, lines []Line) string {
	var names []string
	for i := range books {
		names = append(names, "b"+books[i].PostingID.String())
	}
	for i := range lines {
		names = append(names, "s"+lines[i].Account+"/"+lines[i].Serial)
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(names, "\n")))
	return hex.EncodeToString(sum[:8])
}

// nearest is the free line of the amount and a reference of the line of the books
// that lies nearest in time, the lowest serial number first.
func (p *pool) nearest(b *BookLine, rule Rule) (best []*Line) {
	for _, r := range b.references() {
		for _, l := range near(p, p.linesBy[r], b.Date, rule.Days) {
			if l.Signed() != b.Amount || p.refused[nameOf([]BookLine{*b}, []Line{*l})] {
				continue
			}
			if best == nil || cmp.Or(cmp.Compare(apart(l.Date, b.Date), apart(best[0].Date, b.Date)), cmp.Compare(l.Serial, best[0].Serial)) < 0 {
				best = []*Line{l}
			}
		}
	}
	return best
}

// corrected is the line with the one that it takes back, which lies on the same
// account of the books.
func (p *pool) corrected(b *BookLine, rule Rule) []*BookLine {
	if !b.corrects.Valid {
		return nil
	}
	for _, a := range p.books {
		if a.Entry == b.corrects.UUID && a.Account == b.Account && a.Amount == -b.Amount && !p.taken[a] && apart(a.Date, b.Date) <= rule.Days {
			return []*BookLine{a, b}
		}
	}
	return nil
}

// returned is the line with a later one that names it and takes it back.
func (p *pool) returned(l *Line, rule Rule) []*Line {
	for _, r := range l.references() {
		for _, back := range near(p, p.linesBy[r], l.Date, rule.Days) {
			if back != l && back.Signed() == -l.Signed() && !back.Date.Before(l.Date) && back.names(l) {
				return []*Line{l, back}
			}
		}
	}
	return nil
}

// alternatives is how many proposals there are at most for one line.
const alternatives = 3

// suggestions are what the rules find that only suggest, of what automatic ones
// would leave open. Several may name one line: a person chooses.
func (p *pool) suggestions() (made []Proposal) {
	p.automatic()
	seen := map[string]bool{}
	for _, rule := range p.rules {
		if rule.Automatic {
			continue
		}
		add := func(books []*BookLine, lines []*Line) bool {
			proposal, ok := p.propose(rule, books, lines)
			if ok && !seen[proposal.Name] {
				seen[proposal.Name] = true
				made = append(made, proposal)
			}
			return ok
		}
		for _, l := range p.lines {
			if p.taken[l] {
				continue
			}
			books := tied(p, p.books, p.booksBy, l.references(), l.Date, rule)
			switch left := alternatives; rule.Form {
			case OneToOne:
				for _, b := range books {
					if b.Amount == l.Signed() && left > 0 && add([]*BookLine{b}, []*Line{l}) {
						left--
					}
				}
			case ManyToOne:
				summed(p, l.Signed(), books, func(picked []*BookLine) bool { return add(picked, []*Line{l}) })
			}
		}
		if rule.Form != OneToMany {
			continue
		}
		for _, b := range p.books {
			if !p.taken[b] {
				lines := tied(p, p.lines, p.linesBy, b.references(), b.Date, rule)
				summed(p, b.Amount, lines, func(picked []*Line) bool { return add([]*BookLine{b}, picked) })
			}
		}
	}
	return made
}

// of is a line of either side.
type of interface {
	comparable
	day() civil.Date
	amount() accounts.Fen
}

func (l *Line) day() civil.Date          { return l.Date }
func (l *Line) amount() accounts.Fen     { return l.Signed() }
func (l *BookLine) day() civil.Date      { return l.Date }
func (l *BookLine) amount() accounts.Fen { return l.Amount }

// near are the free lines not more days apart, the nearest first.
func near[L of](p *pool, lines []L, day civil.Date, days int) (list []L) {
	for _, l := range lines {
		if !p.taken[l] && apart(l.day(), day) <= days {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b L) int { return cmp.Compare(apart(a.day(), day), apart(b.day(), day)) })
	return list
}

// tied are the free lines that the rule lets stand for a line of the references
// and the day, the nearest first.
func tied[L of](p *pool, all []L, by map[string][]L, references []string, day civil.Date, rule Rule) []L {
	if rule.Tie == ByAmount {
		return near(p, all, day, rule.Days)
	}
	seen := map[L]bool{}
	var list []L
	for _, r := range references {
		for _, l := range by[r] {
			if !seen[l] {
				seen[l] = true
				list = append(list, l)
			}
		}
	}
	return near(p, list, day, rule.Days)
}

// summed finds lines that come to the amount, all of them moving money its way.
func summed[L of](p *pool, target accounts.Fen, lines []L, add func([]L) bool) {
	way := accounts.Fen(1)
	if target < 0 {
		way = -1
	}
	var candidates []L
	for _, l := range lines {
		if a := way * l.amount(); a > 0 && a < way*target && len(candidates) < p.candidates {
			candidates = append(candidates, l)
		}
	}
	slices.SortStableFunc(candidates, func(a, b L) int { return cmp.Compare(way*b.amount(), way*a.amount()) })
	amounts := make([]accounts.Fen, len(candidates))
	for i, l := range candidates {
		amounts[i] = way * l.amount()
	}
	left := alternatives
	sums(way*target, amounts, p.most, func(picked []int) bool {
		list := make([]L, len(picked))
		for i, n := range picked {
			list[i] = candidates[n]
		}
		if add(list) {
			left--
		}
		return left > 0
	})
}

// apart is how many days lie between.
func apart(a, b civil.Date) int {
	n := a.DaysSince(b)
	return max(n, -n)
}
