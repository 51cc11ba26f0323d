package statement

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// The policy of ageing: subjects whose accounts are aged, and the days at which
// a bucket ends, both divided by commas.
const (
	policyAgedSubjects = "ageing.subjects"
	policyBuckets      = "ageing.buckets"
)

// AgeingRow is an account of 暂付 or 暂收 with what is open on it by age.
type AgeingRow struct {
	Account accounts.Account `json:"account"`
	Name    string           `json:"name"`
	// Balance is what is open: debits less credits of an account that increases
	// on the debit side, credits less debits of the others. It is negative where
	// more was taken off than there was.
	Balance accounts.Fen   `json:"balance"`
	Buckets []accounts.Fen `json:"buckets"` // their sum is the balance
	Oldest  civil.Date     `json:"oldest,omitzero"`
}

// Ageing (往来账龄) shows how old what is open is, by first in, first out.
type Ageing struct {
	Book     accounts.Book   `json:"book"`
	Fund     string          `json:"fund"`
	Date     civil.Date      `json:"date"`
	Position ledger.Position `json:"position"`
	// Days are the last day of age of each bucket but the last, which has no end.
	Days  []int          `json:"days"`
	Rows  []AgeingRow    `json:"rows"`
	Total []accounts.Fen `json:"total"` // of each bucket, debit accounts less credit ones
}

// BucketName says which ages the bucket holds, such as "31–90".
func (a *Ageing) BucketName(i int) string {
	switch {
	case i == 0:
		return fmt.Sprintf("0–%d", a.Days[0])
	case i == len(a.Days):
		return fmt.Sprintf("> %d", a.Days[i-1])
	}
	return fmt.Sprintf("%d–%d", a.Days[i-1]+1, a.Days[i])
}

// Ageing makes the 往来账龄 of a book and fund at the end of a business date.
// What takes off an account takes off what came first; a red-letter increase is
// such, too. The age is counted in days from the business date. Errors as of
// BalanceSheet.
func (s *Statements) Ageing(ctx context.Context, book accounts.Book, fund string, date civil.Date, as ledger.AsOf) (*Ageing, error) {
	month := accounts.MonthOf(date)
	if err := s.check(Query{Book: book, Fund: fund, From: month, To: month}); err != nil {
		return nil, err
	}
	subjects, err := s.book.Policy.Find(policyAgedSubjects, date)
	if err != nil {
		return nil, err
	}
	made := &Ageing{Book: book, Fund: fund, Date: date, Rows: []AgeingRow{}}
	if made.Days, err = s.buckets(date); err != nil {
		return nil, err
	}
	made.Total = make([]accounts.Fen, len(made.Days)+1)
	for heading := range strings.SplitSeq(subjects.Value, ",") {
		days, position, err := s.journal.TurnoverByDay(ctx, ledger.Filter{Book: book, Fund: fund, Subject: heading}, date, as)
		if err != nil {
			return nil, err
		}
		if made.Position = position; position == 0 {
			break
		}
		as = ledger.AsOf{Position: position}
		for len(days) > 0 {
			n := 1
			for n < len(days) && days[n].Account == days[0].Account {
				n++
			}
			if row := s.age(made, days[:n]); row.Balance != 0 {
				made.Rows = append(made.Rows, row)
			}
			days = days[n:]
		}
	}
	return made, nil
}

func (s *Statements) buckets(on civil.Date) (days []int, err error) {
	row, err := s.book.Policy.Find(policyBuckets, on)
	if err != nil {
		return nil, err
	}
	for text := range strings.SplitSeq(row.Value, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || len(days) > 0 && n <= days[len(days)-1] {
			return nil, fault.New(fault.Invalid, "policy %s is %q, which are no days in ascending order", policyBuckets, row.Value)
		}
		days = append(days, n)
	}
	return days, nil
}

// lot is an amount that came on a date and is still open.
type lot struct {
	date   civil.Date
	amount accounts.Fen
}

// age takes an account's days, in their order, and adds to the total.
func (s *Statements) age(made *Ageing, days []ledger.DayTurnover) AgeingRow {
	account := days[0].Account
	row := AgeingRow{Account: account, Name: s.name(account.Book.Role(), account.Subject), Buckets: make([]accounts.Fen, len(made.Days)+1)}
	sign := accounts.Fen(1)
	if subject, ok := s.book.Chart.Find(account.Book.Role(), account.Subject, made.Date); ok && subject.Normal == accounts.Credit {
		sign = -1
	}
	var open []lot
	for _, d := range days {
		up, down := d.Debit, d.Credit
		if sign < 0 {
			up, down = d.Credit, d.Debit
		}
		open = move(open, d.Date, up)
		open = move(open, d.Date, -down)
	}
	for _, l := range open {
		if row.Oldest.IsZero() {
			row.Oldest = l.date
		}
		age := made.Date.DaysSince(l.date)
		i, _ := slices.BinarySearch(made.Days, age)
		row.Buckets[i] += l.amount
		row.Balance += l.amount
		made.Total[i] += sign * l.amount
	}
	return row
}

// move adds an amount, or takes off what came first. Once more is taken off
// than there was, the rest is open the other way, and ages from its date.
func move(open []lot, date civil.Date, amount accounts.Fen) []lot {
	for amount != 0 && len(open) > 0 && (open[0].amount < 0) != (amount < 0) {
		if taken := open[0].amount + amount; (taken < 0) == (open[0].amount < 0) && taken != 0 {
			open[0].amount = taken
			return open
		}
		amount += open[0].amount
		open = open[1:]
	}
	if amount == 0 {
		return open
	}
	return append(open, lot{date, amount})
}
