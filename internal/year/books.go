package year

import (
	"strings"

	"fundledger/accounts"
	"fundledger/ledger"
)

// books computes the table from the lines of the journal alone.
func (r *run) books() error {
	rows, agency := map[accounts.Month]*Figures{}, accounts.BookOf(r.home, accounts.Agency)
	r.table.Journal, r.table.Entries = nil, 0
	for month := opened; month <= through; month = month.Add(1) {
		rows[month] = &Figures{}
	}
	err := r.journal.Walk(r.ctx, func(e *ledger.Record) error {
		if e.Position == 1 {
			r.table.Entries = 0
			for _, row := range rows {
				*row = Figures{}
			}
		}
		r.table.Entries++
		row := rows[accounts.MonthOf(e.Date)]
		for i := range e.Postings {
			p := &e.Postings[i]
			for _, column := range r.turnover(&e.Entry, p) {
				row[column] += p.Amount
			}
			if column, sign := r.balance(p); sign != 0 {
				row[column] += sign * p.Signed()
			}
			if p.Account.Book == agency && strings.HasPrefix(e.Kind, "prepayment.") {
				switch {
				case under(p.Account.Subject, "2001.01"):
					row[Prepaid] -= p.Signed()
				case under(p.Account.Subject, "1101.02") && strings.HasPrefix(e.Source, "topup/"):
					row[ToppedUp] += p.Signed()
				}
			}
		}
		return nil
	})
	var before Figures
	for month := opened; month <= through; month = month.Add(1) {
		figures := *rows[month]
		for c := balances; c < columns; c++ {
			figures[c] += before[c]
		}
		if before = figures; err == nil {
			r.table.Journal = append(r.table.Journal, Row{month, figures})
		}
	}
	return err
}

func under(subject, heading string) bool {
	return subject == heading || strings.HasPrefix(subject, heading+".")
}

// turnover are the columns that the line is turnover of, by its side.
func (r *run) turnover(e *ledger.Entry, p *ledger.Posting) (in []Column) {
	a, debit := p.Account, p.Side == accounts.Debit
	if a.Book.Role() != accounts.Agency {
		return nil
	}
	if a.Book.Region() != r.home {
		switch {
		case e.Kind == "provider.paid" && under(a.Subject, "9002") && debit:
			return []Column{Providers}
		case under(a.Subject, "2001.03") && !debit:
			return []Column{Recovered}
		case under(a.Subject, "2001.03.01") && debit:
			return []Column{Home}
		case e.Kind == "manual.reimbursed" && a.Subject == "1004" && !debit:
			return []Column{Reimbursed}
		case a.Subject == "4201":
			return []Column{Interest}
		}
		return nil
	}
	switch {
	case a.Subject == "9202.01" && debit:
		return []Column{Cleared}
	case a.Subject == "9202.01":
		return []Column{accepted(e, p.Amount)}
	case a.Subject == "9993" && debit:
		return []Column{PaidIn}
	case a.Subject == "9993":
		return []Column{PaidOut}
	case under(a.Subject, "2001.04") && debit:
		return []Column{Used}
	case under(a.Subject, "2001.04"):
		return []Column{Refilled}
	case e.Kind == "clawback.remit.received" && a.Subject == "2001.05" && !debit:
		return []Column{Recovered}
	case a.Subject == "2001.05" && debit:
		return []Column{Home}
	case a.Subject == "4201":
		return []Column{Interest}
	}
	return nil
}

// accepted is the column of what an entry adds to the claims on the province.
func accepted(e *ledger.Entry, amount accounts.Fen) Column {
	switch {
	case strings.HasPrefix(e.Key, "negative/deduction/"):
		return Deducted
	case strings.HasPrefix(e.Key, "negative/clawback/"):
		return Offset
	case strings.HasPrefix(e.Key, "negative/"):
		return Withdrawn
	case amount < 0:
		return Refunded
	}
	return Settled
}

// balance is the column that the line changes the balance of, and its sign.
func (r *run) balance(p *ledger.Posting) (Column, accounts.Fen) {
	if a := p.Account; a.Book == accounts.BookOf(r.home, accounts.Agency) {
		switch {
		case a.Subject == "2001.01.01":
			return PoolHeld, -1
		case a.Subject == "1101.02":
			return AtOthers, 1
		case a.Subject == "2001.01.03":
			return OfOthers, -1
		}
	}
	return 0, 0
}
