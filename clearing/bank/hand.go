package bank

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/bank/internal/db"
	"fundledger/internal/fault"
)

// MatchByHand makes a match of the lines that a person puts together: any number
// on both sides whose amounts agree. Lines of one side alone must take each other
// back. Errors: NotFound (a line, an entry), Precondition (a line is matched
// already), Invalid (the amounts do not agree, a line of the books lies on another
// bank account), AlreadyExists (the key was used for something else).
func (d *Desk) MatchByHand(ctx context.Context, r MatchRequest, serials []string, postings []PostingID) (*Matched, error) {
	if err := r.check("match"); err != nil {
		return nil, err
	}
	if len(serials)+len(postings) < 2 {
		return nil, fault.New(fault.Invalid, "a match takes at least two lines").With("field", "serials")
	}
	all, err := d.Accounts(ctx, r.Day)
	if err != nil {
		return nil, err
	}
	account, err := accountOn(all, r.Account, r.Day)
	if err != nil {
		return nil, err
	}
	var done *Matched
	err = d.store.InTx(ctx, func(tx pgx.Tx) error {
		done = &Matched{}
		before, err := claim(ctx, tx, "bank match by hand", r.Key, []any{r.Account, r.Day, serials, postings})
		if err != nil || before {
			return done.under(ctx, tx, r.Key, err)
		}
		q := db.New(tx)
		p := &Proposal{Rule: Rule{Name: byHand}}
		inBooks, err := d.pickBooks(ctx, tx, account, p, postings)
		if err != nil {
			return err
		}
		if err := pickLines(ctx, q, r.Account, p, serials); err != nil {
			return err
		}
		if inBooks != p.Total {
			return fault.New(fault.Invalid, "the books have %s, the statement %s: they differ by %s", inBooks, p.Total, p.Total-inBooks).With("difference", (p.Total - inBooks).String())
		}
		m, err := write(ctx, q, r, p)
		done.Matches = []Match{m}
		return err
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// pickBooks reads the lines of the books, which must be open.
func (d *Desk) pickBooks(ctx context.Context, tx pgx.Tx, account *Account, p *Proposal, postings []PostingID) (sum accounts.Fen, err error) {
	for i, id := range postings {
		if slices.Contains(postings[:i], id) {
			return 0, fault.New(fault.Invalid, "line %s is named twice", id).With("field", "postings")
		}
		record, err := d.journal.EntryTx(ctx, tx, id.Entry)
		if err != nil {
			return 0, err
		}
		if id.Leg >= len(record.Postings) {
			return 0, fault.New(fault.NotFound, "entry %s has no line %d", id.Entry, id.Leg).With("field", "postings")
		}
		posting := &record.Postings[id.Leg]
		if !account.backs(posting.Account) {
			return 0, fault.New(fault.Invalid, "line %s lies on %s, whose money is not on bank account %s", id, posting.Account, account.Number).With("field", "postings")
		}
		if record.Kind == openingKind {
			return 0, fault.New(fault.Invalid, "line %s is an opening balance and no movement", id).With("field", "postings")
		}
		matched, err := db.New(tx).FindMatchedPostings(ctx, []uuid.UUID{id.Entry})
		if err != nil {
			return 0, err
		}
		for _, m := range matched {
			if int(m.Leg) == id.Leg {
				return 0, taken("line "+id.String(), m.MatchID)
			}
		}
		p.Books = append(p.Books, BookLine{PostingID: id})
		sum += posting.Signed()
	}
	return sum, nil
}

// pickLines reads the lines of the statement, which must be open.
func pickLines(ctx context.Context, q *db.Queries, account string, p *Proposal, serials []string) error {
	rows, err := q.FindBankLines(ctx, db.FindBankLinesParams{Account: account, Serials: serials})
	if err != nil {
		return err
	}
	for i, serial := range serials {
		if slices.Contains(serials[:i], serial) {
			return fault.New(fault.Invalid, "serial %s is named twice", serial).With("field", "serials")
		}
		at := slices.IndexFunc(rows, func(r db.FindBankLinesRow) bool { return r.Serial == serial })
		if at < 0 {
			return fault.New(fault.NotFound, "no statement of %s has serial %s", account, serial).With("serial", serial)
		}
		l := lineOf(db.ListBankLinesRow(rows[at]))
		if l.Match.Valid {
			return taken("serial "+serial, l.Match.UUID)
		}
		p.Lines = append(p.Lines, l)
		p.Total += l.Signed()
	}
	return nil
}

func taken(line string, match uuid.UUID) error {
	return fault.New(fault.Precondition, "%s is matched already, by %s: undo that first", line, match).With("match", match.String())
}
