package ledger

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger/internal/db"
)

// Selection says which entries of the sequence are wanted; an empty field
// wants all. An entry is selected when one of its lines fits Lines, Run and
// Regions together, and the entry itself the other fields.
type Selection struct {
	Lines  Filter
	Run    string // clearing run of a line
	Kind   string
	Source string
	Period accounts.Month
	// From and To bound the business date, both inclusive.
	From, To civil.Date
	// Regions are those whose books may be seen; nil is all. Of a selected entry
	// the lines of other books are left out.
	Regions []string
}

func (s *Selection) check() error {
	if err := s.Lines.check(); err != nil {
		return err
	}
	if s.Period != "" {
		if _, err := accounts.ParseMonth(string(s.Period)); err != nil {
			return err
		}
	}
	return nil
}

// fits tells whether one of the lines is wanted.
func (s *Selection) fits(r *Record) bool {
	return slices.ContainsFunc(r.Postings, func(p Posting) bool {
		return s.Lines.covers(p.Account) && (s.Run == "" || p.Run == s.Run) && sees(s.Regions, p.Account.Book)
	})
}

// covers tells whether the filter selects the account.
func (f Filter) covers(a accounts.Account) bool {
	return (f.Book == "" || a.Book == f.Book) && (f.Fund == "" || a.Fund == f.Fund) &&
		(f.Counterparty == "" || a.Counterparty == f.Counterparty) &&
		(f.Subject == "" || a.Subject == f.Subject || strings.HasPrefix(a.Subject, f.Subject+"."))
}

// booksIn lists the books that are named and lie in the regions; nil where
// neither says anything. NotFound for a book that there is not.
func (j *Journal) booksIn(book accounts.Book, regions []string) ([]string, error) {
	switch {
	case book != "" && !j.rules().books[book]:
		return nil, fault.New(fault.NotFound, "there is no book %s", book).With("book", string(book))
	case book == "" && regions == nil:
		return nil, nil
	}
	books := []string{}
	for b := range j.rules().books {
		if (book == "" || b == book) && sees(regions, b) {
			books = append(books, string(b))
		}
	}
	slices.Sort(books)
	return books, nil
}

func sees(regions []string, book accounts.Book) bool {
	return regions == nil || slices.Contains(regions, book.Region())
}

// Within leaves of the record what belongs to books of the regions, its lines
// and vouchers, and tells whether any line is left; nil regions are all.
func (r *Record) Within(regions []string) bool {
	if regions != nil {
		r.Postings = slices.DeleteFunc(r.Postings, func(p Posting) bool { return !sees(regions, p.Account.Book) })
		r.Vouchers = slices.DeleteFunc(r.Vouchers, func(v Voucher) bool { return !sees(regions, v.Book) })
	}
	return len(r.Postings) > 0
}

// selectAtOnce is how many entries of a batch are read by one statement.
const selectAtOnce = 1000

// scan goes through the sealed entries behind a position up to and with
// another, in their order, and hands on those that are selected while fn asks
// for more. It looks at about limit entries at most and returns the position
// that it has come to: what is selected up to there was handed on.
func (s *Selection) scan(ctx context.Context, q *db.Queries, after, until Position, limit int, fn func(*Record) (more bool)) (Position, error) {
	if after >= until {
		return after, nil
	}
	batch, err := q.SealedAt(ctx, int64(after)+1)
	if err != nil {
		return after, err
	}
	at, end := after, min(until, after+Position(limit))
	before := int64(after) // the batch before the one that holds the next entry begins there or earlier
	if len(batch) > 0 {
		before = batch[0].FirstPosition - 1
	}
	for at < end {
		batches, err := q.ReadSealed(ctx, db.ReadSealedParams{After: before, Until: int64(until), Batches: walkBatches})
		if err != nil {
			return at, err
		}
		for _, b := range batches {
			before = b.FirstPosition
			for i := 0; i < len(b.Entries) && at < end; i += selectAtOnce {
				chunk := b.Entries[i:min(i+selectAtOnce, len(b.Entries))]
				skip := int64(at) + 1 - b.FirstPosition - int64(i)
				if skip < 0 {
					return at, gapAfter(at)
				}
				if skip >= int64(len(chunk)) {
					continue
				}
				chunk = chunk[skip:min(int64(len(chunk)), skip+int64(end-at))]
				selected, err := s.read(ctx, q, chunk)
				if err != nil {
					return at, err
				}
				for _, id := range chunk {
					at++
					if r := selected[id]; r != nil {
						if r.Position = at; !fn(r) {
							return at, nil
						}
					}
				}
			}
		}
		if len(batches) == 0 {
			return at, gapAfter(at)
		}
	}
	return at, nil
}

func gapAfter(at Position) error {
	return fault.New(fault.Internal, "the sequence has a gap after position %d: run fundledger check", at)
}

// read reads those of the entries that are selected.
func (s *Selection) read(ctx context.Context, q *db.Queries, ids []uuid.UUID) (map[uuid.UUID]*Record, error) {
	p := db.SelectEntriesParams{Ids: ids, Kind: s.Kind, Source: s.Source, Period: string(s.Period)}
	if !s.From.IsZero() {
		p.FromDate = s.From.String()
	}
	if !s.To.IsZero() {
		p.ToDate = s.To.String()
	}
	rows, err := q.SelectEntries(ctx, p)
	if err != nil {
		return nil, err
	}
	records := make(map[uuid.UUID]*Record, len(rows))
	for _, row := range rows {
		r, err := recordOf(row)
		if err != nil {
			return nil, err
		}
		if s.fits(r) {
			r.Within(s.Regions)
			records[r.ID] = r
		}
	}
	return records, nil
}
