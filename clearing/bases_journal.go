package clearing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/internal/fault"
)

// BasesOf derives the bases of the year's quotas from last year's frozen runs:
// in-province payable and receivable per city and fund, cross-province payable
// per city, and cross-province settled per province, fund and month of the last
// quarter. Every figure is there, 0.00 where a run has none. Precondition when
// a month of last year was not cleared, with the months.
func (c *Clearing) BasesOf(ctx context.Context, year int) (*Bases, error) {
	rules, err := readQuotaRules(c.book, year)
	if err != nil {
		return nil, err
	}
	var b *Bases
	err = c.store.Snapshot(ctx, func(tx pgx.Tx) error {
		b = &Bases{year: year, rules: rules, file: "the journal", amounts: map[baseKey]accounts.Fen{}}
		q := db.New(tx)
		if err := requireCleared(ctx, q, year-1); err != nil {
			return err
		}
		rows, err := q.YearOfRuns(ctx, fmt.Sprint(year-1))
		for _, row := range rows {
			b.count(row)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(b.counterparties)
	b.fill(c.book)
	return b, nil
}

// requireCleared wants the runs of both kinds that bases come from, for all
// months of the year.
func requireCleared(ctx context.Context, q *db.Queries, year int) error {
	var missing []string
	for n := range 12 {
		month := accounts.Month(fmt.Sprintf("%d-%02d", year, n+1))
		for _, kind := range []Kind{InProvince, CrossOut} {
			row, err := q.GetRun(ctx, RunID(month, kind))
			if err != nil && err != pgx.ErrNoRows {
				return err
			}
			if err == pgx.ErrNoRows || row.State != string(Frozen) {
				missing = append(missing, RunID(month, kind))
			}
		}
	}
	if missing == nil {
		return nil
	}
	return fault.New(fault.Precondition, "the bases cannot be derived: %d runs of %d are not frozen: %s; clear them, or give the bases as a file",
		len(missing), year, strings.Join(missing, ", "))
}

// count adds what one run clears between two regions in a fund.
func (b *Bases) count(row db.YearOfRunsRow) {
	if !slices.Contains(b.rules.funds, row.Fund) {
		return
	}
	year, amount := row.Month[:4], accounts.Fen(row.AmountFen)
	if Kind(row.Kind) == InProvince {
		b.amounts[baseKey{InProvincePayable, row.Fund, row.Insured, year}] += amount
		b.amounts[baseKey{InProvinceReceivable, row.Fund, row.Treating, year}] += amount
		return
	}
	b.amounts[baseKey{CrossPayable, row.Fund, row.Insured, year}] += amount
	if slices.Contains(b.rules.months, row.Month) {
		b.amounts[baseKey{CrossSettled, row.Fund, row.Treating, row.Month}] += amount
		if !slices.Contains(b.counterparties, row.Treating) {
			b.counterparties = append(b.counterparties, row.Treating)
		}
	}
}

// fill sets what no run names to 0.00, so that the bases are complete.
func (b *Bases) fill(book *accounts.Rulebook) {
	year := fmt.Sprint(b.year - 1)
	for _, fund := range b.rules.funds {
		for _, city := range book.Regions.Of(accounts.City) {
			for _, basis := range []Basis{InProvincePayable, InProvinceReceivable, CrossPayable} {
				b.amounts[baseKey{basis, fund, city.Code, year}] += 0
			}
		}
		for _, province := range b.counterparties {
			for _, month := range b.rules.months {
				b.amounts[baseKey{CrossSettled, fund, province, month}] += 0
			}
		}
	}
}

// BasisRow is one figure of the bases.
type BasisRow struct {
	Basis  Basis        `json:"basis"`
	Fund   string       `json:"fund"`
	Party  string       `json:"party"`  // the city, or of cross_province_settled the other province
	Period string       `json:"period"` // year, or month
	Amount accounts.Fen `json:"amount"`
}

// Rows lists the figures by basis, fund, party and period.
func (b *Bases) Rows() []BasisRow {
	rows := make([]BasisRow, 0, len(b.amounts))
	for key, amount := range b.amounts {
		rows = append(rows, BasisRow{key.basis, key.fund, key.party, key.period, amount})
	}
	slices.SortFunc(rows, func(a, b BasisRow) int {
		return cmp.Or(cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Fund, b.Fund), cmp.Compare(a.Party, b.Party), cmp.Compare(a.Period, b.Period))
	})
	return rows
}

// Source names where the figures are from: a file, or the journal.
func (b *Bases) Source() string { return b.file }

// Year is the year of the quotas.
func (b *Bases) Year() int { return b.year }

// BasisDifference is a figure that two sources state differently; one that a
// source lacks is 0.00 there.
type BasisDifference struct {
	BasisRow              // as the first states it
	Other    accounts.Fen `json:"other"` // as the second does
}

// Compare lists where the other source differs, row by row.
func (b *Bases) Compare(other *Bases) []BasisDifference {
	differences := []BasisDifference{}
	both := &Bases{amounts: map[baseKey]accounts.Fen{}}
	for key := range b.amounts {
		both.amounts[key] = b.amounts[key]
	}
	for key := range other.amounts {
		both.amounts[key] = b.amounts[key]
	}
	for _, row := range both.Rows() {
		if o := other.amounts[baseKey{row.Basis, row.Fund, row.Party, row.Period}]; o != row.Amount {
			differences = append(differences, BasisDifference{row, o})
		}
	}
	return differences
}
