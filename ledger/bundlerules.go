package ledger

import (
	"math"
	"slices"
	"sync"

	"fundledger/accounts"
)

// bundleRules are what workers share: the rules of a bundle, and numbers for
// the accounts, books, floors and balancing sums that its entries name.
type bundleRules struct {
	chart  accounts.Chart
	opened map[accounts.Book]int                   // month number
	shut   map[accounts.Book]map[int][]PeriodEvent // by month number, of months that were ever closed

	mu       sync.Mutex
	accounts map[string]*knownAccount
	books    map[accounts.Book]*knownBook
	floors   map[string]int32
	floorKey []string
	sums     map[layerSum]int32
	sumOf    []layerSum // with sum 0
}

// knownAccount is an account that an entry names; it does not change.
type knownAccount struct {
	id     int
	name   string
	valid  bool
	book   *knownBook
	rules  []accountRule
	absent int32 // the sum of lines on days on which the chart lacks the subject
}

type knownBook struct {
	id     uint32
	name   string
	opened int // month number, beyond all months where the book was never opened
	shut   map[int][]PeriodEvent
}

// accountRule is what one row of the chart means to one account.
type accountRule struct {
	from, to   int // day numbers, to exclusive
	cash       bool
	postable   bool
	sum        int32 // of book, fund and layer
	own, group int32 // floors, none where negative
	ownSign    int64 // of a debit in the own floor
}

func newBundleRules(h bundleHeader) *bundleRules {
	return &bundleRules{
		chart: accounts.NewChart(h.Subjects), opened: map[accounts.Book]int{}, shut: map[accounts.Book]map[int][]PeriodEvent{},
		accounts: map[string]*knownAccount{}, books: map[accounts.Book]*knownBook{}, floors: map[string]int32{}, sums: map[layerSum]int32{},
	}
}

// period adds a month of a book, before any entry is checked.
func (r *bundleRules) period(h *monthHistory) {
	month, ok := monthNumber([]byte(h.month))
	if !ok {
		return
	}
	if before, ok := r.opened[h.book]; h.state != "" && (!ok || month < before) {
		r.opened[h.book] = month
	}
	if slices.ContainsFunc(h.events, func(e PeriodEvent) bool { return e.State == PeriodShut }) {
		if r.shut[h.book] == nil {
			r.shut[h.book] = map[int][]PeriodEvent{}
		}
		r.shut[h.book][month] = h.events
	}
}

// account returns the account of the name.
func (r *bundleRules) account(name []byte) *knownAccount {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.accounts[string(name)]; a != nil {
		return a
	}
	a := &knownAccount{id: len(r.accounts), name: string(name)}
	r.accounts[a.name] = a
	account, err := accounts.ParseAccount(a.name)
	a.valid = err == nil
	a.book = r.book(account.Book)
	a.absent = r.sum(account, "")
	for _, s := range r.chart.Subjects() {
		if s.Role == account.Book.Role() && s.Code == account.Subject {
			a.rules = append(a.rules, r.rule(a, account, s))
		}
	}
	return a
}

func (r *bundleRules) rule(a *knownAccount, account accounts.Account, s accounts.Subject) accountRule {
	rule := accountRule{
		from: dayOf(s.From.Year, int(s.From.Month), s.From.Day), to: math.MaxInt,
		cash: s.Layer == accounts.Cash, postable: s.Postable, sum: r.sum(account, s.Layer), own: -1, group: -1, ownSign: 1,
	}
	if !s.To.IsZero() {
		rule.to = dayOf(s.To.Year, int(s.To.Month), s.To.Day)
	}
	effects := subjectFloors(nil, &s, &Posting{Account: account, Side: accounts.Debit, Amount: 1}, a.name)
	for _, x := range effects {
		if x.key == a.name {
			rule.own, rule.ownSign = r.floor(x.key), int64(x.amount)
		} else {
			rule.group = r.floor(x.key)
		}
	}
	return rule
}

func (r *bundleRules) book(name accounts.Book) *knownBook {
	b := r.books[name]
	if b == nil {
		b = &knownBook{id: uint32(len(r.books)), name: string(name), opened: math.MaxInt, shut: r.shut[name]}
		if month, ok := r.opened[name]; ok {
			b.opened = month
		}
		r.books[name] = b
	}
	return b
}

func (r *bundleRules) floor(key string) int32 {
	id, ok := r.floors[key]
	if !ok {
		id = int32(len(r.floorKey))
		r.floors[key], r.floorKey = id, append(r.floorKey, key)
	}
	return id
}

func (r *bundleRules) sum(account accounts.Account, layer accounts.Layer) int32 {
	key := layerSum{book: account.Book, fund: account.Fund, layer: layer}
	id, ok := r.sums[key]
	if !ok {
		id = int32(len(r.sumOf))
		r.sums[key], r.sumOf = id, append(r.sumOf, key)
	}
	return id
}

// sumAt and floorAt are for messages while other workers add to the tables.
func (r *bundleRules) sumAt(id int32) layerSum {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sumOf[id]
}

func (r *bundleRules) floorAt(id int32) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.floorKey[id]
}

// on returns the rule of the day, or nil.
func (a *knownAccount) on(day int) *accountRule {
	for i := range a.rules {
		if r := &a.rules[i]; day >= r.from && day < r.to {
			return r
		}
	}
	return nil
}
