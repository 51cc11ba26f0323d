package bank

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/clearing/bank/internal/db"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger"
)

// BookLine is a line of the journal on an account whose money lies on a bank
// account.
type BookLine struct {
	PostingID
	Position ledger.Position  `json:"position"`
	Account  accounts.Account `json:"account"`
	Date     civil.Date       `json:"date"`
	Kind     string           `json:"kind"`
	Summary  string           `json:"summary"`
	Source   string           `json:"source,omitempty"`
	// Amount as a debit: money in is positive, money out negative. So a red debit,
	// which takes a receipt back, is money out.
	Amount accounts.Fen  `json:"amount"`
	Match  uuid.NullUUID `json:"match,omitzero"` // what it stands in now

	key      string
	corrects uuid.NullUUID
}

// PostingID names a line of an entry, as "ENTRY.LINE" counted from 0.
type PostingID struct {
	Entry uuid.UUID `json:"entry"`
	Leg   int       `json:"leg"`
}

func (p PostingID) String() string { return p.Entry.String() + "." + strconv.Itoa(p.Leg) }

// ParsePostingID reads what String writes.
func ParsePostingID(s string) (PostingID, error) {
	entry, leg, _ := strings.Cut(s, ".")
	id, err := uuid.Parse(entry)
	n, err2 := strconv.Atoi(leg)
	if err != nil || err2 != nil || n < 0 {
		return PostingID{}, fault.New(fault.Invalid, "%q is no line of an entry: write ENTRY.LINE, the line counted from 0", s)
	}
	return PostingID{id, n}, nil
}

// references are what the line may be known by at the bank: the source document
// of its entry, the numbers in it, and the entry's key.
func (l *BookLine) references() []string { return numbersIn(l.Source, l.Source, l.key) }

const openingKind = "opening" // kind of the entries that bring balances in

// bookLines reads all lines of the accounts that the bank account backs, up to
// the day and the position, in order of date and position. Accounts of money have
// some hundred lines a month, so all of them are read.
func (d *Desk) bookLines(ctx context.Context, account *Account, day civil.Date, until ledger.Position) ([]BookLine, error) {
	var lines []BookLine
	if until == 0 {
		return nil, nil
	}
	for _, backing := range account.Backs {
		of := account.account(backing)
		query := ledger.StatementQuery{To: day, Until: until, PageSize: paging.Largest}
		for {
			page, err := d.journal.Statement(ctx, of, query)
			if err != nil {
				return nil, err
			}
			for _, l := range page.Lines {
				amount := l.Amount
				if l.Side == accounts.Credit {
					amount = -amount
				}
				lines = append(lines, BookLine{PostingID: PostingID{l.Entry, l.Leg}, Position: l.Position, Account: of, Date: l.Date,
					Kind: l.Kind, Summary: l.Summary, Source: l.Source, Amount: amount, key: l.Key, corrects: l.Corrects})
			}
			if query.PageToken = page.NextPageToken; query.PageToken == "" {
				break
			}
		}
	}
	slices.SortFunc(lines, compareBookLines)
	return lines, nil
}

func compareBookLines(a, b BookLine) int {
	if c := a.Date.Compare(b.Date); c != 0 {
		return c
	}
	if a.Position != b.Position {
		return int(a.Position - b.Position)
	}
	return a.Leg - b.Leg
}

// markMatched notes what each line of the books stands in.
func markMatched(ctx context.Context, q *db.Queries, number string, lines []BookLine) error {
	rows, err := q.ListMatchedPostings(ctx, number)
	if err != nil {
		return err
	}
	matched := make(map[PostingID]uuid.UUID, len(rows))
	for _, r := range rows {
		matched[PostingID{r.Entry, int(r.Leg)}] = r.MatchID
	}
	for i := range lines {
		id, ok := matched[lines[i].PostingID]
		lines[i].Match = uuid.NullUUID{UUID: id, Valid: ok}
	}
	return nil
}
