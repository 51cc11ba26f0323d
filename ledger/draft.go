package ledger

import (
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Facts are what the posting table needs to know of one event in one fund.
type Facts struct {
	Event   string
	Date    civil.Date
	Fund    string
	Run     string
	Regions map[string]string // the part a region plays (I, T, P, X) and its code
	Amounts map[string][]Part // by the names that the table's rules use
}

// Part is a share of an amount that goes to one counterparty and category.
type Part struct {
	Counterparty string
	Dimensions   // Run here overrides the run of the facts
	Amount       accounts.Fen
}

// Total is an amount in one part without counterparty or category.
func Total(amount accounts.Fen) []Part { return []Part{{Amount: amount}} }

// Draft writes the postings of an event in one fund by the posting table.
// Lines that come to zero are left out. An event without rules, or an amount
// or region that a rule needs and the facts lack, is an Internal error.
func Draft(rulebook *accounts.Rulebook, facts Facts) ([]Posting, error) {
	rules := rulebook.Postings.Event(facts.Event, facts.Date)
	if len(rules) == 0 {
		return nil, fault.New(fault.Internal, "the posting table has no event %q on %s", facts.Event, facts.Date)
	}
	postings := make([]Posting, 0, len(rules)+2)
	var book accounts.Book
	for i := range rules {
		rule := &rules[i]
		region, ok := facts.Regions[rule.Region]
		if !ok {
			return nil, fault.New(fault.Internal, "event %s needs the region of part %s", facts.Event, rule.Region)
		}
		if i == 0 || rule.Region != rules[i-1].Region || rule.Role != rules[i-1].Role {
			book = accounts.BookOf(region, rule.Role)
		}
		parts, ok := facts.Amounts[rule.Amount]
		if !ok {
			return nil, fault.New(fault.Internal, "event %s needs the amount %q", facts.Event, rule.Amount)
		}
		first := len(postings)
		for _, part := range parts {
			line := Posting{
				Account: accounts.Account{Book: book, Fund: facts.Fund, Subject: rule.Subject},
				Side:    rule.Side, Amount: part.Amount,
				Dimensions: Dimensions{Run: facts.Run},
			}
			if part.Run != "" {
				line.Run = part.Run
			}
			if rule.Red {
				line.Amount = -line.Amount
			}
			if rule.Detail {
				line.Category, line.Part, line.BenefitYear = part.Category, part.Part, part.BenefitYear
			}
			switch rule.Counterparty {
			case "":
			case "part":
				line.Account.Counterparty = part.Counterparty
			default:
				if line.Account.Counterparty, ok = facts.Regions[rule.Counterparty]; !ok {
					return nil, fault.New(fault.Internal, "event %s needs the region of part %s", facts.Event, rule.Counterparty)
				}
			}
			if base, byCategory := strings.CutSuffix(rule.Subject, "/category"); byCategory {
				subject, err := expenseSubject(rulebook, base, part, facts.Date)
				if err != nil {
					return nil, err
				}
				line.Account.Subject = subject
			}
			postings = merge(postings, first, line)
		}
	}
	kept := postings[:0]
	for _, p := range postings {
		if p.Amount != 0 {
			kept = append(kept, p)
		}
	}
	return kept, nil
}

// merge adds the line to an equal one of the same rule, or appends it.
func merge(postings []Posting, first int, line Posting) []Posting {
	for i := first; i < len(postings); i++ {
		p := &postings[i]
		if p.Account == line.Account && p.Dimensions == line.Dimensions {
			p.Amount += line.Amount
			return postings
		}
	}
	return append(postings, line)
}

func expenseSubject(book *accounts.Rulebook, base string, part Part, on civil.Date) (string, error) {
	list, code := accounts.MedicalType, part.Category
	if part.Part != "" {
		list, code = accounts.SettlementPart, part.Part
	}
	row, ok := book.Codes.Find(list, code, on)
	if !ok || !strings.HasPrefix(row.Expense, base+".") {
		return "", fault.New(fault.Internal, "no expense account under %s for %s %q on %s", base, list, code, on)
	}
	return row.Expense, nil
}
