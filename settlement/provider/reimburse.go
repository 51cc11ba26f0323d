package provider

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider/internal/db"
)

// ReimbursementState is how far an application has come.
type ReimbursementState string

const (
	ReimbursementReceived ReimbursementState = "received"
	ReimbursementApproved ReimbursementState = "approved"
	ReimbursementPaid     ReimbursementState = "paid"
	ReimbursementDeclined ReimbursementState = "declined"
)

const stepExtended = "extended"

// Policy of manual reimbursement (J28).
const (
	policySmallBill   = "manual.small_bill"
	policySmallDays   = "manual.small_bill_days"
	policyDays        = "manual.days"
	policyLongestDays = "manual.longest_days"
)

// Share is what a fund pays of a reimbursement, 统筹 and 个人账户 apart.
type Share struct {
	Fund   string       `json:"fund"`
	Part   string       `json:"part,omitempty"` // "account" for 个人账户
	Amount accounts.Fen `json:"amount"`
}

// Application is a patient's claim to be reimbursed by the insured region (J26).
type Application struct {
	Region   string       // insured region, which pays
	Document string       // number of the bill; with the region it is reimbursed once
	PsnNo    string       // salted hash of the person
	Category string       // med_type
	Bill     accounts.Fen // total of the bill
	Shares   []Share      // what the funds pay of it
	Received civil.Date   // when all papers were there
	By       string
}

// Reimbursement (零星报销) is an application and what became of it.
type Reimbursement struct {
	Region     string             `json:"region"`
	Document   string             `json:"document"`
	PsnNo      string             `json:"psn_no"`
	Category   string             `json:"med_type"`
	Bill       accounts.Fen       `json:"bill"`
	Shares     []Share            `json:"shares"`
	Received   civil.Date         `json:"received"`
	ReceivedBy string             `json:"received_by"`
	Due        civil.Date         `json:"due"`
	Longest    civil.Date         `json:"longest"` // the latest that it can be extended to
	State      ReimbursementState `json:"state"`
	Paid       civil.Date         `json:"paid,omitzero"`
	Reference  string             `json:"reference,omitempty"`
	Entry      uuid.NullUUID      `json:"entry,omitzero"`
	Overdue    bool               `json:"overdue,omitempty"` // as of the list's day
	Events     []Event            `json:"events,omitempty"`  // by Reimbursement only
	Replayed   bool               `json:"replayed,omitempty"`
}

func reimbursementOf(r db.Reimbursement) *Reimbursement {
	m := &Reimbursement{Region: r.Region, Document: r.Document, PsnNo: r.PsnNo, Category: r.MedType, Bill: accounts.Fen(r.BillFen),
		Received: civil.DateOf(r.ReceivedOn), ReceivedBy: r.ReceivedBy, Due: civil.DateOf(r.DueOn), Longest: civil.DateOf(r.LongestOn),
		State: ReimbursementState(r.State), Reference: r.Reference, Entry: r.EntryID}
	for i, fund := range r.Funds {
		m.Shares = append(m.Shares, Share{fund, r.Parts[i], accounts.Fen(r.AmountsFen[i])})
	}
	if r.PaidOn.Valid {
		m.Paid = civil.DateOf(r.PaidOn.Time)
	}
	return m
}

func (a *Application) check(d *Desk) error {
	if err := required("document", a.Document, "by", a.By); err != nil {
		return err
	}
	if err := d.city(a.Region, "region"); err != nil {
		return err
	}
	if err := needDate(a.Received, "received"); err != nil {
		return err
	}
	if !settlement.IsPersonHash(a.PsnNo) {
		return fault.New(fault.Invalid, "psn_no is no salted person hash: names and identity numbers are not accepted").With("field", "psn_no")
	}
	if _, ok := d.book.Codes.Find(accounts.MedicalType, a.Category, a.Received); !ok {
		return fault.New(fault.Invalid, "there is no medical category %q on %s", a.Category, a.Received).With("field", "med_type")
	}
	if len(a.Shares) == 0 {
		return fault.New(fault.Invalid, "name the funds and what they pay").With("field", "shares")
	}
	var total accounts.Fen
	for i, s := range a.Shares {
		if slices.ContainsFunc(a.Shares[:i], func(t Share) bool { return t.Fund == s.Fund && t.Part == s.Part }) {
			return fault.New(fault.Invalid, "fund %s %s is given twice", s.Fund, s.Part).With("field", "fund")
		}
		if _, ok := d.book.Codes.Find(accounts.SettlementPart, s.Part, a.Received); s.Part != "" && !ok {
			return fault.New(fault.Invalid, "there is no part %q of a fund", s.Part).With("field", "part")
		}
		if err := d.checkLines([]Line{{s.Fund, s.Amount}}); err != nil {
			return err
		}
		total += s.Amount
	}
	if total > a.Bill {
		return fault.New(fault.Invalid, "the funds pay %s of a bill of %s", total, a.Bill).With("field", "bill")
	}
	return nil
}

// due counts by when an application is to be paid (J28): a small outpatient
// bill sooner, and when it is extended at the latest.
func (d *Desk) due(a *Application) (due, longest civil.Date, err error) {
	key := policyDays
	small, err := d.book.Policy.Decimal(policySmallBill, a.Received)
	if err != nil {
		return due, longest, err
	}
	inpatient, err := settlement.Inpatient(d.book, a.Category, a.Received)
	if err != nil {
		return due, longest, err
	}
	if !inpatient && a.Bill.Decimal().LessThan(small) {
		key = policySmallDays
	}
	if due, err = d.workingDays(a.Received, key); err != nil {
		return due, longest, err
	}
	longest, err = d.workingDays(a.Received, policyLongestDays)
	return due, longest, err
}

// workingDays adds as many working days as the policy says on the date.
func (d *Desk) workingDays(from civil.Date, key string) (civil.Date, error) {
	days, err := d.book.Policy.Int(key, from)
	if err != nil {
		return civil.Date{}, err
	}
	return d.book.Calendar.AddWorkingDays(from, days)
}

// Receive records an application. The same application again gives the first
// result. Errors: Invalid, NotFound (fund, policy, a year without calendar),
// AlreadyExists (the document stands with another content).
func (d *Desk) Receive(ctx context.Context, a Application) (*Reimbursement, error) {
	if err := a.check(d); err != nil {
		return nil, err
	}
	due, longest, err := d.due(&a)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(a.Shares, func(a, b Share) int { return cmp.Or(cmp.Compare(a.Fund, b.Fund), cmp.Compare(a.Part, b.Part)) })
	row := db.InsertReimbursementParams{Region: a.Region, Document: a.Document, PsnNo: a.PsnNo, MedType: a.Category, BillFen: int64(a.Bill),
		ReceivedOn: dateParam(a.Received), ReceivedBy: a.By, DueOn: dateParam(due), LongestOn: dateParam(longest), State: string(ReimbursementReceived)}
	for _, s := range a.Shares {
		row.Funds, row.Parts, row.AmountsFen = append(row.Funds, s.Fund), append(row.Parts, s.Part), append(row.AmountsFen, int64(s.Amount))
	}
	return d.onReimbursement(ctx, a.Region, a.Document, func(q *db.Queries) error { return q.InsertReimbursement(ctx, row) },
		func(_ pgx.Tx, q *db.Queries, r *Reimbursement) error {
			content := func(psn, category string, bill accounts.Fen, shares []Share, received civil.Date) string {
				return fmt.Sprint(psn, " ", category, " ", bill, " ", shares, " ", received)
			}
			before, now := content(r.PsnNo, r.Category, r.Bill, r.Shares, r.Received), content(a.PsnNo, a.Category, a.Bill, a.Shares, a.Received)
			if before != now {
				return fault.New(fault.AlreadyExists, "document %s of %s was received already with other content", a.Document, a.Region).With("document", a.Document)
			}
			last, err := q.LastEvent(ctx, reimbursementSubject(a.Region, a.Document))
			if err != nil || last > 0 {
				r.Replayed = true
				return err
			}
			return note(ctx, q, reimbursementSubject(a.Region, a.Document), Event{Step: string(ReimbursementReceived), On: a.Received, By: a.By, Document: a.Document})
		})
}

// ReimbursementStep is a decision on an application.
type ReimbursementStep struct {
	Region, Document string
	Date             civil.Date
	By               string
	Reason           string // of an extension or refusal
	Reference        string // of the bank's voucher, when it is paid
}

func (s *ReimbursementStep) check() error {
	if err := required("document", s.Document, "by", s.By); err != nil {
		return err
	}
	if err := bounded("reason", s.Reason); err != nil {
		return err
	}
	return needDate(s.Date, "date")
}

// Approve lets an application be paid; by another person than the one who
// received it. Errors: Invalid, NotFound, AlreadyExists (approved with other
// content), Permission (the same person), Precondition (declined).
func (d *Desk) Approve(ctx context.Context, s ReimbursementStep) (*Reimbursement, error) {
	return d.step(ctx, s, ReimbursementApproved, func(r *Reimbursement) error {
		if s.By == r.ReceivedBy {
			return fault.New(fault.Permission, "application %s was received by %s: another person than %s must approve it", r.Document, r.ReceivedBy, s.By).
				With("received_by", r.ReceivedBy).With("by", s.By)
		}
		return nil
	}, ReimbursementReceived)
}

// Decline refuses an application that is not paid, with the reason. Errors: Invalid,
// NotFound, AlreadyExists (declined with other content), Precondition (paid).
func (d *Desk) Decline(ctx context.Context, s ReimbursementStep) (*Reimbursement, error) {
	if err := required("reason", s.Reason); err != nil {
		return nil, err
	}
	return d.step(ctx, s, ReimbursementDeclined, func(*Reimbursement) error { return nil }, ReimbursementReceived, ReimbursementApproved)
}

// step takes an application from one of the states to another.
func (d *Desk) step(ctx context.Context, s ReimbursementStep, to ReimbursementState, check func(*Reimbursement) error, from ...ReimbursementState) (*Reimbursement, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return d.onReimbursement(ctx, s.Region, s.Document, nil, func(_ pgx.Tx, q *db.Queries, r *Reimbursement) error {
		taken := Event{Step: string(to), On: s.Date, By: s.By, Reason: s.Reason}
		if r.State == to {
			r.Replayed = true
			return repeated(ctx, q, reimbursementSubject(r.Region, r.Document), taken)
		}
		if !slices.Contains(from, r.State) {
			return fault.New(fault.Precondition, "application %s is %s: it cannot be %s", r.Document, r.State, to).With("document", r.Document)
		}
		if s.Date.Before(r.Received) {
			return fault.New(fault.Invalid, "%s lies before the application of %s", s.Date, r.Received).With("field", "date")
		}
		if err := check(r); err != nil {
			return err
		}
		r.State = to
		return r.move(ctx, q, taken)
	})
}

// Extend gives an application the longest term, for a reason (J28: 特殊情况).
// Errors: Invalid, NotFound, AlreadyExists (extended with other content),
// Precondition (it is paid or declined).
func (d *Desk) Extend(ctx context.Context, s ReimbursementStep) (*Reimbursement, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := required("reason", s.Reason); err != nil {
		return nil, err
	}
	return d.onReimbursement(ctx, s.Region, s.Document, nil, func(_ pgx.Tx, q *db.Queries, r *Reimbursement) error {
		taken := Event{Step: stepExtended, On: s.Date, By: s.By, Reason: s.Reason}
		switch {
		case r.State == ReimbursementPaid || r.State == ReimbursementDeclined:
			return fault.New(fault.Precondition, "application %s is %s: there is nothing to extend", r.Document, r.State).With("document", r.Document)
		case r.Due == r.Longest:
			r.Replayed = true
			return repeated(ctx, q, reimbursementSubject(r.Region, r.Document), taken)
		}
		r.Due = r.Longest
		return r.move(ctx, q, taken)
	})
}

// Reimburse pays an approved application out of the spending account. The same
// payment again gives the first result. Errors: Invalid, NotFound,
// Precondition (not approved, declined), AlreadyExists (paid by another
// reference or on another date), Insufficient (the spending account lacks the
// money, with account and shortfall), PeriodClosed.
func (d *Desk) Reimburse(ctx context.Context, s ReimbursementStep) (*Reimbursement, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := required("reference", s.Reference); err != nil {
		return nil, err
	}
	return d.onReimbursement(ctx, s.Region, s.Document, nil, func(tx pgx.Tx, q *db.Queries, r *Reimbursement) error {
		switch {
		case r.State == ReimbursementPaid && r.Reference == s.Reference && r.Paid == s.Date:
			r.Replayed = true
			return nil
		case r.State == ReimbursementPaid:
			return fault.New(fault.AlreadyExists, "document %s of %s was reimbursed on %s by reference %q: it is reimbursed once", r.Document, r.Region, r.Paid, r.Reference).With("document", r.Document)
		case r.State != ReimbursementApproved:
			return fault.New(fault.Precondition, "application %s is %s: it must be approved before it is paid", r.Document, r.State).With("document", r.Document)
		case s.Date.Before(r.Received):
			return fault.New(fault.Invalid, "%s lies before the application of %s", s.Date, r.Received).With("field", "date")
		}
		events, err := history(ctx, q, reimbursementSubject(r.Region, r.Document))
		if err != nil {
			return err
		}
		e := ledger.Entry{Key: "reimbursement/" + r.Region + "/" + r.Document, Date: s.Date, Kind: eventManual, Source: r.Document + " " + s.Reference,
			Summary: "零星报销 " + r.Document, Preparer: s.By, Reviewer: approver(events)}
		for _, share := range r.Shares {
			part := []ledger.Part{{Amount: share.Amount, Dimensions: ledger.Dimensions{Category: r.Category, Part: share.Part}}}
			if err := d.add(&e, eventManual, share.Fund, map[string]string{"I": r.Region}, part); err != nil {
				return err
			}
		}
		if r.Entry, _, err = d.post(ctx, tx, e); err != nil {
			return err
		}
		r.State, r.Paid, r.Reference = ReimbursementPaid, s.Date, s.Reference
		return r.move(ctx, q, Event{Step: string(ReimbursementPaid), On: s.Date, By: s.By, Document: s.Reference})
	})
}

func approver(events []Event) (by string) {
	for _, e := range events {
		if e.Step == string(ReimbursementApproved) {
			by = e.By
		}
	}
	return by
}

func reimbursementSubject(region, document string) string {
	return "reimbursement/" + region + "/" + document
}

func (r *Reimbursement) move(ctx context.Context, q *db.Queries, e Event) error {
	err := q.MoveReimbursement(ctx, db.MoveReimbursementParams{Region: r.Region, Document: r.Document, State: string(r.State), DueOn: dateParam(r.Due),
		PaidOn: nullDate(r.Paid), Reference: r.Reference, EntryID: r.Entry})
	if err != nil {
		return err
	}
	return note(ctx, q, reimbursementSubject(r.Region, r.Document), e)
}

// onReimbursement holds the application while fn changes it; before may bring it about.
func (d *Desk) onReimbursement(ctx context.Context, region, document string, before func(*db.Queries) error, fn func(pgx.Tx, *db.Queries, *Reimbursement) error) (*Reimbursement, error) {
	var r *Reimbursement
	err := d.store.InTx(ctx, func(tx pgx.Tx) error {
		q := db.New(tx)
		if before != nil {
			if err := before(q); err != nil {
				return err
			}
		}
		rows, err := q.LockReimbursement(ctx, db.LockReimbursementParams{Region: region, Document: document})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return noApplication(region, document)
		}
		r = reimbursementOf(rows[0])
		return fn(tx, q, r)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func noApplication(region, document string) error {
	return fault.New(fault.NotFound, "no application with document %s of %s was received", document, region).With("document", document)
}
