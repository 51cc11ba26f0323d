package rpc

import (
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	ledgerv1 "fundledger/proto/gen/fundledger/ledger/v1"
	typev1 "fundledger/proto/gen/fundledger/type/v1"
)

// reader reads texts of a request, which have passed the rules of form; what is
// wrong nevertheless is its first fault.
type reader struct{ err error }

func parsed[T any](r *reader, field, text string, parse func(string) (T, error)) (value T) {
	value, err := parse(text)
	if err != nil && r.err == nil {
		r.err = fault.New(fault.Invalid, "%s: %w", field, err).With("field", field)
	}
	return value
}

func (r *reader) date(field, text string) civil.Date {
	if text == "" {
		return civil.Date{}
	}
	return parsed(r, field, text, accounts.ParseDate)
}

func (r *reader) month(field, text string) accounts.Month {
	if text == "" {
		return ""
	}
	return parsed(r, field, text, accounts.ParseMonth)
}

func (r *reader) amounts(field string, texts []string) (amounts []accounts.Fen) {
	for _, text := range texts {
		amounts = append(amounts, parsed(r, field, text, accounts.ParseYuan))
	}
	return amounts
}

func (r *reader) posting(p *ledgerv1.Posting) ledger.Posting {
	return ledger.Posting{
		Account: parsed(r, "account", p.GetAccount(), accounts.ParseAccount), Side: sideOf(p.GetSide()),
		Amount:     parsed(r, "amount", p.GetAmount(), accounts.ParseYuan),
		Dimensions: ledger.Dimensions{Run: p.GetRun(), Category: p.GetCategory(), Part: p.GetPart(), BenefitYear: int(p.GetBenefitYear())},
	}
}

// entry is the entry of a request; the caller prepares it.
func (r *reader) entry(e *ledgerv1.NewEntry, preparer string) ledger.Entry {
	entry := ledger.Entry{
		Key: e.GetIdempotencyKey(), Date: r.date("date", e.GetDate()), Period: r.month("period", e.GetPeriod()), Kind: e.GetKind(),
		Summary: e.GetSummary(), Source: e.GetSource(), Attachments: int(e.GetAttachments()), Preparer: preparer,
		Postings: make([]ledger.Posting, len(e.GetPostings())),
	}
	if e.GetCorrects() != "" {
		entry.Corrects = uuid.NullUUID{UUID: parsed(r, "corrects", e.GetCorrects(), uuid.Parse), Valid: true}
	}
	for i, p := range e.GetPostings() {
		entry.Postings[i] = r.posting(p)
	}
	return entry
}

// asOf is the state of the journal that a request wants.
func (r *reader) asOf(as *typev1.AsOf, atLeast int64) ledger.AsOf {
	state := ledger.AsOf{AtLeast: ledger.Position(atLeast), Date: r.date("as_of.date", as.GetDate()), Position: ledger.Position(as.GetPosition())}
	if as.GetTime() != nil {
		state.PostedAt = as.GetTime().AsTime()
	}
	return state
}

var sides = map[accounts.Side]typev1.Side{accounts.Debit: typev1.Side_SIDE_DEBIT, accounts.Credit: typev1.Side_SIDE_CREDIT}

func sideOf(side typev1.Side) accounts.Side {
	switch side {
	case typev1.Side_SIDE_DEBIT:
		return accounts.Debit
	case typev1.Side_SIDE_CREDIT:
		return accounts.Credit
	}
	return ""
}

func postingOf(p *ledger.Posting) *ledgerv1.Posting {
	return &ledgerv1.Posting{
		Account: p.Account.String(), Side: sides[p.Side], Amount: p.Amount.String(),
		Run: p.Run, Category: p.Category, Part: p.Part, BenefitYear: int32(p.BenefitYear),
	}
}

// visible are the lines in the caller's regions.
func visible(postings []ledger.Posting, regions Regions) (lines []*ledgerv1.Posting) {
	for i := range postings {
		if regions.Has(string(postings[i].Account.Book)) {
			lines = append(lines, postingOf(&postings[i]))
		}
	}
	return lines
}

// booksOf names the book of each line.
func booksOf(postings []ledger.Posting) (books []string) {
	for i := range postings {
		books = append(books, string(postings[i].Account.Book))
	}
	return books
}

func entryOf(r *ledger.Record, regions Regions) *ledgerv1.Entry {
	e := &ledgerv1.Entry{
		Position: int64(r.Position), EntryId: r.ID.String(), IdempotencyKey: r.Key, BatchId: r.Batch.String(),
		PostTime: timestamp(r.PostedAt), Date: r.Date.String(), Period: string(r.Period), Kind: r.Kind, Summary: r.Summary,
		Source: r.Source, Attachments: int32(r.Attachments), Preparer: r.Preparer, Reviewer: r.Reviewer,
		Postings: visible(r.Postings, regions),
	}
	if r.Corrects.Valid {
		e.Corrects = r.Corrects.UUID.String()
	}
	for _, id := range r.CorrectedBy {
		e.CorrectedBy = append(e.CorrectedBy, id.String())
	}
	for _, v := range r.Vouchers {
		if regions.Has(string(v.Book)) {
			e.Vouchers = append(e.Vouchers, &ledgerv1.Voucher{Book: string(v.Book), Period: string(v.Period), Number: v.Number})
		}
	}
	return e
}

// timestamp is absent for no time.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
