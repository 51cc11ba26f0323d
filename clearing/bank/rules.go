package bank

import (
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Form is how many lines of the books stand for how many of a statement.
type Form string

const (
	OneToOne   Form = "one_to_one"
	ManyToOne  Form = "many_to_one" // several of the books, one of the statement
	OneToMany  Form = "one_to_many" // one of the books, several of the statement
	BookOffset Form = "book_offset" // two of the books take each other back
	BankOffset Form = "bank_offset" // two of the statement take each other back
)

// Tie is what lines must have in common beside the amount.
type Tie string

const (
	ByReference  Tie = "reference"  // a reference
	ByCorrection Tie = "correction" // one entry corrects the other
	ByAmount     Tie = "amount"     // nothing
)

// Rule is a rule of matching, a row of the policy: "MODE FORM TIE DAYS".
type Rule struct {
	Name      string `json:"rule"` // key of the policy
	Automatic bool   `json:"automatic"`
	Form      Form   `json:"form"`
	Tie       Tie    `json:"tie"`
	Days      int    `json:"days"` // that the lines may lie apart
}

// byHand names the rule of a match that a person has put together.
const byHand = "hand"

const (
	matchRules       = "bank.match."
	searchLines      = "bank.search.lines"
	searchCandidates = "bank.search.candidates"
	unexplainedDays  = "bank.unexplained_days"
)

// matching are the rules of a day.
type matching struct {
	rules []Rule // in order of name
	// Most lines of a sum, and most candidates among which it is searched for.
	most, candidates int
}

// matchingOn reads the rules that hold on the day.
func matchingOn(policy accounts.Policy, on civil.Date) (*matching, error) {
	m := &matching{}
	for _, p := range policy {
		if !strings.HasPrefix(p.Key, matchRules) || !p.On(on) {
			continue
		}
		r, err := ruleOf(p.Key, p.Value)
		if err != nil {
			return nil, err
		}
		m.rules = append(m.rules, r)
	}
	slices.SortFunc(m.rules, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	var err error
	if m.most, err = policy.Int(searchLines, on); err != nil {
		return nil, err
	}
	m.candidates, err = policy.Int(searchCandidates, on)
	return m, err
}

func ruleOf(key, value string) (Rule, error) {
	words := strings.Fields(value)
	bad := fault.New(fault.Invalid, "policy %s is %q: write MODE FORM TIE DAYS, such as automatic one_to_one reference 10", key, value)
	if len(words) != 4 {
		return Rule{}, bad
	}
	days, err := strconv.Atoi(words[3])
	r := Rule{Name: key, Automatic: words[0] == "automatic", Form: Form(words[1]), Tie: Tie(words[2]), Days: days}
	ties := map[Form][]Tie{
		OneToOne: {ByReference, ByAmount}, ManyToOne: {ByReference, ByAmount}, OneToMany: {ByReference, ByAmount},
		BookOffset: {ByCorrection}, BankOffset: {ByReference},
	}
	if err != nil || days < 0 || !r.Automatic && words[0] != "suggest" || !slices.Contains(ties[r.Form], r.Tie) {
		return Rule{}, bad
	}
	if r.Automatic && r.Tie == ByAmount {
		return Rule{}, fault.New(fault.Invalid, "policy %s is %q: what ties by the amount alone is only suggested", key, value)
	}
	return r, nil
}
