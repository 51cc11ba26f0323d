package bank

import (
	"cmp"
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/paging"
	"fundledger/ledger"
)

// ProvinceItem is what we have with another province, as both keep it.
type ProvinceItem string

const (
	OurPrepayment   ProvinceItem = "our_prepayment"   // ours, lying with them: 1101.02
	TheirPrepayment ProvinceItem = "their_prepayment" // theirs, lying with us: 2001.01.03
	WeOwe           ProvinceItem = "we_owe"           // in our clearing runs and not paid: 9202.02
	TheyOwe         ProvinceItem = "they_owe"         // in our clearing runs and not paid: 9201.02
)

// provinceAccounts says where each item stands in the agency's book of our province.
var provinceAccounts = map[ProvinceItem]struct {
	subject string
	credit  bool
}{OurPrepayment: {"1101.02", false}, TheirPrepayment: {"2001.01.03", true}, WeOwe: {"9202.02", true}, TheyOwe: {"9201.02", false}}

// ProvinceStatement is the statement of another province: their view of what they
// have with us. Amounts increase the item when they are positive.
type ProvinceStatement struct {
	Province string
	From, To civil.Date
	Accounts []*provinceAccount
}

type provinceAccount struct {
	Item             ProvinceItem
	Fund             string
	Opening, Closing accounts.Fen
	Movements        []TheirMovement
	opened, closed   int // line
}

// TheirMovement is a line of their statement.
type TheirMovement struct {
	Line      int          `json:"line"` // of the file
	Date      civil.Date   `json:"date"`
	Reference string       `json:"reference,omitempty"`
	Amount    accounts.Fen `json:"amount"`
	Remark    string       `json:"remark,omitempty"`
}

// ProvinceColumns are the columns of a province's statement.
func ProvinceColumns() []string {
	return []string{"item", "fund", "row", "date", "reference", "amount", "remark"}
}

// ReadProvince reads a province's statement: lines "#province CODE", "#from DATE"
// and "#to DATE", then rows divided by TAB or comma, for each item and fund one row
// "opening", any "movement" and one "closing", which must tie. Errors: Invalid, each
// fault as file:line:field.
func ReadProvince(book *accounts.Rulebook, file string, content []byte) (*ProvinceStatement, error) {
	content, err := unpacked(file, content)
	if err != nil {
		return nil, err
	}
	in, err := readSheet(file, content, ProvinceColumns(), nil)
	if err != nil {
		return nil, err
	}
	s := &ProvinceStatement{}
	var line int
	if s.Province, line = in.head("province", true); s.Province != "" {
		if r, _ := book.Regions.Find(s.Province); r.Kind != accounts.Counterparty {
			in.fail(line, "#province", "%s is no other province", s.Province)
		}
	}
	if text, line := in.head("from", true); text != "" {
		s.From = in.date(line, "#from", text)
	}
	if text, line := in.head("to", true); text != "" {
		if s.To = in.date(line, "#to", text); s.To.Before(s.From) {
			in.fail(line, "#to", "%s lies before %s", s.To, s.From)
		}
	}
	for i := range in.rows {
		s.row(book, &in.rows[i])
	}
	for _, a := range s.Accounts {
		switch sum := a.sum(); {
		case a.opened == 0 || a.closed == 0:
			in.fail(max(a.opened, a.closed, 1), "row", "%s of fund %s needs one opening and one closing row", a.Item, a.Fund)
		case sum != a.Closing:
			in.fail(a.closed, "amount", "opening %s and movements come to %s, %s of fund %s closes with %s: %s too much", a.Opening, sum, a.Item, a.Fund, a.Closing, a.Closing-sum)
		}
	}
	return s, in.err()
}

func (a *provinceAccount) sum() accounts.Fen {
	sum := a.Opening
	for _, m := range a.Movements {
		sum += m.Amount
	}
	return sum
}

func (s *ProvinceStatement) row(book *accounts.Rulebook, r *sheetRow) {
	item, fund := ProvinceItem(r.text("item")), r.text("fund")
	if _, ok := provinceAccounts[item]; !ok {
		r.fail(r.line, "item", "%q is none of our_prepayment, their_prepayment, we_owe, they_owe", item)
	}
	if !slices.ContainsFunc(book.Funds, func(f accounts.Fund) bool { return f.Code == fund }) {
		r.fail(r.line, "fund", "there is no fund %q", fund)
	}
	i := slices.IndexFunc(s.Accounts, func(a *provinceAccount) bool { return a.Item == item && a.Fund == fund })
	if i < 0 {
		i = len(s.Accounts)
		s.Accounts = append(s.Accounts, &provinceAccount{Item: item, Fund: fund})
	}
	a, amount := s.Accounts[i], r.amount(r.line, "amount", r.fields["amount"])
	switch row := r.text("row"); row {
	case "opening", "closing":
		at, value := &a.opened, &a.Opening
		if row == "closing" {
			at, value = &a.closed, &a.Closing
		}
		if *at != 0 {
			r.fail(r.line, "row", "%s stands in line %d already", row, *at)
		}
		*at, *value = r.line, amount
	case "movement":
		m := TheirMovement{Line: r.line, Date: r.date(r.line, "date", r.fields["date"]), Reference: r.fields["reference"], Amount: amount, Remark: r.fields["remark"]}
		if m.Date.Before(s.From) || m.Date.After(s.To) {
			r.fail(r.line, "date", "%s lies outside the statement of %s to %s", m.Date, s.From, s.To)
		}
		a.Movements = append(a.Movements, m)
	default:
		r.fail(r.line, "row", "%q is none of opening, movement, closing", row)
	}
}

// ProvinceComparison is our books against the statement of another province.
type ProvinceComparison struct {
	Province     string            `json:"province"`
	ProvinceName string            `json:"province_name"`
	From         civil.Date        `json:"from"`
	To           civil.Date        `json:"to"`
	Position     ledger.Position   `json:"position"` // of the journal, as seen
	Accounts     []ComparedAccount `json:"accounts"`
}

// ComparedAccount is one item and fund. What differs at the end is what differed
// at the begin and the differences since.
type ComparedAccount struct {
	Item         ProvinceItem         `json:"item"`
	Fund         string               `json:"fund"`
	Account      accounts.Account     `json:"account"` // ours
	OurOpening   accounts.Fen         `json:"our_opening"`
	TheirOpening accounts.Fen         `json:"their_opening"`
	OurClosing   accounts.Fen         `json:"our_closing"`
	TheirClosing accounts.Fen         `json:"their_closing"`
	Difference   accounts.Fen         `json:"difference"` // of the closing balances, ours less theirs
	Differences  []ProvinceDifference `json:"differences"`
}

// ProvinceDifference is something that one side has and the other has not, or with
// another amount under one reference.
type ProvinceDifference struct {
	Ours   *OurMovement   `json:"ours,omitempty"`
	Theirs *TheirMovement `json:"theirs,omitempty"`
	Amount accounts.Fen   `json:"amount"` // ours less theirs
	Age    int            `json:"age"`    // days up to the end of the statement
}

// OurMovement is what an entry has moved.
type OurMovement struct {
	Entry    uuid.UUID       `json:"entry"`
	Position ledger.Position `json:"position"`
	Date     civil.Date      `json:"date"`
	Kind     string          `json:"kind"`
	Summary  string          `json:"summary"`
	Source   string          `json:"source,omitempty"`
	Amount   accounts.Fen    `json:"amount"`

	references []string
}

const provinceDays = "bank.province_days"

// CompareProvince compares our books with the statement of another province. What
// both have is found by reference, then by amount on near days (policy
// bank.province_days). Items that we have and they do not name are compared with
// nothing. Errors: NotFound (the journal is shorter, the policy has no value).
func (d *Desk) CompareProvince(ctx context.Context, s *ProvinceStatement, atLeast ledger.Position) (*ProvinceComparison, error) {
	days, err := d.book.Policy.Int(provinceDays, s.To)
	if err != nil {
		return nil, err
	}
	if _, err := d.journal.CatchUp(ctx); err != nil {
		return nil, err
	}
	home := accounts.BookOf(d.book.Regions.Home().Code, accounts.Agency)
	balances, position, err := d.journal.Balances(ctx, ledger.Filter{Book: home, Counterparty: s.Province}, ledger.AsOf{AtLeast: atLeast})
	if err != nil {
		return nil, err
	}
	region, _ := d.book.Regions.Find(s.Province)
	made := &ProvinceComparison{Province: s.Province, ProvinceName: region.Name, From: s.From, To: s.To, Position: position, Accounts: []ComparedAccount{}}
	theirs := slices.Clone(s.Accounts)
	for _, b := range balances { // what they do not name
		for item, at := range provinceAccounts {
			if b.Account.Subject == at.subject && !slices.ContainsFunc(theirs, func(a *provinceAccount) bool { return a.Item == item && a.Fund == b.Account.Fund }) {
				theirs = append(theirs, &provinceAccount{Item: item, Fund: b.Account.Fund})
			}
		}
	}
	slices.SortFunc(theirs, func(a, b *provinceAccount) int {
		return cmp.Or(cmp.Compare(provinceAccounts[a.Item].subject, provinceAccounts[b.Item].subject), cmp.Compare(a.Fund, b.Fund))
	})
	for _, a := range theirs {
		compared := ComparedAccount{Item: a.Item, Fund: a.Fund, TheirOpening: a.Opening, TheirClosing: a.Closing, Differences: []ProvinceDifference{},
			Account: accounts.Account{Book: home, Fund: a.Fund, Subject: provinceAccounts[a.Item].subject, Counterparty: s.Province}}
		ours, err := d.ourMovements(ctx, &compared, s, position)
		if err != nil {
			return nil, err
		}
		compared.Differences = append(compared.Differences, differ(ours, a.Movements, days, s.To)...)
		compared.Difference = compared.OurClosing - compared.TheirClosing
		if a.opened != 0 || compared.OurClosing != 0 || len(compared.Differences) > 0 {
			made.Accounts = append(made.Accounts, compared)
		}
	}
	return made, nil
}

// ourMovements reads what entries have moved between the days, and the balances
// before and after.
func (d *Desk) ourMovements(ctx context.Context, c *ComparedAccount, s *ProvinceStatement, until ledger.Position) (ours []OurMovement, err error) {
	query := ledger.StatementQuery{To: s.To, Until: until, PageSize: paging.Largest}
	for until != 0 {
		page, err := d.journal.Statement(ctx, c.Account, query)
		if err != nil {
			return nil, err
		}
		for _, l := range page.Lines {
			amount := l.Amount
			if (l.Side == accounts.Credit) != provinceAccounts[c.Item].credit {
				amount = -amount
			}
			c.OurClosing += amount
			if l.Date.Before(s.From) {
				c.OurOpening += amount
				continue
			}
			i := slices.IndexFunc(ours, func(m OurMovement) bool { return m.Entry == l.Entry })
			if i < 0 {
				i = len(ours)
				ours = append(ours, OurMovement{Entry: l.Entry, Position: l.Position, Date: l.Date, Kind: l.Kind, Summary: l.Summary, Source: l.Source,
					references: numbersIn(l.Source, l.Source, l.Key)})
			}
			ours[i].Amount += amount
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			break
		}
	}
	return ours, nil
}

// differ finds what both sides have, and lists the rest by date.
func differ(ours []OurMovement, theirs []TheirMovement, days int, to civil.Date) (list []ProvinceDifference) {
	taken := make([]bool, len(theirs))
	partner := make([]int, len(ours))
	pair := func(fits func(*OurMovement, *TheirMovement) bool) {
		for i := range ours {
			for j := range theirs {
				if partner[i] == 0 && !taken[j] && fits(&ours[i], &theirs[j]) {
					partner[i], taken[j] = j+1, true
				}
			}
		}
	}
	named := func(o *OurMovement, t *TheirMovement) bool {
		return slices.ContainsFunc(numbersIn(t.Remark+" "+t.Reference, t.Reference), func(r string) bool { return slices.Contains(o.references, r) })
	}
	pair(func(o *OurMovement, t *TheirMovement) bool { return o.Amount == t.Amount && named(o, t) })
	pair(func(o *OurMovement, t *TheirMovement) bool {
		return o.Amount == t.Amount && apart(o.Date, t.Date) <= days
	})
	pair(named) // one reference and two amounts
	for i := range ours {
		o := &ours[i]
		switch j := partner[i] - 1; {
		case o.Amount == 0:
		case j < 0:
			list = append(list, ProvinceDifference{Ours: o, Amount: o.Amount, Age: to.DaysSince(o.Date)})
		case o.Amount != theirs[j].Amount:
			list = append(list, ProvinceDifference{Ours: o, Theirs: &theirs[j], Amount: o.Amount - theirs[j].Amount, Age: to.DaysSince(o.Date)})
		}
	}
	for j := range theirs {
		if !taken[j] {
			list = append(list, ProvinceDifference{Theirs: &theirs[j], Amount: -theirs[j].Amount, Age: to.DaysSince(theirs[j].Date)})
		}
	}
	slices.SortStableFunc(list, func(a, b ProvinceDifference) int { return cmp.Compare(b.Age, a.Age) })
	return list
}
