package settlement

import (
	"context"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/paging"
	"fundledger/ledger"
	"fundledger/settlement/internal/db"
)

// Lateness is which limit of J49 a settlement has passed without being cleared.
type Lateness string

const (
	InTime          Lateness = ""
	CarriedLate     Lateness = "carried_over"     // past the cut-off of its month: it goes into a later run
	OverdueDeferral Lateness = "overdue_deferral" // past the longest deferral
	OverdueYear     Lateness = "overdue_year"     // past the first quarter of the next year
)

// Overdue tells whether a limit is passed that must not be.
func (l Lateness) Overdue() bool { return l == OverdueDeferral || l == OverdueYear }

// KindAccepted is the kind of an uncleared settlement that only waits for its
// run; the other kinds are those of exceptions.
const KindAccepted = "accepted"

// LateRecord is a settlement that has missed the cut-off of its month.
type LateRecord struct {
	SetlID   string         `json:"setl_id"`
	Month    accounts.Month `json:"service_month"`
	Kind     string         `json:"kind"` // why it is in no run: accepted, refund_waiting, or that of its exception
	Insured  string         `json:"insured,omitempty"`
	Treating string         `json:"treating,omitempty"`
	Lateness Lateness       `json:"lateness"`
	CutOff   civil.Date     `json:"cut_off"`  // the last day for the run of its month
	Deferral civil.Date     `json:"deferral"` // the last day of the longest deferral
	YearEnd  civil.Date     `json:"year_end"` // the last day for settlements of its year
}

// LateQuery selects a page of late records.
type LateQuery struct {
	AsOf      civil.Date // the last day of a limit is in time
	Overdue   bool       // only those that are overdue, not merely carried over
	Region    string     // insured or treating; empty: every one
	Regions   []string   // that the reader may see; nil for all
	PageSize  int        // at most 1000; 0 means 100
	PageToken string
	AtLeast   ledger.Position
}

// LatePage is a page of late records, the oldest month first.
type LatePage struct {
	Records       []LateRecord    `json:"records"`
	NextPageToken string          `json:"next_page_token,omitempty"`
	Position      ledger.Position `json:"position"` // of the journal, as seen
}

// deadlines are the last days of the limits of a service month (J49).
type deadlines struct{ cutOff, deferral, yearEnd civil.Date }

// deadlinesOf counts the limits by the policy of the day. The days are those of
// the calendar, working days or not: the rule names a day and no term.
func deadlinesOf(book *accounts.Rulebook, month accounts.Month, on civil.Date) (d deadlines, err error) {
	day, err := book.Policy.Int("clearing.cutoff_day", on)
	if err != nil {
		return d, err
	}
	limits, err := deferralOn(book, on)
	if err != nil {
		return d, err
	}
	first := month.Add(1)
	d.cutOff = first.First().AddDays(day - 1)
	d.deferral = first.Add(limits.months).First().AddDays(day - 1)
	d.yearEnd = accounts.MonthOf(civil.Date{Year: month.Year() + 1, Month: time.Month(limits.yearEndMonth), Day: 1}).Last()
	return d, nil
}

// lateness tells the furthest limit that has passed.
func (d deadlines) lateness(asOf civil.Date) Lateness {
	switch {
	case asOf.After(d.yearEnd):
		return OverdueYear
	case asOf.After(d.deferral):
		return OverdueDeferral
	case asOf.After(d.cutOff):
		return CarriedLate
	}
	return InTime
}

// LateRecords lists settlements that are in no clearing run although the
// cut-off of their month has passed on the day: accepted ones, exceptions and
// refunds that wait, as they stand now. Errors: Invalid, NotFound (the policy
// lacks a limit, the journal is shorter than a position that is asked).
func (s *Settlements) LateRecords(ctx context.Context, query LateQuery) (*LatePage, error) {
	size, err := paging.Size(query.PageSize, "records")
	if err != nil {
		return nil, err
	}
	if !query.AsOf.IsValid() {
		return nil, fault.New(fault.Invalid, "the day is needed as of which records are late").With("field", "as_of")
	}
	after := []string{"", "", ""}
	if query.PageToken != "" {
		if after = strings.SplitN(query.PageToken, "/", 3); len(after) != 3 {
			return nil, paging.BadToken(query.PageToken, "a list of late records")
		}
		after[1], after[2] = after[2], after[1]
	}
	last, err := s.lastLate(query.AsOf, query.Overdue)
	if err != nil {
		return nil, err
	}
	wanted := ExceptionQuery{Region: query.Region, Regions: query.Regions}
	all, regions := wanted.wanted()
	page := &LatePage{}
	err = s.journal.View(ctx, query.AtLeast, func(tx pgx.Tx, at ledger.Position) error {
		*page = LatePage{Records: []LateRecord{}, Position: at}
		q := db.New(tx)
		rows, err := q.PageOfUncleared(ctx, db.PageOfUnclearedParams{LastMonth: string(last), AllRegions: all, Regions: regions,
			AfterMonth: after[0], AfterID: after[1], AfterKind: after[2], Page: int32(size) + 1})
		if err != nil {
			return err
		}
		if len(rows) > size {
			rows = rows[:size]
			r := rows[size-1]
			page.NextPageToken = r.ServiceMonth + "/" + r.Kind + "/" + r.SetlID // an id may have a slash
		}
		described := make([]Exception, len(rows))
		for i, r := range rows {
			described[i].SetlID = r.SetlID
		}
		if err := describe(ctx, q, described); err != nil {
			return err
		}
		for i, r := range rows {
			month := accounts.Month(r.ServiceMonth)
			d, err := deadlinesOf(s.book, month, query.AsOf)
			if err != nil {
				return err
			}
			page.Records = append(page.Records, LateRecord{SetlID: r.SetlID, Month: month, Kind: r.Kind, Insured: described[i].Insured, Treating: described[i].Treating,
				Lateness: d.lateness(query.AsOf), CutOff: d.cutOff, Deferral: d.deferral, YearEnd: d.yearEnd})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// lastLate is the last service month that is late, or overdue, on the day: all
// before it are too.
func (s *Settlements) lastLate(asOf civil.Date, overdue bool) (accounts.Month, error) {
	for month := accounts.MonthOf(asOf); ; month = month.Add(-1) {
		d, err := deadlinesOf(s.book, month, asOf)
		if err != nil {
			return "", err
		}
		if l := d.lateness(asOf); l.Overdue() || l == CarriedLate && !overdue {
			return month, nil
		}
	}
}
