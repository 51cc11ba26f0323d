package settlement

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// BenefitShare is what a fund pays of a settlement in one benefit year.
type BenefitShare struct {
	BenefitYear int          `json:"benefit_year"`
	Fund        string       `json:"fund"`
	Part        string       `json:"part,omitempty"` // "account" for 个人账户
	Amount      accounts.Fen `json:"amount"`
}

// benefitShares reads from an acceptance how its insured region has divided
// it, by year, fund and part; none where the insured region is not ours.
func benefitShares(e *ledger.Entry) []BenefitShare {
	shares := []BenefitShare{}
	for _, p := range e.Postings {
		if p.BenefitYear != 0 {
			shares = append(shares, BenefitShare{p.BenefitYear, p.Account.Fund, p.Part, -p.Signed()})
		}
	}
	slices.SortFunc(shares, func(a, b BenefitShare) int {
		return cmp.Or(cmp.Compare(a.BenefitYear, b.BenefitYear), cmp.Compare(a.Fund, b.Fund), cmp.Compare(a.Part, b.Part))
	})
	return shares
}

// BenefitYearTotal is what an insured region of ours owes in one fund for a
// benefit year, from settlements of one calendar year.
type BenefitYearTotal struct {
	Insured     string       `json:"insured"`
	Fund        string       `json:"fund"`
	BenefitYear int          `json:"benefit_year"`
	SettledIn   int          `json:"settled_in"` // calendar year of the settlement
	Amount      accounts.Fen `json:"amount"`     // accepted, refunds taken off
}

// BenefitYears reports what was accepted for a benefit year (待遇年度), in it
// and in later years, by insured region and fund; insured is empty for all. A
// settlement is of the benefit year of its discharge, a stay over the year end
// of both where the region's policy is by_days (J44).
func (s *Settlements) BenefitYears(ctx context.Context, year int, insured string, regions []string, atLeast ledger.Position) ([]BenefitYearTotal, ledger.Position, error) {
	type key struct {
		insured, fund string
		settledIn     int
	}
	var totals map[key]accounts.Fen
	var seen ledger.Position
	err := s.journal.View(ctx, atLeast, func(tx pgx.Tx, at ledger.Position) error {
		totals, seen = map[key]accounts.Fen{}, at
		blocks, err := db.New(tx).BlocksOfBenefitYear(ctx, string(accounts.MonthOf(civil.Date{Year: year, Month: time.January, Day: 1})))
		if err != nil {
			return err
		}
		for _, b := range blocks {
			sums, err := decodeSums(b.Sums)
			if err != nil {
				return err
			}
			month := accounts.Month(b.ServiceMonth)
			for _, g := range sums {
				ours := s.rules.regions[g.Insured] == accounts.City && (insured == "" || insured == g.Insured) && (regions == nil || slices.Contains(regions, g.Insured))
				if g.BenefitYear != year || !ours {
					continue
				}
				for part, amount := range g.Amounts {
					if amount == 0 {
						continue
					}
					fund, err := s.rules.fundOf(part, g.Insutype, month.Last())
					if err != nil {
						return err
					}
					totals[key{g.Insured, fund, month.Year()}] += amount
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	keys := slices.SortedFunc(maps.Keys(totals), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.insured, b.insured), cmp.Compare(a.fund, b.fund), cmp.Compare(a.settledIn, b.settledIn))
	})
	list := make([]BenefitYearTotal, 0, len(keys))
	for _, k := range keys {
		list = append(list, BenefitYearTotal{k.insured, k.fund, year, k.settledIn, totals[k]})
	}
	return list, seen, nil
}
