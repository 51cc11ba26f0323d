package clearing

import (
	"cmp"
	"context"

	"fundledger/accounts"
	"fundledger/clearing/internal/db"
	"fundledger/ledger"
)

// Share is what a run clears between two regions in one fund, medical
// category, account part and benefit year, and what of it is discharged.
type Share struct {
	Insured, Treating    string
	Fund, Category, Part string
	BenefitYear          int
	Records, CarriedOver int64
	Amount               accounts.Fen
	PaidInsured          accounts.Fen // discharged by the insured region (9101)
	PaidTreating         accounts.Fen // discharged towards the treating region (9001)
}

func shareOf(row db.RunPart) *Share {
	return &Share{Insured: row.Insured, Treating: row.Treating, Fund: row.Fund, Category: row.Category, Part: row.Part,
		BenefitYear: int(row.BenefitYear), Records: row.Records, CarriedOver: row.CarriedOver, Amount: accounts.Fen(row.AmountFen),
		PaidInsured: accounts.Fen(row.PaidInsuredFen), PaidTreating: accounts.Fen(row.PaidTreatingFen)}
}

func compareShares(a, b *Share) int {
	return cmp.Or(cmp.Compare(a.Insured, b.Insured), cmp.Compare(a.Treating, b.Treating), cmp.Compare(a.Fund, b.Fund),
		cmp.Compare(a.Category, b.Category), cmp.Compare(a.Part, b.Part), cmp.Compare(a.BenefitYear, b.BenefitYear))
}

func runShares(ctx context.Context, q *db.Queries, run string) ([]*Share, error) {
	rows, err := q.RunParts(ctx, run)
	if err != nil {
		return nil, err
	}
	shares := make([]*Share, len(rows))
	for i, row := range rows {
		shares[i] = shareOf(row)
	}
	return shares, nil
}

// side is one end of a share: who it is owed by and to, and what is discharged.
type side struct {
	party func(*Share) string // whose side it is
	other func(*Share) string // the region at the other end
	paid  func(*Share) *accounts.Fen
}

var (
	insuredSide = side{
		party: func(s *Share) string { return s.Insured },
		other: func(s *Share) string { return s.Treating },
		paid:  func(s *Share) *accounts.Fen { return &s.PaidInsured },
	}
	treatingSide = side{
		party: func(s *Share) string { return s.Treating },
		other: func(s *Share) string { return s.Insured },
		paid:  func(s *Share) *accounts.Fen { return &s.PaidTreating },
	}
)

// of returns the shares of the party in the fund.
func (d side) of(shares []*Share, party, fund string) []*Share {
	var own []*Share
	for _, s := range shares {
		if d.party(s) == party && s.Fund == fund {
			own = append(own, s)
		}
	}
	return own
}

func (d side) total(shares []*Share) (sum accounts.Fen) {
	for _, s := range shares {
		sum += s.Amount
	}
	return sum
}

func (d side) open(shares []*Share) accounts.Fen { return d.total(shares) - d.paidOf(shares) }

func (d side) paidOf(shares []*Share) (sum accounts.Fen) {
	for _, s := range shares {
		sum += *d.paid(s)
	}
	return sum
}

func (d side) settled(shares []*Share) bool {
	for _, s := range shares {
		if s.Amount != *d.paid(s) {
			return false
		}
	}
	return true
}

// discharge takes amount off what is open, in proportion, by largest
// remainder in the order of the shares. The whole open amount discharges every
// share to its end, also where refunds make the whole zero.
func (d side) discharge(shares []*Share, amount accounts.Fen) ([]ledger.Part, error) {
	open := make([]accounts.Fen, len(shares))
	for i, s := range shares {
		open[i] = s.Amount - *d.paid(s)
	}
	cut := open
	if amount != d.open(shares) {
		var err error
		if cut, err = accounts.Allocate(amount, open); err != nil {
			return nil, err
		}
	}
	parts := []ledger.Part{}
	for i, s := range shares {
		if cut[i] == 0 {
			continue
		}
		*d.paid(s) += cut[i]
		parts = append(parts, ledger.Part{
			Counterparty: d.other(s), Amount: cut[i],
			Dimensions: ledger.Dimensions{Category: s.Category, Part: s.Part, BenefitYear: s.BenefitYear},
		})
	}
	return parts, nil
}

// netDischarge tells what of payable p and receivable r of a city is
// discharged once cash in its direction (it pays p - r if that is positive,
// else it gets r - p) has moved. The first payment offsets what both sides
// have in common, every payment then discharges its own amount; a side that
// is negative has nothing to offset and is paid after the other.
func netDischarge(p, r, cash accounts.Fen) (payable, receivable accounts.Fen) {
	if p < r {
		receivable, payable = netDischarge(r, p, cash)
		return payable, receivable
	}
	payable = min(p, max(r, 0)+cash)
	return payable, payable - cash
}
