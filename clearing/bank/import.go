package bank

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/bank/internal/db"
	"fundledger/internal/fault"
)

// ImportRequest is a file of statements.
type ImportRequest struct {
	Key     string // idempotency key; may be empty, the content itself is one
	By      string // who imports it
	File    string // name, shown to people
	Content []byte
	// Regions are those in whose books the bank accounts must lie; nil is all. Of
	// another account it is said that there is none.
	Regions []string
}

// ImportReport is what became of the statements of a file.
type ImportReport struct {
	Statements []Imported `json:"statements"`
	Replayed   bool       `json:"replayed,omitempty"` // nothing of it was new
}

// Imported is what became of one statement.
type Imported struct {
	Statement
	Added    int      `json:"added"` // lines
	Known    int      `json:"known"` // lines that an earlier file had
	Replayed bool     `json:"replayed,omitempty"`
	Ignored  []string `json:"ignored,omitempty"`
	// Gaps to the statements before and after it.
	Gaps []Gap `json:"gaps,omitempty"`
}

// Import reads statements and keeps them, all of a file or none. The same
// statement again changes nothing. A line is known by bank account and serial
// number, so statements may overlap; what they say of the same days must be the
// same. Errors: Invalid (each fault as file:line:field), NotFound (no such bank
// account on the days of the statement), AlreadyExists (a serial number, or days
// that are covered, with other content; the key with another file).
func (d *Desk) Import(ctx context.Context, r ImportRequest) (*ImportReport, error) {
	if err := person(r.By, "import a statement"); err != nil {
		return nil, err
	}
	statements, err := ReadStatements(r.File, r.Content)
	if err != nil {
		return nil, err
	}
	for _, s := range statements {
		if s.digest, err = s.sum(); err != nil {
			return nil, err
		}
	}
	var report *ImportReport
	err = d.store.InTx(ctx, func(tx pgx.Tx) error {
		report = &ImportReport{Replayed: true}
		if _, err := claim(ctx, tx, "bank statement", r.Key, sha256.Sum256(r.Content)); err != nil {
			return err
		}
		q := db.New(tx)
		known, err := readAccounts(ctx, q)
		if err != nil {
			return err
		}
		for _, s := range statements {
			for _, day := range []civil.Date{s.From, s.To} {
				account, err := accountOn(known, s.Account, day)
				if err != nil {
					return err
				}
				if r.Regions != nil && !slices.Contains(r.Regions, account.Book.Region()) {
					return noAccount(s.Account)
				}
			}
			done, err := d.keep(ctx, q, s, r.By)
			if err != nil {
				return fmt.Errorf("%s: %w", r.File, err)
			}
			report.Statements = append(report.Statements, *done)
			report.Replayed = report.Replayed && done.Replayed
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

// sum is a digest of what the statement says, whatever the order and format.
func (s *Statement) sum() ([]byte, error) {
	lines := slices.Clone(s.Lines)
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Compare(a.Serial, b.Serial) })
	for i := range lines {
		lines[i].Balance = nil
	}
	encoded, err := json.Marshal(struct {
		Statement
		Lines []Line
	}{Statement{Account: s.Account, From: s.From, To: s.To, Opening: s.Opening, Closing: s.Closing}, lines})
	sum := sha256.Sum256(encoded)
	return sum[:], err
}

// keep writes the statement and the lines that are new.
func (d *Desk) keep(ctx context.Context, q *db.Queries, s *Statement, by string) (*Imported, error) {
	done := &Imported{Statement: *s, Ignored: s.Ignored}
	before, err := readStatements(ctx, q, s.Account)
	if err != nil {
		return nil, err
	}
	stands, err := q.ListBankLines(ctx, db.ListBankLinesParams{Account: s.Account, FromDay: dateParam(s.From), ToDay: dateParam(s.To)})
	if err != nil {
		return nil, err
	}
	fresh, err := s.fresh(ctx, q, stands, before)
	if err != nil {
		return nil, err
	}
	for i := range before {
		if err := s.agree(ctx, q, &before[i]); err != nil {
			return nil, err
		}
		if before[i].From == s.From && before[i].To == s.To {
			if string(before[i].digest) != string(s.digest) {
				return nil, fault.New(fault.AlreadyExists, "the statement of %s from %s to %s stands with other content", s.Account, s.From, s.To).With("account", s.Account)
			}
			done.Statement, done.Known, done.Replayed = before[i], len(s.Lines), true
			done.Gaps = touching(gaps(before), s)
			return done, nil
		}
	}
	done.Added, done.Known = len(fresh), len(s.Lines)-len(fresh)
	done.ImportedBy = by
	done.Gaps = touching(gaps(append(before, *s)), s)
	if err := insertLines(ctx, q, s.Account, fresh); err != nil {
		return nil, err
	}
	return done, q.InsertBankStatement(ctx, db.InsertBankStatementParams{
		Account: s.Account, FirstDay: dateParam(s.From), LastDay: dateParam(s.To), OpeningFen: int64(s.Opening), ClosingFen: int64(s.Closing),
		LineCount: int64(len(s.Lines)), Digest: s.digest, FileName: s.File, ImportedBy: by,
	})
}

// fresh are the lines that are not known yet. What is known must say the same,
// and days that another statement covers have no more and no fewer lines.
func (s *Statement) fresh(ctx context.Context, q *db.Queries, stands []db.ListBankLinesRow, before []Statement) (fresh []*Line, err error) {
	serials := make([]string, len(s.Lines))
	for i := range s.Lines {
		serials[i] = s.Lines[i].Serial
	}
	rows, err := q.FindBankLines(ctx, db.FindBankLinesParams{Account: s.Account, Serials: serials})
	if err != nil {
		return nil, err
	}
	known := make(map[string]Line, len(rows))
	for _, row := range rows {
		known[row.Serial] = lineOf(db.ListBankLinesRow(row))
	}
	for i := range s.Lines {
		l := &s.Lines[i]
		stood, ok := known[l.Serial]
		switch other := covering(before, l.Date); {
		case ok && !stood.same(l):
			return nil, fault.New(fault.AlreadyExists, "line %d: serial %s of %s stands with other content: %s there, %s here", l.at, l.Serial, s.Account, &stood, l).
				With("account", s.Account).With("serial", l.Serial)
		case !ok && other != nil:
			return nil, fault.New(fault.AlreadyExists, "line %d: the statement of %s to %s (%s) has no serial %s on %s", l.at, other.From, other.To, other.File, l.Serial, l.Date).
				With("account", s.Account).With("serial", l.Serial)
		case !ok:
			fresh = append(fresh, l)
		}
	}
	named := make(map[string]bool, len(serials))
	for _, serial := range serials {
		named[serial] = true
	}
	for _, row := range stands {
		if !named[row.Serial] {
			return nil, fault.New(fault.AlreadyExists, "the statement lacks serial %s of %s, which an earlier one has", row.Serial, civil.DateOf(row.EntryDate)).
				With("account", s.Account).With("serial", row.Serial)
		}
	}
	return fresh, nil
}

func (l *Line) String() string {
	return fmt.Sprintf("%s %s %s %q %q %q %q", l.Date, l.Side, l.Amount, l.CounterpartyAccount, l.CounterpartyName, l.Remark, l.Reference)
}

// agree refuses a statement that has another balance than one of the same days.
func (s *Statement) agree(ctx context.Context, q *db.Queries, other *Statement) error {
	first := s.From
	if first.Before(other.From) {
		first = other.From
	}
	if first.After(s.To) || first.After(other.To) {
		return nil
	}
	here, there := s.Opening, other.Opening
	for i := range s.Lines {
		if s.Lines[i].Date.Before(first) {
			here += s.Lines[i].Signed()
		}
	}
	rows, err := q.ListBankLines(ctx, db.ListBankLinesParams{Account: s.Account, FromDay: dateParam(other.From), ToDay: dateParam(first.AddDays(-1))})
	if err != nil {
		return err
	}
	for _, row := range rows {
		l := lineOf(row)
		there += l.Signed()
	}
	if here != there {
		return fault.New(fault.AlreadyExists, "the balance of %s before %s is %s by the statement of %s to %s (%s), and %s here", s.Account, first, there, other.From, other.To, other.File, here).
			With("account", s.Account)
	}
	return nil
}

func touching(all []Gap, s *Statement) []Gap {
	return slices.DeleteFunc(all, func(g Gap) bool { return g.Before != s.From && g.After != s.To })
}

func insertLines(ctx context.Context, q *db.Queries, account string, lines []*Line) error {
	if len(lines) == 0 {
		return nil
	}
	p := db.InsertBankLinesParams{Account: account}
	for _, l := range lines {
		p.Serials, p.Days, p.Sides = append(p.Serials, l.Serial), append(p.Days, l.Date.String()), append(p.Sides, string(l.Side))
		p.AmountsFen = append(p.AmountsFen, int64(l.Amount))
		p.CounterpartyAccounts, p.CounterpartyNames = append(p.CounterpartyAccounts, l.CounterpartyAccount), append(p.CounterpartyNames, l.CounterpartyName)
		p.Remarks, p.Refs = append(p.Remarks, l.Remark), append(p.Refs, l.Reference)
		balance := ""
		if l.Balance != nil {
			balance = strconv.FormatInt(int64(*l.Balance), 10)
		}
		p.BalancesFen = append(p.BalancesFen, balance)
	}
	return q.InsertBankLines(ctx, p)
}

func lineOf(r db.ListBankLinesRow) Line {
	l := Line{Account: r.Account, Serial: r.Serial, Date: civil.DateOf(r.EntryDate), Side: Side(r.Side), Amount: accounts.Fen(r.AmountFen),
		CounterpartyAccount: r.CounterpartyAccount, CounterpartyName: r.CounterpartyName, Remark: r.Remark, Reference: r.Reference, Match: r.MatchID}
	if r.BalanceFen != nil {
		balance := accounts.Fen(*r.BalanceFen)
		l.Balance = &balance
	}
	return l
}

func readStatements(ctx context.Context, q *db.Queries, numbers ...string) ([]Statement, error) {
	rows, err := q.ListBankStatements(ctx, numbers)
	list := make([]Statement, len(rows))
	for i, r := range rows {
		list[i] = Statement{Account: r.Account, From: civil.DateOf(r.FirstDay), To: civil.DateOf(r.LastDay), Opening: accounts.Fen(r.OpeningFen),
			Closing: accounts.Fen(r.ClosingFen), Count: int(r.LineCount), File: r.FileName, ImportedBy: r.ImportedBy, ImportedAt: r.ImportedAt, digest: r.Digest}
	}
	return list, err
}
