package settlement

import (
	"context"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// preparer signs the entries that reconciliation makes.
const preparer = "reconcile"

// eventOf is the event of the posting table by which a settlement is accepted.
var eventOf = map[RunKind]string{InProvince: "settlement.in_province", CrossOut: "settlement.out", CrossIn: "settlement.in"}

// entryKey is the idempotency key of a settlement's entry.
func entryKey(setlID string) string { return "settlement/" + setlID }

// drafter drafts the entries of settlements one after the other.
type drafter struct {
	*Settlements
	facts ledger.Facts
}

func (s *Settlements) drafter() drafter {
	return drafter{s, ledger.Facts{Regions: map[string]string{"P": s.rules.home}, Amounts: map[string][]ledger.Part{}}}
}

// entry drafts the acceptance of a settlement, all funds in one entry; its
// period is set later.
func (d drafter) entry(r *record) (ledger.Entry, error) {
	kind, _ := d.rules.kindOf(r.insured, r.treating)
	e := ledger.Entry{
		Key: entryKey(r.id), Date: r.settledOn(), Kind: eventOf[kind], Source: "setl:" + r.id, Preparer: preparer,
		Summary: "异地就医结算 " + r.id,
	}
	if r.refund {
		e.Summary = "异地就医退费 " + r.id + " 冲 " + r.orig
		e.Corrects = uuid.NullUUID{UUID: ledger.EntryID(entryKey(r.orig)), Valid: true}
	}
	funds, err := d.rules.byFund(r, e.Date)
	if err != nil {
		return e, err
	}
	facts := d.facts
	facts.Event, facts.Date = e.Kind, e.Date
	facts.Regions["I"], facts.Regions["T"], facts.Regions["provider"] = r.insured, r.treating, r.provider
	for _, f := range funds {
		facts.Fund, facts.Amounts["amount"] = f.fund, f.parts
		postings, err := ledger.Draft(d.book, facts)
		if err != nil {
			return e, err
		}
		if e.Postings == nil {
			e.Postings = postings
		} else {
			e.Postings = append(e.Postings, postings...)
		}
	}
	return e, nil
}

// fundParts is what one fund pays of a settlement.
type fundParts struct {
	fund  string
	parts []ledger.Part
}

// byFund divides a settlement by fund, in their order.
func (r *rules) byFund(rec *record, on civil.Date) ([]fundParts, error) {
	years, err := r.byYear(rec)
	if err != nil {
		return nil, err
	}
	funds := make([]fundParts, 0, 2)
	for part := range rec.parts {
		for i := range years {
			amount := years[i].parts[part]
			if amount == 0 {
				continue
			}
			fund, err := r.fundOf(part, rec.insutype, on)
			if err != nil {
				return nil, err
			}
			share := ledger.Part{Amount: amount, Dimensions: ledger.Dimensions{Category: rec.medType, Part: partName(part), BenefitYear: years[i].year}}
			at, found := slices.BinarySearchFunc(funds, fund, func(f fundParts, fund string) int { return strings.Compare(f.fund, fund) })
			if !found {
				funds = slices.Insert(funds, at, fundParts{fund: fund})
			}
			funds[at].parts = append(funds[at].parts, share)
		}
	}
	return funds, nil
}

// benefitYear is the year of discharge (J44).
func (r *record) benefitYear() int { return r.enddate.Year }

// setPeriods gives each entry the earliest month, from that of its date on,
// that is open in all its books. One look is enough while all books are open.
func (s *Settlements) setPeriods(ctx context.Context, tx pgx.Tx, entries []ledger.Entry) error {
	type wanted struct {
		month accounts.Month
		books string
	}
	byMonth := map[accounts.Month]map[accounts.Book]bool{}
	for i := range entries {
		month := accounts.MonthOf(entries[i].Date)
		if byMonth[month] == nil {
			byMonth[month] = map[accounts.Book]bool{}
		}
		var last accounts.Book
		for k := range entries[i].Postings {
			if book := entries[i].Postings[k].Account.Book; book != last {
				byMonth[month][book], last = true, book
			}
		}
	}
	open := map[accounts.Month]bool{}
	for month, books := range byMonth {
		period, err := s.journal.OpenPeriod(ctx, tx, month, slices.Sorted(maps.Keys(books))...)
		if err != nil {
			return err
		}
		open[month] = period == month
	}
	found := map[wanted]accounts.Month{}
	for i := range entries {
		e := &entries[i]
		month := accounts.MonthOf(e.Date)
		if e.Period = month; open[month] {
			continue
		}
		books := booksOf(e)
		key := wanted{month, string(join(books))}
		if found[key] == "" {
			period, err := s.journal.OpenPeriod(ctx, tx, month, books...)
			if err != nil {
				return err
			}
			found[key] = period
		}
		e.Period = found[key]
	}
	return nil
}

func booksOf(e *ledger.Entry) []accounts.Book {
	books := map[accounts.Book]bool{}
	for k := range e.Postings {
		books[e.Postings[k].Account.Book] = true
	}
	return slices.Sorted(maps.Keys(books))
}

func join(books []accounts.Book) (joined accounts.Book) {
	for _, b := range books {
		joined += b + " "
	}
	return joined
}

// post posts the settlements, all or none, and returns those that did not
// stand in the journal before.
func (s *Settlements) post(ctx context.Context, tx pgx.Tx, records []*record) ([]*record, error) {
	if len(records) == 0 {
		return nil, nil
	}
	entries, drafter := make([]ledger.Entry, len(records)), s.drafter()
	for i, r := range records {
		var err error
		if entries[i], err = drafter.entry(r); err != nil {
			return nil, err
		}
	}
	if err := s.setPeriods(ctx, tx, entries); err != nil {
		return nil, err
	}
	results, err := s.journal.PostTx(ctx, tx, entries)
	if err != nil {
		return nil, err
	}
	posted := make([]*record, 0, len(records))
	for i, r := range results {
		if r.Err != nil {
			return nil, r.Err
		}
		if !r.Replayed {
			posted = append(posted, records[i])
		}
	}
	return posted, nil
}

// posted tells which of the settlements are accepted: their entry stands in
// the journal, or they needed none.
func (s *Settlements) posted(ctx context.Context, tx pgx.Tx, q *db.Queries, ids []string) (posted map[string]bool, err error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = entryKey(id)
	}
	found, err := s.journal.Posted(ctx, tx, keys...)
	if err != nil {
		return nil, err
	}
	posted = make(map[string]bool, len(found))
	for i, id := range ids {
		if found[keys[i]] {
			posted[id] = true
		}
	}
	apart, err := q.ApartAmong(ctx, ids)
	for _, row := range apart {
		if row.State == statePosted {
			posted[row.SetlID] = true
		}
	}
	return posted, err
}
