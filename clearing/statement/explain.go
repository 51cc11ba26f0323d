package statement

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger"
)

// Explanation asks for the lines of entries behind a figure.
type Explanation struct {
	Query
	// Statement is the statement of the figure; empty for a 科目余额表, of which
	// Line is the subject and the figure its turnover.
	Statement accounts.StatementKind
	Line      string
	PageSize  int // at most 1000; 0 means 100
	PageToken string
}

// ExplainedLine is a line of an entry and what it adds to the figure.
type ExplainedLine struct {
	Account accounts.Account `json:"account"`
	ledger.Line
	Adds accounts.Fen `json:"adds"`
}

// Explained is a page of what a figure is made of.
type Explained struct {
	Title         string          `json:"title"`
	Position      ledger.Position `json:"position"`
	Lines         []ExplainedLine `json:"lines"` // by account, each in journal order
	NextPageToken string          `json:"next_page_token,omitempty"`
}

// part is an account that adds to a figure, with the periods of its lines.
type part struct {
	account  accounts.Account
	from, to accounts.Month
	sign     accounts.Fen // of a debit
	takes    func(entry uuid.UUID) bool
}

func (p part) adds(l ledger.Line) accounts.Fen {
	if l.Side == accounts.Credit {
		return -p.sign * l.Amount
	}
	return p.sign * l.Amount
}

// Explain follows a figure to its lines: what is in 收支表 to lines of its periods,
// without what closed the year, what stands in 资产负债表 to every line until
// then. The sum of what the lines add is the figure. All pages show the state of
// the first one. Errors: as of BalanceSheet, and NotFound for a line that the
// statement does not have.
func (s *Statements) Explain(ctx context.Context, e Explanation) (*Explained, error) {
	size, err := paging.Size(e.PageSize, "lines")
	if err != nil {
		return nil, err
	}
	from := explainToken{}
	if e.PageToken != "" {
		if from, err = parseExplainToken(e.PageToken); err != nil {
			return nil, err
		}
		e.AsOf = ledger.AsOf{Position: from.at}
	}
	if err := s.check(e.Query); err != nil {
		return nil, err
	}
	if e.Statement == accounts.BalanceSheet {
		e.From = january(e.To)
	}
	m, err := s.movement(ctx, e.Query)
	if err != nil {
		return nil, err
	}
	made := &Explained{Position: m.position, Lines: []ExplainedLine{}}
	parts, title, err := s.parts(e, m)
	if made.Title = title; err != nil {
		return nil, err
	}
	for i := from.part; i < len(parts); i++ {
		p := parts[i]
		query := ledger.StatementQuery{FromPeriod: p.from, ToPeriod: p.to, Until: m.position, PageToken: from.line}
		for more := true; more; more = query.PageToken != "" {
			if query.PageSize = size - len(made.Lines); query.PageSize == 0 {
				made.NextPageToken = explainToken{m.position, i, query.PageToken}.String()
				return made, nil
			}
			page, err := s.journal.Statement(ctx, p.account, query)
			if err != nil {
				return nil, err
			}
			for _, l := range page.Lines {
				if p.takes(l.Entry) {
					made.Lines = append(made.Lines, ExplainedLine{p.account, l, p.adds(l)})
				}
			}
			query.PageToken = page.NextPageToken
		}
		from.line = ""
	}
	return made, nil
}

// parts finds the accounts that the figure is made of, in order.
func (s *Statements) parts(e Explanation, m *movement) (parts []part, title string, err error) {
	if e.Statement == "" {
		for _, t := range m.moves {
			if covers(e.Line, t.Account.Subject) && e.Line != "" {
				parts = append(parts, part{t.Account, e.From, e.To, 1, m.moved})
			}
		}
		if parts == nil {
			err = s.noLine(e)
		}
		return parts, s.name(e.Book.Role(), e.Line), err
	}
	layout, err := s.layout(e.Statement, e.Query)
	if err != nil {
		return nil, "", err
	}
	row, ok := layout.Find(e.Line)
	if !ok || row.Section == accounts.Tie {
		return nil, "", s.noLine(e)
	}
	signs := map[string]accounts.Fen{}
	spread(layout, row, 1, signs)
	for _, t := range m.moves {
		for _, sections := range [][]accounts.Section{{accounts.Asset, accounts.Liability, accounts.NetAssets}, {accounts.Income, accounts.Expense}, {accounts.Opening}, {accounts.Ending}} {
			if of, ok := layout.Of(t.Account.Subject, sections...); ok && signs[of.Line] != 0 {
				parts = append(parts, m.partsOf(e.Query, t.Account, of.Section, signs[of.Line])...)
			}
		}
	}
	return parts, row.Title, nil
}

func (s *Statements) noLine(e Explanation) error {
	return fault.New(fault.NotFound, "there is no line %q in the statement of %s, fund %s", e.Line, e.Book, e.Fund).With("line", e.Line)
}

// spread finds the lines that have accounts and that a line is a sum of.
func spread(layout accounts.Layout, row accounts.StatementLine, sign accounts.Fen, signs map[string]accounts.Fen) {
	terms := row.Terms()
	if terms == nil {
		signs[row.Line] += sign
	}
	for _, term := range terms {
		if of, ok := layout.Find(term.Line); ok {
			spread(layout, of, sign*term.Sign, signs)
		}
	}
}

// partsOf says which lines of an account add to a line of the section.
func (m *movement) partsOf(q Query, account accounts.Account, section accounts.Section, sign accounts.Fen) []part {
	all := func(uuid.UUID) bool { return true }
	switch section {
	case accounts.Asset:
		return []part{{account, "", q.To, sign, all}}
	case accounts.Liability, accounts.NetAssets:
		return []part{{account, "", q.To, -sign, all}}
	case accounts.Ending:
		return []part{{account, "", q.To, -sign, func(id uuid.UUID) bool { return !m.closings[id] }}}
	case accounts.Opening:
		parts := []part{{account, "", q.From.Add(-1), -sign, all}}
		if m.opened != "" {
			parts = append(parts, part{account, m.opened, m.opened, -sign, func(id uuid.UUID) bool { return !m.moved(id) }})
		}
		return parts
	case accounts.Income:
		sign = -sign
	}
	return []part{{account, q.From, q.To, sign, func(id uuid.UUID) bool { return m.moved(id) && !m.closings[id] }}}
}

// explainToken is where the pages have come to.
type explainToken struct {
	at   ledger.Position
	part int
	line string // token of the account's statement
}

func (t explainToken) String() string {
	return strconv.FormatInt(int64(t.at), 10) + ":" + strconv.Itoa(t.part) + ":" + t.line
}

func parseExplainToken(text string) (t explainToken, err error) {
	cells := strings.Split(text, ":")
	if len(cells) != 3 {
		return t, paging.BadToken(text, "an explanation")
	}
	at, err := strconv.ParseInt(cells[0], 10, 64)
	number, err2 := strconv.Atoi(cells[1])
	if err != nil || err2 != nil || at < 1 || number < 0 {
		return t, paging.BadToken(text, "an explanation")
	}
	return explainToken{ledger.Position(at), number, cells[2]}, nil
}
