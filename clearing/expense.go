package clearing

import (
	"context"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/clearing/internal/db"
	"fundledger/settlement/recovery"
)

// ExpenseOf tells whether what the insured region owes the treating region in a
// frozen run and fund is discharged to the end, and in which fiscal year: that of
// its last payment in the fund, or of the freezing where no money was needed. Of
// another province it tells whether its notice is paid.
func (c *Clearing) ExpenseOf(ctx context.Context, tx pgx.Tx, runID, insured, treating, fund string) (recovery.Expense, error) {
	q := db.New(tx)
	run, err := frozenRun(ctx, q, runID)
	if err != nil {
		return recovery.Expense{}, err
	}
	notices, err := q.NoticesOfParty(ctx, db.NoticesOfPartyParams{Run: runID, Party: insured})
	if err != nil {
		return recovery.Expense{}, err
	}
	if !c.isCity(insured) {
		lines, err := q.NoticeLines(ctx, notices)
		open := slices.ContainsFunc(lines, func(l db.NoticeLine) bool { return l.Fund == fund && !l.Closed })
		return recovery.Expense{Posted: !open, Year: run.Period.Year()}, err
	}
	shares, err := runShares(ctx, q, runID)
	if err != nil {
		return recovery.Expense{}, err
	}
	for _, s := range shares {
		if s.Insured == insured && s.Treating == treating && s.Fund == fund && s.PaidInsured != s.Amount {
			return recovery.Expense{}, nil
		}
	}
	e := recovery.Expense{Posted: true, Year: run.Period.Year()}
	paid, err := q.ListRemittances(ctx, notices)
	for _, p := range paid {
		if !slices.Contains(p.Funds, fund) {
			continue
		}
		for _, id := range p.Entries {
			entry, err := c.journal.EntryTx(ctx, tx, id)
			if err != nil {
				return e, err
			}
			e.Year = max(e.Year, entry.Period.Year())
		}
	}
	return e, err
}

// settleClawbacks posts what clawbacks have settled by what the shares say is
// discharged towards their treating regions. The shares are all that the run has
// of each pair and fund in them.
func (c *Clearing) settleClawbacks(ctx context.Context, tx pgx.Tx, run string, on civil.Date, shares []*Share) error {
	type pair struct{ insured, treating, fund string }
	open := map[pair]bool{}
	for _, s := range shares {
		key := pair{s.Insured, s.Treating, s.Fund}
		open[key] = open[key] || s.PaidTreating != s.Amount
	}
	return c.settler.Settle(ctx, tx, run, on, func(insured, treating, fund string) bool {
		still, known := open[pair{insured, treating, fund}]
		return known && !still
	})
}
