package prepayment

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment/internal/db"
	"fundledger/internal/fault"
)

// Plan is the quota plan (预付金额度) of a year and scheme, as it was frozen.
type Plan struct {
	ID     string     `json:"plan"` // such as "2025/in-province"
	Year   int        `json:"year"`
	Scheme Scheme     `json:"scheme"`
	Issued civil.Date `json:"issued"`
	Source string     `json:"source"` // of the bases, and of the quotas where they are the national ones
	By     string     `json:"by"`
	// Quotas are the rows of the detail table (annexes 2 and 4).
	Quotas []Quota `json:"quotas"`
	// Positions are quota, what was held and the adjustment of each party.
	Positions []Position          `json:"positions"`
	Bases     []clearing.BasisRow `json:"bases"`
	Notices   []Notice            `json:"notices"`
	// Differences between the bases of the journal and of the given file, where
	// there are both; only MakePlan tells them.
	Differences []clearing.BasisDifference `json:"differences,omitempty"`
	// National is where the accepted national quotas, which the plan has, differ from
	// those that the bases come to; only MakePlan tells it.
	National []Difference `json:"national_differences,omitempty"`
	Replayed bool         `json:"replayed,omitempty"`
}

// Quota is what a city is to have prepaid in a fund, in the province or for one
// other province.
type Quota struct {
	Province string       `json:"province,omitempty"`
	Fund     string       `json:"fund"`
	City     string       `json:"city"`
	Amount   accounts.Fen `json:"amount"`
}

// Position is where a party stood when the plan was made. A positive adjustment
// is paid by a city, or to another province; a negative one is returned (J32).
type Position struct {
	Party      string       `json:"party"`
	PartyName  string       `json:"party_name"`
	Fund       string       `json:"fund"`
	Quota      accounts.Fen `json:"quota"`
	Held       accounts.Fen `json:"held"`
	Adjustment accounts.Fen `json:"adjustment"`
}

// PlanRequest asks to make the plan of a year.
type PlanRequest struct {
	Year   int
	Scheme Scheme
	Issued civil.Date      // of the notices; zero: the first working day of the month for them
	File   *clearing.Bases // nil: the bases are those of the journal
	By     string
	Key    string // of idempotency; empty: the plan itself is the key
	// ValidateOnly works the plan out and keeps nothing.
	ValidateOnly bool
}

// PlanID names the plan of a year.
func PlanID(year int, scheme Scheme) string { return fmt.Sprintf("%d/%s", year, scheme) }

func isPlan(origin string) bool { return !strings.HasPrefix(origin, topUpPrefix) }

// MakePlan freezes the plan of a year: quotas by the bases, adjustment = quota -
// balance held at this moment per party and fund, and its notices (J30, J31, J32).
// Bases are those of last year's journal where all its months are cleared, the
// file then being a cross-check, else those of the file. The plan takes the place
// of earlier ones: nothing more moves on their notices, since what is held is set
// off. The same request again gives the plan as it stands.
//
// Errors: Invalid (form, bases that lack figures), Precondition (neither file nor
// a full year of the journal; a later plan stands; a national quota notice waits
// to be accepted), AlreadyExists (the plan stands by another request), NotFound
// (no calendar or policy for the year).
func (p *Prepayments) MakePlan(ctx context.Context, r PlanRequest) (*Plan, error) {
	if err := p.checkPlan(&r); err != nil {
		return nil, err
	}
	made := step{Step: Step{Key: r.Key, Name: "made", Date: r.Issued, By: r.By}, subject: PlanID(r.Year, r.Scheme), content: "bases " + digest(r.File)}
	if err := made.check(); err != nil {
		return nil, err
	}
	var plan *Plan
	err := p.store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		plan, err = p.standing(ctx, db.New(tx), &made)
		return err
	})
	if err != nil || plan != nil {
		return plan, err
	}
	bases, differences, err := p.bases(ctx, r)
	if err != nil {
		return nil, err
	}
	draft, err := p.draft(r, bases)
	if err != nil {
		return nil, err
	}
	err = p.store.InTx(ctx, func(tx pgx.Tx) (err error) {
		if plan, err = p.standing(ctx, db.New(tx), &made); err != nil || plan != nil {
			return err
		}
		plan, err = p.freeze(ctx, tx, draft, bases, &made, r.ValidateOnly)
		return err
	})
	if err != nil {
		return nil, err
	}
	plan.Differences = differences
	return plan, nil
}

func (p *Prepayments) checkPlan(r *PlanRequest) (err error) {
	if r.Scheme != InProvince && r.Scheme != CrossProvince {
		return fault.New(fault.Invalid, "%q is none of the schemes %s and %s", r.Scheme, InProvince, CrossProvince).With("field", "scheme")
	}
	if r.Issued, err = p.noticeDate(r.Year, r.Issued); err != nil {
		return err
	}
	if r.Issued.Year != r.Year {
		return fault.New(fault.Invalid, "notice date %s is not of the year %d", r.Issued, r.Year).With("field", "issued")
	}
	if r.File != nil && r.File.Year() != r.Year {
		return fault.New(fault.Invalid, "the bases are for the quotas of %d, not of %d", r.File.Year(), r.Year).With("field", "bases")
	}
	if r.Key == "" {
		r.Key = "prepayment-plan/" + PlanID(r.Year, r.Scheme)
	}
	return nil
}

// standing returns the plan if it was made already by the same request.
func (p *Prepayments) standing(ctx context.Context, q *db.Queries, made *step) (*Plan, error) {
	taken, err := made.taken(ctx, q)
	if err != nil {
		return nil, err
	}
	plan, err := p.readPlan(ctx, q, made.subject)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case !taken:
		return nil, fault.New(fault.AlreadyExists, "plan %s stands already, made by %s with notices of %s: it is frozen", plan.ID, plan.By, plan.Issued).With("plan", plan.ID)
	}
	plan.Replayed = true
	return plan, nil
}

// bases chooses the figures that the quotas follow from.
func (p *Prepayments) bases(ctx context.Context, r PlanRequest) (*clearing.Bases, []clearing.BasisDifference, error) {
	own, err := p.clearing.BasesOf(ctx, r.Year)
	switch {
	case err == nil && r.File != nil:
		return own, own.Compare(r.File), nil
	case err == nil:
		return own, nil, nil
	case r.File != nil && fault.KindOf(err) == fault.Precondition:
		return r.File, nil, nil
	}
	return nil, nil, err
}

// digest tells one file of bases from another.
func digest(b *clearing.Bases) string {
	if b == nil {
		return "of the journal"
	}
	h := sha256.New()
	for _, row := range b.Rows() {
		fmt.Fprintln(h, row.Basis, row.Fund, row.Party, row.Period, row.Amount)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// draft works the quotas of the scheme out of the bases.
func (p *Prepayments) draft(r PlanRequest, bases *clearing.Bases) (*Plan, error) {
	quotas, err := bases.Quotas(p.book)
	if err != nil {
		return nil, err
	}
	plan := &Plan{ID: PlanID(r.Year, r.Scheme), Year: r.Year, Scheme: r.Scheme, Issued: r.Issued, Source: bases.Source(), By: r.By, Bases: bases.Rows()}
	if r.Scheme == InProvince {
		for _, city := range quotas.InProvince {
			for _, fund := range city.Value {
				plan.Quotas = append(plan.Quotas, Quota{Fund: fund.Key, City: city.Key, Amount: fund.Value})
			}
		}
		return plan, nil
	}
	for _, province := range quotas.CrossProvince {
		for _, fund := range province.Value {
			for _, city := range fund.Value.Cities {
				plan.Quotas = append(plan.Quotas, Quota{Province: province.Key, Fund: fund.Key, City: city.Key, Amount: city.Value})
			}
		}
	}
	return plan, nil
}
