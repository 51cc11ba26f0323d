package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger/internal/db"
)

// StatementQuery selects a page of an account's lines.
type StatementQuery struct {
	// From and To bound the business date, both inclusive; zero is no bound.
	From, To civil.Date
	// FromPeriod and ToPeriod bound the accounting period of the entries, both
	// inclusive; empty is no bound.
	FromPeriod, ToPeriod accounts.Month
	// Until is the last position shown; 0 is the end. PostedAt instead is the
	// time of posting up to which lines are shown, as in AsOf.
	Until    Position
	PostedAt time.Time
	// AtLeast is a position that the answer must have seen.
	AtLeast Position
	// PageSize is at most 1000; 0 means 100. PageToken continues an earlier
	// page and stays valid whatever is posted in between.
	PageSize  int
	PageToken string
}

// Line is one line of a statement. Balance is debits less credits of the
// account after it, over all its lines in journal order.
type Line struct {
	Position Position   `json:"position"`
	Leg      int        `json:"leg"` // index of the posting in its entry
	Entry    uuid.UUID  `json:"entry"`
	Date     civil.Date `json:"date"`
	Kind     string     `json:"kind"`
	Summary  string     `json:"summary"`
	// Key and Source of the entry, and the entry that it corrects, if any.
	Key      string        `json:"key"`
	Source   string        `json:"source"`
	Corrects uuid.NullUUID `json:"corrects,omitzero"`
	Side     accounts.Side `json:"side"`
	Amount   accounts.Fen  `json:"amount"`
	Balance  accounts.Fen  `json:"balance"`
	Dimensions
}

// Statement (明细账) is a page of an account's lines in journal order.
type Statement struct {
	Account       accounts.Account `json:"account"`
	Position      Position         `json:"position"` // of the journal, as seen
	Lines         []Line           `json:"lines"`
	NextPageToken string           `json:"next_page_token,omitempty"`
}

const (
	fewBlocks  = 2 // read at first: mostly enough
	mostBlocks = 32
)

// Statement returns a page of the lines of the account. It reads the projection
// as Balances does. Errors: Invalid (page token or size), NotFound (the journal
// is shorter than a position that is asked).
func (j *Journal) Statement(ctx context.Context, account accounts.Account, query StatementQuery) (*Statement, error) {
	size, err := paging.Size(query.PageSize, "lines")
	if err != nil {
		return nil, err
	}
	after, afterLeg, err := parsePageToken(query.PageToken)
	if err != nil {
		return nil, err
	}
	if !query.PostedAt.IsZero() {
		if query.Until != 0 {
			return nil, fault.New(fault.Invalid, "give a position or a time of posting, not two of them")
		}
		if query.Until, err = j.positionAt(ctx, query.PostedAt); err != nil || query.Until == 0 {
			return &Statement{Account: account, Lines: []Line{}}, err
		}
	}
	s := &Statement{Account: account}
	err = j.read(ctx, func(q *db.Queries) (err error) {
		*s = Statement{Account: account, Lines: []Line{}}
		if s.Position, err = projected(ctx, q, max(query.Until, query.AtLeast)); err != nil {
			return err
		}
		periods, err := query.periods(ctx, q, account.String())
		if err == nil && periods != nil {
			err = shiftedToo(ctx, q, s.Position)
		}
		if err != nil {
			return err
		}
		first, last, err := query.span(ctx, q, account.String(), s.Position, periods)
		if err != nil || first > last {
			return err
		}
		if first = max(first, after); first > 1 {
			if first, err = blockAt(ctx, q, account.String(), first); err != nil {
				return err
			}
		}
		for many := int32(fewBlocks); ; many = min(2*many, mostBlocks) {
			blocks, err := q.ReadLines(ctx, db.ReadLinesParams{Account: account.String(), First: int64(first), Last: int64(last), Blocks: many})
			if err != nil {
				return err
			}
			for _, b := range blocks {
				lines, err := decodeLines(b.Lines)
				if err != nil {
					return err
				}
				if err := periods.look(ctx, q, lines); err != nil {
					return err
				}
				debit, credit := accounts.Fen(b.OpeningDebitFen), accounts.Fen(b.OpeningCreditFen)
				for _, l := range lines {
					l.turnover(&debit, &credit)
					seen := l.position < after || (l.position == after && l.leg <= afterLeg)
					if seen || !query.selects(l) || !periods.take(l) {
						continue
					}
					if len(s.Lines) == size {
						last := s.Lines[size-1]
						s.NextPageToken = pageToken(last.Position, last.Leg)
						return j.describe(ctx, q, s.Lines)
					}
					s.Lines = append(s.Lines, Line{
						Position: l.position, Leg: l.leg, Entry: l.entry, Date: l.date,
						Side: l.side, Amount: l.amount, Balance: debit - credit,
					})
				}
				first = Position(b.FirstPosition) + 1
			}
			if len(blocks) < int(many) {
				return j.describe(ctx, q, s.Lines)
			}
		}
	})
	return s, err
}

// span is where in the journal the lines stand that the query can select.
// Dates follow the journal only roughly, so the positions between which each
// day's lines stand are kept with its turnover.
func (query StatementQuery) span(ctx context.Context, q *db.Queries, account string, end Position, periods *periodFilter) (first, last Position, err error) {
	if query.Until != 0 {
		end = query.Until
	}
	if query.From.IsZero() && query.To.IsZero() && periods == nil {
		return 0, end, nil
	}
	rows, err := q.DaysOf(ctx, account)
	if err != nil {
		return 0, 0, err
	}
	var days dayTurnover
	for _, r := range rows {
		month, err := decodeDays(account, r.Month, r.Days)
		if err != nil {
			return 0, 0, err
		}
		for day, t := range month {
			date, err := civil.ParseDate(r.Month + "-" + day)
			if err != nil {
				return 0, 0, fault.New(fault.Internal, "the turnover of %s in %s cannot be read: %w", account, r.Month, err)
			}
			if query.takes(date) && periods.mayTake(accounts.Month(r.Month)) {
				days.add(t)
			}
		}
	}
	if days.first == 0 {
		return 1, 0, nil
	}
	return days.first, min(days.last, end), nil
}

// blockAt is the first position of the block in which the position lies.
func blockAt(ctx context.Context, q *db.Queries, account string, at Position) (Position, error) {
	first, err := q.BlockAt(ctx, db.BlockAtParams{Account: account, Position: int64(at)})
	return Position(first), err
}

func (query StatementQuery) selects(l accountLine) bool {
	return query.takes(l.date) && (query.Until == 0 || l.position <= query.Until)
}

// takes tells whether the date lies within the bounds.
func (query StatementQuery) takes(date civil.Date) bool {
	return (query.From.IsZero() || !date.Before(query.From)) && (query.To.IsZero() || !date.After(query.To))
}

// describe adds to the lines what only their entries know.
func (j *Journal) describe(ctx context.Context, q *db.Queries, lines []Line) error {
	ids := make([]uuid.UUID, len(lines))
	for i, l := range lines {
		ids[i] = l.Entry
	}
	records, err := readEntries(ctx, q, ids)
	if err != nil {
		return err
	}
	for i := range lines {
		l := &lines[i]
		r := records[l.Entry]
		if r == nil || l.Leg >= len(r.Postings) {
			return fault.New(fault.Internal, "entry %s at position %d is not what the account's line says: run fundledger check", l.Entry, l.Position)
		}
		l.Kind, l.Summary, l.Dimensions = r.Kind, r.Summary, r.Postings[l.Leg].Dimensions
		l.Key, l.Source, l.Corrects = r.Key, r.Source, r.Corrects
	}
	return nil
}

func pageToken(p Position, leg int) string {
	return strconv.FormatInt(int64(p), 10) + "." + strconv.Itoa(leg)
}

func parsePageToken(token string) (after Position, leg int, err error) {
	if token == "" {
		return 0, 0, nil
	}
	position, index, ok := strings.Cut(token, ".")
	n, err := strconv.ParseInt(position, 10, 64)
	leg, err2 := strconv.Atoi(index)
	if !ok || err != nil || err2 != nil || n < 1 || leg < 0 {
		return 0, 0, paging.BadToken(token, "a statement")
	}
	return Position(n), leg, nil
}
