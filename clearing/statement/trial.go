package statement

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// TrialRow is a subject of a 科目余额表. What stands on it is shown on the side
// on which it stands: one of the two opening amounts is 0.00, and one of the
// closing ones. Turnover keeps its sides, red letters negative.
type TrialRow struct {
	Subject       string         `json:"subject"`
	Name          string         `json:"name"`
	Level         int            `json:"level"` // 1 for a heading without one above it
	Layer         accounts.Layer `json:"layer"`
	OpeningDebit  accounts.Fen   `json:"opening_debit"`
	OpeningCredit accounts.Fen   `json:"opening_credit"`
	Debit         accounts.Fen   `json:"debit"`
	Credit        accounts.Fen   `json:"credit"`
	ClosingDebit  accounts.Fen   `json:"closing_debit"`
	ClosingCredit accounts.Fen   `json:"closing_credit"`
}

// TrialBalance (科目余额表) lists the subjects of a book and fund with each
// heading before what it sums, and a total for each layer over its highest
// headings.
type TrialBalance struct {
	Book     accounts.Book   `json:"book"`
	Fund     string          `json:"fund"`
	From     accounts.Month  `json:"from"`
	To       accounts.Month  `json:"to"`
	Position ledger.Position `json:"position"`
	Rows     []TrialRow      `json:"rows"`
	Totals   []TrialRow      `json:"totals"` // by layer
}

// Err is a Precondition error where a layer does not sum to zero, or nil.
func (t *TrialBalance) Err() error {
	for _, row := range t.Totals {
		for _, sides := range [][2]accounts.Fen{{row.OpeningDebit, row.OpeningCredit}, {row.Debit, row.Credit}, {row.ClosingDebit, row.ClosingCredit}} {
			if sides[0] != sides[1] {
				return fault.New(fault.Precondition, "the %s layer of %s, fund %s does not balance from %s to %s: debits of %s, credits of %s",
					row.Layer, t.Book, t.Fund, t.From, t.To, sides[0], sides[1]).With("difference", (sides[0] - sides[1]).String())
			}
		}
	}
	return nil
}

// TrialBalance makes the 科目余额表 of the query's periods, both layers. With
// beforeClosing it leaves out what closed the year (结转前). Errors as of BalanceSheet.
func (s *Statements) TrialBalance(ctx context.Context, q Query, beforeClosing bool) (*TrialBalance, error) {
	m, err := s.movement(ctx, q)
	if err != nil {
		return nil, err
	}
	moves := m.moves
	if beforeClosing {
		moves = m.before()
	}
	made := &TrialBalance{Book: q.Book, Fund: q.Fund, From: q.From, To: q.To, Position: m.position, Rows: []TrialRow{}, Totals: []TrialRow{}}
	sums := map[string]*ledger.Turnover{}
	for _, t := range moves {
		for code := t.Account.Subject; code != ""; {
			if sums[code] == nil {
				sums[code] = &ledger.Turnover{Account: accounts.Account{Book: q.Book, Fund: q.Fund, Subject: code}}
			}
			add(sums[code], t)
			code = code[:max(strings.LastIndexByte(code, '.'), 0)]
		}
	}
	totals := map[accounts.Layer]*TrialRow{}
	for code, t := range sums {
		if *t == (ledger.Turnover{Account: t.Account}) {
			continue
		}
		row := TrialRow{
			Subject: code, Name: s.name(q.Book.Role(), code), Level: 1 + strings.Count(code, "."), Layer: s.layer(t.Account, q.To),
			Debit: t.Debit, Credit: t.Credit,
		}
		row.OpeningDebit, row.OpeningCredit = sides(t.Opening())
		row.ClosingDebit, row.ClosingCredit = sides(t.Closing())
		made.Rows = append(made.Rows, row)
		if row.Level > 1 {
			continue
		}
		total := totals[row.Layer]
		if total == nil {
			total = &TrialRow{Name: "合计", Layer: row.Layer}
			totals[row.Layer] = total
		}
		total.OpeningDebit, total.OpeningCredit = total.OpeningDebit+row.OpeningDebit, total.OpeningCredit+row.OpeningCredit
		total.Debit, total.Credit = total.Debit+row.Debit, total.Credit+row.Credit
		total.ClosingDebit, total.ClosingCredit = total.ClosingDebit+row.ClosingDebit, total.ClosingCredit+row.ClosingCredit
	}
	slices.SortFunc(made.Rows, func(a, b TrialRow) int { return cmp.Compare(a.Subject, b.Subject) })
	for _, layer := range []accounts.Layer{accounts.Cash, accounts.Obligation} {
		if total := totals[layer]; total != nil {
			made.Totals = append(made.Totals, *total)
		}
	}
	return made, nil
}

func add(sum *ledger.Turnover, t ledger.Turnover) {
	sum.OpeningDebit, sum.OpeningCredit = sum.OpeningDebit+t.OpeningDebit, sum.OpeningCredit+t.OpeningCredit
	sum.Debit, sum.Credit = sum.Debit+t.Debit, sum.Credit+t.Credit
}

// sides shows what stands, debits less credits, on the side where it stands.
func sides(balance accounts.Fen) (debit, credit accounts.Fen) {
	return max(balance, 0), max(-balance, 0)
}

// name is that of the subject in the newest chart.
func (s *Statements) name(role accounts.Role, code string) (name string) {
	for _, subject := range s.book.Chart.Subjects() {
		if subject.Role == role && subject.Code == code {
			name = subject.Name
		}
	}
	return name
}
