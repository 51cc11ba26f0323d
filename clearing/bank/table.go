package bank

import (
	"context"
	"fmt"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/bank/internal/db"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// Kind is one of the four kinds of 未达账项.
type Kind string

const (
	BookIn  Kind = "book_in_not_bank"  // 企业已收银行未收
	BookOut Kind = "book_out_not_bank" // 企业已付银行未付
	BankIn  Kind = "bank_in_not_book"  // 银行已收企业未收
	BankOut Kind = "bank_out_not_book" // 银行已付企业未付
)

// Kinds are all kinds, in the order of the table.
func Kinds() []Kind { return []Kind{BookIn, BookOut, BankIn, BankOut} }

// Item is a 未达账项: a line that the other side does not have by the day.
type Item struct {
	Kind   Kind         `json:"kind"`
	Date   civil.Date   `json:"date"`
	Amount accounts.Fen `json:"amount"` // not negative
	Age    int          `json:"age"`    // days since, up to the day of the table
	// Alert: a line of the statement that has stayed without one of the books for as
	// long as the policy allows (bank.unexplained_days).
	Alert bool `json:"alert,omitempty"`

	Serial  string           `json:"serial,omitempty"` // of the statement
	Posting *PostingID       `json:"posting,omitempty"`
	Book    accounts.Account `json:"account,omitzero"` // of the books
	Text    string           `json:"text,omitempty"`   // summary, or remark and counterparty
	Source  string           `json:"source,omitempty"` // document, or reference
	// Match that the line stands in with lines behind the day.
	Match uuid.NullUUID `json:"match,omitzero"`
}

// Table is the 银行存款余额调节表 of a bank account at the end of a day. It is a
// proof and never a basis for posting.
type Table struct {
	Account  Account         `json:"account"`
	Day      civil.Date      `json:"day"`
	Position ledger.Position `json:"position"` // of the journal, as seen

	Book      accounts.Fen `json:"book_balance"`
	Statement accounts.Fen `json:"statement_balance"`
	Funds     []FundPart   `json:"funds"` // what the book balance is made of
	Items     []Item       `json:"items"` // by kind and date
	// Sums of each kind.
	BookIn  accounts.Fen `json:"book_in_not_bank"`
	BookOut accounts.Fen `json:"book_out_not_bank"`
	BankIn  accounts.Fen `json:"bank_in_not_book"`
	BankOut accounts.Fen `json:"bank_out_not_book"`

	AdjustedBook      accounts.Fen `json:"adjusted_book_balance"`      // with what the bank alone has
	AdjustedStatement accounts.Fen `json:"adjusted_statement_balance"` // with what the books alone have
	Difference        accounts.Fen `json:"difference"`                 // of the adjusted balances, 0.00 when they tie
	Causes            []Cause      `json:"causes,omitempty"`           // that come to the difference
}

// Ties tells whether the adjusted balances agree.
func (t *Table) Ties() bool { return t.Difference == 0 && len(t.Causes) == 0 }

// FundPart is the balance of one account of the books.
type FundPart struct {
	Account accounts.Account `json:"account"`
	Balance accounts.Fen     `json:"balance"`
}

// Cause is something that does not tie.
type Cause struct {
	Amount accounts.Fen `json:"amount"` // of the difference
	Text   string       `json:"text"`
}

// Reconcile makes the table of a bank account and day, with the journal as it
// stands at a position, at least the given one. What the lines stand for is what
// is matched now; a match counts as far as its lines lie up to the day. Lines of
// the books before the first statement are taken to be in its opening balance,
// unless they are matched. Errors: NotFound (no such bank account on the day, or the
// journal is shorter), Precondition (no statement has the day).
func (d *Desk) Reconcile(ctx context.Context, number string, day civil.Date, atLeast ledger.Position) (*Table, error) {
	v, err := d.look(ctx, number, day, atLeast)
	if err != nil {
		return nil, err
	}
	patience, err := d.book.Policy.Int(unexplainedDays, day)
	if err != nil {
		return nil, err
	}
	err = d.store.Snapshot(ctx, func(tx pgx.Tx) error { return v.open(ctx, db.New(tx)) })
	if err != nil {
		return nil, err
	}
	return v.table(patience)
}

func (v *view) table(patience int) (*Table, error) {
	of := covering(v.statements, v.day)
	if of == nil {
		return nil, v.uncovered()
	}
	t := &Table{Account: *v.account, Day: v.day, Position: v.position, Statement: of.Opening, Funds: []FundPart{}, Items: []Item{}}
	for _, b := range v.account.Backs {
		t.Funds = append(t.Funds, FundPart{Account: v.account.account(b)})
	}
	for i := range v.books {
		t.Book += v.books[i].Amount
		for j := range t.Funds {
			if t.Funds[j].Account == v.books[i].Account {
				t.Funds[j].Balance += v.books[i].Amount
			}
		}
	}
	for i := range v.lines {
		if l := &v.lines[i]; !l.Date.Before(of.From) {
			t.Statement += l.Signed()
		}
	}
	v.causes(t)
	v.list(t, patience)
	t.AdjustedBook = t.Book + t.BankIn - t.BankOut
	t.AdjustedStatement = t.Statement + t.BookIn - t.BookOut
	t.Difference = t.AdjustedBook - t.AdjustedStatement
	explained := accounts.Fen(0)
	for _, c := range t.Causes {
		explained += c.Amount
	}
	if explained != t.Difference {
		return nil, fault.New(fault.Internal, "the table of %s on %s differs by %s, of which %s is explained", v.account.Number, v.day, t.Difference, explained)
	}
	return t, nil
}

func (v *view) uncovered() error {
	last := civil.Date{}
	for i := range v.statements {
		if to := v.statements[i].To; to.Before(v.day) && to.After(last) {
			last = to
		}
	}
	if last.IsZero() {
		return fault.New(fault.Precondition, "bank account %s has no statement up to %s: import one", v.account.Number, v.day).With("account", v.account.Number)
	}
	return fault.New(fault.Precondition, "no statement of bank account %s has %s, the last before ends on %s: import the next", v.account.Number, v.day, last).
		With("account", v.account.Number).With("last", last.String())
}

// complete tells of each match whether all its lines lie up to the day: its
// amounts then agree within the table.
func (v *view) complete() map[uuid.UUID]bool {
	sum := map[uuid.UUID]accounts.Fen{}
	for i := range v.books {
		if b := &v.books[i]; b.Match.Valid {
			sum[b.Match.UUID] += b.Amount
		}
	}
	for i := range v.lines {
		if l := &v.lines[i]; l.Match.Valid {
			sum[l.Match.UUID] -= l.Signed()
		}
	}
	complete := make(map[uuid.UUID]bool, len(sum))
	for id, rest := range sum {
		complete[id] = rest == 0
	}
	return complete
}

// list lists what one side alone has by the day.
func (v *view) list(t *Table, patience int) {
	complete, first := v.complete(), v.first()
	items := map[Kind][]Item{}
	add := func(i Item, signed accounts.Fen, in, out Kind) {
		i.Kind, i.Amount, i.Age = in, signed, v.day.DaysSince(i.Date)
		if signed < 0 {
			i.Kind, i.Amount = out, -signed
		}
		items[i.Kind] = append(items[i.Kind], i)
		*t.sum(i.Kind) += i.Amount
	}
	for i := range v.books {
		b := &v.books[i]
		if complete[b.Match.UUID] || !b.Match.Valid && b.before(first) {
			continue
		}
		add(Item{Date: b.Date, Posting: &b.PostingID, Book: b.Account, Text: b.Summary, Source: b.Source, Match: b.Match}, b.Amount, BookIn, BookOut)
	}
	for i := range v.lines {
		l := &v.lines[i]
		if complete[l.Match.UUID] {
			continue
		}
		item := Item{Date: l.Date, Serial: l.Serial, Text: l.text(), Source: l.Reference, Match: l.Match}
		item.Alert = !l.Match.Valid && v.day.DaysSince(l.Date) >= patience
		add(item, l.Signed(), BankIn, BankOut)
	}
	for _, k := range Kinds() {
		t.Items = append(t.Items, items[k]...)
	}
}

func (l *Line) text() string {
	text := l.Remark
	for _, more := range []string{l.CounterpartyName, l.CounterpartyAccount} {
		if text != "" && more != "" {
			text += " "
		}
		text += more
	}
	return text
}

// Sum is what the items of a kind come to.
func (t *Table) Sum(k Kind) accounts.Fen { return *t.sum(k) }

func (t *Table) sum(k Kind) *accounts.Fen {
	switch k {
	case BookIn:
		return &t.BookIn
	case BookOut:
		return &t.BookOut
	case BankIn:
		return &t.BankIn
	}
	return &t.BankOut
}

// first is the first day that statements have.
func (v *view) first() civil.Date { return inOrder(v.statements)[0].From }

// before tells whether the line counts in the opening balance of statements that
// begin on the day.
func (b *BookLine) before(first civil.Date) bool {
	return b.Date.Before(first) || b.Kind == openingKind
}

// causes says what does not tie: the begin, where the first statement opens with
// something else than the books had, and statements that do not continue each
// other up to the day.
func (v *view) causes(t *Table) {
	start := inOrder(v.statements)[0]
	had := accounts.Fen(0)
	for i := range v.books {
		if b := &v.books[i]; !b.Match.Valid && b.before(start.From) { // matched ones are cleared by a line, or listed
			had += b.Amount
		}
	}
	if had != start.Opening {
		t.Causes = append(t.Causes, Cause{had - start.Opening, fmt.Sprintf("before %s the books had %s (but for lines that are matched), the first statement opens with %s", start.From, had, start.Opening)})
	}
	for _, g := range gaps(v.statements) {
		if !g.Before.After(v.day) {
			text := fmt.Sprintf("the statement up to %s closes with %s, that from %s opens with %s", g.After, g.Closing, g.Before, g.Opening)
			if g.Days > 0 {
				text += fmt.Sprintf("; %d days between have none", g.Days)
			}
			t.Causes = append(t.Causes, Cause{-g.Difference, text})
		}
	}
}
