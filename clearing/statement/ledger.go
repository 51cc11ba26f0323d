package statement

import (
	"context"
	"strings"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
)

// LedgerMonth is a month in a 总账: what moved in it, what has moved since the
// year began, and what stands at its end, debits less credits.
type LedgerMonth struct {
	Month      accounts.Month `json:"month"`
	Debit      accounts.Fen   `json:"debit"`  // 本月合计
	Credit     accounts.Fen   `json:"credit"` // 本月合计
	YearDebit  accounts.Fen   `json:"year_debit"`
	YearCredit accounts.Fen   `json:"year_credit"`
	Balance    accounts.Fen   `json:"balance"`
}

// LedgerSubject is a subject in a 总账, with all its sub-accounts.
type LedgerSubject struct {
	Subject string         `json:"subject"`
	Name    string         `json:"name"`
	Opening accounts.Fen   `json:"opening"` // debits less credits before the first month
	Months  []LedgerMonth  `json:"months"`
	Layer   accounts.Layer `json:"layer"`
}

// GeneralLedger (总账) shows the subjects of a book and fund month by month.
type GeneralLedger struct {
	Book     accounts.Book   `json:"book"`
	Fund     string          `json:"fund"`
	From     accounts.Month  `json:"from"`
	To       accounts.Month  `json:"to"`
	Position ledger.Position `json:"position"`
	Subjects []LedgerSubject `json:"subjects"`
}

// longestLedger bounds the months of one 总账.
const longestLedger = 24

// GeneralLedger makes the 总账 of the query's periods, at most 24 months, for
// the subjects of the level (1 for headings without one above them; 0 for all)
// that subject covers ("" for all). Errors as of BalanceSheet.
func (s *Statements) GeneralLedger(ctx context.Context, q Query, subject string, level int) (*GeneralLedger, error) {
	if err := s.check(q); err != nil {
		return nil, err
	}
	if q.To.Sub(q.From) >= longestLedger {
		return nil, fault.New(fault.Invalid, "a general ledger has at most %d months, from %s to %s there are more", longestLedger, q.From, q.To).With("field", "to")
	}
	made := &GeneralLedger{Book: q.Book, Fund: q.Fund, From: q.From, To: q.To, Subjects: []LedgerSubject{}}
	place := map[string]int{}
	for month := q.From; month <= q.To; month = month.Add(1) {
		part := q.MonthOf(month)
		if made.Position != 0 {
			part.AsOf = ledger.AsOf{Position: made.Position}
		}
		trial, err := s.TrialBalance(ctx, part, false)
		if err != nil {
			return nil, err
		}
		if made.Position = trial.Position; made.Position == 0 {
			return made, nil
		}
		for _, row := range trial.Rows {
			if !covers(subject, row.Subject) || level > 0 && row.Level != level {
				continue
			}
			i, ok := place[row.Subject]
			if !ok {
				i = len(made.Subjects)
				place[row.Subject] = i
				made.Subjects = append(made.Subjects, LedgerSubject{
					Subject: row.Subject, Name: row.Name, Layer: row.Layer, Opening: row.OpeningDebit - row.OpeningCredit, Months: []LedgerMonth{},
				})
			}
			of := &made.Subjects[i]
			of.Months = append(of.Months, LedgerMonth{Month: month, Debit: row.Debit, Credit: row.Credit, Balance: row.ClosingDebit - row.ClosingCredit})
		}
	}
	return made, s.sinceJanuary(ctx, q, made)
}

// sinceJanuary adds what moved since each year began.
func (s *Statements) sinceJanuary(ctx context.Context, q Query, made *GeneralLedger) error {
	before := map[string]TrialRow{}
	if first := january(q.From); first < q.From {
		q.From, q.To, q.AsOf = first, q.From.Add(-1), ledger.AsOf{Position: made.Position}
		trial, err := s.TrialBalance(ctx, q, false)
		if err != nil {
			return err
		}
		for _, row := range trial.Rows {
			before[row.Subject] = row
		}
	}
	for i := range made.Subjects {
		of := &made.Subjects[i]
		debit, credit := before[of.Subject].Debit, before[of.Subject].Credit
		for k := range of.Months {
			m := &of.Months[k]
			if m.Month == january(m.Month) {
				debit, credit = 0, 0
			}
			debit, credit = debit+m.Debit, credit+m.Credit
			m.YearDebit, m.YearCredit = debit, credit
		}
	}
	return nil
}

// covers tells whether a code is the subject or one of its sub-accounts.
func covers(subject, code string) bool {
	return subject == "" || code == subject || strings.HasPrefix(code, subject+".")
}
